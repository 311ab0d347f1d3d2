/* task_jobs.h: predict jobs of models of every task, with the generator's weights. */
#ifndef TESTS_STREAM_TASK_JOBS_H
#define TESTS_STREAM_TASK_JOBS_H

#include "stream/jobs.h"

#include "support/synthetic.h"

enum { N_PICTURES = 12, W = 90, H = 70 };

typedef struct model {
    const char *name;
    int nc;
    float conf; /* that leaves some */
} model;
static const model segment = {"yolo11n-seg", 80, 0.02F}, pose = {"yolo11n-pose", 1, 0.005F},
                   obb = {"yolo11n-obb", 15, 0.01F}, classify = {"yolo11n-cls", 10, 0.25F};

/* A file below the folder; the path is the same text each time. */
static inline const char *write_weights(const char *folder, const model *m)
{
    static char weights[400];
    nn_graph *g = NULL;
    synthetic_weights s = {0};
    base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};
    const nn_graph_options o = {.nc = m->nc};
    const generator_gains gains = {.head = 8, .cv4 = 8, .cls = 8};
    snprintf(weights, sizeof weights, "%s/w.safetensors", folder);
    assert_int_equal(synthetic_graph_with(&g, m->name, &o, &mem, NULL), VG_OK);
    assert_int_equal(synthetic_make_with(&s, g, 0, &gains, &mem, NULL), VG_OK);
    FILE *f = fopen(weights, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(s.image, 1, s.image_bytes, f), s.image_bytes);
    assert_int_equal(fclose(f), 0);
    synthetic_close(&s);
    nn_graph_destroy(&g);
    return weights;
}

static inline void make_weights(job *j, const model *m)
{
    j->o.detector.weights = write_weights(j->folder, m);
    j->o.detector.imgsz = (base_size){.w = 96, .h = 96};
    j->o.nms.conf = m->conf;
    j->o.save = j->o.save_txt = j->o.save_json = true;
    job_draw(j, N_PICTURES, W, H);
}

#endif
