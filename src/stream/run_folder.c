/* run_folder.c: a folder of one's own, also when two jobs start at once: mkdir decides. */
#include "run_folder.h"

#include <errno.h>
#include <sys/stat.h>
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
