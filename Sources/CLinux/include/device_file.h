/* Files that stand for a device. */
#ifndef CLINUX_DEVICE_FILE_H
#define CLINUX_DEVICE_FILE_H
#include <stdint.h>

/* Gives every hole among the file's first bytes a place on the disk; what is there stays. 0 or -errno. */
int cl_fill_holes(int descriptor, int64_t bytes);

#endif
