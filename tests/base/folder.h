/* folder.h: a folder of a test's own under TMPDIR, gone afterwards. */
#ifndef TESTS_BASE_FOLDER_H
#define TESTS_BASE_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline int folder_remove_one(const char *path, const struct stat *info, int kind,
                                    struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

/* Fills path (at least 256 bytes); the exit status of a cmocka setup. */
static inline int folder_make(char *path, size_t n)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(path, n, "%s/vigil-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    return mkdtemp(path) ? 0 : -1;
}

static inline int folder_remove(const char *path)
{
    return nftw(path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
