/* run_find.c: which folder is meant. */
#include "run_find.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

/* A file that is no checkpoint of a run. */
static vg_status refuse_file(const char *run, const char *mend, vg_error *err)
{
    const char *suffix = base_path_suffix(run);
    if (base_equal_nocase(suffix, ".pt") || base_equal_nocase(suffix, ".pth"))
        return base_fail(err, VG_ERR_UNSUPPORTED, run,
                         base_mend("start a new run from its weights: vigil train --weights %.250s "
                                   "--data YAML --epochs N",
                                   run),
                         "a checkpoint of the Python tool, whose run cannot be resumed here: the "
                         "state of its optimizer and schedule is not read");
    if (base_equal_nocase(suffix, ".safetensors"))
        return base_fail(err, VG_ERR_ARGUMENT, run,
                         base_mend("%s; or start a new run from these weights: vigil train "
                                   "--weights %.200s --data YAML",
                                   mend, run),
                         "weights alone, without the state of a run: only last.safetensors has it");
    return base_fail(err, VG_ERR_ARGUMENT, run, mend, "neither a run's folder nor a checkpoint");
}

vg_status train_run_folder(char out[TRAIN_PATH_BYTES], const char *run, vg_error *err)
{
    static const char *const tails[] = {"/weights/last.safetensors", "/weights"};
    const char *mend = "give a run's folder or its last.safetensors";
    if (!base_path_exists(run))
        return base_fail(err, VG_ERR_IO, run, mend, "no such run");
    if (!base_path_is_dir(run) && strcmp(base_path_name(run), "last.safetensors") != 0)
        return refuse_file(run, mend, err);
    if (!base_format(out, TRAIN_PATH_BYTES, "%s%s", base_starts_with(run, "weights") ? "./" : "",
                     run))
        return base_fail(err, VG_ERR_LIMIT, "run", "use a shorter path", "a path too long");
    size_t n = strlen(out);
    while (n > 1 && out[n - 1] == '/')
        out[--n] = '\0';
    for (int i = 0; i < 2; i++) {
        const size_t tail = strlen(tails[i]);
        if (n > tail && strcmp(out + n - tail, tails[i]) == 0)
            out[n -= tail] = '\0';
    }
    char weights[TRAIN_PATH_BYTES];
    const vg_status st = train_path(weights, out, "weights", err);
    if (st == VG_OK && !base_path_is_dir(weights))
        return base_fail(err, VG_ERR_ARGUMENT, run, mend, "not a run: it has no folder weights");
    char ours[TRAIN_PATH_BYTES + 32], theirs[TRAIN_PATH_BYTES + 32];
    base_format(ours, sizeof ours, "%s/last.safetensors", weights);
    base_format(theirs, sizeof theirs, "%s/last.pt", weights);
    if (st == VG_OK && !base_path_exists(ours) && base_path_exists(theirs))
        return refuse_file(theirs, mend, err);
    return st;
}

/* The folder among project's whose last.safetensors is the newest. */
static vg_status find_newest(char out[TRAIN_PATH_BYTES], const char *project, vg_error *err)
{
    char path[TRAIN_PATH_BYTES];
    struct stat info;
    struct timespec newest = {0};
    DIR *dir = opendir(project);
    out[0] = '\0';
    for (struct dirent *e = NULL; dir && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.' ||
            !base_format(path, sizeof path, "%s/%s/weights/last.safetensors", project, e->d_name) ||
            stat(path, &info) != 0)
            continue;
        const bool newer =
            info.st_mtim.tv_sec > newest.tv_sec ||
            (info.st_mtim.tv_sec == newest.tv_sec && info.st_mtim.tv_nsec > newest.tv_nsec);
        if (newer && base_path_join(out, TRAIN_PATH_BYTES, project, e->d_name))
            newest = info.st_mtim;
    }
    if (dir)
        closedir(dir);
    if (out[0])
        return VG_OK;
    return base_fail(err, VG_ERR_ARGUMENT, "resume", "name it: resume=FOLDER", "no run in %.300s",
                     project);
}

vg_status train_run_find(char out[TRAIN_PATH_BYTES], const char *resume, const char *project,
                         vg_error *err)
{
    return base_equal_nocase(resume, "true") ? find_newest(out, project, err)
                                             : train_run_folder(out, resume, err);
}
