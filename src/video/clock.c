/* clock.c: time stamps that jump (an encoder that restarts, files joined to one, a camera whose
 * clock was set) are counted and closed up. */
#include "clock.h"

enum {
    DEFAULT_FRAME_NS = 40 * 1000 * 1000, /* 25 a second */
    LEAST_NS = 1000 * 1000               /* results tell times to the millisecond */
};

void video_clock_begin(video_clock *c, int64_t most_gap_ns, bool is_live, int64_t frame_ns)
{
    *c = (video_clock){.most_gap_ns = most_gap_ns, .is_live = is_live, .frame_ns = frame_ns};
}

int64_t video_clock_next(video_clock *c, int64_t in, int64_t arrived_ns, bool *jumped)
{
    *jumped = false;
    int64_t due = 0, out = 0;
    if (c->has_last) {
        int64_t step;
        if (__builtin_sub_overflow(in, c->last_in, &step))
            step = -1;
        /* A live stream that was silent for a minute may say so. */
        int64_t passed = c->is_live ? 2 * (arrived_ns - c->last_arrived) : 0;
        *jumped = step < 0 || (step > c->most_gap_ns && step > passed);
        if (*jumped)
            step = c->frame_ns > 0 ? c->frame_ns : DEFAULT_FRAME_NS;
        due = c->last_due + step;
        out = due > c->last_out ? due : c->last_out + LEAST_NS;
    }
    c->has_last = true;
    c->last_in = in;
    c->last_due = due;
    c->last_out = out;
    c->last_arrived = arrived_ns;
    return out;
}
