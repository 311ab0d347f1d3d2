/* predict.h: the parts of `vigil predict`: the lines (predict_lines.c), the summary
 * (predict_summary.c), the proof of flat memory (predict_flat.c) and the loop over pictures
 * (cmd_predict.c). */
#ifndef CLI_PREDICT_H
#define CLI_PREDICT_H

#include <stdint.h>

#include "cli.h"

/* ---- predict_lines.c ---- */

/* "image 1/72 a.jpg: 480x640 2 persons, 1 bus, 12.3ms": HxW of the network's input, time of the
 * inference. */
void predict_line(FILE *to, const vg_detector *d, const vg_predict_result *r);
/* "image 3/72 a.jpg: skipped: not a picture (byte 17)"; where it was is left out when it is the
 * picture itself. */
void predict_line_skipped(FILE *to, const vg_predict_result *r);
/* One JSON object on one line: source, width, height, boxes of class, name, confidence, xyxy in
 * pixels. */
void predict_line_json(FILE *to, const vg_detector *d, const vg_predict_result *r);

/* ---- predict_summary.c ---- */

/* What was done so far. */
typedef struct predict_sums {
    size_t n_done, n_skipped, total;
    vg_predict_times times; /* of the n_done */
    double started_s;       /* monotonic: the first picture was asked for */
} predict_sums;

double predict_now_s(void);
void predict_sums_add(predict_sums *s, const vg_predict_result *r);
/* Speed by stage, pictures per second, memory planned and measured. */
void predict_summary_print(FILE *to, const predict_sums *s, const vg_memory *m);

/* The progress line on stderr, for long work whose own lines are not seen there. */
typedef struct predict_progress {
    bool on;
    bool terminal; /* stderr is one: the line is written over */
    bool shown;    /* something is on it */
    double next_s; /* not before */
} predict_progress;
predict_progress predict_progress_make(bool quiet);
void predict_progress_show(predict_progress *p, const predict_sums *s);
void predict_progress_clear(predict_progress *p);

/* ---- predict_flat.c ---- */

/* More shapes than this in a warm-up count as changing ones. */
enum { FLAT_SHAPES_MAX = 64 };

typedef struct flat_shape {
    int width, height;
} flat_shape;

/* Memory after the warm-up against memory at the end. The rule is in flat_judge's comment and in
 * the help. */
typedef struct predict_flat {
    size_t n_warm_up; /* pictures; 0: not asked for */
    bool warm;        /* the baseline is taken */
    int plan_cache;   /* shapes whose plans are kept */
    flat_shape shapes[FLAT_SHAPES_MAX];
    size_t n_shapes;
    bool new_shape; /* since the warm-up */
    vg_memory before;
} predict_flat;

/* asked: -1 for the larger of 10 and a tenth of total, at most 100; else the number of pictures. */
size_t predict_flat_warm_up(int asked, size_t total);
/* Notes the picture's network shape; n_seen pictures came, this one included. Takes the baseline
 * when warm. */
void predict_flat_see(predict_flat *f, const vg_predict_result *r, size_t n_seen,
                      const vg_predict *p);
/* The table and the verdict; true when nothing grew. */
bool predict_flat_print(FILE *to, const predict_flat *f, const vg_memory *now, size_t n_seen);

#endif
