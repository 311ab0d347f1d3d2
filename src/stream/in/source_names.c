/* source_names.c: names unlike each other, and, when a list is read anew, which of its sources run
 * already: these keep theirs. */
#include "source_names.h"

#include <string.h>

#include "source_text.h"

static bool is_name_free(const stream_source *items, const bool *is_fixed, size_t n, size_t at,
                         bool stem)
{
    for (size_t i = 0; i < n; i++)
        if (i != at && (i < at || (is_fixed != NULL && is_fixed[i])) &&
            strcmp(stem ? items[i].stem : items[i].name, stem ? items[at].stem : items[at].name) ==
                0)
            return false;
    return true;
}

void stream_sources_number(stream_source *items, size_t n, const bool *is_fixed)
{
    for (size_t i = 0; i < n; i++) {
        if (is_fixed != NULL && is_fixed[i])
            continue;
        stream_source *s = &items[i];
        char name[STREAM_NAME_BYTES], stem[STREAM_STEM_BYTES];
        s->name[s->n_name] = s->stem[s->n_stem] = '\0';
        memcpy(name, s->name, sizeof name);
        memcpy(stem, s->stem, sizeof stem);
        for (int k = 2; !is_name_free(items, is_fixed, n, i, false); k++)
            base_format(s->name, sizeof name, "%.*s#%d", (int)sizeof name - 8, name, k);
        for (int k = 2; !is_name_free(items, is_fixed, n, i, true); k++)
            base_format(s->stem, sizeof stem, "%.*s-%d", (int)sizeof stem - 8, stem, k);
        if (strcmp(s->name, name) != 0 && s->n_name > sizeof name - 8)
            s->n_name = sizeof name - 8;
        if (strcmp(s->stem, stem) != 0 && s->n_stem > sizeof stem - 8)
            s->n_stem = sizeof stem - 8;
    }
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

bool stream_source_is_same(const stream_source *a, const stream_source *b)
{
    const video_source_options *v = &a->video, *w = &b->video;
    bool same = a->n_texts == b->n_texts && a->kind == b->kind && a->keeps_all == b->keeps_all &&
                a->ends == b->ends && a->max_retries == b->max_retries &&
                a->is_named == b->is_named && (!a->is_named || same_text(a->name, b->name)) &&
                v->rtsp_udp == w->rtsp_udp && v->decode_threads == w->decode_threads &&
                v->stride == w->stride && same_text(v->format, w->format) &&
                same_text(v->size, w->size) && same_text(v->rate, w->rate);
    const double times[][2] = {{a->retry_first_s, b->retry_first_s},
                               {a->retry_most_s, b->retry_most_s},
                               {v->connect_s, w->connect_s},
                               {v->stall_s, w->stall_s}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        same = same && !(times[i][0] < times[i][1]) && !(times[i][0] > times[i][1]);
    for (size_t i = 0; same && i < a->n_texts; i++)
        same = strcmp(a->texts[i], b->texts[i]) == 0;
    return same;
}

void stream_sources_find_running(const stream_sources *s, const stream_source *const *running,
                                 size_t n, int *place)
{
    for (size_t i = 0; i < s->n; i++) {
        place[i] = -1;
        for (size_t k = 0; k < n && place[i] < 0; k++)
            if (running[k] != NULL && stream_source_is_same(&s->items[i], running[k]) &&
                strcmp(s->items[i].name, running[k]->name) == 0)
                place[i] = (int)k;
    }
}

void stream_sources_keep_names(stream_sources *s, const stream_source *const *running, size_t n,
                               int *place)
{
    bool is_fixed[STREAM_MOST_CHANNELS] = {false}, is_taken[STREAM_MOST_CHANNELS] = {false};
    for (size_t i = 0; i < s->n; i++) {
        place[i] = -1;
        for (size_t k = 0; k < n && k < STREAM_MOST_CHANNELS && !is_fixed[i]; k++) {
            if (is_taken[k] || running[k] == NULL ||
                !stream_source_is_same(&s->items[i], running[k]))
                continue;
            is_taken[k] = is_fixed[i] = true;
            place[i] = (int)k;
            memcpy(s->items[i].name, running[k]->name, sizeof s->items[i].name);
            memcpy(s->items[i].stem, running[k]->stem, sizeof s->items[i].stem);
            s->items[i].n_name = running[k]->n_name;
            s->items[i].n_stem = running[k]->n_stem;
        }
    }
    stream_sources_number(s->items, s->n, is_fixed);
}
