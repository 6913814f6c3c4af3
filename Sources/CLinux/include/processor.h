#ifndef CLINUX_PROCESSOR_H
#define CLINUX_PROCESSOR_H

/* Keeps the calling thread, and those that it starts from now on, on the processor that it is on. 0 or -errno. */
int cl_stay_on_this_processor(void);

/* The processor that the calling thread is on, or -errno; and the calling thread alone kept on one. */
int cl_processor(void);
int cl_stay_on_processor(int processor);

#endif
