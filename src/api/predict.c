/* predict.c: vg_predict over stream's pipeline. */
#include <unistd.h>

#include "handle.h"
#include "net/net.h"

struct vg_predict {
    stream_accounts accounts;
    stream_predict *job;
    vg_detector lent;
    net_beacon beacon;
    int64_t n_done;
    pid_t pid;
};

static vg_status open_job(vg_predict *p, const vg_predict_options *o, vg_error *err)
{
    stream_predict_options s = {.classes = o->detect.classes,
                                .n_classes = o->detect.n_classes,
                                .class_names = o->class_names,
                                .source = o->source,
                                .save = o->save,
                                .save_txt = o->save_txt,
                                .save_conf = o->save_conf,
                                .save_crop = o->save_crop,
                                .save_json = o->save_json,
                                .project = o->project,
                                .name = o->name,
                                .exist_ok = o->exist_ok,
                                .line_width_px = o->line_width,
                                .hide_labels = o->hide_labels,
                                .hide_conf = o->hide_conf,
                                .hide_boxes = o->hide_boxes,
                                .retina_masks = o->detector.retina_masks};
    vg_status st = api_detector_options(&s.detector, &o->detector, err);
    if (st == VG_OK)
        st = api_nms_options(&s.nms, &o->detect, err);
    if (st != VG_OK)
        return st;
    if (!o->source || !*o->source)
        return base_fail(err, VG_ERR_ARGUMENT, "source",
                         "give a picture, a folder, a glob, a .txt list or -", "no source given");
    if (!o->project || !*o->project || !o->name || !*o->name || o->line_width < 0 ||
        o->line_width > 1000)
        return base_fail(err, VG_ERR_ARGUMENT, "project, name, line_width",
                         "leave them at their defaults",
                         "an empty project or name, or a line width outside 0..1000");
    st = stream_predict_open(&p->job, &s, &p->accounts, err);
    if (st == VG_OK)
        p->lent = (vg_detector){
            .detector = stream_predict_detector(p->job), .accounts = &p->accounts, .is_lent = true};
    return st;
}

vg_status vg_predict_open(vg_predict **out, const vg_predict_options *o, vg_error *err)
{
    *out = NULL;
    if (!o)
        return base_fail(err, VG_ERR_ARGUMENT, "options", "start from vg_predict_options_default()",
                         "no options given");
    vg_predict *p = base_handle_alloc(sizeof *p, err);
    if (!p)
        return VG_ERR_MEMORY;
    p->pid = getpid();
    stream_accounts_init(&p->accounts, o->detector.memory_limit_bytes);
    stream_accounts_limit_gpu(&p->accounts, o->detector.gpu_memory_limit_bytes);
    vg_status st = open_job(p, o, err);
    if (st != VG_OK)
        vg_predict_close(&p, NULL);
    *out = p;
    return st;
}

static void tell_guard(vg_predict *p)
{
    vg_memory m;
    if (!net_beacon_is_due(&p->beacon))
        return;
    stream_accounts_memory(&m, &p->accounts);
    net_beacon_tell(&p->beacon, &m, -1, -1, p->n_done);
}

vg_status vg_predict_next(vg_predict *p, const vg_predict_result **out, vg_error *err)
{
    *out = NULL;
    if (api_check_process(p->pid, err) != VG_OK)
        return VG_ERR_ARGUMENT;
    const vg_status st = stream_predict_next(p->job, out, err);
    if (st != VG_OK || !*out)
        return st;
    p->n_done++;
    tell_guard(p);
    return VG_OK;
}

vg_status vg_predict_close(vg_predict **predict, vg_error *err)
{
    vg_predict *p = *predict;
    if (!p)
        return VG_OK;
    vg_status st = VG_OK;
    if (p->pid == getpid()) { /* else there are no threads that could be ended */
        st = stream_predict_close(&p->job, err);
        net_beacon_close(&p->beacon);
    }
    base_handle_free(p);
    *predict = NULL;
    return st;
}

const vg_detector *vg_predict_detector(const vg_predict *p)
{
    return &p->lent;
}

/* Pieces for whoever writes them. */
typedef struct pieces {
    void (*put)(void *ctx, const char *bytes, size_t n);
    void *ctx;
} pieces;

static vg_status put_piece(void *self, const char *bytes, size_t n, vg_error *err)
{
    const pieces *p = self;
    (void)err;
    p->put(p->ctx, bytes, n);
    return VG_OK;
}

vg_status vg_predict_json(const vg_detector *d, const vg_predict_result *r,
                          void (*put)(void *ctx, const char *bytes, size_t n), void *ctx,
                          vg_error *err)
{
    char room[8192];
    pieces p = {put, ctx};
    sink_text t = {.bytes = room, .capacity = sizeof room, .flush = put_piece, .flush_ctx = &p};
    const stream_rows rows = {.boxes = r->detections,
                              .n = r->n_detections,
                              .extras = &r->extras,
                              .w = r->width,
                              .h = r->height,
                              .names = stream_detector_names(d->detector)};
    vg_status st = api_boxes_json(&t, &rows, r->source, err);
    if (st == VG_OK)
        st = sink_text_add(&t, err, "\n");
    return st == VG_OK ? sink_text_end(&t, err) : st;
}

const char *vg_predict_folder(const vg_predict *p)
{
    return stream_predict_folder(p->job);
}

void vg_predict_memory(const vg_predict *p, vg_memory *out)
{
    stream_accounts_memory(out, &p->accounts);
}
