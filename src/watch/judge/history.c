/* history.c: blocks of a series, in levels. */
#include "history.h"

#include <math.h>

#include "base/base.h"
#include "valid.h"

void watch_history_init(watch_history *h)
{
    *h = (watch_history){.last_s = -INFINITY, .last = NAN};
}

const watch_block *watch_history_back(const watch_level *l, int i)
{
    return &l->ring[(l->next - 1 - i + 2 * WATCH_BLOCKS) % WATCH_BLOCKS];
}

static bool valid_block(const watch_block *b)
{
    return valid_real(b->time_s) && valid_real(b->least) && valid_real((double)b->mean_above) &&
           valid_real((double)b->most_above);
}

static bool valid_level(const watch_level *l)
{
    if (!valid_int(l->n, 0, WATCH_BLOCKS) || !valid_int(l->next, 0, WATCH_BLOCKS - 1) ||
        (l->n < WATCH_BLOCKS && l->next != l->n) || !valid_int(l->n_children, 0, WATCH_FAN - 1) ||
        !valid_int(l->since_peak, 0, WATCH_BLOCKS) || !valid_real(l->sum_time_s) ||
        !valid_real(l->sum_mean) || !valid_real(l->least) || !valid_real(l->most) ||
        !valid_real(l->peak) || !valid_real(l->drawdown))
        return false;
    for (int i = 0; i < l->n; i++)
        if (!valid_block(watch_history_back(l, i)) ||
            (i > 0 && !(watch_history_back(l, i)->time_s < watch_history_back(l, i - 1)->time_s)))
            return false;
    return true;
}

bool watch_history_valid(const watch_history *h)
{
    if (!valid_real(h->block_s) || h->block_s < 0 || !valid_real(h->begin_s) ||
        !valid_number(h->last_s) || !valid_number(h->last) || !valid_real(h->sum_time_s) ||
        !valid_real(h->sum) || !valid_real(h->least) || !valid_real(h->most) ||
        !valid_int(h->n, 0, VALID_MOST_COUNT) || !valid_int(h->n_first, 0, WATCH_FIRST) ||
        (h->block_s == 0 && h->n_first == WATCH_FIRST))
        return false;
    for (int i = 0; i < h->n_first; i++)
        if (!valid_real(h->first_s[i]) || !valid_real(h->first[i]) ||
            (i > 0 && !(h->first_s[i] > h->first_s[i - 1])))
            return false;
    for (int k = 0; k < WATCH_LEVELS; k++)
        if (!valid_level(&h->levels[k]))
            return false;
    return true;
}

static void follow_falls(watch_level *l, double floor)
{
    /* Half is forgotten in two rings: a fall long ago says little about the next rise. */
    const double keep = 0.9946;
    if (l->n == 0 || floor >= l->peak || l->since_peak >= WATCH_BLOCKS) {
        l->peak = floor;
        l->since_peak = 0;
    } else {
        l->since_peak++;
    }
    l->drawdown = fmax(l->drawdown * keep, l->peak - floor);
}

/* Adds a block to a level and, when it is the last of its parent's children, to the next one. */
static int add(watch_history *h, const watch_block *block)
{
    watch_block b = *block;
    for (int k = 0; k < WATCH_LEVELS; k++) {
        watch_level *l = &h->levels[k];
        follow_falls(l, b.least);
        l->ring[l->next] = b;
        l->next = (l->next + 1) % WATCH_BLOCKS;
        if (l->n < WATCH_BLOCKS)
            l->n++;
        if (k + 1 == WATCH_LEVELS)
            return k + 1;

        watch_level *up = &h->levels[k + 1];
        const double mean = b.least + (double)b.mean_above;
        const double most = b.least + (double)b.most_above;
        if (up->n_children == 0) {
            up->sum_time_s = up->sum_mean = 0;
            up->least = b.least;
            up->most = most;
        }
        up->sum_time_s += b.time_s;
        up->sum_mean += mean;
        up->least = fmin(up->least, b.least);
        up->most = fmax(up->most, most);
        if (++up->n_children < WATCH_FAN)
            return k + 1;
        up->n_children = 0;
        b = (watch_block){.time_s = up->sum_time_s / WATCH_FAN,
                          .least = up->least,
                          .mean_above = (float)(up->sum_mean / WATCH_FAN - up->least),
                          .most_above = (float)(up->most - up->least)};
    }
    return WATCH_LEVELS;
}

static int fill(watch_history *h, double time_s, double value)
{
    int closed = 0;
    if (h->n > 0 && time_s >= h->begin_s + h->block_s) {
        const double mean = h->sum / h->n;
        const watch_block b = {.time_s = h->sum_time_s / h->n,
                               .least = h->least,
                               .mean_above = (float)(mean - h->least),
                               .most_above = (float)(h->most - h->least)};
        closed = add(h, &b);
        /* Beginnings stay on a grid, unless there was a gap. */
        h->begin_s += h->block_s;
        if (time_s >= h->begin_s + h->block_s)
            h->begin_s = time_s;
        h->n = 0;
    } else if (h->n == 0) {
        h->begin_s = time_s;
    }
    if (h->n == 0) {
        h->sum_time_s = h->sum = 0;
        h->least = h->most = value;
    }
    h->n++;
    h->sum_time_s += time_s;
    h->sum += value;
    h->least = fmin(h->least, value);
    h->most = fmax(h->most, value);
    return closed;
}

/* Four of the usual interval, at most twenty seconds; a slower clock has a reading a block. */
static double block_length(const watch_history *h)
{
    double step[WATCH_FIRST];
    for (int i = 1; i < WATCH_FIRST; i++)
        step[i - 1] = h->first_s[i] - h->first_s[i - 1];
    const double usual = base_median(step, WATCH_FIRST - 1);
    /* A little less than whole intervals, so that jitter does not make blocks of five. */
    return fmax(usual * 0.999, fmin(4 * usual, 20) - 0.01 * usual);
}

int watch_history_push(watch_history *h, double time_s, double value)
{
    if (!isfinite(value) || !isfinite(time_s) || !(time_s > h->last_s))
        return 0;
    h->last_s = time_s;
    h->last = value;
    if (h->block_s > 0)
        return fill(h, time_s, value);

    h->first_s[h->n_first] = time_s;
    h->first[h->n_first++] = value;
    if (h->n_first < WATCH_FIRST)
        return 0;
    h->block_s = block_length(h);
    int closed = 0;
    for (int i = 0; i < WATCH_FIRST; i++) {
        const int c = fill(h, h->first_s[i], h->first[i]);
        closed = c > closed ? c : closed;
    }
    return closed;
}

int watch_history_level(const watch_history *h, double since_s)
{
    int k = 0;
    while (k + 1 < WATCH_LEVELS && h->levels[k + 1].n > 0) {
        const watch_level *l = &h->levels[k];
        if (l->n < WATCH_BLOCKS || watch_history_back(l, l->n - 1)->time_s <= since_s)
            break;
        k++;
    }
    return k;
}

double watch_history_ceiling(const watch_history *h, int level, double before_s)
{
    double ceiling = -INFINITY;
    for (int k = level; k < WATCH_LEVELS; k++) {
        const watch_level *l = &h->levels[k];
        for (int i = l->n - 1; i >= 0; i--) {
            const watch_block *b = watch_history_back(l, i);
            if (b->time_s >= before_s)
                break;
            ceiling = fmax(ceiling, b->least);
        }
        if (l->n < WATCH_BLOCKS)
            break; /* nothing is older */
    }
    return ceiling;
}
