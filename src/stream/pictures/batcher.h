/* batcher.h: a detector with the buffers for one batch, in the caller's thread: pixels or a file
 * in, boxes out.
 *
 * Calling sequence: open; then per batch: put every picture, run, boxes of each. */
#ifndef STREAM_PICTURES_BATCHER_H
#define STREAM_PICTURES_BATCHER_H

#include "pictures.h"
#include "stream/shared/detector.h"

/* Its members are its own; zeroed is closed. */
typedef struct stream_batcher {
    stream_detector *detector;
    stream_accounts *mem;
    int batch;
    size_t most_det;
    base_size *sizes;        /* (batch) for the owner, to note those of its pictures */
    image_letterbox_fit fit; /* of the picture that was put last */
    float *input;            /* (batch, height, width, 3) */
    uint8_t *wanted;         /* (nc) */
    task_found found;        /* (most_det) */
    image_buffer rgb;        /* of a whole picture, where its pixels are others */
    image_decoder *decoder;
    picture_bytes bytes;
    image_buffer picture;
    image_scratch scratch;
} stream_batcher;

/* What a batcher of the model would hold, as its memory is told. plans_bytes: of the graph, which
 * is the model's already. Takes nothing that stays. */
vg_status stream_batcher_need(vg_memory *out, const stream_model *m, int batch, int threads,
                              const char *device, bool augment, int most_det, size_t plans_bytes,
                              vg_error *err);

/* Takes everything, for at most most_det boxes a picture. mem must stay until close and be this
 * batcher's alone. What a failure leaves is close's. Errors: as stream_model_open and
 * stream_detector_open. */
vg_status stream_batcher_open(stream_batcher *b, const stream_detector_options *o, int most_det,
                              stream_accounts *mem, vg_error *err);
void stream_batcher_close(stream_batcher *b);

/* Those classes alone; NULL: all. nms reads the batcher's table until the next call. Errors:
 * VG_ERR_ARGUMENT. */
vg_status stream_batcher_choose(stream_batcher *b, detect_nms_options *nms, const int *classes,
                                size_t n_classes, vg_error *err);
/* Letterboxes a picture into place i. rect: as stream_fit; the same for all of a batch, and true
 * only where all have one shape. */
vg_status stream_batcher_put(stream_batcher *b, int i, const image_pixels *pixels, bool rect,
                             vg_error *err);
/* Of places 0..n-1. May allocate the plan of a new shape. */
vg_status stream_batcher_run(stream_batcher *b, int n, vg_error *err);
/* What is in place i, in pixels of the w x h picture. *out: the batcher's, until the next call.
 * without_extras: boxes alone, which is quicker. Errors: VG_ERR_MEMORY. */
vg_status stream_batcher_find(stream_batcher *b, const task_found **out, int i, int w, int h,
                              const detect_nms_options *nms, bool without_extras, vg_error *err);
/* Reads a picture's file into the batcher's buffer, which grows to the largest seen. *out is valid
 * until the next call. Errors: as picture_bytes_read and image_decode. */
vg_status stream_batcher_read(stream_batcher *b, image_view *out, const char *path, vg_error *err);

#endif
