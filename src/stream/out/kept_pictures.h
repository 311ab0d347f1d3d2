/* kept_pictures.h: pictures of results as JPEG files of the run folder, of which the newest are
 * kept: crops and snapshots. */
#ifndef STREAM_KEPT_PICTURES_H
#define STREAM_KEPT_PICTURES_H

#include "painter.h"

/* A kind of them; a constant. Records are what a file's name is made of. */
typedef struct stream_picture_kind {
    const char *folder; /* in the run folder: "crops" */
    const char *stays;  /* of an error: "an old crop cannot be removed" */
    size_t record_bytes;
    /* Where the file of a record is. False: too long. */
    bool (*path)(char *path, size_t n, const stream_setting *s, const void *record);
} stream_picture_kind;

typedef struct stream_kept_pictures {
    const stream_picture_kind *kind;
    stream_painter *painter; /* for who draws what is put */
    image_encoder *encoder;
    base_keep_ring ring;
} stream_kept_pictures;

/* keep: how many of this run's are kept; 0: all. With --exist-ok, as many of what earlier runs
 * left. */
vg_status stream_kept_pictures_open(stream_kept_pictures *p, const stream_picture_kind *kind,
                                    const stream_setting *s, int keep, vg_error *err);
void stream_kept_pictures_close(stream_kept_pictures *p);
/* What open takes. */
size_t stream_kept_pictures_bytes(const stream_picture_kind *kind, const stream_setting *s,
                                  int keep);
/* Writes the file of a record, and removes the oldest one's when there are too many. Errors:
 * VG_ERR_IO, VG_ERR_LIMIT, VG_ERR_MEMORY. */
vg_status stream_kept_pictures_put(stream_kept_pictures *p, const stream_setting *s,
                                   const image_view *picture, const void *record, vg_error *err);

#endif
