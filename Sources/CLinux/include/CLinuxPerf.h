/* Perf software events and their rings. Every function returns a non-negative result or -errno. */
#ifndef FAULTLINE_CLINUX_PERF_H
#define FAULTLINE_CLINUX_PERF_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CL_PERF_FAULTS = 2, CL_PERF_MINOR = 5, CL_PERF_MAJOR = 6 };

/* A sample as the events below are opened; lost records have the type CL_PERF_RECORD_LOST. */
struct cl_perf_sample {
  uint64_t id, ip;
  uint32_t pid, tid;
  uint64_t time, address;
};
enum { CL_PERF_RECORD_LOST = 2, CL_PERF_RECORD_COMM = 3, CL_PERF_RECORD_SAMPLE = 9 };

/* Every fault of `pid` and what it starts, on one processor, from its next execve on. */
int cl_perf_open(pid_t pid, int processor, uint64_t event, int exclude_kernel, size_t watermark);
int64_t cl_perf_id(int descriptor);
/* Lets `descriptor` write into the ring of `ring`. */
int cl_perf_share_ring(int descriptor, int ring);

static inline uint64_t cl_ring_head(const void *page) {
  return __atomic_load_n((const uint64_t *)((const char *)page + 1024), __ATOMIC_ACQUIRE);
}
static inline void cl_ring_release(void *page, uint64_t tail) {
  __atomic_store_n((uint64_t *)((char *)page + 1032), tail, __ATOMIC_RELEASE);
}
#endif
