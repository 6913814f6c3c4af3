#include "page_loops.h"

/* The uppermost byte of a head's flags is its folio's order: one that has another was split, or freed and used anew. */
enum { order_shift = 56 };

static inline struct cl_page *head_of(struct cl_page *page) {
  uint64_t head = __atomic_load_n(&page->head, __ATOMIC_ACQUIRE);
  return head ? (struct cl_page *)head : page;
}

static inline uint64_t order_of(struct cl_page *head) {
  return __atomic_load_n(&head->flags, __ATOMIC_RELAXED) >> order_shift;
}

uint64_t cl_get_each_page(struct cl_page *pages, uint64_t count, uint64_t first_number, uint64_t *recorded) {
  for (uint64_t page = 0; page < count; page++) {
    struct cl_page *head = head_of(&pages[page]);
    uint64_t order = order_of(head);
    uint64_t seen = __atomic_load_n(&head->references, __ATOMIC_RELAXED);
    do {
      if (seen == 0) return page;
    } while (!__atomic_compare_exchange_n(
        &head->references, &seen, seen + 1, 1, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    if (head_of(&pages[page]) != head || order_of(head) != order) return page;
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
