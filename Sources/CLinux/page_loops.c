#include "page_loops.h"

uint64_t cl_get_each_page(struct cl_page *pages, uint64_t count, uint64_t first_number, uint64_t *recorded) {
  for (uint64_t page = 0; page < count; page++) {
    uint64_t head_word = __atomic_load_n(&pages[page].head, __ATOMIC_ACQUIRE);
    struct cl_page *head = head_word ? (struct cl_page *)head_word : &pages[page];
    uint64_t seen = __atomic_load_n(&head->references, __ATOMIC_RELAXED);
    do {
      if (seen == 0) return page;
    } while (!__atomic_compare_exchange_n(
        &head->references, &seen, seen + 1, 1, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    if (__atomic_load_n(&pages[page].head, __ATOMIC_ACQUIRE) != head_word) return page;
    recorded[page] = first_number + page;
  }
  return count;
}

void cl_write_numbers(uint64_t *recorded, uint64_t first_number, uint64_t count) {
  for (uint64_t page = 0; page < count; page++) recorded[page] = first_number + page;
}

uint64_t cl_read_numbers(const uint64_t *recorded, uint64_t count) {
  uint64_t sum = 0;
  for (uint64_t page = 0; page < count; page++) sum += recorded[page];
  return sum;
}
