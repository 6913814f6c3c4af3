#include "cache_line.h"

enum { line_bytes = 64 };

#if defined(__x86_64__)
#include <cpuid.h>

int cl_flush_instruction(void) {
  /* Racing first callers find the same answer. */
  static int known = -1;
  int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (answer >= 0) return answer;
  unsigned a = 0, b = 0, c = 0, d = 0;
  answer = CL_FLUSH_CLFLUSH;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
    if (b & 1u << 24)
      answer = CL_FLUSH_CLWB;
    else if (b & 1u << 23)
      answer = CL_FLUSH_CLFLUSHOPT;
  }
  __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
  return answer;
}

void cl_flush_lines(const void *start, uint64_t bytes) {
  uint64_t line = (uint64_t)start & ~(uint64_t)(line_bytes - 1), end = (uint64_t)start + bytes;
  switch (cl_flush_instruction()) {
    case CL_FLUSH_CLWB:
      for (; line < end; line += line_bytes) __asm__ volatile("clwb %0" : "+m"(*(volatile char *)line));
      break;
    case CL_FLUSH_CLFLUSHOPT:
      for (; line < end; line += line_bytes) __asm__ volatile("clflushopt %0" : "+m"(*(volatile char *)line));
      break;
    default:
      for (; line < end; line += line_bytes) __asm__ volatile("clflush %0" : "+m"(*(volatile char *)line));
  }
}

void cl_store_fence(void) { __asm__ volatile("sfence" ::: "memory"); }

#else

int cl_flush_instruction(void) { return CL_FLUSH_NONE; }
void cl_flush_lines(const void *start, uint64_t bytes) {
  (void)start;
  (void)bytes;
}
void cl_store_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

#endif
