/* story_after.c: a story, made later, of a job whose guard could not say how it ended. */
#include <math.h>
#include <string.h>

#include "story.h"

static bool verdict_of(const void *story, watch_series k, watch_event *out)
{
    const watch_story *s = story;
    if (s->is_judged[k])
        *out = s->verdicts[k];
    return s->is_judged[k];
}

static void take_course(watch_after *a, const watch_story *s, watch_series k)
{
    watch_course_seen *c = &a->course[k];
    const watch_series limit = watch_series_get(k)->limit;
    for (size_t i = 0; i < WATCH_BINS; i++) {
        const watch_bin *b = &s->bins[k][i];
        if (b->n == 0)
            continue;
        if (isnan(c->from)) {
            c->from = b->mean;
            c->from_s = b->time_s;
        }
        c->to = s->now.value[k];
        c->to_s = b->time_s;
        if (isnan(c->half_s) && limit != WATCH_NONE && b->high >= 0.5 * s->now.value[limit])
            c->half_s = b->time_s;
    }
}

static void take(watch_after *a, const watch_story *s)
{
    watch_after_init(a);
    a->n_samples = s->n_samples;
    a->first_s = s->first_s;
    a->last_s = s->now_s;
    for (int k = 0; k < WATCH_N_SERIES; k++)
        take_course(a, s, (watch_series)k);
    for (size_t i = 0; i < s->n_lives; i++) {
        const watch_life *l = &s->lives[i];
        size_t first = 0;
        while (first < WATCH_LIFE_BINS && isnan(l->rss[first]))
            first++;
        if (first < WATCH_LIFE_BINS)
            watch_after_process(a, &l->now, (double)l->rss[first], l->now.rss_bytes);
    }
    for (size_t i = watch_story_first_entry(s); i < s->n_entries; i++)
        watch_after_event(a, &watch_story_entry(s, i)->event);
}

const char *watch_story_after(const watch_story *s, char buf[WATCH_AFTER_BYTES])
{
    watch_after a;
    buf[0] = '\0';
    if (s->after[0] != '\0') {
        base_format(buf, WATCH_AFTER_BYTES, "%s", s->after);
        return buf;
    }
    if (strcmp(s->phase, WATCH_GUARD_GONE) != 0)
        return buf;
    take(&a, s);
    const watch_end end = {.how = "its guard ended as well, and how it ended is not known",
                           .kernel = "",
                           .now_s = s->now_s};
    if (watch_after_is_suspicious(&a, verdict_of, s))
        watch_after_text(buf, &a, &end, verdict_of, s);
    return buf;
}
