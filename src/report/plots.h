/* plots.h: the pictures of a run. Each function writes one file by the suffix of its path (.png,
 * .jpg), whole or not at all, and keeps nothing: its memory, a page of 4 bytes a pixel and what is
 * said, is taken from the account and given back.
 * Errors of all: VG_ERR_IO, VG_ERR_UNSUPPORTED (the suffix), VG_ERR_MEMORY, VG_ERR_SYSTEM (Cairo).
 * Names are UTF-8, (nc); what is not shows as U+FFFD, and long ones end in an ellipsis. */
#ifndef REPORT_PLOTS_H
#define REPORT_PLOTS_H

#include "detect/detect.h"
#include "image/image.h"
#include "results_csv.h"

/* results.png: losses, metrics and learning rates over the epochs, those that columns has. rows:
 * (n_rows) in order, any number; values that are no numbers are passed over. */
vg_status report_plot_results(const char *path, const vg_train_epoch *rows, size_t n_rows,
                              const report_columns *columns, base_mem *mem, vg_error *err);

typedef enum report_curve {
    REPORT_CURVE_PR, /* PR_curve.png: precision by recall at IoU 0.5 */
    REPORT_CURVE_P,  /* P_curve.png, R_curve.png, F1_curve.png: by confidence */
    REPORT_CURVE_R,
    REPORT_CURVE_F1
} report_curve;
/* A thin line a class, a thick one their mean; a legend with the classes when they are few.
 * figures: of which of the result's. */
vg_status report_plot_curve(const char *path, report_curve which,
                            const detect_metrics_result *result, int figures,
                            const char *const *names, base_mem *mem, vg_error *err);

/* confusion_matrix.png and confusion_matrix_normalized.png. counts: (n, n) [predicted][true], n
 * being nc + 1, background last, or nc: there is none. normalize: columns sum to 1, and less than
 * 0.005 is blank. */
vg_status report_plot_confusion(const char *path, const uint64_t *counts, int n,
                                const char *const *names, int nc, bool normalize, base_mem *mem,
                                vg_error *err);

/* A box of the training labels. */
typedef struct report_label {
    int class_index;
    float xywh_norm[4]; /* centre, width, height, 0..1 */
} report_label;
/* labels.jpg: objects by class, outlines of the boxes, where they lie and how large they are.
 * Labels with a class outside 0..nc-1 or with numbers that are none are passed over. */
vg_status report_plot_labels(const char *path, const report_label *labels, size_t n_labels,
                             const char *const *names, int nc, base_mem *mem, vg_error *err);
/* labels_correlogram.jpg: each of x, y, width and height by each other. */
vg_status report_plot_correlogram(const char *path, const report_label *labels, size_t n_labels,
                                  base_mem *mem, vg_error *err);

enum { REPORT_MOSAIC_TILES = 16, REPORT_MOSAIC_SIDE_PX = 1920 };

/* Where a tile is on its page, and what it is drawn with. */
typedef struct report_place {
    const image_view *view; /* RGB; the picture is there, scaled */
    image_canvas *canvas;
    const image_draw_style *style;
    base_mem *mem;
} report_place;

/* A picture of a mosaic; everything in it is borrowed. */
typedef struct report_tile {
    image_view picture;     /* RGB */
    const image_box *boxes; /* in pixels of the picture */
    size_t n_boxes;
    const char *caption; /* its file's name; NULL: none */
    /* Draw what is no box, before the boxes and after them; NULL: nothing. */
    vg_status (*below)(void *ctx, const report_place *place, vg_error *err);
    vg_status (*above)(void *ctx, const report_place *place, vg_error *err);
    void *ctx;
} report_tile;

/* train_batchN.jpg, val_batchN_labels.jpg, val_batchN_pred.jpg: pictures in a grid of at most 1920
 * pixels a side, with their boxes. Pages are made one after another: begin, add each picture,
 * write. There may be two alike at a time, one with truths and one with predictions. One owner. */
typedef struct report_mosaic report_mosaic;
enum { REPORT_MOSAIC_PAGES = 2 };

/* For pictures of at most most_w x most_h pixels (larger ones are an error of begin) with
 * most_boxes boxes each, those past which are not drawn. Takes n_pages pages (11 MB each at most),
 * letters, and what encoding a JPEG needs; nothing that follows allocates then, but Cairo's fonts
 * at first use. Errors: VG_ERR_ARGUMENT, VG_ERR_MEMORY. *out belongs to the caller. */
vg_status report_mosaic_create(report_mosaic **out, int n_pages, int most_w, int most_h,
                               size_t most_boxes, base_mem *mem, vg_error *err);
void report_mosaic_destroy(report_mosaic **m);
/* Before the first page: labels are drawn with a font that has the letters of these names. */
void report_mosaic_names(report_mosaic *m, const char *const *names, size_t n);
/* Empties all pages, for n_tiles pictures each (the first 16 are shown) of at most w x h pixels,
 * all at one scale. Errors: VG_ERR_ARGUMENT (no pictures, their size). */
vg_status report_mosaic_begin(report_mosaic *m, size_t n_tiles, int w, int h, base_mem *mem,
                              vg_error *err);
/* The next picture of a page; past the last one, nothing. Errors: VG_ERR_ARGUMENT (an empty
 * picture). */
vg_status report_mosaic_add(report_mosaic *m, int page, const report_tile *tile, base_mem *mem,
                            vg_error *err);
/* Whole or not at all; the page stays. Errors: also VG_ERR_ARGUMENT (no pictures). */
vg_status report_mosaic_write(report_mosaic *m, int page, const char *path, base_mem *mem,
                              vg_error *err);
/* Of the pages that were begun last, pixels. */
void report_mosaic_size(const report_mosaic *m, int *w, int *h);

#endif
