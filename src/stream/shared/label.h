/* label.h: label files as YOLO users know them: a row a box, its class, centre and size as parts of
 * the picture, and where asked for its confidence and its track. Spec 2.5. */
#ifndef STREAM_LABEL_H
#define STREAM_LABEL_H

#include "sink_text.h"
#include "vigil/types.h"

enum {
    STREAM_LABEL_BYTES = 96,      /* of a row: a class of 10 digits, five numbers of 13 bytes */
    STREAM_LABEL_TRACK_BYTES = 32 /* more where it ends in a track of 20 digits */
};

/* Appends the row of box in a picture of w x h. track NULL: without. Errors: VG_ERR_LIMIT. */
vg_status stream_label_add(sink_text *t, const vg_detection *box, int w, int h, bool with_conf,
                           const int64_t *track, vg_error *err);
/* Makes t the file at path, whole or not at all. Errors: VG_ERR_IO. */
vg_status stream_label_write(const sink_text *t, const char *path, vg_error *err);

#endif
