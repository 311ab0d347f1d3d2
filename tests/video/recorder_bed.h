/* recorder_bed.h: a recorder in a folder of its own, and pictures for it. */
#ifndef TESTS_VIDEO_RECORDER_BED_H
#define TESTS_VIDEO_RECORDER_BED_H

#include "base/folder.h"
#include "support/ok.h"
#include "video/probe.h"

#include "video/recorder.h"

enum { W = 96, H = 64, MOST_SIDE = 1300 };
#define S INT64_C(1000000000)

typedef struct bed {
    char folder[256];
    base_mem mem;
    video_recorder_options o;
    video_recorder *r;
    uint8_t *pixels;
} bed;

static bed b; /* one test at a time */

static inline int set_up(void **state)
{
    (void)state;
    static uint8_t pixels[MOST_SIDE * MOST_SIDE * 3];
    b = (bed){.pixels = pixels};
    base_mem_init(&b.mem, "test", NULL, 0);
    b.o = (video_recorder_options){.folder = b.folder, .stem = "cam", .frames_per_s = 25};
    return folder_make(b.folder, sizeof b.folder);
}

static inline int tear_down(void **state)
{
    (void)state;
    const vg_status st = video_recorder_close(&b.r, NULL);
    folder_remove(b.folder);
    return st == VG_OK && b.mem.in_use_bytes == 0 ? 0 : -1;
}

static uint32_t seed = 1; /* of the grain */

/* Smooth colours that move with t, or grain that cannot be pressed together. */
static inline image_view draw(int w, int h, int t, bool grain)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t *p = b.pixels + ((size_t)y * (size_t)w + (size_t)x) * 3;
            p[0] = (uint8_t)(40 + (w > 8 ? 160 * x / w : 0));
            p[1] = (uint8_t)(200 - (h > 8 ? 120 * y / h : 0));
            p[2] = (uint8_t)(60 + (t * 3) % 100);
            for (int c = 0; c < 3 && grain; c++)
                p[c] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
        }
    return (image_view){.data = b.pixels, .w = w, .h = h, .stride = (size_t)w * 3};
}

static inline vg_status put(int t, int64_t time_ns)
{
    const image_view v = draw(W, H, t, false);
    return video_recorder_write(b.r, &v, time_ns, 0, NULL);
}

static inline void put_many(int n, int64_t from_ns, int64_t step_ns)
{
    for (int i = 0; i < n; i++) {
        const image_view v = draw(W, H, i, false);
        OK(video_recorder_write(b.r, &v, from_ns + i * step_ns, 0, err));
    }
}

static inline const char *in(const char *name)
{
    static char paths[4][600];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", b.folder, name);
    return path;
}

/* The one recording of the stem. */
static inline const char *only_file(void)
{
    static char path[512];
    probe_list *l = probe_files(b.folder, "cam", ".mp4");
    assert_int_equal(1, l->n);
    snprintf(path, sizeof path, "%s", l->paths[0]);
    free(l);
    return path;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
