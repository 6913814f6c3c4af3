/* The loops that pinning is held against: what a compiler of C makes of them on this machine. */
#ifndef CLINUX_PAGE_LOOPS_H
#define CLINUX_PAGE_LOOPS_H
#include <stdint.h>

/* As large as the engine's metadata of a page, with the words that the loops touch in the same places. */
struct cl_page {
  uint64_t references, flags, mapping, index, next, previous, head, owner;
};

/* Takes a reference on the folio of each page, one by one, and records the page: for each, its folio's head and order are
 * read, the head's count raised unless it is 0, and both looked at again. Returns how many pages were recorded. */
uint64_t cl_get_each_page(struct cl_page *pages, uint64_t count, uint64_t first_number, uint64_t *recorded);

/* Writes count numbers that go up by one. */
void cl_write_numbers(uint64_t *recorded, uint64_t first_number, uint64_t count);

/* Reads count numbers, and returns what they add up to. */
uint64_t cl_read_numbers(const uint64_t *recorded, uint64_t count);

#endif
