#ifndef FAULTLINE_CLINUX_STORE_H
#define FAULTLINE_CLINUX_STORE_H
#include <stdint.h>

/* A store that no compiler leaves out or moves. */
static inline void cl_store_byte(void *address, uint8_t value) { *(volatile uint8_t *)address = value; }

#endif
