/* Fences that the language has no word for. */
#ifndef FAULTLINE_CLINUX_BARRIER_H
#define FAULTLINE_CLINUX_BARRIER_H

/* Keeps the compiler, but not the processor, from moving memory accesses across. */
static inline void cl_compiler_fence(void) { __asm__ volatile("" ::: "memory"); }

/* Readies this process for cl_membarrier; 0, or -errno where the kernel has none. */
int cl_membarrier_register(void);

/* Makes every running thread of this process pass a full fence; 0 or -errno. */
int cl_membarrier(void);

#endif
