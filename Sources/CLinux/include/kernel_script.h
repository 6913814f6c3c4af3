/* Operations on this kernel, measured: what must run between two looks at the fault counters without faulting itself, and
 * accesses that may end in a signal. One thread of a process uses these. Every function returns a non-negative result or
 * -errno unless it says otherwise. */
#ifndef FAULTLINE_CLINUX_KERNEL_SCRIPT_H
#define FAULTLINE_CLINUX_KERNEL_SCRIPT_H
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

enum {
  CL_SYS_READ = SYS_read, CL_SYS_PREAD = SYS_pread64, CL_SYS_PWRITE = SYS_pwrite64, CL_SYS_MMAP = SYS_mmap,
  CL_SYS_MUNMAP = SYS_munmap, CL_SYS_MPROTECT = SYS_mprotect, CL_SYS_MREMAP = SYS_mremap, CL_SYS_MADVISE = SYS_madvise,
  CL_SYS_MSYNC = SYS_msync, CL_SYS_MLOCK2 = SYS_mlock2, CL_SYS_MUNLOCK = SYS_munlock, CL_SYS_FTRUNCATE = SYS_ftruncate,
  CL_SYS_FALLOCATE = SYS_fallocate, CL_SYS_FADVISE = SYS_fadvise64, CL_SYS_READAHEAD = SYS_readahead,
  CL_SYS_FSYNC = SYS_fsync, CL_SYS_FDATASYNC = SYS_fdatasync, CL_SYS_CLOSE = SYS_close,
  CL_SYS_PROCESS_READ = SYS_process_vm_readv, CL_SYS_PROCESS_WRITE = SYS_process_vm_writev, CL_SYS_VMSPLICE = SYS_vmsplice,
};

/* What an operation gave and what it cost in faults of the calling thread. */
struct cl_measured {
  int64_t result;
  int64_t minor, major;
};

/* One system call; result is its own or -errno. The buffers it names must have been written before. */
void cl_measured_call(int64_t number, const uint64_t arguments[6], struct cl_measured *measured);

enum { CL_ACCESS_READ, CL_ACCESS_WRITE, CL_ACCESS_READ_MODIFY_WRITE, CL_ACCESS_EXECUTE };

struct cl_access {
  uint64_t value; /* read, or there before a read-modify-write */
  int64_t minor, major;
  int signal, code; /* signal is 0 when the access was made */
  uint64_t fault_address;
};

/* Catches SIGSEGV, SIGBUS, SIGILL and SIGFPE of the accesses below from now on. A forked child calls it anew: its program's
 * code is not mapped yet. */
int cl_access_begin(void);
/* One 8-byte access, or a call of the instruction at the address. */
void cl_measured_access(uint64_t address, int kind, uint64_t value, struct cl_access *access);

/* The page-table entries of `pages` pages as letters: F file or shared, A private, Z zero page, S anything that is not
 * present but not empty either; 0 where there is none. Bit 7 is set where a huge entry maps the page. */
int cl_page_letters(int pagemap, uint64_t address, size_t pages, uint8_t *letters);
/* Sums the present pages of `letters` through the mapping: FNV-1a 64 over each page's number and bytes. Returns how many of
 * them may not be read. */
int64_t cl_page_sum(uint64_t address, size_t pages, const uint8_t *letters, uint64_t *sum);

/* Has this processor move the pages that it has collected to the lists where they belong, which otherwise waits for a batch to
 * be full: what is told of pages would depend on what else ran here. */
void cl_settle_page_lists(void);

/* Writes one byte into each page of a buffer, so that a system call on it faults nowhere. */
void cl_buffer_warm(void *buffer, size_t length);

struct cl_file_system {
  int64_t magic, block_size;
  uint32_t major, minor; /* of its device */
};
/* What a path lies on. */
int cl_file_system(const char *path, struct cl_file_system *file_system);

/* The C name of an error number; "?" where there is none. */
const char *cl_errno_name(int number);

struct cl_script_child {
  pid_t pid;
  int input, output; /* what the child reads, what it writes */
};

/* Starts a program with a fixed address-space layout that dies with the calling thread, between two pipes. */
int cl_script_spawn(const char *path, char *const arguments[], struct cl_script_child *child);
#endif
