#define _GNU_SOURCE
#include "include/CLinuxTrace.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Newer than the headers that this must build with. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#define CL_UFFD_FEATURE_WP_UNPOPULATED (1ull << 13)
#define CL_UFFD_FEATURE_WP_ASYNC (1ull << 15)
struct cl_pm_scan_arg {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
  uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define CL_PAGEMAP_SCAN _IOWR('f', 16, struct cl_pm_scan_arg)

int cl_trace_seize(pid_t pid) {
  long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                 PTRACE_O_TRACEEXIT | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL;
  return ptrace(PTRACE_SEIZE, pid, 0, options) ? -errno : 0;
}

int cl_trace_resume(pid_t tid, int how, int signal) {
  static const int requests[] = {PTRACE_CONT, PTRACE_SYSCALL, PTRACE_SINGLESTEP, PTRACE_LISTEN};
  return ptrace(requests[how], tid, 0, (long)signal) ? -errno : 0;
}

/* Newer than some headers: Linux 5.3. */
#define CL_PTRACE_GET_SYSCALL_INFO 0x420e
int cl_trace_is_call_begin(pid_t tid) {
  uint64_t info[11] = {0}; /* struct ptrace_syscall_info: its first byte says where in the call the thread is */
  if (ptrace((enum __ptrace_request)CL_PTRACE_GET_SYSCALL_INFO, tid, sizeof info, info) <= 0) return 0;
  return *(uint8_t *)info == 1;
}

int cl_trace_event_message(pid_t tid, uint64_t *message) {
  unsigned long value = 0;
  if (ptrace(PTRACE_GETEVENTMSG, tid, 0, &value)) return -errno;
  *message = value;
  return 0;
}

int cl_trace_swap_signal_mask(pid_t tid, uint64_t mask, uint64_t *old) {
  if (old && ptrace(PTRACE_GETSIGMASK, tid, sizeof *old, old)) return -errno;
  return ptrace(PTRACE_SETSIGMASK, tid, sizeof mask, &mask) ? -errno : 0;
}

int cl_kill_thread(pid_t pid, pid_t tid, int signal) {
  return syscall(SYS_tgkill, pid, tid, signal) ? -errno : 0;
}

int cl_trace_wait(pid_t tid, struct cl_stop *stop) {
  int status;
  pid_t got;
  do got = waitpid(tid, &status, __WALL | __WNOTHREAD);
  while (got < 0 && errno == EINTR);
  if (got < 0) return -errno;
  *stop = (struct cl_stop){got, CL_STOP_OTHER, 0};
  if (WIFEXITED(status) || WIFSIGNALED(status)) {
    stop->kind = CL_STOP_EXITED;
    stop->value = (uint64_t)status;
    return 0;
  }
  if (!WIFSTOPPED(status)) return 0;
  int signal = WSTOPSIG(status), event = status >> 16;
  uint64_t message = 0;
  if (event && event != PTRACE_EVENT_STOP) cl_trace_event_message(got, &message);
  stop->value = message;
  switch (event) {
  case 0:
    stop->kind = signal == (SIGTRAP | 0x80) ? CL_STOP_CALL_END : CL_STOP_SIGNAL;
    stop->value = (uint64_t)signal;
    break;
  case PTRACE_EVENT_FORK:
  case PTRACE_EVENT_VFORK:
  case PTRACE_EVENT_CLONE: stop->kind = CL_STOP_CLONED; break;
  case PTRACE_EVENT_EXEC: stop->kind = CL_STOP_EXEC; break;
  case PTRACE_EVENT_EXIT: stop->kind = CL_STOP_EXITING; break;
  case PTRACE_EVENT_SECCOMP: stop->kind = CL_STOP_SECCOMP; break;
  case PTRACE_EVENT_STOP: stop->kind = signal == SIGTRAP ? CL_STOP_STARTED : CL_STOP_GROUP; break;
  default: break;
  }
  return 0;
}

ssize_t cl_process_read(pid_t pid, uint64_t address, void *to, size_t count) {
  struct iovec here = {to, count}, there = {(void *)(uintptr_t)address, count};
  ssize_t done = process_vm_readv(pid, &here, 1, &there, 1, 0);
  return done < 0 ? -errno : done;
}

ssize_t cl_process_write(pid_t pid, uint64_t address, const void *from, size_t count) {
  struct iovec here = {(void *)from, count}, there = {(void *)(uintptr_t)address, count};
  ssize_t done = process_vm_writev(pid, &here, 1, &there, 1, 0);
  return done < 0 ? -errno : done;
}

int cl_pidfd_open(pid_t pid) {
  long descriptor = syscall(SYS_pidfd_open, pid, 0);
  return descriptor < 0 ? -errno : (int)descriptor;
}

int cl_same_open_file(pid_t pid, int one, int other) {
  const int file = 0; /* KCMP_FILE */
  long order = syscall(SYS_kcmp, pid, pid, file, (unsigned long)one, (unsigned long)other);
  return order < 0 ? -errno : order == 0;
}

int cl_pidfd_getfd(int pidfd, int descriptor) {
  long copy = syscall(SYS_pidfd_getfd, pidfd, descriptor, 0);
  return copy < 0 ? -errno : (int)copy;
}

int64_t cl_userfaultfd_flags(void) { return O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY; }

int cl_userfaultfd_enable(int descriptor) {
  struct uffdio_api api = {
      .api = UFFD_API, .features = CL_UFFD_FEATURE_WP_ASYNC | CL_UFFD_FEATURE_WP_UNPOPULATED};
  return ioctl(descriptor, UFFDIO_API, &api) ? -errno : 0;
}

int cl_userfaultfd_watch(int descriptor, uint64_t start, uint64_t length) {
  struct uffdio_register range = {.range = {start, length}, .mode = UFFDIO_REGISTER_MODE_WP};
  return ioctl(descriptor, UFFDIO_REGISTER, &range) ? -errno : 0;
}

int cl_page_scan(
    int pagemap, uint64_t start, uint64_t end, struct cl_page_region *regions, size_t count, uint64_t *walked) {
  struct cl_pm_scan_arg scan = {
      .size = sizeof scan,
      .start = start,
      .end = end,
      .vec = (uint64_t)(uintptr_t)regions,
      .vec_len = count,
      .category_anyof_mask = CL_PAGE_PRESENT | CL_PAGE_SWAPPED,
      .return_mask = CL_PAGE_PRESENT | CL_PAGE_FILE | CL_PAGE_HUGE,
  };
  int found = ioctl(pagemap, CL_PAGEMAP_SCAN, &scan);
  if (found < 0) return -errno;
  *walked = scan.walk_end;
  return found;
}

enum { FORWARDS = 64 };
static volatile pid_t forwards[FORWARDS];
static volatile int forward_counts[FORWARDS];
static int forward_users;
static struct sigaction forward_old[4];
static const int forward_signals[4] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

static void forward(int signal, siginfo_t *info, void *context) {
  (void)context;
  int code = errno;
  for (int i = 0; i < FORWARDS; i++) {
    if (forwards[i] <= 0) continue;
    __atomic_add_fetch(&forward_counts[i], 1, __ATOMIC_RELAXED);
    /* The terminal sends it to the whole foreground group: the program has it already. */
    if (info->si_code != SI_KERNEL) kill(forwards[i], signal);
  }
  errno = code;
}

static volatile int forward_lock;
static void lock_forwards(void) {
  while (__atomic_exchange_n(&forward_lock, 1, __ATOMIC_ACQUIRE)) sched_yield();
}
static void unlock_forwards(void) { __atomic_store_n(&forward_lock, 0, __ATOMIC_RELEASE); }

int cl_forward_begin(pid_t pid) {
  lock_forwards();
  int slot = 0;
  while (slot < FORWARDS && forwards[slot]) slot++;
  if (slot < FORWARDS) {
    forwards[slot] = pid;
    forward_counts[slot] = 0;
    if (forward_users++ == 0) {
      struct sigaction action = {.sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART};
      for (int i = 0; i < 4; i++) {
        sigaction(forward_signals[i], 0, &forward_old[i]);
        if (forward_old[i].sa_handler != SIG_IGN) sigaction(forward_signals[i], &action, 0);
      }
    }
  }
  unlock_forwards();
  return slot < FORWARDS ? slot : -EAGAIN;
}

int cl_forward_count(int slot) { return __atomic_load_n(&forward_counts[slot], __ATOMIC_RELAXED); }

void cl_forward_end(int slot) {
  lock_forwards();
  forwards[slot] = 0;
  if (--forward_users == 0)
    for (int i = 0; i < 4; i++) sigaction(forward_signals[i], &forward_old[i], 0);
  unlock_forwards();
}

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
int64_t cl_cached_pages(int descriptor, uint64_t offset, uint64_t length) {
  uint64_t range[2] = {offset, length}, counts[5] = {0};
  return syscall(SYS_cachestat, descriptor, range, counts, 0) ? -errno : (int64_t)counts[0];
}

pid_t cl_fork(void) { return fork(); }

void *cl_move_mapping(void *base, size_t length) {
  void *room = mmap(0, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return 0;
  void *moved = mremap(base, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, room);
  return moved == MAP_FAILED ? 0 : moved;
}

int cl_prefer_latency(void) {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes = {.size = 48, .runtime = 100000};
  return syscall(SYS_sched_setattr, 0, &attributes, 0) ? -errno : 0;
}
