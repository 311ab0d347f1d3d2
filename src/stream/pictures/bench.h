/* bench.h: a model's time on this machine, measured part by part. */
#ifndef STREAM_PICTURES_BENCH_H
#define STREAM_PICTURES_BENCH_H

#include "stream/shared/detector.h"

enum { STREAM_BENCH_STAGES = 3, STREAM_BENCH_MOST_COUNTS = 12 };

typedef struct stream_bench_options {
    const char *weights, *isa;
    const char *device; /* NULL: the CPU */
    bool half;
    base_size imgsz;
    int batch, threads; /* the most of each; threads 0: all */
    int repeats;
} stream_bench_options;

/* What came of it; zeroed is closed. */
typedef struct stream_bench {
    vg_bench_info info;
    vg_bench_machine machines[STREAM_BENCH_MOST_COUNTS];
    vg_bench_stage stages[STREAM_BENCH_STAGES];
    vg_bench_layer *layers;
    vg_bench_step *steps;
    vg_bench_speed *speeds;
    size_t n_machines, n_layers, n_steps, n_speeds;
    char cpu[VG_BENCH_TEXT_BYTES];
    char device[64], gpu[VG_BENCH_TEXT_BYTES];
    stream_model model; /* whose texts layers and info point at */
} stream_bench;

/* 1, 2, 4, ... below most, and most. Returns how many. */
size_t stream_bench_counts(int out[STREAM_BENCH_MOST_COUNTS], int most);
/* Plans, checks the limit, takes everything, measures, and gives back all but the results. mem must
 * stay until close. What a failure leaves is close's. Errors: as stream_detector_open. */
vg_status stream_bench_run(stream_bench *b, const stream_bench_options *o, stream_accounts *mem,
                           vg_error *err);
void stream_bench_close(stream_bench *b);

#endif
