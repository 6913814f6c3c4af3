#ifndef FAULTLINE_CLINUX_CHECKSUM_H
#define FAULTLINE_CLINUX_CHECKSUM_H
#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, reflected, initial and final complement) of `count` bytes. `checksum` continues an earlier one; 0 begins. */
uint32_t cl_crc32c(uint32_t checksum, const void *bytes, size_t count);

#endif
