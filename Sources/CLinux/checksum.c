#include "CLinux.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

static uint32_t by_bits(uint32_t crc, const uint8_t *at, size_t count) {
  for (; count > 0; count--) {
    crc ^= *at++;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82f63b78u & -(crc & 1));
  }
  return crc;
}

#if defined(__x86_64__)
static uint64_t word_at(const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *at, size_t count) {
  uint64_t wide = crc;
  for (; count >= 8; count -= 8, at += 8) wide = _mm_crc32_u64(wide, word_at(at));
  crc = (uint32_t)wide;
  for (; count > 0; count--) crc = _mm_crc32_u8(crc, *at++);
  return crc;
}

/* The instruction gives a result after three cycles and takes a word in each: three lanes keep it busy. Three of them are nearly a
   block of 4096 bytes. */
enum { LANE_BYTES = 1360 };
/* x^(8n - 33) modulo the polynomial, reflected, for n of one lane and of two. */
static const uint32_t past_one_lane = 0x3f70cc6f, past_two_lanes = 0x5aa1f3cf;

/* What a sum becomes when so many zeroes follow. The product is one bit short of 64 and the instruction multiplies by x^32, hence
   33. */
__attribute__((target("sse4.2,pclmul"))) static uint32_t past(uint32_t crc, uint32_t distance) {
  __m128i product = _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)crc), _mm_cvtsi32_si128((int)distance), 0);
  return (uint32_t)_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t by_lanes(uint32_t crc, const uint8_t *at, size_t count) {
  for (; count >= 3 * LANE_BYTES; count -= 3 * LANE_BYTES, at += 3 * LANE_BYTES) {
    uint64_t first = crc, second = 0, third = 0;
    for (size_t byte = 0; byte < LANE_BYTES; byte += 8) {
      first = _mm_crc32_u64(first, word_at(at + byte));
      second = _mm_crc32_u64(second, word_at(at + LANE_BYTES + byte));
      third = _mm_crc32_u64(third, word_at(at + 2 * LANE_BYTES + byte));
    }
    crc = past((uint32_t)first, past_two_lanes) ^ past((uint32_t)second, past_one_lane) ^ (uint32_t)third;
  }
  return by_instruction(crc, at, count);
}
#endif

uint32_t cl_crc32c(uint32_t checksum, const void *bytes, size_t count) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")) return ~by_lanes(~checksum, bytes, count);
  if (__builtin_cpu_supports("sse4.2")) return ~by_instruction(~checksum, bytes, count);
#endif
  return ~by_bits(~checksum, bytes, count);
}
