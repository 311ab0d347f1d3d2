/* beneath.h: folders and files below a folder, opened step by step: no link, no "..", nothing that
 * is waited for. For this folder. */
#ifndef BOARD_BENEATH_H
#define BOARD_BENEATH_H

#include "base/base.h"

enum { BOARD_PATH_BYTES = 400, BOARD_FD_PATH_BYTES = 64 };

/* path: relative to the folder fd, "" for itself. -1: none. */
int board_open_folder(int fd, const char *path);
/* A regular file of the folder fd by its name. -1: none. */
int board_open_file(int fd, const char *name);
/* By which functions that want a path read what is open. Returns buf. */
const char *board_fd_path(char buf[BOARD_FD_PATH_BYTES], int fd);
/* What changes when the file does; 0: there is none. */
uint64_t board_stamp(int folder, const char *name);

#endif
