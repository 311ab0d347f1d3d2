/* painter.h: pictures for sinks that show them: RGB of a frame, and the same with boxes drawn. */
#ifndef STREAM_PAINTER_H
#define STREAM_PAINTER_H

#include "sink.h"

/* A buffer, scaler and canvas of its owner, one a thread. */
typedef struct stream_painter stream_painter;
size_t stream_painter_bytes(const stream_setting *s);
vg_status stream_painter_create(stream_painter **out, const stream_setting *s, base_mem *mem,
                                vg_error *err);
void stream_painter_destroy(stream_painter **p);
/* The upright picture, as it came / with boxes, names, ids and zones' names drawn; valid until the
 * next call. */
vg_status stream_painter_plain(stream_painter *p, image_view *out, const stream_result *r,
                               vg_error *err);
vg_status stream_painter_drawn(stream_painter *p, image_view *out, const stream_setting *s,
                               const stream_result *r, vg_error *err);

#endif
