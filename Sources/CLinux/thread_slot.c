#include "thread_slot.h"

__thread uint32_t cl_thread_number;

uint32_t cl_thread_number_assign(void) {
  static uint32_t last;
  do cl_thread_number = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
  while (cl_thread_number == 0);
  return cl_thread_number;
}
