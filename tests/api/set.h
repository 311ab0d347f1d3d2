/* set.h: a dataset of drawn pictures, two bright boxes on each, for calls that train and validate:
 * dark grounds with a red box (class 0) and a blue one (class 1), so small that a run takes a
 * second. */
#ifndef TESTS_API_SET_H
#define TESTS_API_SET_H

#include "support/test.h"

#include <sys/stat.h>

#include "base/folder.h"
#include "stream/scenes.h"
#include "vigil/vigil.h"

enum { SET_TRAIN = 8, SET_VAL = 4, SET_W = 64, SET_H = 48, SET_BOXES = 2 };

static inline void set_fill(uint8_t *bgr, size_t stride, int x, int y, int side, uint32_t color)
{
    for (int r = y; r < y + side; r++)
        for (int c = x; c < x + side; c++)
            for (int k = 0; k < 3; k++)
                bgr[(size_t)r * stride + 3 * (size_t)c + (size_t)k] = (uint8_t)(color >> (8 * k));
}

/* A BMP, rows from below, and its label file. */
static inline void set_write_picture(const char *root, const char *split, const char *stem, int i)
{
    enum { ROW = SET_W * 3, HEAD = 54, BYTES = HEAD + ROW * SET_H };
    static uint8_t bmp[BYTES];
    char path[512], rows[256];
    const uint8_t head[] = {'B',  'M', BYTES & 255, BYTES >> 8, 0,  0, 0, 0, 0,     0,
                            HEAD, 0,   0,           0,          40, 0, 0, 0, SET_W, 0,
                            0,    0,   SET_H,       0,          0,  0, 1, 0, 24};
    memset(bmp, 0, sizeof bmp);
    memcpy(bmp, head, sizeof head);
    memset(bmp + HEAD, 40, ROW * SET_H);
    const int x[] = {2 + i % 8 * 2, 40 - i % 4 * 2}, side[] = {16, 12};
    set_fill(bmp + HEAD, ROW, x[0], 8, side[0], 0xe02020);
    set_fill(bmp + HEAD, ROW, x[1], 28, side[1], 0x2020e0);
    snprintf(path, sizeof path, "%s/images/%s/%s.bmp", root, split, stem);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bmp, 1, sizeof bmp, f), sizeof bmp);
    assert_int_equal(fclose(f), 0);
    int n = 0;
    for (int k = 0; k < SET_BOXES; k++) {
        const int y = SET_H - (k == 0 ? 8 : 28) - side[k]; /* from above */
        n += snprintf(rows + n, sizeof rows - (size_t)n, "%d %.6f %.6f %.6f %.6f\n", k,
                      (x[k] + side[k] / 2.0) / SET_W, (y + side[k] / 2.0) / SET_H,
                      side[k] / (double)SET_W, side[k] / (double)SET_H);
    }
    snprintf(path, sizeof path, "%s/labels/%s/%s.txt", root, split, stem);
    scene_write_text(path, rows);
}

/* root/data.yaml and what it names. Validation's pictures: 7.bmp, 08.bmp, shelf_2.bmp, shelf_3.bmp.
 */
static inline void set_make(const char *root)
{
    static const char *const dirs[] = {"images",     "labels",       "images/train",
                                       "images/val", "labels/train", "labels/val"};
    static const char *const val[SET_VAL] = {"7", "08", "shelf_2", "shelf_3"};
    char path[512], stem[32];
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        snprintf(path, sizeof path, "%s/%s", root, dirs[i]);
        assert_int_equal(mkdir(path, 0777), 0);
    }
    for (int i = 0; i < SET_TRAIN; i++) {
        snprintf(stem, sizeof stem, "t%d", i);
        set_write_picture(root, "train", stem, i);
    }
    for (int i = 0; i < SET_VAL; i++)
        set_write_picture(root, "val", val[i], i + 3);
    snprintf(path, sizeof path, "%s/data.yaml", root);
    scene_write_text(path, "path: .\ntrain: images/train\nval: images/val\nnames: [red, blue]\n");
}

/* A file of a folder, whether it is there and not empty. */
static inline bool set_has(const char *folder, const char *name)
{
    struct stat info;
    return stat(scene_path(folder, name), &info) == 0 && info.st_size > 0;
}

static inline void set_arg(vg_train *t, const char *name, const char *value)
{
    vg_error err;
    if (vg_train_set(t, name, value, &err) != VG_OK)
        fail_msg("%s=%s: %s", name, value, err.what);
}

/* A handle of a tiny run in root/runs/exp: one epoch of two batches. */
static inline vg_train *set_train(const char *root)
{
    vg_train *t = NULL;
    vg_error err;
    char data[512], runs[512];
    snprintf(data, sizeof data, "%s/data.yaml", root);
    snprintf(runs, sizeof runs, "%s/runs", root);
    assert_int_equal(vg_train_create(&t, &err), VG_OK);
    set_arg(t, "data", data);
    set_arg(t, "model", "yolo11n.yaml");
    set_arg(t, "project", runs);
    set_arg(t, "imgsz", "64");
    set_arg(t, "batch", "4");
    set_arg(t, "epochs", "1");
    set_arg(t, "workers", "0");
    set_arg(t, "threads", "1");
    return t;
}

#endif
