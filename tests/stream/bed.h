/* bed.h: what a sink of a stream job stands on, made by hand: a setting, frames of FFmpeg's own
 * test pictures, results. Include it before base. */
#ifndef TESTS_STREAM_BED_H
#define TESTS_STREAM_BED_H

#include "support/ok.h"

#include "stream/scenes.h"
#include "video/probe.h"

#include "stream/out/files.h"
#include "stream/out/json.h"
#include "stream/out/painter.h"
#include "stream/stream.h"

enum { BED_W = 160, BED_H = 120, BED_BOXES = 3 };

typedef struct bed {
    char folder[256];
    stream_options o;
    stream_stats stats;
    stream_setting s;
    base_mem mem;
    const stream_sink *sink;
    void *state;
    /* the result that is written next */
    stream_result r;
    video_frame *frame;
    video_source *source;
    bool is_live; /* frames are said to be */
    atomic_bool stop;
    vg_detection boxes[BED_BOXES];
    int64_t ids[BED_BOXES];
    vg_stream_event events[2];
} bed;

static stream_accounts bed_accounts;
static stream_detector *bed_detector;

static inline int bed_open_detector(void **state)
{
    (void)state;
    const stream_detector_options o = {.weights = TEST_GOLDEN_DIR "/yolo11n_random.pt",
                                       .imgsz = {64, 64},
                                       .batch = 1,
                                       .threads = 1,
                                       .plan_cache = 1};
    stream_model m;
    vg_error err = {0};
    stream_accounts_init(&bed_accounts, 0);
    vg_status st = stream_model_open(&m, o.weights, NULL, o.imgsz, &bed_accounts, &err);
    if (st == VG_OK)
        st = stream_detector_open(&bed_detector, &m, &o, 64, 64, 10, &bed_accounts, &err);
    stream_model_close(&m);
    if (st != VG_OK)
        fprintf(stderr, "%s\n", err.what);
    return st == VG_OK ? 0 : -1;
}

static inline int bed_close_detector(void **state)
{
    (void)state;
    stream_detector_close(&bed_detector);
    return 0;
}

/* Frames of another graph from now on, as of another connection. */
static inline void bed_connect(bed *b, const char *text)
{
    const video_source_options o = {.text = text,
                                    .connect_s = 60,
                                    .stall_s = 60,
                                    .stride = 1,
                                    .format = "",
                                    .size = "",
                                    .rate = ""};
    video_stream_info info;
    video_fault fault;
    video_frame_release(b->frame);
    video_source_destroy(&b->source);
    OK(video_source_create(&b->source, &o, &b->stop, &b->mem, err));
    OK(video_source_connect(b->source, &info, &fault, err));
}

static inline int bed_set_up(void **state)
{
    bed *b = scene_alloc(sizeof *b);
    *state = b;
    stream_options_default(&b->o);
    b->o.max_det = 10;
    base_mem_init(&b->mem, "test", NULL, 0);
    b->s = (stream_setting){.options = &b->o,
                            .detector = bed_detector,
                            .shape = {.task = &task_detect, .most = 10},
                            .folder = b->folder,
                            .stats = &b->stats,
                            .wants_end = &b->stats.wants_end,
                            .n_channels = 3,
                            .most_w = BED_W,
                            .most_h = BED_H,
                            .keeps_every_frame = true,
                            .is_of_files = true,
                            .mem = &b->mem};
    b->stats.n_sinks = 2;
    b->boxes[0] = (vg_detection){
        .x1 = 10, .y1 = 20, .x2 = 50, .y2 = 80, .confidence = 0.875F, .class_index = 2};
    b->boxes[1] = (vg_detection){.x1 = 100.5F, .y1 = 60, .x2 = 170, .y2 = 130, .confidence = 0.5F};
    b->boxes[2] =
        (vg_detection){.x1 = -5, .y1 = -5, .x2 = -1, .y2 = -1, .confidence = 0.25F}; /* outside */
    for (int i = 0; i < BED_BOXES; i++)
        b->ids[i] = 7 + i;
    b->r = (stream_result){
        .source = "cam one", .stem = "cam", .boxes = b->boxes, .n_boxes = BED_BOXES};
    if (video_frame_create(&b->frame, &b->mem, NULL) != VG_OK)
        return -1;
    return folder_make(b->folder, sizeof b->folder);
}

static inline void bed_open(bed *b, const stream_sink *which)
{
    b->sink = which;
    b->state = scene_alloc(which->state_bytes);
    OK(which->open(b->state, &b->s, err));
}

static inline vg_status bed_close(bed *b, vg_error *err)
{
    vg_status st = VG_OK;
    if (b->state != NULL)
        st = b->sink->close(b->state, err);
    free(b->state);
    b->state = NULL;
    return st;
}

static inline int bed_tear_down(void **state)
{
    bed *b = *state;
    const vg_status st = bed_close(b, NULL);
    video_frame_destroy(&b->frame);
    video_source_destroy(&b->source);
    folder_remove(b->folder);
    const size_t left = b->mem.in_use_bytes;
    if (left != 0)
        fprintf(stderr, "%zu bytes are left\n", left);
    free(b);
    return st == VG_OK && left == 0 ? 0 : -1;
}

/* The next frame of the graph becomes the result's. */
static inline void bed_next(bed *b)
{
    video_fault fault;
    vg_error err = {0};
    if (b->source == NULL)
        bed_connect(b, "lavfi:testsrc2=size=160x120:rate=25");
    if (video_source_read(b->source, b->frame, &fault, &err) != VIDEO_FRAME)
        fail_msg("no frame: %s", err.what);
    b->r.frame = *video_frame_get(b->frame);
    b->r.frame.is_live = b->is_live;
    b->r.pixels = b->frame;
}

static inline void bed_write(bed *b, int n)
{
    for (int i = 0; i < n; i++) {
        if (b->sink->needs_pixels)
            bed_next(b);
        else
            b->r.frame = (video_frame_info){.w = BED_W, .h = BED_H, .number = (int64_t)b->r.index};
        OK(b->sink->write(b->state, &b->s, &b->r, err));
        b->r.index++;
    }
}

static inline const char *bed_in(const bed *b, const char *name)
{
    return scene_path(b->folder, name);
}

static inline bool bed_has(const bed *b, const char *name)
{
    return access(bed_in(b, name), F_OK) == 0;
}

#define BED_TEST(f) cmocka_unit_test_setup_teardown(f, bed_set_up, bed_tear_down)

#endif
