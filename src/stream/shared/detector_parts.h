/* detector_parts.h: what a detector is made of, for the two files that are one: detector.c, and
 * detector_pictures.c for batches that go up to a device. For this folder. */
#ifndef STREAM_DETECTOR_PARTS_H
#define STREAM_DETECTOR_PARTS_H

#include "detector.h"

struct stream_detector {
    nn_device *device;    /* NULL: the CPU */
    stream_accounts *mem; /* that name it meanwhile */
    nn_engine *engine;
    nn_plan *plan;  /* of the last run; borrowed from the engine. Not where it augments */
    int in_h, in_w; /* of the last run's input */
    int most_pending;
    int oldest, n_begun; /* of the inputs' sizes below */
    base_size inputs[NN_MOST_PENDING];
    nn_picks picks;          /* of the last batch collected; borrowed from the engine */
    image_scratch letterbox; /* tables for the device; pictures that are too large */
    uint8_t *small;          /* (most_h, most_w, 3) bytes, or floats of frames: such a one */
    bool sees_frames;
    size_t small_bytes;
    nn_graph_info info;
    nn_imgsz imgsz;
    int most_det;
    bool augments;
    detect_views *views; /* NULL: does not */
    task_finder finder;
    bool has_extras; /* the task adds something to boxes, which comes from whole maps alone */
    char **names;    /* (nc) into one block */
    char *chosen;
    const char *format;
};

#endif
