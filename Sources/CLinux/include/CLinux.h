/* What Swift cannot import from Linux: variadic calls, ioctls, bit-field structures.
 * Every function returns a non-negative result or -errno. */
#ifndef FAULTLINE_CLINUX_H
#define FAULTLINE_CLINUX_H
#include <sched.h>
#include <stdint.h>
#include "CLinuxPerf.h"
#include "CLinuxTrace.h"

#include "barrier.h"
#include "cache_line.h"
#include "checksum.h"
#include "device_file.h"
#include "doctor.h"
#include "kernel_script.h"
#include "memory_file.h"
#include "page_loops.h"
#include "processor.h"
#include "store.h"
#include "thread_slot.h"
#include "trap.h"

/* One turn of a spin loop. Now and then the processor goes to somebody else: whoever is waited for may need it. */
static inline void cl_pause(void) {
  static _Thread_local unsigned turns;
  if ((++turns & 255) == 0) sched_yield();
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}

#endif
