/* What Swift cannot import from Linux: variadic calls, ioctls, bit-field structures.
 * Every function returns a non-negative result or -errno. */
#ifndef FAULTLINE_CLINUX_H
#define FAULTLINE_CLINUX_H
#include <stdint.h>
#include "CLinuxPerf.h"
#include "CLinuxTrace.h"

#include "barrier.h"
#include "doctor.h"
#include "kernel_script.h"
#include "memory_file.h"
#include "processor.h"
#include "store.h"
#include "thread_slot.h"
#include "trap.h"

/* Tells the processor that this is a spin loop. */
static inline void cl_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}

#endif
