#ifndef FAULTLINE_CLINUX_THREAD_SLOT_H
#define FAULTLINE_CLINUX_THREAD_SLOT_H
#include <stdint.h>

/* 1 and up once the thread has a number. Found without a call, because the program itself holds the variable. */
extern __thread uint32_t cl_thread_number __attribute__((tls_model("initial-exec")));

/* Gives the calling thread its number. */
uint32_t cl_thread_number_assign(void);

/* Numbers of threads in the order in which they first asked, from 1. */
static inline uint32_t cl_thread_number_get(void) {
  uint32_t number = cl_thread_number;
  return number != 0 ? number : cl_thread_number_assign();
}

#endif
