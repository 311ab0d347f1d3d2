/* detect.c: times of decode, suppression and loss: CPU time of this thread, medians of many runs.
 *
 *     vigil-bench-detect [runs]
 * A 640 x 640 picture's maps (8400 anchors, 80 classes) of random logits: few boxes pass (a
 * camera's usual frame), all pass (an untrained model in validation); the loss of a batch of 4 with
 * 20 objects each. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/detect.h"

enum { NC = 80, SIDE = 640, BATCH = 4, LABELS = 20, MOST_RUNS = 1000, ROWS = 30000 };

static float uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (float)(*state >> 40) / 16777216.0f;
}

/* Most logits lie low; one anchor in `rare` has a class near the top. */
static size_t fill(detect_level *levels, float **data, size_t rare, base_mem *mem)
{
    uint64_t state = 1;
    size_t n = 0;
    for (int i = 0; i < 3; i++) {
        int side = SIDE / (8 << i);
        size_t pitch = DETECT_BOX_CHANNELS + NC, pixels = (size_t)(side * side),
               all = pixels * BATCH;
        data[i] = base_alloc(mem, all * pitch * sizeof(float), NULL);
        if (!data[i])
            exit(1);
        for (size_t k = 0; k < all * pitch; k++)
            data[i][k] = k % pitch < DETECT_BOX_CHANNELS ? uniform(&state) * 6 - 3
                                                         : uniform(&state) * 4 - 14;
        for (size_t p = 0; p < all; p++, n++)
            if (n % rare == 0)
                data[i][p * pitch + DETECT_BOX_CHANNELS + n % NC] = uniform(&state) * 3;
        levels[i] = (detect_level){.box = data[i],
                                   .cls = data[i] + DETECT_BOX_CHANNELS,
                                   .box_pitch = pitch,
                                   .cls_pitch = pitch,
                                   .h = side,
                                   .w = side,
                                   .stride = (float)(8 << i)};
    }
    return n / BATCH;
}

static void report(const char *what, double *ms, size_t runs, size_t kept)
{
    printf("%-44s %8.3f ms   %zu\n", what, base_median(ms, runs), kept);
}

static void time_loss(const detect_level *levels, size_t n_anchors, double *ms, int64_t runs,
                      base_mem *mem)
{
    uint64_t state = 7;
    detect_label labels[BATCH * LABELS];
    detect_gradient gradients[3];
    float *data[3];
    detect_loss *loss = NULL;
    detect_loss_value v;
    for (int i = 0; i < BATCH * LABELS; i++) {
        labels[i] = (detect_label){.picture = i / LABELS, .class_index = i % NC};
        for (int k = 0; k < 4; k++)
            labels[i].xywh_norm[k] =
                k < 2 ? 0.1f + uniform(&state) * 0.8f : 0.02f + uniform(&state) * 0.4f;
    }
    for (int i = 0; i < 3; i++) {
        size_t pitch = DETECT_BOX_CHANNELS + NC,
               pixels = (size_t)(BATCH * levels[i].h * levels[i].w);
        data[i] = base_alloc(mem, pixels * pitch * sizeof(float), NULL);
        if (!data[i])
            exit(1);
        gradients[i] = (detect_gradient){.box = data[i],
                                         .cls = data[i] + DETECT_BOX_CHANNELS,
                                         .box_pitch = pitch,
                                         .cls_pitch = pitch};
    }
    const detect_loss_bounds bounds = {
        .most_batch = BATCH, .most_anchors = n_anchors, .most_labels = LABELS, .n_threads = 1};
    const detect_batch batch = {.levels = levels,
                                .n_levels = 3,
                                .nc = NC,
                                .batch = BATCH,
                                .labels = labels,
                                .n_labels = BATCH * LABELS};
    if (detect_loss_create(&loss, &bounds, mem, NULL) != VG_OK)
        exit(1);
    for (int part = 0; part < 2; part++) {
        for (int64_t r = -3; r < runs; r++) {
            int64_t t = base_thread_cpu_ns();
            if (detect_loss_assign(loss, &batch, NULL, NULL) != VG_OK)
                exit(1);
            if (part == 1)
                detect_loss_terms(loss, &v, gradients, &batch, &DETECT_LOSS_GAINS, NULL);
            ms[r < 0 ? 0 : r] = base_ms(base_thread_cpu_ns() - t);
        }
        report(part ? "loss and gradient, batch 4, 80 objects" : "assign alone", ms, (size_t)runs,
               BATCH * LABELS);
    }
    detect_loss_destroy(&loss);
    for (int i = 0; i < 3; i++)
        base_free(data[i]);
}

int main(int argc, char **argv)
{
    static double ms[MOST_RUNS];
    static vg_detection out[300];
    int64_t runs = 100;
    base_mem mem = {.tag = "bench", .limit_bytes = SIZE_MAX};
    if (argc > 1 && !base_parse_i64(&runs, argv[1], 1, MOST_RUNS)) {
        fprintf(stderr, "usage: vigil-bench-detect [runs 1..%d]\n", MOST_RUNS);
        return 2;
    }
    detect_nms *nms = NULL;
    detect_level levels[3];
    float *data[3];
    size_t n = fill(levels, data, 420, &mem), kept = 0;
    float *pred = base_alloc(&mem, (4 + NC) * n * sizeof(float), NULL);
    if (!pred || detect_nms_create(&nms, ROWS, 300, &mem, NULL) != VG_OK)
        return 1;
    const detect_nms_options predict = DETECT_NMS_PREDICT;
    detect_nms_options flood = predict;
    flood.conf = 1e-7f;
    flood.multi_label = true;
    const struct {
        const char *name;
        const detect_nms_options *o;
    } cases[] = {{"run, 20 anchors pass", &predict}, {"run, all rows pass", &flood}};
    for (size_t c = 0; c < 2; c++) {
        for (int64_t r = -3; r < runs; r++) {
            int64_t t = base_thread_cpu_ns();
            kept = detect_run(nms, out, NULL, levels, 3, NC, 0, cases[c].o);
            ms[r < 0 ? 0 : r] = base_ms(base_thread_cpu_ns() - t);
        }
        report(cases[c].name, ms, (size_t)runs, kept);
    }
    for (int64_t r = -3; r < runs; r++) {
        int64_t t = base_thread_cpu_ns();
        detect_decode_all(pred, levels, 3, NC, 0);
        ms[r < 0 ? 0 : r] = base_ms(base_thread_cpu_ns() - t);
    }
    report("decode_all", ms, (size_t)runs, n);
    for (int64_t r = -3; r < runs; r++) {
        int64_t t = base_thread_cpu_ns();
        kept = detect_nms_run(nms, out, NULL, pred, NC, n, &predict);
        ms[r < 0 ? 0 : r] = base_ms(base_thread_cpu_ns() - t);
    }
    report("nms_run on the decoded tensor", ms, (size_t)runs, kept);
    time_loss(levels, n, ms, runs, &mem);
    detect_nms_destroy(&nms);
    base_free(pred);
    for (int i = 0; i < 3; i++)
        base_free(data[i]);
    return 0;
}
