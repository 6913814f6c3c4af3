#define _GNU_SOURCE
#include "device_file.h"

#include <errno.h>
#include <fcntl.h>

int cl_fill_holes(int descriptor, int64_t bytes) {
  int result;
  do result = fallocate(descriptor, 0, 0, bytes);
  while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : -errno;
}
