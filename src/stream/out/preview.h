/* preview.h: the newest pictures of sources as JPEGs, for those who look, and only while they
 * do: one picture is encoded for all lookers of a source, and each sends it at his own pace.
 *
 * Pictures are in a pool of fixed length, as many as lookers may hold and newest ones may be; one
 * who is stuck holds one of them. One writer; lookers are read by the server's thread. */
#ifndef STREAM_PREVIEW_H
#define STREAM_PREVIEW_H

#include "net/net.h"
#include "sink.h"

enum { STREAM_MOST_LOOKERS = 8 };
#define STREAM_PREVIEW_TYPE "multipart/x-mixed-replace; boundary=vigilpicture"

typedef struct stream_preview stream_preview;

/* Pictures fit into width x width pixels, at most fps a second of each source. */
vg_status stream_preview_create(stream_preview **out, int n_channels, int width, double fps,
                                base_mem *mem, vg_error *err);
void stream_preview_destroy(stream_preview **p); /* nobody looks any more */
size_t stream_preview_bytes(int n_channels, int width);

/* Somebody looks at the channel, and a picture is due at now_ns. Cheap. */
bool stream_preview_wants(stream_preview *p, int channel, int64_t now_ns);
/* Scales, encodes and shows it. Wake the server afterwards. Errors: VG_ERR_LIMIT (a picture whose
 * JPEG does not fit, even coarse), VG_ERR_MEMORY. */
vg_status stream_preview_show(stream_preview *p, int channel, const image_view *picture,
                              int64_t now_ns, base_mem *mem, vg_error *err);

/* One more looker at the channel; false: there are too many. */
bool stream_preview_look(stream_preview *p, int channel, net_stream *out);
/* One who takes the next picture, alone, as image/jpeg; nothing, when none comes within five
 * seconds.
 */
bool stream_preview_look_once(stream_preview *p, int channel, net_stream *out);

#endif
