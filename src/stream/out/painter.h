/* painter.h: pictures for sinks that show them: RGB of a frame, and the same with boxes drawn. */
#ifndef STREAM_LIVE_PAINTER_H
#define STREAM_LIVE_PAINTER_H

#include "sink.h"

/* A buffer, scaler and canvas of its owner, one a thread. */
typedef struct live_painter live_painter;
size_t live_painter_bytes(const live_setting *s);
vg_status live_painter_create(live_painter **out, const live_setting *s, base_mem *mem,
                              vg_error *err);
void live_painter_destroy(live_painter **p);
/* The upright picture, as it came / with boxes, names, ids and zones' names drawn; valid until the
 * next call. */
vg_status live_painter_plain(live_painter *p, image_view *out, const live_result *r, vg_error *err);
vg_status live_painter_drawn(live_painter *p, image_view *out, const live_setting *s,
                             const live_result *r, vg_error *err);

#endif
