#if defined(__linux__)
#include <malloc.h>

// <fcntl.h> shows it only to those who define _GNU_SOURCE before the first header.
extern int sync_file_range(int file, long offset, long count, unsigned int flags);

// Begins to write to the disk, and waits for nothing: SYNC_FILE_RANGE_WRITE.
static inline int dbtool_begin_flush(int file, long offset, long count) {
    return sync_file_range(file, offset, count, 2);
}
#endif
