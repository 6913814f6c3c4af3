#define _GNU_SOURCE
#include "processor.h"

#include <errno.h>
#include <sched.h>

int cl_stay_on_this_processor(void) {
  int here = sched_getcpu();
  if (here < 0) return -errno;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(here, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}
