/* dir.h: the names in a folder, listed without an allocation. opendir(3) takes 32 KiB of the heap
 * each time, and the guard lists folders at every sample. For this folder. */
#ifndef WATCH_DIR_H
#define WATCH_DIR_H

#include <dirent.h>

#include "base/base.h"

enum { WATCH_DIR_BYTES = 8192 };

/* A plain value for the stack. */
typedef struct watch_dir {
    int fd; /* -1: not open */
    long n, at;
    _Alignas(8) char buf[WATCH_DIR_BYTES];
} watch_dir;

/* name below the folder `at` (AT_FDCWD: as paths are). False: it cannot be listed. */
bool watch_dir_open(watch_dir *d, int at, const char *name);
/* Takes an open descriptor; from its beginning. */
void watch_dir_take(watch_dir *d, int fd);
/* The next name but "." and "..", until the next call; NULL: no more. type: DT_REG, DT_DIR,
 * DT_UNKNOWN..., NULL when not wanted. */
const char *watch_dir_next(watch_dir *d, unsigned char *type);
void watch_dir_close(watch_dir *d);

#endif
