#define _GNU_SOURCE
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Headers older than the kernel lack these. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif

static int open_userfaultfd(int user_only) {
  long fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | (user_only ? UFFD_USER_MODE_ONLY : 0));
  return fd < 0 ? -errno : (int)fd;
}

int cl_probe_userfaultfd(int user_only, uint64_t *features) {
  int fd = open_userfaultfd(user_only);
  if (fd < 0) return fd;
  struct uffdio_api api = {.api = UFFD_API};
  int result = ioctl(fd, UFFDIO_API, &api) < 0 ? -errno : 0;
  *features = api.features;
  close(fd);
  return result;
}

int cl_probe_async_write_protect(void) {
  int fd = open_userfaultfd(1);
  if (fd < 0) return fd;
  struct uffdio_api api = {.api = UFFD_API, .features = CL_UFFD_WP_ASYNC};
  int result = 0;
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    result = -errno;
  } else if (ioctl(fd, UFFDIO_API, &api) < 0) {
    result = -errno;
  } else {
    struct uffdio_register range = {
        .range = {.start = (uintptr_t)page, .len = 4096}, .mode = UFFDIO_REGISTER_MODE_WP};
    if (ioctl(fd, UFFDIO_REGISTER, &range) < 0) result = -errno;
  }
  if (page != MAP_FAILED) munmap(page, 4096);
  close(fd);
  return result;
}

int cl_probe_fault_sampling(int with_kernel) {
  struct perf_event_attr event;
  memset(&event, 0, sizeof event);
  event.type = PERF_TYPE_SOFTWARE;
  event.size = sizeof event;
  event.config = PERF_COUNT_SW_PAGE_FAULTS;
  event.sample_period = 1;
  event.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR;
  event.disabled = 1;
  event.exclude_kernel = !with_kernel;
  event.exclude_hv = 1;
  long fd = syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) return -errno;
  close((int)fd);
  return 0;
}

int cl_probe_ptrace(void) {
  pid_t child = fork();
  if (child < 0) return -errno;
  if (child == 0) {
    for (;;) pause();
  }
  int result = 0;
  int status;
  if (ptrace(PTRACE_SEIZE, child, NULL, (void *)PTRACE_O_EXITKILL) < 0) {
    result = -errno;
  } else if (ptrace(PTRACE_INTERRUPT, child, NULL, NULL) < 0 || waitpid(child, &status, __WALL) < 0) {
    result = -errno;
  }
  kill(child, SIGKILL);
  while (waitpid(child, &status, __WALL) == child && !WIFEXITED(status) && !WIFSIGNALED(status)) {
  }
  return result;
}

int cl_probe_synchronous_mapping(int file) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC, file, 0);
  if (page == MAP_FAILED) return -errno;
  munmap(page, 4096);
  return 0;
}
