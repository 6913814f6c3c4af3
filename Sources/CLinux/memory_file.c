#define _GNU_SOURCE
#include "memory_file.h"
#include <errno.h>
#include <sys/mman.h>

int cl_memory_file(const char *name) {
  int descriptor = memfd_create(name, MFD_CLOEXEC);
  return descriptor < 0 ? -errno : descriptor;
}
