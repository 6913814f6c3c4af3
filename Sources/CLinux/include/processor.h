#ifndef CLINUX_PROCESSOR_H
#define CLINUX_PROCESSOR_H

/* Keeps the calling thread, and those that it starts from now on, on the processor that it is on. 0 or -errno. */
int cl_stay_on_this_processor(void);

#endif
