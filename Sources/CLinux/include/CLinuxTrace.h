/* Tracing a program: spawn, ptrace, seccomp, userfaultfd registration, page-table scan.
 * Every function returns a non-negative result or -errno. */
#ifndef FAULTLINE_CLINUX_TRACE_H
#define FAULTLINE_CLINUX_TRACE_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The registers of a stopped thread; opaque but for the accessors below. */
struct cl_registers {
  uint64_t words[40];
};

/* 0, or -ENOSYS on a processor whose registers and system calls the tracer does not know. */
int cl_trace_supported(void);

/* The numbers of the system calls that stop; -2 and below where the processor is not supported. */
enum {
#if defined(__x86_64__)
  CL_CALL_READ = 0, CL_CALL_OPEN = 2, CL_CALL_MMAP = 9, CL_CALL_MPROTECT = 10, CL_CALL_MUNMAP = 11, CL_CALL_PREAD = 17, CL_CALL_READV = 19,
  CL_CALL_MREMAP = 25, CL_CALL_MSYNC = 26, CL_CALL_MADVISE = 28, CL_CALL_SENDFILE = 40, CL_CALL_CLONE = 56,
  CL_CALL_FORK = 57, CL_CALL_VFORK = 58, CL_CALL_EXECVE = 59, CL_CALL_CLOSE = 3, CL_CALL_FTRUNCATE = 77, CL_CALL_PTRACE = 101,
  CL_CALL_MLOCK = 149, CL_CALL_MLOCKALL = 151, CL_CALL_READAHEAD = 187, CL_CALL_FADVISE = 221, CL_CALL_OPENAT = 257,
  CL_CALL_FALLOCATE = 285, CL_CALL_PREADV = 295, CL_CALL_SECCOMP = 317, CL_CALL_EXECVEAT = 322, CL_CALL_USERFAULTFD = 323, CL_CALL_MLOCK2 = 325,
  CL_CALL_CLONE3 = 435,
#else
  CL_CALL_READ = -100, CL_CALL_OPEN, CL_CALL_OPENAT, CL_CALL_MMAP, CL_CALL_MPROTECT, CL_CALL_MUNMAP, CL_CALL_PREAD, CL_CALL_READV, CL_CALL_MREMAP,
  CL_CALL_MSYNC, CL_CALL_MADVISE, CL_CALL_SENDFILE, CL_CALL_CLONE, CL_CALL_FORK, CL_CALL_VFORK, CL_CALL_EXECVE,
  CL_CALL_CLOSE, CL_CALL_FTRUNCATE, CL_CALL_PTRACE, CL_CALL_MLOCK, CL_CALL_MLOCKALL, CL_CALL_READAHEAD, CL_CALL_FADVISE,
  CL_CALL_FALLOCATE, CL_CALL_PREADV, CL_CALL_SECCOMP, CL_CALL_EXECVEAT, CL_CALL_USERFAULTFD, CL_CALL_MLOCK2,
  CL_CALL_CLONE3,
#endif
};

int64_t cl_call_number(const struct cl_registers *registers);
uint64_t cl_call_argument(const struct cl_registers *registers, int index);
void cl_call_set_number(struct cl_registers *registers, int64_t number);
void cl_call_set_argument(struct cl_registers *registers, int index, uint64_t value);
int64_t cl_call_result(const struct cl_registers *registers);
void cl_call_set_result(struct cl_registers *registers, int64_t result);
uint64_t cl_instruction_pointer(const struct cl_registers *registers);
/* Makes the thread execute `number` at a system-call instruction at `address` when it goes on. */
void cl_call_prepare(struct cl_registers *registers, uint64_t address, int64_t number, const uint64_t arguments[6]);
/* Offset of a system-call instruction in `bytes`, or -1. */
int64_t cl_find_call_instruction(const uint8_t *bytes, size_t count);

/* The data of a seccomp stop. */
enum {
  CL_STOP_CALL = 1,
  CL_STOP_FOREIGN = 2,
  CL_STOP_FILE_READ = 3,
  CL_STOP_FILE_OPEN = 4,
};

struct cl_child {
  pid_t pid;
  int go; /* closing it or writing a byte lets the child go on */
  int failure; /* yields an errno as int when the child could not start the program; end of file when it could */
};

/* Forks a child that waits for `go`, then fixes the address-space layout, installs the filter and becomes the program;
 * without huge pages for good (PR_SET_THP_DISABLE) when `huge_pages` is 0. */
int cl_spawn(
    const char *path, char *const arguments[], char *const environment[], int huge_pages, struct cl_child *child);
/* Lets the child go on. */
int cl_spawn_go(struct cl_child *child);
/* After the end of the child: 0, or the -errno with which it could not become the program. */
int cl_spawn_result(struct cl_child *child);

int cl_trace_seize(pid_t pid);
enum { CL_RESUME = 0, CL_RESUME_TO_CALL_END = 1, CL_RESUME_ONE_STEP = 2, CL_RESUME_LISTEN = 3 };
int cl_trace_resume(pid_t tid, int how, int signal);
int cl_trace_get_registers(pid_t tid, struct cl_registers *registers);
int cl_trace_set_registers(pid_t tid, const struct cl_registers *registers);
/* Whether a stop of kind CL_STOP_CALL_END is really the beginning of a call, as it is while a thread is resumed with
 * CL_RESUME_TO_CALL_END between calls. */
int cl_trace_is_call_begin(pid_t tid);
int cl_trace_event_message(pid_t tid, uint64_t *message);
int cl_trace_swap_signal_mask(pid_t tid, uint64_t mask, uint64_t *old);
int cl_kill_thread(pid_t pid, pid_t tid, int signal);

enum {
  CL_STOP_NONE,
  CL_STOP_EXITED, /* value: wait status */
  CL_STOP_SIGNAL, /* value: signal to deliver */
  CL_STOP_GROUP, /* stopped by job control */
  CL_STOP_STARTED, /* a new thread or process, or continued after job control */
  CL_STOP_CALL_END,
  CL_STOP_SECCOMP, /* value: filter data */
  CL_STOP_CLONED, /* value: new tid */
  CL_STOP_EXEC, /* value: tid before execve */
  CL_STOP_EXITING, /* value: wait status to be */
  CL_STOP_OTHER,
};
struct cl_stop {
  pid_t tid;
  int kind;
  uint64_t value;
};
/* Waits for a child or tracee of the calling thread; of all when tid is -1. -ECHILD when there is none. */
int cl_trace_wait(pid_t tid, struct cl_stop *stop);

ssize_t cl_process_read(pid_t pid, uint64_t address, void *to, size_t count);
ssize_t cl_process_write(pid_t pid, uint64_t address, const void *from, size_t count);
int cl_pidfd_open(pid_t pid);
/* 1 when two descriptors of a process stand for the same open file description, 0 when not. */
int cl_same_open_file(pid_t pid, int one, int other);
int cl_pidfd_getfd(int pidfd, int descriptor);

/* Bytes of a filter program that stops at reads of `descriptor`; returns its size. */
struct cl_read_filter {
  uint64_t words[64];
};
size_t cl_read_filter(int descriptor, struct cl_read_filter *filter, uint64_t address);

/* Opens the write-protect protocol of a userfaultfd in asynchronous mode. */
int cl_userfaultfd_enable(int descriptor);
int cl_userfaultfd_watch(int descriptor, uint64_t start, uint64_t length);
int64_t cl_userfaultfd_flags(void);

struct cl_page_region {
  uint64_t start, end, categories;
};
enum { CL_PAGE_FILE = 1 << 2, CL_PAGE_PRESENT = 1 << 3, CL_PAGE_SWAPPED = 1 << 4, CL_PAGE_HUGE = 1 << 6 };
/* Regions of present or swapped pages in [start, end); *walked is where a next call goes on. Returns their number. */
int cl_page_scan(int pagemap, uint64_t start, uint64_t end, struct cl_page_region *regions, size_t count, uint64_t *walked);

/* While a program runs, SIGINT and SIGQUIT of the terminal are its own business; what is sent to this process alone, and
 * SIGTERM and SIGHUP, is passed on to `pid`. Nested uses are counted; returns a slot for cl_forward_end, or -EAGAIN. */
int cl_forward_begin(pid_t pid);
/* Signals that came while the slot was open. */
int cl_forward_count(int slot);
void cl_forward_end(int slot);

/* Pages of the page cache in a byte range of a file, or -ENOSYS before Linux 6.5. */
int64_t cl_cached_pages(int descriptor, uint64_t offset, uint64_t length);

/* fork(2), which Swift does not import: the child may only touch memory and call _exit. */
pid_t cl_fork(void);
/* Moves a mapping to another place; null on failure. */
void *cl_move_mapping(void *base, size_t length);
/* Uses a value, so that what it was computed from stays. */
static inline void cl_keep(uint64_t value) { __asm__ volatile("" : : "r"(value) : "memory"); }

/* Asks for short time slices of the calling thread, so that it runs soon after it wakes. */
int cl_prefer_latency(void);
#endif
