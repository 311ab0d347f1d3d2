/* job_page.c: what is kept for the page, and its parts. */
#include "job_page.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "course.h"
#include "files.h"
#include "stream/scene/zones.h"
#include "stream/shared/health.h"

enum {
    MOST_EVENTS = 64,
    MOST_LIVE = 3, /* sources whose pictures move; a browser has six connections for all */
    MOST_PICTURE_BYTES = 16 << 20,
    ZONE_BYTES = 64,
    CLASS_BYTES = 64
};

typedef struct event {
    uint64_t id;
    vg_stream_event_kind kind;
    int64_t track;
    double seconds, unix_s;
    int inside;
    bool has_snapshot, is_lost;
    char zone[ZONE_BYTES], class_name[CLASS_BYTES], stem[STREAM_STEM_BYTES],
        source[STREAM_NAME_BYTES];
} event;

/* What a page is drawn from. */
typedef struct shown {
    stream_course course;
    stream_latency latencies[STREAM_MOST_CHANNELS];
    char stems[STREAM_MOST_CHANNELS][STREAM_STEM_BYTES];
    uint64_t n_events; /* ever; the newest are events[i % MOST_EVENTS] */
    event events[MOST_EVENTS];
    uint64_t version;                     /* of all of it */
    uint64_t sources, charts, happenings; /* of the parts */
} shown;

struct stream_job_page {
    const stream_setting *setting;
    stream_rates rates;
    pthread_mutex_t lock; /* of now */
    shown now;
    shown copy;      /* the server's thread's */
    uint64_t states; /* the sink's thread's: of the sources as they were last seen */
};

size_t stream_job_page_bytes(void)
{
    return sizeof(stream_job_page);
}

vg_status stream_job_page_create(stream_job_page **out, const stream_setting *s, base_mem *mem,
                                 vg_error *err)
{
    stream_job_page *p = *out = base_alloc_zero(mem, 1, sizeof *p, err);
    if (p == NULL)
        return VG_ERR_MEMORY;
    p->setting = s;
    pthread_mutex_init(&p->lock, NULL);
    p->now.version = p->now.sources = p->now.charts = p->now.happenings = 1;
    for (int i = 0; i < STREAM_MOST_CHANNELS; i++)
        p->now.latencies[i].mean_s = NAN;
    return VG_OK;
}

void stream_job_page_destroy(stream_job_page **page)
{
    stream_job_page *p = *page;
    if (p == NULL)
        return;
    pthread_mutex_destroy(&p->lock);
    base_free(p);
    *page = NULL;
}

const stream_rates *stream_job_page_rates(const stream_job_page *p)
{
    return &p->rates;
}

/* ---- by the sink's thread ---- */

static void keep_event(stream_job_page *p, const stream_result *r, const vg_stream_event *e)
{
    event *k = &p->now.events[p->now.n_events++ % MOST_EVENTS];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *k = (event){.id = e->id,
                 .kind = e->kind,
                 .track = e->track,
                 .seconds = e->seconds,
                 .unix_s = (double)now.tv_sec,
                 .inside = e->inside,
                 .has_snapshot = e->wants_snapshot,
                 .is_lost = e->is_lost};
    base_format(k->zone, sizeof k->zone, "%s", e->zone != NULL ? e->zone : "");
    if (e->class_index >= 0)
        base_format(k->class_name, sizeof k->class_name, "%s",
                    stream_detector_class_name(p->setting->detector, e->class_index));
    base_format(k->stem, sizeof k->stem, "%s", r->stem);
    base_format(k->source, sizeof k->source, "%s", r->source);
}

void stream_job_page_learn(stream_job_page *p, const stream_result *r)
{
    if (r->channel < 0 || r->channel >= STREAM_MOST_CHANNELS)
        return;
    pthread_mutex_lock(&p->lock);
    shown *k = &p->now;
    if (strcmp(k->stems[r->channel], r->stem) != 0) {
        base_format(k->stems[r->channel], STREAM_STEM_BYTES, "%s", r->stem);
        k->sources++;
    }
    for (size_t i = 0; i < r->n_events; i++)
        keep_event(p, r, &r->events[i]);
    if (r->n_events > 0) {
        k->happenings++;
        k->version++;
    }
    pthread_mutex_unlock(&p->lock);
}

static uint64_t states_of(const stream_stats *s)
{
    uint64_t h = BASE_HASH_START;
    for (int i = 0; i < s->n_channels; i++) {
        const int facts[] = {s->channels[i].state, s->channels[i].last_fault};
        h = base_hash(h, facts, sizeof facts);
    }
    return h;
}

void stream_job_page_step(stream_job_page *p, int64_t now_ns)
{
    const stream_stats *s = p->setting->stats;
    const uint64_t states = states_of(s);
    stream_rates_step(&p->rates, s, now_ns);
    pthread_mutex_lock(&p->lock);
    shown *k = &p->now;
    k->charts += stream_course_step(&k->course, s, now_ns);
    for (int i = 0; i < s->n_channels; i++)
        stream_latency_step(&k->latencies[i], &s->channels[i]);
    k->sources += states != p->states;
    k->version++;
    pthread_mutex_unlock(&p->lock);
    p->states = states;
}

/* ---- by the server's thread ---- */

int stream_job_page_channel(stream_job_page *p, const char *stem)
{
    const stream_setting *s = p->setting;
    int found = stem[0] != '\0' ? -1 : 0;
    pthread_mutex_lock(&p->lock);
    for (int i = s->n_channels - 1; i >= 0; i--)
        if (stem[0] != '\0' ? strcmp(stem, p->now.stems[i]) == 0
                            : s->stats->channels[i].state == STREAM_PLAYING)
            found = i;
    pthread_mutex_unlock(&p->lock);
    return found;
}

/* The numbers that are written large, and told as they change. */
typedef struct figures {
    char rate[PAGE_FIGURE_BYTES], latency[PAGE_FIGURE_BYTES], dropped[PAGE_FIGURE_BYTES],
        events[PAGE_FIGURE_BYTES], memory[PAGE_FIGURE_BYTES], batch[PAGE_FIGURE_BYTES];
    int n_sources, n_playing;
    bool is_healthy;
} figures;

static void make_figures(figures *f, const stream_job_page *p, const shown *k)
{
    const stream_stats *s = p->setting->stats;
    uint64_t n_dropped = 0, n_events = 0;
    double per_s = 0, latency_s = 0;
    int n_latencies = 0;
    *f = (figures){.is_healthy = stream_stats_is_healthy(s, p->setting->options, base_now_ns())};
    for (int i = 0; i < s->n_channels; i++) {
        const stream_channel_stats *c = &s->channels[i];
        if (c->state == STREAM_EMPTY)
            continue;
        f->n_sources++;
        f->n_playing += c->state == STREAM_PLAYING;
        n_dropped += c->n_dropped;
        n_events += c->n_events;
        per_s += p->rates.per_s[i];
        if (isfinite(k->latencies[i].mean_s)) {
            latency_s += k->latencies[i].mean_s;
            n_latencies++;
        }
    }
    const uint64_t n_batches = s->n_batches;
    base_format(f->rate, sizeof f->rate, "%.1f", per_s);
    page_figure(f->latency, PAGE_SECONDS, n_latencies > 0 ? latency_s / n_latencies : (double)NAN);
    page_figure(f->dropped, PAGE_NUMBER, (double)n_dropped);
    page_figure(f->events, PAGE_NUMBER, (double)n_events);
    page_figure(f->memory, PAGE_BYTES, (double)base_mem_resident_bytes());
    page_figure(f->batch, PAGE_NUMBER,
                n_batches > 0 ? (double)s->n_batched / (double)n_batches : (double)NAN);
}

static const char *state_of(const figures *f)
{
    return !f->is_healthy ? "failed" : f->n_playing > 0 ? "playing" : "connecting";
}

static void put_now(page_html *w, const void *ctx)
{
    const stream_job_page *p = ctx;
    figures f;
    make_figures(&f, p, &p->copy);
    const base_text playing = base_text_make("%d of %d play", f.n_playing, f.n_sources);
    page_put(w, "<div class=title><h1>%s</h1>",
             f.n_sources == 1 ? "One source" : base_where("%d sources", f.n_sources));
    page_put_badge(w, state_of(&f));
    page_put(w, "</div>");
    page_put_figures_begin(w);
    page_put_figure(w, "rate", "Frames a second", f.rate, playing.text);
    page_put_figure(w, "latency", "Latency", f.latency, "from arrival to result");
    page_put_figure(w, "dropped", "Dropped", f.dropped, "gave way to newer ones");
    page_put_figure(w, "events", "Events", f.events, "in zones");
    page_put_figure(w, "batch", "Frames a run", f.batch, "of the network");
    page_put_figure(w, "memory", "Memory", f.memory, "of the process");
    page_put_figures_end(w);
}

/* ---- sources ---- */

static base_text figure_name(const char *what, int channel)
{
    return base_text_make("%s-%d", what, channel);
}

static void put_camera(page_html *w, const stream_job_page *p, int i, bool is_live)
{
    char name[STREAM_NAME_BYTES], latency[PAGE_FIGURE_BYTES], dropped[PAGE_FIGURE_BYTES];
    const stream_channel_stats *c = &p->setting->stats->channels[i];
    const char *stem = p->copy.stems[i], *state = stream_state_name((stream_state)c->state);
    if (!stream_channel_name(name, c))
        return;
    page_put(w, "<figure class='card camera %s' data-camera='%s'>", state, name);
    if (stem[0] != '\0') {
        page_put(w, "<a href='/preview/");
        page_put_url(w, stem, "");
        page_put(w, "'><img %s='/%s/", is_live ? "src" : "data-still",
                 is_live ? "preview" : "still");
        page_put_url(w, stem, "");
        page_put(w, "' alt='%s' width=640 height=360></a>", name);
    } else {
        page_put(w, "<p class=wait>no picture yet</p>");
    }
    page_put(w, "<figcaption><h3 title='%s'>%s</h3>", name, name);
    page_put_badge(w, state);
    page_put(w, "<output data-figure='%s'>%.1f/s</output></figcaption><p class='soft one'>",
             figure_name("rate", i).text, (double)p->rates.per_s[i]);
    if (c->w > 0)
        page_put(w, "%d × %d, ", (int)c->w, (int)c->h);
    page_put(w, "latency <b data-figure='%s'>%s</b>, dropped <b data-figure='%s'>%s</b>",
             figure_name("latency", i).text,
             page_figure(latency, PAGE_SECONDS, p->copy.latencies[i].mean_s),
             figure_name("dropped", i).text,
             page_figure(dropped, PAGE_NUMBER, (double)c->n_dropped));
    if (c->last_fault >= 0)
        page_put(w, ", last fault: %s", video_fault_name((video_fault)c->last_fault));
    page_put(w, "</p></figure>");
}

static void put_sources(page_html *w, const void *ctx)
{
    const stream_job_page *p = ctx;
    const stream_stats *s = p->setting->stats;
    int n = 0;
    for (int i = 0; i < s->n_channels; i++)
        n += s->channels[i].state != STREAM_EMPTY;
    page_put(w, "<h2>Sources</h2>");
    if (n == 0) {
        page_put_empty(w, "No source yet.");
        return;
    }
    page_put(w, "<div class='cameras%s'>", n == 1 ? " alone" : "");
    for (int i = 0; i < s->n_channels; i++)
        put_camera(w, p, i, n <= MOST_LIVE);
    page_put(w, "</div>");
}

/* ---- charts ---- */

static void put_chart(page_html *w, const stream_course *c, const char *name, const char *title,
                      const char *help, page_unit unit, const double *y)
{
    const page_line line = {.name = title, .n = c->n, .x = c->seconds, .y = y};
    page_put_chart(w, &(page_chart){.name = name,
                                    .title = title,
                                    .help = help,
                                    .x_unit = PAGE_SECONDS,
                                    .y_unit = unit,
                                    .lines = &line,
                                    .n_lines = 1,
                                    .least = 0,
                                    .most = NAN});
}

static void put_charts(page_html *w, const void *ctx)
{
    const stream_course *c = &((const stream_job_page *)ctx)->copy.course;
    page_put(w, "<h2>Since it began</h2>");
    if (c->n == 0) {
        page_put_empty(w, "The first numbers come within seconds.");
        return;
    }
    page_put(w, "<div class=grid>");
    put_chart(w, c, "rate", "Frames", "results of all sources", PAGE_PER_S, c->per_s);
    put_chart(w, c, "latency", "Latency", "from arrival to result", PAGE_SECONDS, c->latency_s);
    put_chart(w, c, "dropped", "Dropped", "gave way to newer ones", PAGE_PER_S, c->dropped_per_s);
    put_chart(w, c, "memory", "Memory", "resident, of the process", PAGE_BYTES, c->resident_bytes);
    page_put(w, "</div>");
}

/* ---- what happened ---- */

static void put_what(page_html *w, const event *e)
{
    switch (e->kind) {
    case VG_STREAM_ENTER:
        page_put(w, "came in; %d inside", e->inside);
        break;
    case VG_STREAM_LEAVE:
        page_put(w,
                 e->is_lost ? "was lost after %.0f s; %d inside" : "left after %.0f s; %d inside",
                 e->seconds, e->inside);
        break;
    case VG_STREAM_DWELL:
        page_put(w, "has stayed for %.0f s", e->seconds);
        break;
    case VG_STREAM_ABSENT:
        page_put(w, "nothing for %.0f s", e->seconds);
        break;
    case VG_STREAM_BACK:
        page_put(w, "there again, after %.0f s", e->seconds);
        break;
    }
}

static void put_event(page_html *w, const event *e)
{
    char at[32] = "-";
    struct tm parts;
    const time_t t = (time_t)e->unix_s;
    if (localtime_r(&t, &parts) != NULL)
        strftime(at, sizeof at, "%Y-%m-%d %H:%M:%S", &parts);
    page_put(w, "<li data-event='%llu'><time>%s</time>", (unsigned long long)e->id, at);
    if (e->has_snapshot) {
        const base_text path = base_text_make("/snapshot/%s/%" PRIu64, e->stem, e->id);
        page_put(w, "<a href='");
        page_put_url(w, path.text, "/");
        page_put(w, "' data-shot><img src='");
        page_put_url(w, path.text, "/");
        page_put(w, "' alt='%s, event %llu' loading=lazy width=160 height=90></a>", e->source,
                 (unsigned long long)e->id);
    }
    page_put(w, "<div><b>%s</b> <span class=badge>%s</span> %s ", e->zone,
             stream_event_name(e->kind), e->class_name[0] != '\0' ? e->class_name : "anything");
    if (e->track > 0)
        page_put(w, "#%lld ", (long long)e->track);
    put_what(w, e);
    page_put(w, "<br><span class=soft>%s</span></div></li>", e->source);
}

static void put_events(page_html *w, const void *ctx)
{
    const stream_job_page *p = ctx;
    const shown *k = &p->copy;
    page_put(w, "<h2>What happened</h2>");
    if (k->n_events == 0) {
        page_put_empty(w, p->setting->zones != NULL
                              ? "Nothing has happened in a zone so far."
                              : "Events come from zones: --zones FILE says where they are.");
        return;
    }
    page_put(w, "<ol class='card timeline'>");
    for (uint64_t i = 0; i < k->n_events && i < MOST_EVENTS; i++)
        put_event(w, &k->events[(k->n_events - 1 - i) % MOST_EVENTS]);
    page_put(w, "</ol>");
}

/* ---- outputs ---- */

static void put_outputs(page_html *w, const void *ctx)
{
    const stream_stats *s = ((const stream_job_page *)ctx)->setting->stats;
    page_put(w, "<h2>Outputs</h2><div class='card scroll'><table><tr><th>output<th>state"
                "<th class=n>written<th class=n>dropped<th class=n>failed<th class=n>waiting");
    for (int i = 0; i < s->n_sinks; i++) {
        const stream_sink_stats *k = &s->sinks[i];
        if (k->name == NULL)
            continue;
        page_put(w, "<tr><td class=name>%s<td>", k->name);
        page_put_badge(w, k->is_failing ? "failed" : "good");
        page_put(w, "<td class=n>%llu<td class=n>%llu<td class=n>%llu<td class=n>%d of %d",
                 (unsigned long long)k->n_written, (unsigned long long)k->n_dropped,
                 (unsigned long long)k->n_failed, (int)k->n_waiting, (int)k->capacity);
    }
    page_put(w,
             "</table></div><footer>vigil %s · <a href='/healthz'>health</a> · "
             "<a href='/metrics'>metrics</a> · <a href='/preview'>preview</a></footer>",
             stream_version());
}

/* ---- the page ---- */

enum { N_PARTS = 5 };

static void make_parts(page_part parts[N_PARTS], const figures *f, const shown *k)
{
    parts[0] = (page_part){"now", (uint64_t)f->n_playing * 64 + (uint64_t)f->n_sources, put_now};
    parts[1] = (page_part){"sources", k->sources, put_sources};
    parts[2] = (page_part){"events", k->happenings, put_events};
    parts[3] = (page_part){"charts", k->charts, put_charts};
    parts[4] = (page_part){"outputs", k->charts / 5, put_outputs};
}

void stream_job_page_answer(stream_job_page *p, const net_request *r, net_answer *a, base_mem *mem)
{
    figures f;
    pthread_mutex_lock(&p->lock);
    p->copy = p->now;
    pthread_mutex_unlock(&p->lock);
    const shown *k = &p->copy;
    make_figures(&f, p, k);
    page_part parts[N_PARTS];
    make_parts(parts, &f, k);
    const base_text title = base_text_make("%d of %d play: vigil", f.n_playing, f.n_sources);
    const page_document d = {.title = title.text,
                             .state = state_of(&f),
                             .events = "/events",
                             .parts = parts,
                             .n_parts = N_PARTS,
                             .ctx = p};
    page_answer(a, r, &d, mem);
}

bool stream_job_page_news(void *ctx, const char *topic, uint64_t *seen, page_news *e)
{
    stream_job_page *p = ctx;
    const stream_stats *s = p->setting->stats;
    figures f;
    page_part parts[N_PARTS];
    char text[PAGE_FIGURE_BYTES];
    (void)topic;
    pthread_mutex_lock(&p->lock);
    const shown *k = &p->now;
    const bool is_new = k->version != *seen;
    if (is_new) {
        make_figures(&f, p, k);
        make_parts(parts, &f, k);
        page_news_parts(e, parts, N_PARTS);
        page_news_figure(e, "rate", f.rate);
        page_news_figure(e, "latency", f.latency);
        page_news_figure(e, "dropped", f.dropped);
        page_news_figure(e, "events", f.events);
        page_news_figure(e, "batch", f.batch);
        page_news_figure(e, "memory", f.memory);
        for (int i = 0; i < s->n_channels; i++) {
            if (s->channels[i].state == STREAM_EMPTY)
                continue;
            base_format(text, sizeof text, "%.1f/s", (double)p->rates.per_s[i]);
            page_news_figure(e, figure_name("rate", i).text, text);
            page_news_figure(e, figure_name("latency", i).text,
                             page_figure(text, PAGE_SECONDS, k->latencies[i].mean_s));
            page_news_figure(e, figure_name("dropped", i).text,
                             page_figure(text, PAGE_NUMBER, (double)s->channels[i].n_dropped));
        }
        page_news_state(e, state_of(&f));
        *seen = k->version;
    }
    pthread_mutex_unlock(&p->lock);
    return is_new;
}

/* Only what an event on the page names: whatever else lies in the folder is not served. */
bool stream_job_page_snapshot(stream_job_page *p, const char *which, net_answer *a, base_mem *mem)
{
    char path[4096], *bytes = NULL;
    size_t n = 0;
    bool is_known = false;
    const char *slash = strrchr(which, '/');
    if (slash == NULL)
        return false;
    const size_t n_stem = (size_t)(slash - which);
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < MOST_EVENTS && !is_known; i++) {
        const event *e = &p->now.events[i];
        char id[24];
        base_format(id, sizeof id, "%" PRIu64, e->id);
        is_known = e->has_snapshot && strcmp(slash + 1, id) == 0 && strlen(e->stem) == n_stem &&
                   memcmp(e->stem, which, n_stem) == 0 &&
                   stream_snapshot_path(path, sizeof path, p->setting->folder, e->stem, e->id);
    }
    pthread_mutex_unlock(&p->lock);
    if (!is_known || base_file_read(&bytes, &n, path, MOST_PICTURE_BYTES, mem, NULL) != VG_OK)
        return false;
    a->type = "image/jpeg";
    a->policy = page_policy;
    a->keeps = true;
    a->body = (base_str){.text = bytes, .length = n, .capacity = n + 1};
    return true;
}
