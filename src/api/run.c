/* run.c: vg_run over train's view of another process's run. */
#include "train/train.h"
#include "vigil/vigil.h"

struct vg_run {
    base_mem account;
    train_other other;
};

vg_status vg_run_open(vg_run **out, const char *run, const char *project, vg_error *err)
{
    vg_run *r = base_handle_alloc(sizeof *r, err);
    *out = r;
    if (r == NULL)
        return VG_ERR_MEMORY;
    base_mem_init(&r->account, "run", NULL, 0);
    const vg_status st = train_other_open(&r->other, run, project != NULL ? project : "runs/train",
                                          &r->account, err);
    if (st != VG_OK)
        vg_run_close(out);
    return st;
}

void vg_run_close(vg_run **run)
{
    if (*run != NULL) {
        train_other_close(&(*run)->other);
        base_handle_free(*run);
    }
    *run = NULL;
}

const char *vg_run_folder(const vg_run *r)
{
    return r->other.folder;
}

void vg_run_look(vg_run *r, vg_run_view *out)
{
    train_other_look(&r->other, out);
}

vg_status vg_run_stop(vg_run *r, vg_error *err)
{
    return train_other_stop(&r->other, &r->account, err);
}

bool vg_run_wait(vg_run *r, int timeout_ms)
{
    return train_other_wait(&r->other, timeout_ms);
}
