/* folder.h: a folder of a test's own under TMPDIR, gone afterwards. */
#ifndef TESTS_BASE_FOLDER_H
#define TESTS_BASE_FOLDER_H

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* Hidden ones too; -1: no such folder. */
static inline int folder_count_entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = dir ? 0 : -1;
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    if (dir)
        closedir(dir);
    return n;
}

#endif
