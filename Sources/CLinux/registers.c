#define _GNU_SOURCE
#include "include/CLinuxTrace.h"
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#if defined(__x86_64__)
_Static_assert(sizeof(struct user_regs_struct) <= sizeof(struct cl_registers), "registers fit");

static struct user_regs_struct *of(struct cl_registers *registers) { return (struct user_regs_struct *)registers; }
static const struct user_regs_struct *in(const struct cl_registers *registers) {
  return (const struct user_regs_struct *)registers;
}

int cl_trace_supported(void) { return 0; }
int64_t cl_call_number(const struct cl_registers *registers) { return (int64_t)in(registers)->orig_rax; }
void cl_call_set_number(struct cl_registers *registers, int64_t number) {
  of(registers)->orig_rax = (unsigned long long)number;
}
int64_t cl_call_result(const struct cl_registers *registers) { return (int64_t)in(registers)->rax; }
void cl_call_set_result(struct cl_registers *registers, int64_t result) {
  of(registers)->rax = (unsigned long long)result;
}
uint64_t cl_instruction_pointer(const struct cl_registers *registers) { return in(registers)->rip; }

uint64_t cl_call_argument(const struct cl_registers *registers, int index) {
  const struct user_regs_struct *r = in(registers);
  switch (index) {
  case 0: return r->rdi;
  case 1: return r->rsi;
  case 2: return r->rdx;
  case 3: return r->r10;
  case 4: return r->r8;
  default: return r->r9;
  }
}

void cl_call_set_argument(struct cl_registers *registers, int index, uint64_t value) {
  struct user_regs_struct *r = of(registers);
  switch (index) {
  case 0: r->rdi = value; break;
  case 1: r->rsi = value; break;
  case 2: r->rdx = value; break;
  case 3: r->r10 = value; break;
  case 4: r->r8 = value; break;
  default: r->r9 = value;
  }
}

void cl_call_prepare(struct cl_registers *registers, uint64_t address, int64_t number, const uint64_t arguments[6]) {
  struct user_regs_struct *r = of(registers);
  r->rip = address;
  r->rax = (unsigned long long)number;
  r->orig_rax = (unsigned long long)-1; /* else the kernel may take rax for the result of a call to restart */
  for (int i = 0; i < 6; i++) cl_call_set_argument(registers, i, arguments[i]);
}

int64_t cl_find_call_instruction(const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i + 1 < count; i++)
    if (bytes[i] == 0x0f && bytes[i + 1] == 0x05) return (int64_t)i;
  return -1;
}

int cl_trace_get_registers(pid_t tid, struct cl_registers *registers) {
  return ptrace(PTRACE_GETREGS, tid, 0, registers) ? -errno : 0;
}
int cl_trace_set_registers(pid_t tid, const struct cl_registers *registers) {
  return ptrace(PTRACE_SETREGS, tid, 0, registers) ? -errno : 0;
}
#else
int cl_trace_supported(void) { return -ENOSYS; }
int64_t cl_call_number(const struct cl_registers *registers) { return -1; }
void cl_call_set_number(struct cl_registers *registers, int64_t number) {}
int64_t cl_call_result(const struct cl_registers *registers) { return -ENOSYS; }
void cl_call_set_result(struct cl_registers *registers, int64_t result) {}
uint64_t cl_instruction_pointer(const struct cl_registers *registers) { return 0; }
uint64_t cl_call_argument(const struct cl_registers *registers, int index) { return 0; }
void cl_call_set_argument(struct cl_registers *registers, int index, uint64_t value) {}
void cl_call_prepare(struct cl_registers *registers, uint64_t address, int64_t number, const uint64_t arguments[6]) {}
int64_t cl_find_call_instruction(const uint8_t *bytes, size_t count) { return -1; }
int cl_trace_get_registers(pid_t tid, struct cl_registers *registers) { return -ENOSYS; }
int cl_trace_set_registers(pid_t tid, const struct cl_registers *registers) { return -ENOSYS; }
#endif
