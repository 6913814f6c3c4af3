#define _GNU_SOURCE
#include "include/CLinuxPerf.h"
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(offsetof(struct perf_event_mmap_page, data_head) == 1024, "the ring's head");
_Static_assert(offsetof(struct perf_event_mmap_page, data_tail) == 1032, "the ring's tail");

int cl_perf_open(pid_t pid, int processor, uint64_t event, int exclude_kernel, size_t watermark) {
  struct perf_event_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = event;
  attr.sample_period = 1;
  attr.sample_type =
      PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR;
  attr.disabled = 1;
  attr.enable_on_exec = 1;
  attr.inherit = 1;
  attr.exclude_kernel = exclude_kernel != 0;
  attr.exclude_hv = 1;
  attr.comm = 1;
  attr.use_clockid = 1;
  attr.clockid = CLOCK_MONOTONIC;
  attr.watermark = 1;
  attr.wakeup_watermark = (uint32_t)watermark;
  long descriptor = syscall(SYS_perf_event_open, &attr, pid, processor, -1, PERF_FLAG_FD_CLOEXEC);
  return descriptor < 0 ? -errno : (int)descriptor;
}

int64_t cl_perf_id(int descriptor) {
  uint64_t id = 0;
  return ioctl(descriptor, PERF_EVENT_IOC_ID, &id) ? -errno : (int64_t)id;
}

int cl_perf_share_ring(int descriptor, int ring) {
  return ioctl(descriptor, PERF_EVENT_IOC_SET_OUTPUT, ring) ? -errno : 0;
}
