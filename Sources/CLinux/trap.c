#define _GNU_SOURCE
#include "trap.h"

#include <errno.h>
#include <signal.h>

static const int trap_signals[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV};
enum { trap_count = sizeof trap_signals / sizeof *trap_signals };

static struct sigaction before[trap_count];
static cl_trap_handler trap_handler;

static void on_trap(int signal) {
  trap_handler(signal);
  /* The instruction is made again, under the old action. */
  for (int i = 0; i < trap_count; i++)
    if (trap_signals[i] == signal) sigaction(signal, &before[i], 0);
}

int cl_catch_traps(cl_trap_handler handler) {
  trap_handler = handler;
  struct sigaction action = {.sa_handler = on_trap, .sa_flags = SA_ONSTACK | SA_NODEFER};
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < trap_count; i++)
    if (sigaction(trap_signals[i], &action, &before[i]) != 0) return -errno;
  return 0;
}

void cl_release_traps(void) {
  for (int i = 0; i < trap_count; i++) sigaction(trap_signals[i], &before[i], 0);
}

int cl_use_signal_stack(void *stack, unsigned long size) {
  stack_t description = {.ss_sp = stack, .ss_size = size};
  return sigaltstack(&description, 0) == 0 ? 0 : -errno;
}
