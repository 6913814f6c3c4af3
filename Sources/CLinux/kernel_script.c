#define _GNU_SOURCE
#include "CLinux.h"
#include "kernel_script.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PAGE = 4096 };

void cl_settle_page_lists(void) {
  static _Alignas(4096) char page[4096];
  madvise(page, sizeof page, MADV_COLD);
}

void cl_buffer_warm(void *buffer, size_t length) {
  volatile char *bytes = buffer;
  for (size_t at = 0; at < length; at += PAGE) bytes[at] = bytes[at];
  if (length) bytes[length - 1] = bytes[length - 1];
}

/* MARK: System calls */

static void count(struct rusage *usage) { getrusage(RUSAGE_THREAD, usage); }

static void measure(int64_t number, const uint64_t arguments[6], struct cl_measured *measured) {
  struct rusage before, after;
  memset(&before, 0, sizeof before);
  memset(&after, 0, sizeof after);
  memset(measured, 0, sizeof *measured);
  errno = 0;
  count(&before);
  long result = syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
  int error = errno;
  count(&after);
  measured->result = result == -1 ? -error : result;
  measured->minor = after.ru_minflt - before.ru_minflt;
  measured->major = after.ru_majflt - before.ru_majflt;
}

void cl_measured_call(int64_t number, const uint64_t arguments[6], struct cl_measured *measured) {
  /* A call that does nothing goes first: whatever code, stack and data the way there and back needs is present then, also
   * in a forked child, which starts without the pages of its program and libraries. */
  measure(SYS_getppid, arguments, measured);
  measure(number, arguments, measured);
}

/* MARK: Accesses */

/* In one page, so that one store makes all of it present. */
static struct {
  sigjmp_buf back;
  volatile int armed;
  int signal, code;
  uint64_t address;
} caught __attribute__((aligned(1024)));

static char signal_stack[16 * PAGE] __attribute__((aligned(PAGE)));

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)context;
  /* A fault of the harness itself: nothing that it could say after this would be true. */
  if (!caught.armed) _exit(125);
  caught.armed = 0;
  caught.signal = number;
  caught.code = info->si_code;
  caught.address = (uint64_t)(uintptr_t)info->si_addr;
  siglongjmp(caught.back, 1);
}

int cl_access_begin(void) {
  stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
  if (sigaltstack(&stack, 0)) return -errno;
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
  for (int i = 0; i < 4; i++)
    if (sigaction(signals[i], &action, 0)) return -errno;
  /* The first signal finds the handler's code not mapped yet: it is spent on an access that nobody measures. */
  struct cl_access spent;
  cl_measured_access(8, CL_ACCESS_READ, 0, &spent);
  return spent.signal == SIGSEGV ? 0 : -EFAULT;
}

void cl_measured_access(uint64_t address, int kind, uint64_t value, struct cl_access *access) {
  struct rusage before, after;
  /* Written before the first look: after a fork each of these pages faults once, in the parent too. */
  memset(&before, 0, sizeof before);
  memset(&after, 0, sizeof after);
  memset(access, 0, sizeof *access);
  caught.armed = 0;
  cl_buffer_warm(signal_stack, sizeof signal_stack);
  volatile uint64_t *place = (volatile uint64_t *)(uintptr_t)address;
  count(&before);
  /* `access` is the only thing both ways of return read, and it is memory. */
  if (sigsetjmp(caught.back, 1) == 0) {
    caught.armed = 1;
    switch (kind) {
    case CL_ACCESS_READ: access->value = *place; break;
    case CL_ACCESS_WRITE: *place = value; break;
    case CL_ACCESS_READ_MODIFY_WRITE: access->value = __atomic_fetch_add(place, value, __ATOMIC_SEQ_CST); break;
    case CL_ACCESS_EXECUTE: ((void (*)(void))(uintptr_t)address)(); break;
    }
    caught.armed = 0;
  } else {
    access->signal = caught.signal;
    access->code = caught.code;
    access->fault_address = caught.address;
  }
  count(&after);
  access->minor = after.ru_minflt - before.ru_minflt;
  access->major = after.ru_majflt - before.ru_majflt;
}

/* MARK: Looking */

/* PAGEMAP_SCAN of linux/fs.h, which the headers of older systems lack. */
struct scan {
  uint64_t size, flags, start, end, walk_end, regions, region_count, limit;
  uint64_t inverted, all_of, any_of, returned;
};
#define SCAN _IOWR('f', 16, struct scan)
enum { SCAN_ZERO = 1 << 5, SCAN_HUGE = 1 << 6 };

int cl_page_letters(int pagemap, uint64_t address, size_t pages, uint8_t *letters) {
  uint64_t entries[512];
  for (size_t done = 0; done < pages;) {
    size_t wanted = pages - done < 512 ? pages - done : 512;
    ssize_t got = pread(pagemap, entries, wanted * 8, (off_t)((address / PAGE + done) * 8));
    if (got < 0) return -errno;
    for (size_t i = 0; i < wanted; i++) {
      uint64_t entry = i < (size_t)got / 8 ? entries[i] : 0;
      letters[done + i] = entry >> 63 ? (entry >> 61 & 1 ? 'F' : 'A') : entry >> 62 & 1 ? 'S' : 0;
    }
    done += wanted;
  }
  struct cl_page_region regions[64];
  for (uint64_t at = address, end = address + pages * PAGE; at < end;) {
    struct scan scan = {.size = sizeof scan, .start = at, .end = end, .regions = (uintptr_t)regions, .region_count = 64,
        .any_of = SCAN_ZERO | SCAN_HUGE, .returned = SCAN_ZERO | SCAN_HUGE};
    int found = ioctl(pagemap, SCAN, &scan);
    if (found < 0) return -errno;
    for (int i = 0; i < found; i++)
      for (uint64_t page = regions[i].start; page < regions[i].end; page += PAGE) {
        uint8_t *letter = &letters[(page - address) / PAGE];
        if (*letter != 'F' && *letter != 'A') continue;
        if (regions[i].categories & SCAN_ZERO) *letter = 'Z';
        if (regions[i].categories & SCAN_HUGE) *letter |= 0x80;
      }
    if (scan.walk_end <= at) break;
    at = scan.walk_end;
  }
  return 0;
}

static uint64_t fnv(uint64_t sum, const void *from, size_t count) {
  const uint8_t *bytes = from;
  for (size_t i = 0; i < count; i++) sum = (sum ^ bytes[i]) * 0x100000001b3;
  return sum;
}

int64_t cl_page_sum(uint64_t address, size_t pages, const uint8_t *letters, uint64_t *sum) {
  int64_t unreadable = 0;
  *sum = 0xcbf29ce484222325;
  for (uint64_t page = 0; page < pages; page++) {
    if (!letters[page] || letters[page] == 'S') continue;
    struct cl_access access;
    cl_measured_access(address + page * PAGE, CL_ACCESS_READ, 0, &access);
    if (access.signal) {
      unreadable++;
    } else {
      *sum = fnv(*sum, &page, 8);
      *sum = fnv(*sum, (const void *)(uintptr_t)(address + page * PAGE), PAGE);
    }
  }
  return unreadable;
}

int cl_file_system(const char *path, struct cl_file_system *file_system) {
  struct statfs of_mount;
  struct stat of_path;
  if (statfs(path, &of_mount) || stat(path, &of_path)) return -errno;
  *file_system = (struct cl_file_system){of_mount.f_type, of_mount.f_bsize, major(of_path.st_dev), minor(of_path.st_dev)};
  return 0;
}

const char *cl_errno_name(int number) {
  const char *name = strerrorname_np(number);
  return name ? name : "?";
}

/* MARK: Processes */

static void become(const char *path, char *const arguments[], int input, int output, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);
  int layout = personality(0xffffffff);
  if (layout >= 0) personality((unsigned)layout | ADDR_NO_RANDOMIZE);
  if (dup2(input, 0) < 0 || dup2(output, 1) < 0) _exit(126);
  execv(path, arguments);
  _exit(127);
}

int cl_script_spawn(const char *path, char *const arguments[], struct cl_script_child *child) {
  int down[2], up[2];
  if (pipe2(down, O_CLOEXEC)) return -errno;
  if (pipe2(up, O_CLOEXEC)) {
    int error = errno;
    close(down[0]), close(down[1]);
    return -error;
  }
  pid_t parent = getpid();
  pid_t pid = fork();
  int error = errno;
  if (pid == 0) become(path, arguments, down[0], up[1], parent);
  close(down[0]), close(up[1]);
  if (pid < 0) {
    close(down[1]), close(up[0]);
    return -error;
  }
  child->pid = pid;
  child->input = down[1];
  child->output = up[0];
  return 0;
}
