/* gallery.c: draws every plot of a run from made-up numbers into a folder, for the eyes of whoever
 * changes a plot:
 *     build/tests/report_gallery FOLDER N_CLASSES N_EPOCHS [long] [nan]
 * and writes event files there for check_tensorboard.py. Not a test: it only fails when a file
 * cannot be written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

typedef struct gallery {
    const char *folder;
    int nc, n_epochs;
    bool is_long, nans;
    base_mem mem;
    vg_error err;
    const char *names[SCENE_MOST_CLASSES];
    char texts[SCENE_MOST_CLASSES][128];
    vg_train_epoch epochs[1000];
} gallery;

static const char *path_of(const gallery *g, const char *name)
{
    static char path[4096];
    base_path_join(path, sizeof path, g->folder, name);
    return path;
}

static vg_status draw_curves(gallery *g)
{
    static const char *const FILES[] = {"PR_curve.png", "P_curve.png", "R_curve.png",
                                        "F1_curve.png"};
    detect_metrics *m = NULL;
    detect_metrics_result r;
    vg_status st = scene_metrics(&m, &r, g->nc, &g->mem, &g->err);
    for (int i = 0; i < 4 && st == VG_OK; i++)
        st = report_plot_curve(path_of(g, FILES[i]), (report_curve)i, &r, 0, g->names, &g->mem,
                               &g->err);
    if (st == VG_OK)
        st = report_plot_confusion(path_of(g, "confusion_matrix.png"), r.confusion, r.n_confused,
                                   g->names, g->nc, false, &g->mem, &g->err);
    if (st == VG_OK)
        st = report_plot_confusion(path_of(g, "confusion_matrix_normalized.png"), r.confusion,
                                   r.n_confused, g->names, g->nc, true, &g->mem, &g->err);
    char line[512];
    const report_names names = scene_detect();
    if (st == VG_OK && report_table_val_header(line, sizeof line, 0, &names))
        puts(line);
    for (size_t i = 0; i < r.n_classes && i < 5 && st == VG_OK; i++) {
        const vg_val_class row = detect_metrics_class(&r, i, g->names);
        if (report_table_val_row(line, sizeof line, 0, &names, &row))
            puts(line);
    }
    detect_metrics_destroy(&m);
    return st;
}

static vg_status draw_labels(gallery *g)
{
    size_t n = (size_t)(g->n_epochs == 1 ? 12 : 20000);
    report_label *labels = base_alloc_zero(&g->mem, n, sizeof *labels, &g->err);
    if (labels == NULL)
        return VG_ERR_MEMORY;
    scene_labels(labels, n, g->nc);
    vg_status st =
        report_plot_labels(path_of(g, "labels.jpg"), labels, n, g->names, g->nc, &g->mem, &g->err);
    if (st == VG_OK)
        st = report_plot_correlogram(path_of(g, "labels_correlogram.jpg"), labels, n, &g->mem,
                                     &g->err);
    base_free(labels);
    return st;
}

static vg_status draw_mosaic(gallery *g)
{
    enum { N = 16, N_BOXES = 6 };
    static image_box boxes[N][N_BOXES];
    image_buffer pictures[N] = {0};
    report_tile tiles[N];
    uint64_t s = 5;
    vg_status st = VG_OK;
    for (int i = 0; i < N && st == VG_OK; i++) {
        int w = 640, h = i % 3 == 0 ? 480 : i % 3 == 1 ? 640 : 400;
        st = image_buffer_reserve(&pictures[i], w, h, &g->mem, &g->err);
        if (st != VG_OK)
            break;
        scene_picture(&pictures[i].view, i);
        for (int k = 0; k < N_BOXES; k++) {
            float x = (float)(scene_random(&s) * 500), y = (float)(scene_random(&s) * h * 0.7);
            int c = (int)(scene_random(&s) * g->nc);
            boxes[i][k] = (image_box){x,
                                      y,
                                      x + 60 + (float)(scene_random(&s) * 120),
                                      y + 50 + (float)(scene_random(&s) * 100),
                                      c,
                                      g->names[c],
                                      NULL};
        }
        tiles[i] = (report_tile){.picture = pictures[i].view,
                                 .boxes = boxes[i],
                                 .n_boxes = N_BOXES,
                                 .caption = "BloodImage_00042.jpg"};
    }
    size_t n = g->n_epochs == 1 ? 2 : N;
    if (st == VG_OK)
        st = scene_mosaic(path_of(g, "train_batch0.jpg"), tiles, n, &g->mem, &g->err);
    for (int i = 0; i < N; i++)
        image_buffer_fini(&pictures[i]);
    return st;
}

/* Scalars by a rule that check_tensorboard.py knows, and a picture. */
static vg_status write_events(gallery *g)
{
    report_events *e = NULL;
    vg_status st = report_events_open(&e, g->folder, -1, &g->mem, &g->err);
    for (int i = 0; i < g->n_epochs && st == VG_OK; i++) {
        st = report_events_scalar(e, "train/box_loss", i, g->epochs[i].train_loss[0], &g->err);
        if (st == VG_OK)
            st = report_events_scalar(e, "check/step_squared", i, (double)i * i, &g->err);
    }
    char *bytes = NULL;
    size_t n = 0;
    if (st == VG_OK)
        st = base_file_read(&bytes, &n, path_of(g, "train_batch0.jpg"), 64 << 20, &g->mem, &g->err);
    if (st == VG_OK)
        st = report_events_image(e, "train_batch0", 0, bytes, n, 1920, 1920, &g->err);
    base_free(bytes);
    vg_status closed = report_events_close(&e, st == VG_OK ? &g->err : NULL);
    if (st == VG_OK)
        st = closed;
    /* A restart at half the steps takes the later half back. */
    if (st == VG_OK)
        st = report_events_open(&e, g->folder, g->n_epochs / 2, &g->mem, &g->err);
    for (int i = g->n_epochs / 2; i < g->n_epochs && st == VG_OK; i++)
        st = report_events_scalar(e, "check/step_squared", i, -(double)i, &g->err);
    closed = report_events_close(&e, st == VG_OK ? &g->err : NULL);
    return st == VG_OK ? closed : st;
}

static vg_status write_csv(gallery *g)
{
    report_csv *c = NULL;
    const report_names names = scene_detect();
    vg_status st =
        report_csv_open(&c, path_of(g, "results.csv"), &names, 0, false, &g->mem, &g->err);
    for (int i = 0; i < g->n_epochs && st == VG_OK; i++)
        st = report_csv_append(c, &g->epochs[i], &g->err);
    report_csv_close(&c);
    return st;
}

int main(int argc, char **argv)
{
    static gallery g;
    int64_t nc, n_epochs;
    if (argc < 4 || !base_parse_i64(&nc, argv[2], 1, SCENE_MOST_CLASSES) ||
        !base_parse_i64(&n_epochs, argv[3], 1, 1000)) {
        fprintf(stderr, "usage: report_gallery FOLDER N_CLASSES N_EPOCHS [long] [nan]\n");
        return 2;
    }
    g.folder = argv[1];
    g.nc = (int)nc;
    g.n_epochs = (int)n_epochs;
    for (int i = 4; i < argc; i++) {
        g.is_long |= strcmp(argv[i], "long") == 0;
        g.nans |= strcmp(argv[i], "nan") == 0;
    }
    scene_names(g.names, g.texts, g.nc, g.is_long);
    scene_epochs(g.epochs, g.n_epochs, g.nans);
    const report_columns columns = scene_columns();
    vg_status st = base_make_dirs(g.folder, &g.err);
    if (st == VG_OK)
        st = write_csv(&g);
    if (st == VG_OK)
        st = report_plot_results(path_of(&g, "results.png"), g.epochs, (size_t)g.n_epochs, &columns,
                                 &g.mem, &g.err);
    if (st == VG_OK)
        st = draw_curves(&g);
    if (st == VG_OK)
        st = draw_labels(&g);
    if (st == VG_OK)
        st = draw_mosaic(&g);
    if (st == VG_OK)
        st = write_events(&g);
    if (st == VG_OK)
        return 0;
    fprintf(stderr, "error: %s\n  at:  %s\n  try: %s\n", g.err.what, g.err.where, g.err.mend);
    return 1;
}
