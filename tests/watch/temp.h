/* temp.h: a folder of the test's own, and files in it. */
#ifndef TESTS_WATCH_TEMP_H
#define TESTS_WATCH_TEMP_H

#include <stdbool.h>

#include "support/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char temp_folder[256];

static inline int temp_make(void **state)
{
    (void)state;
    snprintf(temp_folder, sizeof temp_folder, "/tmp/vigil-test-XXXXXX");
    return mkdtemp(temp_folder) == NULL;
}

static inline int temp_remove(void **state)
{
    char command[512];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", temp_folder);
    return system(command) != 0;
}

/* One of some paths in turn: good for a few uses in one expression. */
static inline const char *temp_path(const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", temp_folder, name);
    return path;
}

static inline void temp_write(const char *name, const void *bytes, size_t n)
{
    const int fd = open(temp_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

#endif
