/* scene.h: made-up numbers of a run, of any size and with any trouble in them: for the tests of
 * plots and for the gallery. */
#ifndef TESTS_REPORT_SCENE_H
#define TESTS_REPORT_SCENE_H

#include <math.h>

#include "report/report.h"

enum { SCENE_MOST_CLASSES = 600 };

/* 0..1, the same for every run. */
static inline double scene_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 40) / (double)(1 << 24);
}

/* Detect's columns. */
static inline report_names scene_detect(void)
{
    static const char *const losses[] = {"box_loss", "cls_loss", "dfl_loss"};
    static const char *const metrics[] = {"metrics/precision(B)", "metrics/recall(B)",
                                          "metrics/mAP50(B)", "metrics/mAP50-95(B)"};
    return (report_names){
        .losses = losses, .n_losses = 3, .metrics = metrics, .n_metrics = 4, .has_boxes = true};
}

static inline report_columns scene_columns(void)
{
    const report_names names = scene_detect();
    report_columns c;
    report_columns_make(&c, &names);
    return c;
}

/* Learning as it often goes. nans: validation is missing in every third epoch. */
static inline void scene_epochs(vg_train_epoch *rows, int n, bool nans)
{
    uint64_t s = 7;
    for (int i = 0; i < n; i++) {
        double t = (double)i / (n > 1 ? n - 1 : 1), fall = exp(-4 * t), noise = 0.02;
        vg_train_epoch *e = &rows[i];
        *e = (vg_train_epoch){.epoch = i + 1, .seconds = 31.7 * (i + 1)};
        for (int k = 0; k < 3; k++) {
            e->train_loss[k] = 1 + k * 0.2 + 2 * fall + noise * scene_random(&s);
            e->val_loss[k] =
                1.2 + k * 0.2 + 1.8 * fall + 0.25 * t * t + 4 * noise * scene_random(&s);
            e->lr[k] = 0.01 * (1 - 0.99 * t) * (t < 0.05 && n > 20 ? t / 0.05 : 1);
        }
        e->precision = 0.85 * (1 - fall) + 3 * noise * scene_random(&s);
        e->recall = 0.8 * (1 - fall) + 3 * noise * scene_random(&s);
        e->map50 = 0.83 * (1 - fall) + noise * scene_random(&s);
        e->map = 0.6 * (1 - fall) + noise * scene_random(&s) - 0.06 * t * t;
        if (nans && i % 3 == 1) {
            e->precision = e->recall = e->map50 = e->map = NAN;
            for (int k = 0; k < 3; k++)
                e->val_loss[k] = k == 1 ? INFINITY : NAN;
        }
    }
}

/* Names: 0 short, 1 long and of all sorts. names: (nc), texts: (nc). */
static inline void scene_names(const char **names, char (*texts)[128], int nc, bool is_long)
{
    static const char *const SHORT[] = {"Platelets", "RBC", "WBC"};
    static const char *const LONG[] = {
        "a very long class name that somebody really gave to their favourite product, 500 g",
        "Größe XL – Weiß", "broken \xff\xfe bytes", "tab\tand\nline"};
    for (int i = 0; i < nc; i++) {
        if (is_long && i < 4)
            base_format(texts[i], 128, "%s", LONG[i]);
        else if (nc <= 3 && i < 3)
            base_format(texts[i], 128, "%s", SHORT[i]);
        else
            base_format(texts[i], 128, "class name %d", i);
        names[i] = texts[i];
    }
}

/* A validation, by the real metrics. The result is borrowed from *m. */
static inline vg_status scene_metrics(detect_metrics **m, detect_metrics_result *result, int nc,
                                      base_mem *mem, vg_error *err)
{
    enum { N_PICTURES = 400, N_TRUTHS = 8 };
    detect_metrics_bounds bounds = {.nc = nc,
                                    .most_detections = N_PICTURES * 3 * N_TRUTHS,
                                    .most_picture_detections = 3 * N_TRUTHS,
                                    .most_picture_truths = N_TRUTHS};
    vg_status st = detect_metrics_create(m, &bounds, 0.25f, mem, err);
    uint64_t s = 3;
    for (int p = 0; p < N_PICTURES && st == VG_OK; p++) {
        detect_truth truths[N_TRUTHS];
        vg_detection boxes[3 * N_TRUTHS];
        size_t n_boxes = 0;
        for (int i = 0; i < N_TRUTHS; i++) {
            int c = (int)(scene_random(&s) * scene_random(&s) * nc);
            float x = (float)(scene_random(&s) * 500), y = (float)(scene_random(&s) * 400),
                  w = (float)(20 + scene_random(&s) * 100), h = (float)(20 + scene_random(&s) * 90);
            truths[i] = (detect_truth){.class_index = c, .xyxy = {x, y, x + w, y + h}};
            double ease = 0.5 + 0.4 * ((c * 37) % 10) / 10.0;
            if (scene_random(&s) < ease) {
                float d = (float)(scene_random(&s) * 0.2) * w;
                int seen = scene_random(&s) < 0.1 ? (c + 1) % nc : c;
                boxes[n_boxes++] = (vg_detection){
                    x + d, y, x + w + d, y + h, (float)(0.2 + 0.8 * scene_random(&s)), seen};
            }
            if (scene_random(&s) < 0.35)
                boxes[n_boxes++] =
                    (vg_detection){y, x, y + 30, x + 40, (float)(0.6 * scene_random(&s)), c};
        }
        /* Best first. */
        for (size_t i = 0; i < n_boxes; i++)
            for (size_t k = i + 1; k < n_boxes; k++)
                if (boxes[k].confidence > boxes[i].confidence) {
                    vg_detection b = boxes[i];
                    boxes[i] = boxes[k];
                    boxes[k] = b;
                }
        st = detect_metrics_add(*m, boxes, n_boxes, truths, N_TRUTHS, err);
    }
    if (st == VG_OK)
        detect_metrics_make_result(*m, result);
    return st;
}

static inline void scene_labels(report_label *labels, size_t n, int nc)
{
    uint64_t s = 11;
    for (size_t i = 0; i < n; i++) {
        double w = 0.03 + 0.5 * pow(scene_random(&s), 3), h = w * (0.6 + 0.8 * scene_random(&s));
        double x = w / 2 + (1 - w) * (scene_random(&s) + scene_random(&s)) / 2;
        double y = fmin(h, 1) / 2 + (1 - fmin(h, 1)) * scene_random(&s);
        labels[i] = (report_label){(int)(scene_random(&s) * scene_random(&s) * nc),
                                   {(float)x, (float)y, (float)w, (float)fmin(h, 1)}};
    }
}

/* A picture to draw on: a gradient. */
static inline void scene_picture(const image_view *v, int hue)
{
    for (int y = 0; y < v->h; y++)
        for (int x = 0; x < v->w; x++) {
            uint8_t *p = v->data + (size_t)y * v->stride + 3 * (size_t)x;
            p[0] = (uint8_t)(60 + 120 * x / v->w);
            p[1] = (uint8_t)(90 + 100 * y / v->h);
            p[2] = (uint8_t)(60 + hue * 11 % 160);
        }
}

/* A whole mosaic, for pictures of any sizes. */
static inline vg_status scene_mosaic(const char *path, const report_tile *tiles, size_t n_tiles,
                                     base_mem *mem, vg_error *err)
{
    report_mosaic *m = NULL;
    int w = 1, h = 1;
    size_t n_boxes = 0;
    for (size_t i = 0; i < n_tiles; i++) {
        w = tiles[i].picture.w > w ? tiles[i].picture.w : w;
        h = tiles[i].picture.h > h ? tiles[i].picture.h : h;
        n_boxes = tiles[i].n_boxes > n_boxes ? tiles[i].n_boxes : n_boxes;
    }
    vg_status st = report_mosaic_create(&m, 1, w, h, n_boxes, mem, err);
    if (st == VG_OK)
        st = report_mosaic_begin(m, n_tiles, w, h, mem, err);
    for (size_t i = 0; i < n_tiles && st == VG_OK; i++)
        st = report_mosaic_add(m, 0, &tiles[i], mem, err);
    if (st == VG_OK)
        st = report_mosaic_write(m, 0, path, mem, err);
    report_mosaic_destroy(&m);
    return st;
}

#endif
