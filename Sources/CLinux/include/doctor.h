#ifndef FAULTLINE_CLINUX_DOCTOR_H
#define FAULTLINE_CLINUX_DOCTOR_H
#include <stddef.h>
#include <stdint.h>

/* One load that the optimiser may not remove: it is made for its page fault. */
static inline uint8_t cl_load_byte(const void *address) {
  return *(const volatile uint8_t *)address;
}

/* The feature bit of asynchronous write protection. */
#define CL_UFFD_WP_ASYNC (UINT64_C(1) << 15)

/* The features of a userfaultfd made with USER_MODE_ONLY (user_only != 0) or without, in *features. */
int cl_probe_userfaultfd(int user_only, uint64_t *features);

/* Whether a write-protect registration in asynchronous mode works on a page of ordinary memory. */
int cl_probe_async_write_protect(void);

/* Opens and closes a page-fault sampling event of this process, with kernel events or without them. */
int cl_probe_fault_sampling(int with_kernel);

/* Seizes, stops and releases a child of its own. */
int cl_probe_ptrace(void);

/* Maps a page of the file with MAP_SYNC, which only DAX grants. */
int cl_probe_synchronous_mapping(int file);

#endif
