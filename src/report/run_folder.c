/* run_folder.c: a folder of one's own, also when two jobs start at once: mkdir decides. */
#include "run_folder.h"

#include <errno.h>
#include <ftw.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MOST_RUNS = 1000000 };

/* The path without its last part; "." and "/" at the end. */
static void go_up(char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    path[n] = '\0';
    if (n == 0)
        memcpy(path, ".", 2);
}

/* How many folders of the path, the last ones, are not there. */
static int count_missing(const char *folder)
{
    char path[4096];
    struct stat s;
    int n = 0;
    if (!base_format(path, sizeof path, "%s", folder))
        return 0;
    for (; stat(path, &s) != 0 && errno == ENOENT; n++)
        go_up(path);
    return n;
}

/* The folder, and those above it: as many as were made, and are empty. */
static void remove_made(const char *folder, int n_made)
{
    char path[4096];
    if (!base_format(path, sizeof path, "%s", folder))
        return;
    for (int i = 0; i < n_made; i++) {
        if (rmdir(path) != 0 && errno != ENOENT)
            return;
        go_up(path);
    }
}

/* project/name with the first number that is free. */
static vg_status make_numbered(char *folder, size_t n, const char *project, const char *name,
                               vg_error *err)
{
    for (int i = 1;;) {
        if (i > 1 && !base_format(folder, n, "%s/%s%d", project, name, i))
            return base_fail(err, VG_ERR_LIMIT, project, "choose a shorter project or name",
                             "the path of the run folder is too long");
        if (mkdir(folder, 0777) == 0)
            return VG_OK;
        if (errno == EEXIST && i < MOST_RUNS) {
            i++;
            continue;
        }
        /* Another job that could not begin may have taken the project back in between. */
        if (errno != ENOENT || base_path_exists(project))
            return base_fail_errno(err, VG_ERR_IO, folder, "choose another project or name",
                                   "the run folder cannot be made");
        const vg_status st = base_make_dirs(project, err);
        if (st != VG_OK)
            return st;
    }
}

vg_status report_run_folder_make(char *folder, size_t n, const char *project, const char *name,
                                 bool exist_ok, int *n_made, vg_error *err)
{
    if (n_made != NULL)
        *n_made = 0;
    if (!base_path_join(folder, n, project, name))
        return base_fail(err, VG_ERR_LIMIT, project, "choose a shorter project or name",
                         "the path of the run folder is too long");
    /* project, or more where the name has folders of its own: night/one */
    const char *last = base_path_name(name);
    const bool is_deep = last > name && *last != '\0';
    char above[4096];
    if (!base_format(above, sizeof above, "%s", is_deep ? folder : project))
        return base_fail(err, VG_ERR_LIMIT, project, "choose a shorter project or name",
                         "the path of the run folder is too long");
    if (is_deep)
        go_up(above);
    const int n_above = exist_ok ? 0 : count_missing(above);
    const int n_missing = exist_ok ? count_missing(folder) : n_above + 1;
    vg_status st = base_make_dirs(exist_ok ? folder : above, err);
    if (st == VG_OK && !exist_ok)
        st = make_numbered(folder, n, above, is_deep ? last : name, err);
    if (st != VG_OK)
        remove_made(exist_ok ? folder : above, exist_ok ? n_missing : n_above);
    else if (n_made != NULL)
        *n_made = n_missing;
    return st;
}

/* Of the kernel: nobody makes folders there, and access() does not say so to root. */
static bool is_kernels(const char *folder)
{
    struct statfs s;
    return statfs(folder, &s) == 0 && (s.f_type == PROC_SUPER_MAGIC || s.f_type == SYSFS_MAGIC);
}

vg_status report_run_folder_check(const char *project, const char *name, bool exist_ok,
                                  vg_error *err)
{
    static const char mend[] = "choose another project or name";
    char path[4096];
    struct stat s;
    const bool fits = exist_ok ? base_path_join(path, sizeof path, project, name)
                               : base_format(path, sizeof path, "%s", project);
    if (!fits)
        return base_fail(err, VG_ERR_LIMIT, project, "choose a shorter project or name",
                         "the path of the run folder is too long");
    while (stat(path, &s) != 0 && errno == ENOENT && strcmp(path, ".") != 0 &&
           strcmp(path, "/") != 0)
        go_up(path);
    errno = 0;
    if (stat(path, &s) == 0 && !S_ISDIR(s.st_mode))
        errno = ENOTDIR;
    if (errno != 0 || access(path, W_OK | X_OK) != 0)
        return base_fail_errno(err, VG_ERR_IO, path, mend, "no run folder can be made here");
    return is_kernels(path) ? base_fail(err, VG_ERR_IO, path, mend,
                                        "no run folder can be made here: the kernel's own files")
                            : VG_OK;
}

static int remove_empty(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)at;
    if (kind == FTW_F && S_ISREG(s->st_mode) && s->st_size == 0)
        unlink(path);
    else if (kind == FTW_DP)
        rmdir(path); /* only if it is empty */
    return 0;
}

void report_run_folder_take_back(const char *folder, int n_made, const char *const *made)
{
    enum { MOST_OPEN = 8 };
    char path[4096];
    if (n_made <= 0)
        return;
    for (; made != NULL && *made != NULL; made++)
        if (base_path_join(path, sizeof path, folder, *made))
            unlink(path);
    nftw(folder, remove_empty, MOST_OPEN, FTW_DEPTH | FTW_PHYS);
    remove_made(folder, n_made);
}
