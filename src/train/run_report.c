/* run_report.c: files of a run, each replaced whole or growing by whole records. */
#include "run_report.h"
#include "saver.h"
#include "task/task.h"

#include <string.h>

struct train_report {
    train_report_options o;
    const train_args *args;
    report_events *events;
    train_gallery *gallery; /* NULL without plots */
    train_saver *saver;     /* from the final validation's first picture to its end */
    bool has_coco_failed;
    vg_error first;   /* error of those that did not end the run */
    uint64_t n_side;  /* how many there were */
    uint64_t n_known; /* to trouble's caller */
    vg_error newest;
};

/* ---- of a new run ---- */

static vg_status write_args(const train_report *r, vg_error *err)
{
    char path[TRAIN_PATH_BYTES];
    base_str text = {0};
    vg_status st = train_path(path, r->o.folder, "args.yaml", err);
    if (st == VG_OK)
        st = train_args_add_text(&text, r->args, TRAIN_ARGS_YAML, r->o.work, err);
    if (st == VG_OK)
        st = base_file_replace(path, text.text, text.length, err);
    base_str_fini(&text);
    return st;
}

/* labels.jpg, labels_correlogram.jpg */
static vg_status plot_labels(const train_report *r, vg_error *err)
{
    const data_set *set = train_run_set(r->o.run, DATA_TRAIN);
    base_mem *work = r->o.work;
    char path[TRAIN_PATH_BYTES];
    size_t n = 0;
    for (size_t i = 0; i < data_set_size(set); i++)
        n += data_set_picture(set, i)->n_labels;
    report_label *labels = base_alloc_zero(work, n > 0 ? n : 1, sizeof *labels, err);
    if (!labels)
        return VG_ERR_MEMORY;
    n = 0;
    for (size_t i = 0; i < data_set_size(set); i++) {
        const data_picture *p = data_set_picture(set, i);
        for (size_t k = 0; k < p->n_labels; k++, n++) {
            labels[n].class_index = p->labels[k].class_index;
            memcpy(labels[n].xywh_norm, p->labels[k].xywh_norm, sizeof labels[n].xywh_norm);
        }
    }
    vg_status st = train_path(path, r->o.folder, "labels.jpg", err);
    if (st == VG_OK)
        st = report_plot_labels(path, labels, n, r->o.names, r->o.nc, work, err);
    if (st == VG_OK)
        st = train_path(path, r->o.folder, "labels_correlogram.jpg", err);
    if (st == VG_OK)
        st = report_plot_correlogram(path, labels, n, work, err);
    base_free(labels);
    return st;
}

/* ---- create ---- */

/* Most boxes of a picture of a batch: mosaic takes four pictures, mixup two of those. */
static size_t most_labels(const train_report *r)
{
    const size_t train = 8 * data_set_most_labels(train_run_set(r->o.run, DATA_TRAIN)),
                 val = data_set_most_labels(train_run_set(r->o.run, DATA_VAL));
    return train > val ? train : val;
}

static vg_status make_gallery(train_report *r, vg_error *err)
{
    const train_gallery_options o = {
        .folder = r->o.folder,
        .names = r->o.names,
        .nc = r->o.nc,
        .events = r->events,
        .imgsz = r->args->imgsz,
        .stride = r->o.stride,
        .most_labels = most_labels(r),
        .most_found = (size_t)r->args->max_det,
        .task = train_run_task(r->o.run),
        .n_keypoints = data_set_keypoint_shape(train_run_set(r->o.run, DATA_TRAIN)).n,
        .conf = (float)r->args->conf};
    return train_gallery_create(&r->gallery, &o, r->o.work, err);
}

vg_status train_report_create(train_report **out, const train_report_options *o, vg_error *err)
{
    train_report *r = base_alloc_zero(o->work, 1, sizeof *r, err);
    *out = r;
    if (!r)
        return VG_ERR_MEMORY;
    r->o = *o;
    r->args = train_run_args(o->run);
    const int64_t restart = o->is_resumed ? train_run_position(o->run)->epoch + 1 : -1;
    vg_status st = report_events_open(&r->events, o->folder, restart, o->work, err);
    if (st == VG_OK && r->args->plots)
        st = make_gallery(r, err);
    if (st == VG_OK && !o->is_resumed)
        st = write_args(r, err);
    const bool has_boxes = !train_run_task(o->run)->is_whole;
    if (st == VG_OK && !o->is_resumed && r->args->plots && has_boxes)
        st = plot_labels(r, err);
    if (st != VG_OK)
        train_report_destroy(out);
    return st;
}

void train_report_destroy(train_report **report)
{
    train_report *r = *report;
    if (!r)
        return;
    train_saver_destroy(&r->saver);
    train_gallery_destroy(&r->gallery);
    report_events_close(&r->events, NULL);
    base_free(r);
    *report = NULL;
}

/* ---- in the run's course ---- */

static void note(train_report *r, vg_status st, const vg_error *err)
{
    if (st == VG_OK)
        return;
    r->newest = *err;
    if (r->n_side++ == 0)
        r->first = *err;
}

const vg_error *train_report_trouble(train_report *r)
{
    if (r->n_known == r->n_side)
        return NULL;
    r->n_known = r->n_side;
    return &r->newest;
}

/* The run's first batches, and the first ones without mosaic: spec 4.5, 6. */
static bool is_shown(const train_report *r, int64_t ni)
{
    const int64_t n_batches = train_run_position(r->o.run)->n_batches,
                  from = train_run_plain_epoch(r->o.run);
    if (ni < TRAIN_GALLERY_BATCHES)
        return true;
    const int64_t plain = from * n_batches;
    return from >= 0 && ni >= plain && ni < plain + TRAIN_GALLERY_BATCHES;
}

void train_report_input(train_report *r, int64_t ni, const data_batch *b)
{
    vg_error err;
    if (!r->gallery || !is_shown(r, ni))
        return;
    const int64_t step = ni / train_run_position(r->o.run)->n_batches + 1;
    const vg_status st = train_gallery_train(r->gallery, ni, b, train_run_set(r->o.run, DATA_TRAIN),
                                             step, r->o.work, &err);
    note(r, st, &err);
}

void train_report_epoch(train_report *r, const vg_train_epoch *row)
{
    const double mib = 1024.0 * 1024;
    const struct scalar {
        const char *tag;
        double value;
    } memory[] = {{"memory/in_use_MB", (double)r->o.root->in_use_bytes / mib},
                  {"memory/resident_MB", (double)base_mem_resident_bytes() / mib}};
    const report_names names = task_report_names(train_run_task(r->o.run));
    report_columns columns;
    vg_error err;
    vg_status st = VG_OK;
    report_columns_make(&columns, &names);
    for (int i = 1; i < columns.n && st == VG_OK; i++) /* all but the time */
        st = report_events_scalar(r->events, columns.at[i].name, row->epoch,
                                  report_column_get(&columns.at[i], row), &err);
    for (size_t i = 0; i < sizeof memory / sizeof *memory && st == VG_OK; i++)
        st = report_events_scalar(r->events, memory[i].tag, row->epoch, memory[i].value, &err);
    if (st == VG_OK)
        st = report_events_flush(r->events, &err);
    note(r, st, &err);
}

static vg_status add_coco(train_report *r, const train_validated *p, vg_error *err)
{
    const data_set *set = train_run_set(r->o.run, DATA_VAL);
    vg_status st = VG_OK;
    const train_saver_options o = {.folder = r->o.folder,
                                   .task = train_run_task(r->o.run),
                                   .set = set,
                                   .names = r->o.names,
                                   .nc = r->o.nc,
                                   .json = true};
    if (!r->saver)
        st = train_saver_create(&r->saver, &o, r->o.work, err);
    return st == VG_OK ? train_saver_add(r->saver, p, err) : st;
}

void train_report_validated(train_report *r, const train_validated *p, bool is_final)
{
    vg_error err;
    if (!is_final)
        return;
    if (r->gallery) {
        const vg_status st =
            train_gallery_validated(r->gallery, p, train_run_set(r->o.run, DATA_VAL),
                                    train_run_position(r->o.run)->epoch, r->o.work, &err);
        note(r, st, &err);
    }
    if (r->args->save_json && !r->has_coco_failed) {
        const vg_status st = add_coco(r, p, &err);
        note(r, st, &err);
        if (st != VG_OK) { /* a list with gaps would be taken for a whole one */
            r->has_coco_failed = true;
            train_saver_destroy(&r->saver);
        }
    }
}

/* ---- when training is over ---- */

static vg_status plot_run(const train_report *r, const train_validation *final, vg_error *err)
{
    base_mem *work = r->o.work;
    char path[TRAIN_PATH_BYTES];
    vg_train_epoch *rows = NULL;
    report_columns columns;
    size_t n_rows = 0;
    vg_status st = train_path(path, r->o.folder, "results.csv", err);
    if (st == VG_OK)
        st = report_csv_read(&rows, &n_rows, &columns, path, work, err);
    if (st == VG_OK)
        st = train_path(path, r->o.folder, "results.png", err);
    if (st == VG_OK)
        st = report_plot_results(path, rows, n_rows, &columns, work, err);
    base_free(rows);
    if (st == VG_OK && final)
        st = train_validation_plots(r->o.folder, final, train_run_task(r->o.run), r->o.names,
                                    r->o.nc, work, err);
    return st;
}

vg_status train_report_told(const train_report *r, vg_error *err)
{
    if (r->n_side == 0)
        return VG_OK;
    const vg_error *e = &r->first;
    if (r->n_side == 1)
        return base_fail(err, e->status, e->where, e->mend, "%s", e->what);
    return base_fail(err, e->status, e->where, e->mend, "%s; and %llu more files or records",
                     e->what, (unsigned long long)r->n_side - 1);
}

vg_status train_report_finish(train_report *r, const train_validation *final, vg_error *err)
{
    vg_error side;
    note(r, report_events_flush(r->events, &side), &side);
    vg_status st = VG_OK;
    if (r->saver)
        st = train_saver_commit(r->saver, err);
    train_saver_destroy(&r->saver);
    if (st == VG_OK && r->args->plots)
        st = plot_run(r, final, err);
    return st;
}
