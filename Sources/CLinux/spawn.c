#define _GNU_SOURCE
#include "include/CLinuxTrace.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define ARGUMENT(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]))
#define STOP(data) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | (data))
#define PASS BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define STOP_IF(value, data) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1), STOP(data)

#if defined(__x86_64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_X86_64
#define FOREIGN_CALL_BIT 0x40000000u /* the x32 numbers */

static int install_filter(void) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCHITECTURE, 1, 0),
      STOP(CL_STOP_FOREIGN),
      NUMBER,
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FOREIGN_CALL_BIT, 0, 1),
      STOP(CL_STOP_FOREIGN),
      /* Anonymous memory keeps its speed, unless it is put over what may be a file mapping (MAP_FIXED). */
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 5),
      ARGUMENT(3),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x30),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x20, 0, 1),
      PASS,
      STOP(CL_STOP_CALL),
      /* Advice that only anonymous memory knows passes: allocators give it often. */
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 7),
      ARGUMENT(2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 4, 0, 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 9, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 23, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 20, 1, 0),
      PASS,
      STOP(CL_STOP_CALL),
      /* Of a file that is opened for writing only, or as a place, no page is read. */
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
      ARGUMENT(2),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_DIRECTORY | O_PATH, 0, 1),
      PASS,
      STOP(CL_STOP_FILE_OPEN),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 0, 4),
      ARGUMENT(1),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_DIRECTORY | O_PATH, 0, 1),
      PASS,
      STOP(CL_STOP_FILE_OPEN),
      STOP_IF(SYS_munmap, CL_STOP_CALL),
      STOP_IF(SYS_mprotect, CL_STOP_CALL),
      STOP_IF(SYS_mremap, CL_STOP_CALL),
      STOP_IF(SYS_msync, CL_STOP_CALL),
      STOP_IF(SYS_mlock, CL_STOP_CALL),
      STOP_IF(SYS_mlock2, CL_STOP_CALL),
      STOP_IF(SYS_mlockall, CL_STOP_CALL),
      STOP_IF(SYS_execve, CL_STOP_CALL),
      STOP_IF(SYS_execveat, CL_STOP_CALL),
      STOP_IF(SYS_fadvise64, CL_STOP_CALL),
      STOP_IF(SYS_readahead, CL_STOP_CALL),
      STOP_IF(SYS_ftruncate, CL_STOP_CALL),
      STOP_IF(SYS_fallocate, CL_STOP_CALL),
      STOP_IF(SYS_ptrace, CL_STOP_CALL),
      STOP_IF(SYS_userfaultfd, CL_STOP_CALL),
      PASS,
  };
  struct sock_fprog filter = {sizeof program / sizeof *program, program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -errno;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) ? -errno : 0;
}

size_t cl_read_filter(int descriptor, struct cl_read_filter *filter, uint64_t address) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCHITECTURE, 1, 0),
      PASS,
      NUMBER,
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendfile, 7, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 4, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pread64, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_readv, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_preadv, 1, 0),
      PASS,
      ARGUMENT(0),
      BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
      ARGUMENT(1),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)descriptor, 0, 1),
      STOP(CL_STOP_FILE_READ),
      PASS,
  };
  struct sock_fprog head = {sizeof program / sizeof *program, (struct sock_filter *)(uintptr_t)(address + sizeof head)};
  _Static_assert(sizeof head + sizeof program <= sizeof *filter, "the filter fits");
  memcpy(filter, &head, sizeof head);
  memcpy((char *)filter + sizeof head, program, sizeof program);
  return sizeof head + sizeof program;
}
#else
static int install_filter(void) { return -ENOSYS; }
size_t cl_read_filter(int descriptor, struct cl_read_filter *filter, uint64_t address) { return 0; }
#endif

static void child_fails(int report, int code) {
  (void)!write(report, &code, sizeof code);
  _exit(127);
}

int cl_spawn(
    const char *path, char *const arguments[], char *const environment[], int huge_pages, struct cl_child *child) {
  int go[2], report[2];
  if (pipe2(go, O_CLOEXEC)) return -errno;
  if (pipe2(report, O_CLOEXEC)) {
    int code = -errno;
    close(go[0]), close(go[1]);
    return code;
  }
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old); /* no handler of this process may run in the child */
  pid_t pid = fork();
  if (pid == 0) {
    struct sigaction standard = {.sa_handler = SIG_DFL}, now;
    for (int signal = 1; signal < 65; signal++)
      if (!sigaction(signal, 0, &now) && now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN)
        sigaction(signal, &standard, 0);
    pthread_sigmask(SIG_SETMASK, &old, 0);
    close(go[1]);
    char byte;
    ssize_t count;
    do count = read(go[0], &byte, 1);
    while (count < 0 && errno == EINTR);
    if (count != 1) _exit(127); /* the tracer is gone */
    if (personality(ADDR_NO_RANDOMIZE) < 0) child_fails(report[1], errno);
    if (!huge_pages) prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    int code = install_filter();
    if (code) child_fails(report[1], -code);
    execve(path, arguments, environment);
    child_fails(report[1], errno);
  }
  int code = errno;
  pthread_sigmask(SIG_SETMASK, &old, 0);
  close(go[0]), close(report[1]);
  if (pid < 0) {
    close(go[1]), close(report[0]);
    return -code;
  }
  *child = (struct cl_child){pid, go[1], report[0]};
  return 0;
}

int cl_spawn_go(struct cl_child *child) {
  char byte = 0;
  ssize_t count;
  do count = write(child->go, &byte, 1);
  while (count < 0 && errno == EINTR);
  int code = count == 1 ? 0 : -errno;
  close(child->go);
  child->go = -1;
  return code;
}

int cl_spawn_result(struct cl_child *child) {
  int code = 0;
  ssize_t count;
  do count = read(child->failure, &code, sizeof code);
  while (count < 0 && errno == EINTR);
  close(child->failure);
  child->failure = -1;
  return count == sizeof code ? -code : 0;
}
