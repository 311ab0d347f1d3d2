/* room.c: whether the disk has room for what a run will write, asked before hours of work are spent
 * on it. A checkpoint is written beside the one that it replaces, and the one before that is kept,
 * so there are three at once for a while; and two of the best weights. What else grows in the
 * folder is small beside them. */
#include <sys/statvfs.h>

#include "run_parts.h"

/* Of a checkpoint at the end of an epoch: average and model and the optimizer's moments, F32. */
static size_t checkpoint_bytes(const train_run *r)
{
    const size_t n_moments = r->optimizer_options.kind == TRAIN_OPTIMIZER_SGD ? 1 : 2;
    return (size_t)r->info.n_params * sizeof(float) * (2 + n_moments);
}

vg_status run_check_room(const train_run *r, bool resumes, vg_error *err)
{
    struct statvfs fs;
    char needed_text[32], free_text[32];
    const size_t best = (size_t)r->info.n_params * 2, /* F16 */
        needed = resumes ? checkpoint_bytes(r) + best : 3 * checkpoint_bytes(r) + 2 * best;
    /* Some file systems know no sizes. */
    if (statvfs(r->folder, &fs) != 0 || fs.f_blocks == 0)
        return VG_OK;
    const double room = (double)fs.f_bavail * (double)fs.f_frsize;
    if (room >= (double)needed)
        return VG_OK;
    return base_fail(err, VG_ERR_IO, r->folder,
                     "free some disk space, or choose a folder on another disk: project=DIR",
                     "no room for the run's checkpoints: up to %s are needed, %s are free",
                     base_format_bytes(needed_text, sizeof needed_text, (double)needed),
                     base_format_bytes(free_text, sizeof free_text, room));
}
