#define _GNU_SOURCE
#include "processor.h"

#include <errno.h>
#include <sched.h>

int cl_processor(void) {
  int here = sched_getcpu();
  return here < 0 ? -errno : here;
}

int cl_stay_on_processor(int processor) {
  if (processor < 0 || processor >= CPU_SETSIZE) return -EINVAL;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

int cl_stay_on_this_processor(void) {
  int here = cl_processor();
  return here < 0 ? here : cl_stay_on_processor(here);
}
