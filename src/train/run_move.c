/* run_move.c: a device that fails in the middle of a run. Nothing that lay on it is to be had any
 * more, so the run stands where its last checkpoint does: it ends with that named, or
 * (device_lost=resume) goes on from it on what is left. */
#include "run_parts.h"

#include <string.h>

/* The first failure may be of one device among several, or one that a reset mends: what `auto`
 * finds is tried. Who fails again has no third try. */
enum { MOST_DEVICES = 1 };

bool run_lost_device(const train_run *r, vg_status st)
{
    return st == VG_ERR_DEVICE && r->device != NULL;
}

vg_status run_tell_device(const train_run *r, vg_error *err)
{
    char mend[sizeof err->mend];
    base_format(mend, sizeof mend, "%s", err->mend);
    if (r->has_saved)
        base_format(err->mend, sizeof err->mend,
                    "resume=%.300s goes on from the last checkpoint, with device=cpu elsewhere; %s",
                    r->folder, mend);
    else
        base_format(err->mend, sizeof err->mend, "no checkpoint was written yet: start anew; %s",
                    mend);
    return err->status;
}

/* All that the device had a part in, and what is made of the graph that goes with it. */
static void drop(train_run *r)
{
    train_validator_destroy(&r->validator);
    weights_close(&r->average);
    train_engine_close(&r->engine);
    nn_device_close(&r->device);
    nn_graph_destroy(&r->graph);
    base_free(r->params);
    base_free(r->needs_grad);
    r->params = NULL;
    r->needs_grad = NULL;
    r->state.engine = NULL;
}

static vg_status load(train_run *r, vg_error *err)
{
    train_checkpoint *c = NULL;
    /* It begins again, as it began. A checkpoint may be there, of another run in that folder. */
    if (!r->has_saved) {
        run_begin_state(r);
        return VG_OK;
    }
    vg_status st = train_checkpoint_open(&c, r->last_path, r->mem.work, err);
    if (st == VG_OK)
        st = train_checkpoint_read(c, &r->state, err);
    train_checkpoint_close(&c);
    return st;
}

static vg_status make(train_run *r, const char *device, vg_error *err)
{
    vg_status st = run_open_device(r, device, err);
    if (st == VG_OK)
        st = run_make_graph(r, &r->graph, err);
    if (st == VG_OK)
        st = run_make_params(r, err);
    if (st == VG_OK)
        st = run_open_engine(r, err);
    if (st == VG_OK && !r->has_saved)
        st = run_transfer(r, err);
    if (st == VG_OK)
        st = run_reserve(r, err);
    if (st == VG_OK)
        st = run_make_validator(r, err);
    return st == VG_OK ? load(r, err) : st;
}

vg_status run_move(train_run *r, vg_error *err)
{
    run_bearing *b = &r->bearing;
    char why[sizeof err->what];
    base_format(why, sizeof why, "%s", err->what);
    b->n_rows = 0; /* of epochs that are done over */
    r->n_bad_steps = 0;
    report_csv_close(&r->csv);
    drop(r);
    vg_status st = r->n_lost++ < MOST_DEVICES ? make(r, "auto", err) : VG_ERR_DEVICE;
    if (st != VG_OK) {
        drop(r);
        st = make(r, "cpu", err);
    }
    if (st == VG_OK)
        st = run_open_csv(r, err);
    if (st != VG_OK)
        return st;
    b->has_news = true;
    base_fail(&b->news, VG_ERR_DEVICE,
              base_where("epoch %lld", (long long)r->state.position.epoch + 1), NULL,
              "the GPU failed (%.200s); from the %s on, %.40s computes", why,
              r->has_saved ? "last checkpoint" : "start",
              r->device != NULL ? nn_device_facts(r->device)->name : "the CPU");
    return VG_OK;
}
