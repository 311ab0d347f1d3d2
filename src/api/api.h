/* api.h: what the files behind vigil.h share. Internal to api. */
#ifndef API_API_H
#define API_API_H

#include <sys/types.h>

#include "image/image.h"
#include "stream/stream.h"
#include "vigil/picture.h"
#include "vigil/vigil.h"

enum {
    API_LEAST_IMGSZ = 32,
    API_MOST_IMGSZ = 8192,
    API_MOST_BATCH = 1024,
    API_MOST_THREADS = 1024
};

/* VG_ERR_ARGUMENT, at `what`, unless least <= value <= most. */
vg_status api_check_range(const char *what, int value, int least, int most, vg_error *err);
/* h: 0, which leaves it to the weights, or a size; w: 0, which makes it a square, or one. */
vg_status api_check_imgsz(int h, int w, vg_error *err);
/* Checks what a user may have set, and puts it in the floors' words. */
vg_status api_detector_options(stream_detector_options *out, const vg_options *o, vg_error *err);
vg_status api_nms_options(detect_nms_options *out, const vg_detect_options *o, vg_error *err);
/* VG_ERR_ARGUMENT in a process that was forked from the one, pid, whose threads a handle has. */
vg_status api_check_process(pid_t pid, vg_error *err);
/* The pixels of a caller's picture, where they lie. index: of the picture, for the error. Errors:
 * VG_ERR_ARGUMENT. */
vg_status api_image_pixels(image_pixels *out, const vg_image *image, size_t index, vg_error *err);
/* The pixels that a caller wants written. Errors: VG_ERR_ARGUMENT. */
vg_status api_picture_view(image_view *out, const vg_picture *picture, vg_error *err);
/* "car", or "class7" in text of 32 bytes. */
const char *api_class_name(char text[32], const vg_boxes *b, int class_index);

/* The same for texts and drawings, as long as b lives. */
stream_rows api_rows(const vg_boxes *b);
const vg_extras *api_extras(const vg_boxes *b);
vg_status api_boxes_json(sink_text *t, const stream_rows *rows, const char *source, vg_error *err);

#endif
