/* Files that live in memory only. */
#ifndef FAULTLINE_CLINUX_MEMORY_H
#define FAULTLINE_CLINUX_MEMORY_H

/* A descriptor of a new, nameless memory file that is closed on exec; -errno when there is none to be had. */
int cl_memory_file(const char *name);

#endif
