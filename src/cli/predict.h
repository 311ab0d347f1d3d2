/* predict.h: the parts of `vigil predict`: options, and whether they are for pictures or for videos
 * and streams (cmd_predict.c); the loop over pictures (predict_pictures.c), its lines
 * (predict_lines.c), summary (predict_summary.c) and proof of flat memory (predict_flat.c); a
 * stream (predict_stream.c) and its lines (predict_stream_lines.c). */
#ifndef CLI_PREDICT_H
#define CLI_PREDICT_H

#include <stdint.h>

#include "bar.h"
#include "cli.h"

/* ---- cmd_predict.c ---- */

/* The options that pictures know are typed; of vigil/stream.h's table given has the texts. */
typedef struct predict_values {
    vg_predict_options o;
    const char *cfg; /* the file is in the values already */
    vg_size imgsz;
    vg_classes classes;
    int prove_flat; /* pictures of warm-up; -1: as many as fit the job; 0: no proof */
    bool quiet, json;
    bool show_labels, show_conf, show_boxes;
    cli_given given; /* by the place among the command's rows */
} predict_values;

/* ---- predict_pictures.c ---- */

int predict_pictures_run(predict_values *v);

/* ---- predict_stream.c ---- */

/* command: whose rows given has its places in. The exit status. */
int predict_stream_run(const predict_values *v, const cli_command *command, bool tracks);

/* ---- predict_stream_lines.c ---- */

/* "video 1/2 (frame 12/300) a.mp4: 384x640 4 persons, 1 bus, 23.1ms". */
void predict_stream_line(FILE *to, const vg_stream *s, const vg_stream_result *r);
/* "2026-11-23 14:15:16 door: person 12 came into entrance: 3 inside, 10 in, 7 out". */
void predict_stream_event(FILE *to, const vg_stream *s, const vg_stream_result *r,
                          const vg_stream_event *e);
/* "door: playing 1280x720, 24.9 frames/s, 1,234 frames, 0 dropped, latency 45 ms, 1 reconnect". */
void predict_stream_status(FILE *to, const vg_stream_source_stats *c, double frames_per_s);
void predict_stream_summary(FILE *to, const vg_stream *s);

/* ---- predict_lines.c ---- */

/* "2 persons, 1 bus, ": how many of each class, in the classes' order; or what the task says
 * instead. */
void predict_counts(FILE *to, const vg_detection *found, size_t n, const vg_extras *extras,
                    const char *(*name)(const void *ctx, int class_index), const void *ctx);

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
/* "Memory: planned 65.7 MB (weights 19.1 MB, ...), in use ...". */
void predict_memory_print(FILE *to, const vg_memory *m);
/* Speed by stage, pictures per second, memory planned and measured. */
void predict_summary_print(FILE *to, const predict_sums *s, const vg_memory *m);

/* The progress line on stderr, for long work whose own lines are not seen there. */
typedef struct predict_progress {
    bool on;
    cli_bar bar;   /* on a terminal */
    double next_s; /* elsewhere a line now and then: not before */
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
