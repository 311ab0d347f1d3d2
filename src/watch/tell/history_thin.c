/* history_thin.c: coarser rows of what has passed, and room in the file: the finest rows go first.
 */
#include <math.h>

#include "history_own.h"

enum { MOST_EVENTS = 2000, MOST_NOTES = 2000 };

const history_level history_levels[HISTORY_N_LEVELS] = {
    {0, 3600, 600, 180}, {60, 86400, 4 * 3600, 1500}, {600, INFINITY, INFINITY, 4800}};

/* Rows of a coarser step, of all its whole steps that have passed. */
static vg_status make_coarser(watch_history_db *h, size_t level, double interval_s, vg_error *err)
{
    const int64_t step_ms = history_levels[level].step_s * 1000,
                  until = h->now_ms / step_ms * step_ms;
    if (until <= h->coarse_until_ms[level])
        return VG_OK;
    /* A process that was there for less than a quarter of the step is not in the coarser rows:
     * those that come and go by thousands would fill the file. */
    const double row_s = fmax(history_levels[level - 1].step_s, interval_s);
    const int64_t values[] = {history_levels[level].step_s, history_levels[level - 1].step_s,
                              h->coarse_until_ms[level], until,
                              (int64_t)fmax(1, history_levels[level].step_s / (4 * row_s))};
    history_bind_numbers(h, HISTORY_COARSER, 4, values);
    history_bind_numbers(h, HISTORY_PROCESS_COARSER, 5, values);
    vg_status st = history_run(h, HISTORY_COARSER, NULL, NULL, err);
    if (st == VG_OK)
        st = history_run(h, HISTORY_PROCESS_COARSER, NULL, NULL, err);
    if (st == VG_OK)
        h->coarse_until_ms[level] = until;
    return st;
}

static vg_status trim(watch_history_db *h, size_t level, int64_t before_ms, vg_error *err)
{
    const int64_t values[] = {history_levels[level].step_s, before_ms};
    history_bind_numbers(h, HISTORY_TRIM, 2, values);
    history_bind_numbers(h, HISTORY_PROCESS_TRIM, 2, values);
    const vg_status st = history_run(h, HISTORY_TRIM, NULL, NULL, err);
    return st == VG_OK ? history_run(h, HISTORY_PROCESS_TRIM, NULL, NULL, err) : st;
}

size_t watch_history_db_bytes(watch_history_db *h)
{
    int64_t pages = 0, free_pages = 0;
    history_run(h, HISTORY_PAGES, &pages, NULL, NULL);
    history_run(h, HISTORY_FREE_PAGES, &free_pages, NULL, NULL);
    return (size_t)(pages - free_pages) * HISTORY_PAGE_BYTES;
}

/* An eighth of the oldest at a time, each on its own so that the log stays short: of the finest
 * level first, as long as its least is left. */
vg_status history_shrink(watch_history_db *h, vg_error *err)
{
    enum { MOST_ROUNDS = 64 };
    for (int round = 0; round < MOST_ROUNDS; round++) {
        if (watch_history_db_bytes(h) < h->most_bytes / 100 * 85)
            return VG_OK;
        size_t victim = HISTORY_N_LEVELS;
        int64_t from[HISTORY_N_LEVELS], to[HISTORY_N_LEVELS];
        double span_s[HISTORY_N_LEVELS];
        for (size_t i = 0; i < HISTORY_N_LEVELS; i++) {
            history_bind_numbers(h, HISTORY_OLDEST, 1, (const int64_t[]){history_levels[i].step_s});
            const vg_status st = history_run(h, HISTORY_OLDEST, &from[i], &to[i], err);
            if (st != VG_OK)
                return st;
            span_s[i] = (double)(to[i] - from[i]) * 1e-3;
            if (victim == HISTORY_N_LEVELS && span_s[i] > history_levels[i].least_s)
                victim = i;
        }
        static const size_t last_resort[HISTORY_N_LEVELS] = {1, 0, 2};
        for (size_t i = 0; victim == HISTORY_N_LEVELS && i < HISTORY_N_LEVELS; i++)
            if (span_s[last_resort[i]] > history_levels[last_resort[i]].bare_s)
                victim = last_resort[i];
        if (victim == HISTORY_N_LEVELS)
            return VG_OK;
        vg_status st = history_begin(h, err);
        if (st == VG_OK)
            st = trim(h, victim, from[victim] + (to[victim] - from[victim]) / 8 + 1, err);
        st = history_end(h, st, err);
        if (st != VG_OK)
            return st;
    }
    return VG_OK;
}

vg_status history_thin_out(watch_history_db *h, double interval_s, vg_error *err)
{
    vg_status st = VG_OK;
    for (size_t i = 1; i < HISTORY_N_LEVELS && st == VG_OK; i++)
        st = make_coarser(h, i, interval_s, err);
    for (size_t i = 0; i < HISTORY_N_LEVELS && st == VG_OK; i++)
        if (isfinite(history_levels[i].keep_s))
            st = trim(h, i, h->now_ms - (int64_t)(history_levels[i].keep_s * 1000), err);
    history_bind_numbers(h, HISTORY_EVENTS_TRIM, 1, (const int64_t[]){MOST_EVENTS});
    history_bind_numbers(h, HISTORY_NOTES_TRIM, 1, (const int64_t[]){MOST_NOTES});
    if (st == VG_OK)
        st = history_run(h, HISTORY_EVENTS_TRIM, NULL, NULL, err);
    if (st == VG_OK)
        st = history_run(h, HISTORY_NOTES_TRIM, NULL, NULL, err);
    history_bind_numbers(h, HISTORY_PROCESSES_TRIM, 1, (const int64_t[]){h->now_ms - 120000});
    return st == VG_OK ? history_run(h, HISTORY_PROCESSES_TRIM, NULL, NULL, err) : st;
}
