/* detector.h: pictures in, boxes out: the engine with what surrounds it (letterbox sizes, decode,
 * suppression).
 *
 * Calling sequence: open; then per batch: fit every picture, letterbox it into the input
 * (image_letterbox_to_float), run, and boxes for each picture. Nothing allocates after open but the
 * plan of a new shape. One thread at a time. */
#ifndef STREAM_DETECTOR_H
#define STREAM_DETECTOR_H

#include "detect/detect.h"
#include "image/image.h"
#include "model.h"
#include "task/task.h"
#include "video/video.h"

typedef struct stream_detector stream_detector;

typedef struct stream_detector_options {
    const char *weights;
    const char *task; /* what they must be made for; NULL: anything */
    base_size imgsz;  /* 0: the weights' own, else NN_IMGSZ */
    int batch, threads, plan_cache;
    bool augment; /* test-time augmentation: detect/views.h */
    const char *isa;
    const char *device; /* as in vg_options; NULL: auto */
    bool half;          /* as there */
    /* Of detectors whose pictures may go up as they are (stream_detector_takes_pictures): the
     * largest as RGB, 0 where that is not known; and batches under way at once, 0: there are none
     * such, floats go up. */
    size_t picture_bytes;
    int most_pending;
    bool sees_frames; /* pictures are put by put_frame */
    /* Masks at the size of pictures, of which the largest is so; 0: not known, and room grows. */
    bool retina_masks;
    int picture_h, picture_w;
} stream_detector_options;

/* Opens the device, so that takes_pictures is known before the plan is made. Errors: also
 * VG_ERR_UNSUPPORTED (options that the model's task does not have). */
vg_status stream_detector_begin(stream_detector **out, const stream_model *m,
                                const stream_detector_options *o, stream_accounts *mem,
                                vg_error *err);
/* *out: NULL, or what begin made. Plans everything for input shapes up to (batch, most_h, most_w)
 * and at most most_det boxes a picture, checks the limit, then takes it. The model's graph is taken
 * on success; its file may be closed afterwards. */
vg_status stream_detector_open(stream_detector **out, stream_model *m,
                               const stream_detector_options *o, int most_h, int most_w,
                               int most_det, stream_accounts *mem, vg_error *err);
/* The accounts' device is gone with it. */
void stream_detector_close(stream_detector **d);
/* What results of a detector need room for, for inputs up to most_h x most_w. */
task_shape stream_detector_shape(const nn_graph_info *info, const stream_detector_options *o,
                                 int most_h, int most_w, int most_det);
/* What open takes for candidates, of batches of n where it augments: for a plan. */
size_t stream_detections_bytes(const nn_graph_info *info, const stream_detector_options *o, int n,
                               int most_h, int most_w, int most_det);
/* Rows of its suppression: a cell each, up to the rule's bound. */
size_t stream_candidate_rows(const nn_graph_info *info, int h, int w, bool augment);
/* Plans that are kept for so many shapes of input: each of them is three where it augments. */
int stream_plan_cache(int shapes, bool augment);
/* As nn_graph_need, of all that one input becomes. */
vg_status stream_network_need(nn_memory_need *out, nn_graph *g, const nn_engine_options *o, int n,
                              int h, int w, bool augment, const nn_accounts *mem, vg_error *err);

const nn_graph_info *stream_detector_info(const stream_detector *d);
base_size stream_detector_imgsz(const stream_detector *d);
const char *stream_detector_class_name(const stream_detector *d, int class_index);
/* wanted: (nc) becomes 1 for the classes, else 0. where: of the error. Errors: VG_ERR_ARGUMENT (one
 * that the model does not have). */
vg_status stream_detector_choose(uint8_t *wanted, const stream_detector *d, const int *classes,
                                 size_t n_classes, const char *where, vg_error *err);
/* Adds those that are named: "person,car". Errors: VG_ERR_ARGUMENT. */
vg_status stream_detector_choose_named(uint8_t *wanted, const stream_detector *d, const char *names,
                                       const char *where, vg_error *err);
/* All of them, as long as the detector lives. */
image_names stream_detector_names(const stream_detector *d);
/* All facts of the model and the engine; texts as long as the detector lives. */
void stream_detector_facts(vg_model_info *out, const stream_detector *d);

/* Spec 2.1's use in prediction: as large as fits into imgsz; rect: padded to the next multiple of
 * the stride only, else to all of imgsz. */
vg_status stream_fit(image_letterbox_fit *out, base_size imgsz, int stride, int w, int h, bool rect,
                     vg_error *err);
/* The same by what the model's task wants: where that is of whole pictures, all of a square of
 * imgsz (T 2.4), of which out_w and out_h alone are set. */
vg_status stream_detector_fit(image_letterbox_fit *out, const stream_detector *d, int w, int h,
                              bool rect, vg_error *err);
/* A picture into a place of the network's input, by its fit; of a model of classes its middle. */
vg_status stream_prepare(const nn_graph_info *info, float *dst, const image_view *picture,
                         const image_letterbox_fit *fit, image_scratch *scratch, base_mem *mem,
                         vg_error *err);
vg_status stream_detector_prepare(const stream_detector *d, float *dst, const image_view *picture,
                                  const image_letterbox_fit *fit, image_scratch *scratch,
                                  base_mem *mem, vg_error *err);
/* What the scratch comes to hold for inputs up to most_h x most_w and pictures up to picture_h x
 * picture_w (0: not known); and takes it. */
size_t stream_prepare_bytes(const nn_graph_info *info, int most_h, int most_w, int picture_h,
                            int picture_w);
vg_status stream_prepare_reserve(image_scratch *scratch, const nn_graph_info *info, int most_h,
                                 int most_w, int picture_h, int picture_w, base_mem *mem,
                                 vg_error *err);

/* input: (n, h, w, 3) floats. May allocate the plan of a new shape. */
vg_status stream_detector_run(stream_detector *d, const float *input, int n, int h, int w,
                              stream_accounts *mem, vg_error *err);

/* ---- batches of pictures, where a GPU computes ---- */

/* Whether batches go by what follows, and not by run: a GPU, most_pending and no augmentation.
 * Pictures go up as they are, and those larger than planned (options.picture_bytes, but at most
 * STREAM_MOST_PICTURE_BYTES, and less for large batches) at the size of the input: the same bits
 * either way. */
enum { STREAM_MOST_PICTURE_BYTES = 3840 * 2160 * 3, STREAM_MOST_PICTURES_BYTES = 64 << 20 };
bool stream_detector_takes_pictures(const stream_detector *d);
/* Whether a batch can begin before others are collected. May make its plan. */
vg_status stream_detector_is_free(stream_detector *d, bool *out, int n, int h, int w,
                                  stream_accounts *mem, vg_error *err);
/* For each batch: begin, put every picture, submit; and collect for each, in their order, after
 * which the boxes are those of the one collected. */
vg_status stream_detector_begin_batch(stream_detector *d, int n, int h, int w, stream_accounts *mem,
                                      vg_error *err);
vg_status stream_detector_put(stream_detector *d, int i, const image_view *picture,
                              const image_letterbox_fit *fit, stream_accounts *mem, vg_error *err);
/* The same of a frame, by what video_frame_view says of it. One that is larger than planned is
 * sampled here (video_frame_to_float), to the same input, and goes up as floats when what is under
 * way is done. */
vg_status stream_detector_put_frame(stream_detector *d, int i, const video_frame *frame,
                                    const image_letterbox_fit *fit, video_scaler *scaler,
                                    stream_accounts *mem, vg_error *err);
/* conf: the lowest that its boxes are asked for with. */
vg_status stream_detector_submit(stream_detector *d, float conf, vg_error *err);
vg_status stream_detector_collect(stream_detector *d, vg_error *err);

/* What is found in picture i of the last run, in pixels of the original w x h picture, best first;
 * at most the smaller of o's max_det and open's most_det. without_extras: boxes alone. Errors:
 * VG_ERR_MEMORY, where masks need more room than was planned. */
vg_status stream_detector_find(stream_detector *d, task_found *out, int i, int orig_w, int orig_h,
                               const detect_nms_options *o, bool without_extras, vg_error *err);

#endif
