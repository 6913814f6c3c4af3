#ifndef CLINUX_TRAP_H
#define CLINUX_TRAP_H

/* Hears of the signals that a thread gets for what it does itself. */
typedef void (*cl_trap_handler)(int signal);

/* From now on `handler` is called on the thread that traps (SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV), on its
 * signal stack if it has one. When it returns, the signal does what it did before. 0 or -errno. */
int cl_catch_traps(cl_trap_handler handler);

/* Gives the signals back to whoever had them. */
void cl_release_traps(void);

/* The stack on which the calling thread hears of its own stack's end. 0 or -errno. */
int cl_use_signal_stack(void *stack, unsigned long size);

#endif
