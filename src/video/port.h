/* port.h: where a program pushes pictures, and a source of kind VIDEO_PUSHED reads them.
 *
 * One picture waits; who pushes the next one waits for the reader. Pictures are copied into buffers
 * that are FFmpeg's, as every frame's: as many as there are frames that hold one, used again while
 * the size stays. Any thread may push and end; one reads. */
#ifndef VIDEO_PORT_H
#define VIDEO_PORT_H

#include <stdatomic.h>

#include "base/base.h"
#include "image/image.h"

typedef struct video_port video_port;

/* Errors: VG_ERR_MEMORY; VG_ERR_UNSUPPORTED (no FFmpeg). */
vg_status video_port_create(video_port **out, base_mem *mem, vg_error *err);
/* Nobody may be inside. */
void video_port_destroy(video_port **p);
/* Copies the picture. time_s: of its film; NAN: it is of now. Waits for room for timeout_ms (0: not
 * at all; below 0: as long as it takes). Errors: VG_ERR_LIMIT (no room in time), VG_ERR_INTERRUPTED
 * (it was ended), VG_ERR_MEMORY. */
vg_status video_port_push(video_port *p, const image_pixels *pixels, double time_s, int timeout_ms,
                          vg_error *err);
/* No more will come: the reader comes to an end behind what waits. */
void video_port_end(video_port *p);

#endif
