/* intake.h: where the captures' frames wait for the network: a short ring a channel, one lock.
 *
 * Policy `every`: two frames wait, and put waits for room. `latest`: one waits; a newer frame takes
 * its place, and it is counted as dropped. The taker chooses fairly: the channel that was served
 * longest ago first. Frames are objects of a fixed pool made at create; nothing is allocated
 * afterwards. Any thread may call anything but create and destroy at any time. */
#ifndef STREAM_INTAKE_H
#define STREAM_INTAKE_H

#include "video/video.h"

typedef struct stream_intake stream_intake;

/* n_spare: frame objects beyond those that wait here and that captures fill: for the network and
 * the sinks' queues. Errors: VG_ERR_MEMORY, and those of video_frame_create. */
vg_status stream_intake_create(stream_intake **out, int n_channels, int n_spare, base_mem *mem,
                               vg_error *err);
/* Nobody may be inside, and all frames must be here again: those that are out would be lost. */
void stream_intake_destroy(stream_intake **in);
size_t stream_intake_bytes(int n_channels, int n_spare);
/* Pictures that its frame objects hold at most, beside those that captures read into. */
int stream_intake_most_held(int n_channels, int n_spare, bool keeps_every_frame);
/* keeps_all: policy `every`. Before a capture starts on the channel, which is closed; what was left
 * to drain of its last opening is dropped. */
void stream_intake_open_channel(stream_intake *in, int channel, bool keeps_all);
/* Puts fail from here on. What still waits is dropped unless drain. */
void stream_intake_close_channel(stream_intake *in, int channel, bool drain);

/* A frame object to read into; never waits, never NULL while a channel holds at most one that it
 * has not put or given back, and the others no more than n_spare. */
video_frame *stream_intake_blank(stream_intake *in);
/* False: the channel was closed, or all are stopped, or *stop came true; the frame is given back.
 * *n_dropped: frames that gave way (0 or 1). With `every` it waits until there is room or *stop is
 * true, which it sees within 50 ms. */
bool stream_intake_put(stream_intake *in, int channel, video_frame *f, const atomic_bool *stop,
                       int *n_dropped);
void stream_intake_give_back(stream_intake *in, video_frame *f); /* releases its picture */
/* Every frame object is at home: none waits, and nobody holds one. */
bool stream_intake_is_idle(stream_intake *in);
/* Frames that wait on the channel. */
int stream_intake_waiting(stream_intake *in, int channel);

typedef struct stream_taken {
    video_frame *frame;
    int channel;
    int64_t put_ns; /* base_now_ns when its capture came with it: decoded, not yet chosen */
} stream_taken;
/* Waits up to timeout_ms for a frame; then takes up to `most` of different channels whose shapes
 * (w x h) are the first's. Returns their number, 0 on time-out or when stopped. */
int stream_intake_take(stream_intake *in, stream_taken *out, int most, int timeout_ms);
void stream_intake_stop(stream_intake *in); /* wakes everyone; takes give 0, puts false */

#endif
