/* jobs.h: predict jobs of tests: a folder with pictures in it, a small network, one thread. */
#ifndef TESTS_STREAM_JOBS_H
#define TESTS_STREAM_JOBS_H

#include "support/test.h"

#include "stream/scenes.h"

#include "stream/pictures/sink.h"
#include "stream/stream.h"

typedef struct job {
    char folder[256]; /* gone afterwards; pictures go to folder/in, runs to folder/out */
    char source[300], project[300];
    stream_predict_options o;
    stream_accounts mem;
    stream_predict *p;
    vg_error err;
} job;

static inline int job_set_up(void **state)
{
    job *j = scene_alloc(sizeof *j);
    *state = j;
    if (folder_make(j->folder, sizeof j->folder) != 0)
        return -1;
    snprintf(j->source, sizeof j->source, "%s/in", j->folder);
    snprintf(j->project, sizeof j->project, "%s/out", j->folder);
    j->o = (stream_predict_options){.detector = {.weights = TEST_GOLDEN_DIR "/yolo11n_random.pt",
                                                 .imgsz = {64, 64},
                                                 .batch = 1,
                                                 .threads = 1,
                                                 .plan_cache = 4},
                                    .nms = DETECT_NMS_PREDICT,
                                    .source = j->source,
                                    .project = j->project,
                                    .name = "exp"};
    j->o.nms.max_det = 50;
    stream_accounts_init(&j->mem, 0);
    return mkdir(j->source, 0777);
}

/* Whatever a test did: nothing is held, no thread is left. */
static inline int job_tear_down(void **state)
{
    job *j = *state;
    stream_predict_close(&j->p, NULL);
    int left = j->mem.root.in_use_bytes != 0 || scene_count_threads(1) != 1;
    if (left)
        fprintf(stderr, "%zu bytes, %d threads are left\n", (size_t)j->mem.root.in_use_bytes,
                scene_count_threads(1));
    folder_remove(j->folder);
    free(j);
    return left ? -1 : 0;
}

static inline const char *job_in(const job *j, const char *name)
{
    return scene_path(j->source, name);
}

/* n pictures of w x h: p000.bmp, p001.bmp, ... */
static inline void job_draw(const job *j, int n, int w, int h)
{
    for (int i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "p%03d.bmp", i);
        assert_int_equal(scene_write_bmp(job_in(j, name), w, h, (uint32_t)i), 0);
    }
}

static inline void job_start(job *j)
{
    if (stream_predict_open(&j->p, &j->o, &j->mem, &j->err) != VG_OK)
        fail_msg("%s at %s", j->err.what, j->err.where);
}

/* The next result; NULL at the end; a failed job fails the test. */
static inline const vg_predict_result *job_next(job *j)
{
    const vg_predict_result *r;
    if (stream_predict_next(j->p, &r, &j->err) != VG_OK)
        fail_msg("%s at %s", j->err.what, j->err.where);
    return r;
}

/* All pictures; how many were skipped. */
static inline size_t job_run(job *j)
{
    size_t n_skipped = 0;
    for (const vg_predict_result *r; (r = job_next(j)) != NULL;)
        n_skipped += r->status != VG_OK;
    return n_skipped;
}

static inline void job_end(job *j)
{
    if (stream_predict_close(&j->p, &j->err) != VG_OK)
        fail_msg("%s at %s", j->err.what, j->err.where);
}

#endif
