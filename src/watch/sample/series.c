/* series.c: the table behind series.h. */
#include "series.h"

#include <math.h>
#include <string.h>

const watch_series_info *watch_series_get(watch_series s)
{
    static const watch_series_info table[WATCH_N_SERIES] = {
#define X(id, name, kind, unit, limit, help)                                                       \
    [WATCH_##id] = {name, WATCH_##kind, WATCH_##unit, WATCH_##limit, help},
        WATCH_SERIES(X)
#undef X
    };
    return &table[s];
}

watch_series watch_series_find(const char *name)
{
    for (int s = 0; s < WATCH_N_SERIES; s++)
        if (strcmp(watch_series_get((watch_series)s)->name, name) == 0)
            return (watch_series)s;
    return WATCH_NONE;
}

static const char *const text_names[WATCH_N_TEXTS] = {
#define X(id, name, help) [WATCH_TEXT_##id] = name,
    WATCH_TEXTS(X)
#undef X
};

const char *watch_text_name(watch_text t)
{
    return text_names[t];
}

watch_text watch_text_find(const char *name)
{
    int t = 0;
    while (t < WATCH_N_TEXTS && strcmp(text_names[t], name) != 0)
        t++;
    return (watch_text)t;
}

void watch_sample_clear(watch_sample *s, double time_s)
{
    s->time_s = time_s;
    for (int i = 0; i < WATCH_N_SERIES; i++)
        s->value[i] = NAN;
    for (int i = 0; i < WATCH_N_TEXTS; i++)
        s->text[i][0] = '\0';
}
