/* clock.c: time stamps that jump (an encoder that restarts, files joined to one, a camera whose
 * clock was set) are counted and closed up; where there are none, frames themselves are the clock.
 * Never how fast a file is read: two runs of it give the same times. */
#include "clock.h"

enum {
    DEFAULT_FRAME_NS = 40 * 1000 * 1000, /* 25 a second */
    LEAST_NS = 1000 * 1000,              /* results tell times to the millisecond */
    LATE_NS = 1000 * 1000 * 1000,
    MOST_LATE = 4 /* in a row: decoders mix the order of few; then the clock was set back */
};

void video_clock_begin(video_clock *c, int64_t most_gap_ns, bool is_live, int64_t frame_ns)
{
    *c = (video_clock){.most_gap_ns = most_gap_ns,
                       .is_live = is_live,
                       .frame_ns = frame_ns > 0 ? frame_ns : DEFAULT_FRAME_NS};
}

/* From the last picture to one whose own stamp says nothing. */
static int64_t untold_step(const video_clock *c, int64_t arrived_ns)
{
    return c->is_live ? arrived_ns - c->last_arrived : c->frame_ns;
}

static int64_t rise(const video_clock *c, int64_t due)
{
    return due > c->last_out + LEAST_NS ? due : c->last_out + LEAST_NS;
}

/* What a stamp stands for, from which the next ones count. */
static void anchor(video_clock *c, int64_t in, int64_t due)
{
    c->last_in = in;
    c->last_due = due;
    c->n_late = c->n_still = 0;
}

static int64_t next_of_stamp(video_clock *c, int64_t in, int64_t arrived_ns, bool *jumped)
{
    int64_t step;
    if (__builtin_sub_overflow(in, c->last_in, &step))
        step = -c->most_gap_ns - LATE_NS;
    const int64_t untold = c->last_out + untold_step(c, arrived_ns);
    if (step == 0) {
        c->n_still++;
        return rise(c, c->has_moved && c->n_still == 1 && !c->is_live ? 0 : untold);
    }
    if (step < 0 && step > -LATE_NS && c->n_late < MOST_LATE) {
        c->n_late++;
        return rise(c, untold);
    }
    /* A live stream that was silent for a minute may say so. */
    const int64_t passed = c->is_live ? 2 * (arrived_ns - c->last_arrived) : 0;
    *jumped = step < 0 || (step > c->most_gap_ns && step > passed);
    c->has_moved = true;
    anchor(c, in, *jumped ? c->last_out + c->frame_ns : c->last_due + step);
    return c->last_due > c->last_out ? c->last_due : rise(c, c->last_due);
}

int64_t video_clock_next(video_clock *c, int64_t in, int64_t arrived_ns, bool *jumped)
{
    int64_t out = 0;
    *jumped = false;
    if (c->has_last && in != INT64_MIN)
        out = next_of_stamp(c, in, arrived_ns, jumped);
    else if (c->has_begun)
        out = rise(c, c->last_out + untold_step(c, arrived_ns));
    if (!c->has_last && in != INT64_MIN) {
        c->has_last = true;
        anchor(c, in, out);
    }
    c->has_begun = true;
    c->last_out = out;
    c->last_arrived = arrived_ns;
    return out;
}
