/* Writing cache lines back to what lies behind them. */
#ifndef CLINUX_CACHE_LINE_H
#define CLINUX_CACHE_LINE_H
#include <stdint.h>

enum { CL_FLUSH_NONE, CL_FLUSH_CLFLUSH, CL_FLUSH_CLFLUSHOPT, CL_FLUSH_CLWB };

/* The cheapest instruction that this processor has for it; CL_FLUSH_NONE where a program can do without or has none. */
int cl_flush_instruction(void);

/* Begins to write back every line of the range, with that instruction. */
void cl_flush_lines(const void *start, uint64_t bytes);

/* Returns when what the calling thread has flushed is accepted by the memory's power-safe part. */
void cl_store_fence(void);

#endif
