#define _GNU_SOURCE
#include "barrier.h"
#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

static int membarrier(int command) {
  return syscall(SYS_membarrier, command, 0, 0) < 0 ? -errno : 0;
}

int cl_membarrier_register(void) { return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED); }

int cl_membarrier(void) { return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED); }
