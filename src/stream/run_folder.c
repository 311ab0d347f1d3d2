/* run_folder.c: a folder of one's own, also when two jobs start at once: mkdir decides. */
#include "run_folder.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MOST_RUNS = 1000000 };

vg_status stream_run_folder_make(char *folder, size_t n, const char *project, const char *name,
                                 bool exist_ok, vg_error *err)
{
    if (!base_path_join(folder, n, project, name))
        return base_fail(err, VG_ERR_LIMIT, project, "choose a shorter project or name",
                         "the path of the run folder is too long");
    if (exist_ok)
        return base_make_dirs(folder, err);
    vg_status st = base_make_dirs(project, err);
    for (int i = 1; st == VG_OK; i++) {
        if (i > 1 && !base_format(folder, n, "%s/%s%d", project, name, i))
            return base_fail(err, VG_ERR_LIMIT, project, "choose a shorter project or name",
                             "the path of the run folder is too long");
        if (mkdir(folder, 0777) == 0)
            return VG_OK;
        if (errno != EEXIST || i == MOST_RUNS)
            return base_fail_errno(err, VG_ERR_IO, folder, "choose another project or name",
                                   "the run folder cannot be made");
    }
    return st;
}

/* Of the kernel: nobody makes folders there, and access() does not say so to root. */
static bool is_kernels(const char *folder)
{
    struct statfs s;
    return statfs(folder, &s) == 0 && (s.f_type == PROC_SUPER_MAGIC || s.f_type == SYSFS_MAGIC);
}

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

vg_status stream_run_folder_check(const char *project, const char *name, bool exist_ok,
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

void stream_run_folder_take_back(const char *folder)
{
    char path[4096];
    struct stat file;
    if (base_path_join(path, sizeof path, folder, "predictions.jsonl") && stat(path, &file) == 0 &&
        file.st_size == 0)
        unlink(path);
    if (base_path_join(path, sizeof path, folder, "labels"))
        rmdir(path);
    rmdir(folder);
}
