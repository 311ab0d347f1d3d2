/* story.c: bins that merge when they are full, a table of lives, a ring of what was reported. */
#include "story.h"

#include <math.h>
#include <string.h>

void watch_story_init(watch_story *s)
{
    memset(s, 0, sizeof *s);
    s->began_unix_s = s->first_s = s->now_s = NAN;
    watch_sample_clear(&s->now, NAN);
}

void watch_story_describe(watch_story *s, const watch_moment *m)
{
    base_format(s->command, sizeof s->command, "%s", m->command);
    base_format(s->folder, sizeof s->folder, "%s", m->folder);
    base_format(s->run_folder, sizeof s->run_folder, "%s", m->run_folder);
    base_format(s->phase, sizeof s->phase, "%s", m->phase);
    s->n_restarts = m->n_restarts;
    s->is_live = strcmp(m->phase, "ended") != 0 && strcmp(m->phase, "replay") != 0;
    if (m->options != NULL)
        s->interval_s = m->options->interval_s;
}

/* ---- bins ---- */

static void merge(watch_bin *a, const watch_bin *b)
{
    if (b->n == 0)
        return;
    if (a->n == 0) {
        *a = *b;
        return;
    }
    a->time_s += (b->time_s - a->time_s) * b->n / ((double)a->n + b->n);
    a->mean += (b->mean - a->mean) * b->n / ((double)a->n + b->n);
    a->low = fmin(a->low, b->low);
    a->high = fmax(a->high, b->high);
    a->n += b->n;
}

static void halve(watch_story *s)
{
    for (int k = 0; k < WATCH_N_SERIES; k++) {
        watch_bin *bins = s->bins[k];
        for (size_t i = 0; i < WATCH_BINS / 2; i++) {
            watch_bin b = bins[2 * i];
            merge(&b, &bins[2 * i + 1]);
            bins[i] = b;
        }
        memset(bins + WATCH_BINS / 2, 0, WATCH_BINS / 2 * sizeof *bins);
    }
    s->step_s *= 2;
}

/* The higher of two, where NAN is nothing. */
static float higher(float a, float b)
{
    return isnan(a) || b > a ? b : a;
}

static void halve_lives(watch_story *s)
{
    for (size_t k = 0; k < s->n_lives; k++) {
        float *rss = s->lives[k].rss;
        for (size_t i = 0; i < WATCH_LIFE_BINS / 2; i++)
            rss[i] = higher(rss[2 * i], rss[2 * i + 1]);
        for (size_t i = WATCH_LIFE_BINS / 2; i < WATCH_LIFE_BINS; i++)
            rss[i] = NAN;
    }
    s->life_step_s *= 2;
}

void watch_story_moment(watch_story *s, double time_s)
{
    if (isnan(s->first_s)) {
        s->first_s = time_s;
        s->step_s = s->interval_s > 0 ? s->interval_s : 1;
        s->life_step_s = s->step_s;
    }
    time_s += s->shift_s;
    if (time_s <= s->now_s) {
        s->shift_s += s->now_s + s->step_s - time_s;
        time_s = s->now_s + s->step_s;
    }
    s->now_s = time_s;
    s->n_samples++;
    while ((time_s - s->first_s) / s->step_s >= WATCH_BINS)
        halve(s);
    while ((time_s - s->first_s) / s->life_step_s >= WATCH_LIFE_BINS)
        halve_lives(s);
}

static size_t bin_now(const watch_story *s, double step_s, size_t most)
{
    const double i = fmax((s->now_s - s->first_s) / step_s, 0);
    return i < (double)most ? (size_t)i : most - 1;
}

void watch_story_reading(watch_story *s, watch_series series, double mean, double low, double high)
{
    if (isnan(mean))
        return;
    merge(&s->bins[series][bin_now(s, s->step_s, WATCH_BINS)],
          &(watch_bin){.time_s = s->now_s, .mean = mean, .low = low, .high = high, .n = 1});
    s->now.time_s = s->now_s;
    s->now.value[series] = mean;
}

void watch_story_sample(watch_story *s, const watch_sample *sample)
{
    watch_story_moment(s, sample->time_s);
    s->now = *sample;
    for (int k = 0; k < WATCH_N_SERIES; k++)
        watch_story_reading(s, (watch_series)k, sample->value[k], sample->value[k],
                            sample->value[k]);
}

void watch_story_verdicts(watch_story *s, const watch_judge *j)
{
    for (int k = 0; k < WATCH_N_SERIES; k++)
        s->is_judged[k] = watch_judge_get(j, (watch_series)k, &s->verdicts[k]);
}

/* ---- lives ---- */

static int64_t order(const watch_process *a, const watch_process *b)
{
    if (a->pid != b->pid)
        return a->pid < b->pid ? -1 : 1;
    return a->start_ticks < b->start_ticks ? -1 : a->start_ticks > b->start_ticks;
}

/* The place of p, or where it would stand. */
static size_t place(const watch_story *s, const watch_process *p)
{
    size_t from = 0, to = s->n_lives;
    while (from < to) {
        const size_t middle = (from + to) / 2;
        if (order(&s->lives[middle].now, p) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

bool watch_life_is_alive(const watch_story *s, const watch_life *l)
{
    return l->last_s >= s->now_s;
}

static void forget(watch_story *s, size_t i)
{
    memmove(s->lives + i, s->lives + i + 1, (s->n_lives - i - 1) * sizeof *s->lives);
    s->n_lives--;
}

/* Whoever is longest gone goes first; then the smallest, which may be p itself: false. */
static bool make_room(watch_story *s, const watch_process *p)
{
    size_t gone = SIZE_MAX, smallest = SIZE_MAX;
    for (size_t i = 0; i < s->n_lives; i++) {
        const watch_life *l = &s->lives[i];
        if (l->now.role == WATCH_MAIN && watch_life_is_alive(s, l))
            continue;
        if (!watch_life_is_alive(s, l) && (gone == SIZE_MAX || l->last_s < s->lives[gone].last_s))
            gone = i;
        if (smallest == SIZE_MAX || l->now.rss_bytes < s->lives[smallest].now.rss_bytes)
            smallest = i;
    }
    if (gone == SIZE_MAX &&
        (smallest == SIZE_MAX ||
         (p->role != WATCH_MAIN && s->lives[smallest].now.rss_bytes >= p->rss_bytes)))
        return false;
    forget(s, gone != SIZE_MAX ? gone : smallest);
    return true;
}

void watch_story_process(watch_story *s, const watch_process *p)
{
    size_t i = place(s, p);
    if (i == s->n_lives || order(&s->lives[i].now, p) != 0) {
        if (s->n_lives == WATCH_LIVES && !make_room(s, p))
            return;
        i = place(s, p);
        memmove(s->lives + i + 1, s->lives + i, (s->n_lives - i) * sizeof *s->lives);
        s->n_lives++;
        s->lives[i] = (watch_life){.now = *p, .first_s = s->now_s, .last_s = NAN, .cpu_0_1 = NAN};
        for (size_t k = 0; k < WATCH_LIFE_BINS; k++)
            s->lives[i].rss[k] = NAN;
    }
    watch_life *l = &s->lives[i];
    if (l->last_s < s->now_s)
        l->cpu_0_1 = fmax(0, (p->cpu_s - l->now.cpu_s) / (s->now_s - l->last_s));
    l->now = *p;
    l->last_s = s->now_s;
    if (isnan(p->rss_bytes))
        return;
    l->peak_rss_bytes = fmax(l->peak_rss_bytes, p->rss_bytes);
    float *bin = &l->rss[bin_now(s, s->life_step_s, WATCH_LIFE_BINS)];
    *bin = higher(*bin, (float)p->rss_bytes);
}

/* ---- a moment of the guard ---- */

void watch_story_add(watch_story *s, const watch_moment *m)
{
    watch_story_describe(s, m);
    if (isnan(s->began_unix_s) && m->wall_ns > 0)
        s->began_unix_s = (double)m->wall_ns * 1e-9 - m->sample->time_s;
    watch_story_sample(s, m->sample);
    for (size_t i = 0; i < m->n_processes; i++)
        watch_story_process(s, &m->processes[i]);
    watch_story_verdicts(s, m->judge);
}

void watch_story_event(watch_story *s, const watch_event *e)
{
    watch_entry *t = &s->entries[s->n_entries++ % WATCH_MOST_ENTRIES];
    t->event = *e;
    t->event.time_s += s->shift_s;
    t->note[0] = '\0';
}

void watch_story_note(watch_story *s, double time_s, const char *text)
{
    watch_entry *t = &s->entries[s->n_entries++ % WATCH_MOST_ENTRIES];
    t->event = (watch_event){.time_s = time_s + s->shift_s, .series = WATCH_NONE, .rule = ""};
    base_format(t->note, sizeof t->note, "%s", text);
    if (base_starts_with(text, WATCH_AFTER_MARK))
        base_format(s->after, sizeof s->after, "%s", text);
}

/* ---- asking ---- */

size_t watch_story_first_entry(const watch_story *s)
{
    return s->n_entries > WATCH_MOST_ENTRIES ? s->n_entries - WATCH_MOST_ENTRIES : 0;
}

const watch_entry *watch_story_entry(const watch_story *s, size_t i)
{
    return &s->entries[i % WATCH_MOST_ENTRIES];
}

size_t watch_story_n_bins(const watch_story *s)
{
    return isnan(s->now_s) ? 0 : bin_now(s, s->step_s, WATCH_BINS) + 1;
}

bool watch_story_at(const watch_story *s, watch_series series, size_t i, watch_bin *out)
{
    const watch_bin *bins = s->bins[series];
    if (bins[i].n == 0)
        return false;
    *out = bins[i];
    if (watch_series_get(series)->kind != WATCH_COUNTER)
        return true;
    size_t before = i;
    while (before > 0 && bins[before - 1].n == 0)
        before--;
    if (before == 0 || bins[i].mean < bins[before - 1].mean) /* a new process counts from 0 */
        return false;
    const double rate =
        (bins[i].mean - bins[before - 1].mean) / (bins[i].time_s - bins[before - 1].time_s);
    out->mean = out->low = out->high = rate;
    return true;
}

watch_course watch_story_course(const watch_story *s, watch_series series)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < WATCH_BINS; i++) {
        const watch_bin *b = &s->bins[series][i];
        if (b->n > 0) {
            low = fmin(low, b->low);
            high = fmax(high, b->high);
        }
    }
    return low > high ? WATCH_NEVER : low < high ? WATCH_MOVES : WATCH_CONSTANT;
}

watch_state watch_story_worst(const watch_story *s, watch_series *of)
{
    watch_state worst = WATCH_LEARNING;
    watch_series which = WATCH_NONE;
    for (int k = 0; k < WATCH_N_SERIES; k++)
        if (s->is_judged[k] && (which == WATCH_NONE || s->verdicts[k].verdict.state > worst)) {
            worst = s->verdicts[k].verdict.state;
            which = (watch_series)k;
        }
    if (of != NULL)
        *of = which;
    return worst;
}
