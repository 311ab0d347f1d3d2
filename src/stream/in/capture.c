/* capture.c: the thread is a loop over connections. What it owns: one source at a time, one
 * frame object while it reads, and a vg_error; what others see of it are the atomics of its
 * stream_channel_stats. It sleeps on a condition, so that stop wakes it at once. */
#include "capture.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>

static const double STEADY_S = 10; /* frames for so long: the fault before is over */
static const double JITTER = 0.25;
static const int64_t SECOND_NS = 1000000000;
/* In the place of a fault where there was none. */
static const video_fault END_OF_STREAM = VIDEO_N_FAULTS;

/* A bucket of lines: LOG_BURST of them, filled again at LOG_PER_HOUR. */
typedef struct log_budget {
    double lines;
    int64_t filled_ns;
    uint64_t n_unsaid;
    bool owes_state; /* the last change of state was not said */
} log_budget;

struct stream_capture {
    pthread_t thread;
    atomic_bool stop;
    pthread_mutex_t lock; /* of the sleep */
    pthread_cond_t wake;
    atomic_bool has_failed; /* `failure` is there, and will not change */
    vg_error failure;
    atomic_bool has_missed; /* `first_miss` is there: it was not to be had at the first try */
    vg_error first_miss;

    /* the thread's own */
    stream_capture_options o; /* texts in the block of this struct */
    stream_intake *in;
    int channel;
    stream_channel_stats *stats;
    base_mem *mem;
    video_source *source;        /* of texts[at]; NULL: to be made */
    video_source_counts counted; /* of `source`, that stats has already */
    size_t at;
    char file[VIDEO_FILE_BYTES];           /* its public name */
    bool gave_frames;                      /* any text, ever */
    bool is_reconnect;                     /* the next connection is one after a wait */
    int n_retries;                         /* in a row */
    int64_t first_frame_ns, last_frame_ns; /* of this connection; 0: none */
    int64_t ended_ns;                      /* it reads no more from then on */
    base_rng rng;
    log_budget log;
};

/* ---- log ---- */

static bool may_say(log_budget *b)
{
    const int64_t now = base_now_ns();
    const double per_ns = STREAM_CAPTURE_LOG_PER_HOUR / 3600.0 / (double)SECOND_NS;
    b->lines += (double)(now - b->filled_ns) * per_ns;
    b->filled_ns = now;
    if (b->lines > STREAM_CAPTURE_LOG_BURST)
        b->lines = STREAM_CAPTURE_LOG_BURST;
    if (b->lines < 1) {
        b->n_unsaid++;
        return false;
    }
    b->lines--;
    return true;
}

/* " unsaid=12", once. */
static base_text unsaid(log_budget *b)
{
    const uint64_t n = b->n_unsaid;
    b->n_unsaid = 0;
    b->owes_state = false;
    return n > 0 ? base_text_make(" unsaid=%llu", (unsigned long long)n) : (base_text){{0}};
}

static bool is_live(const stream_capture *c)
{
    return video_is_live(video_kind_of(c->o.texts[c->at]));
}

/* What goes well with files is not worth a line of anybody's. */
static base_log_level calm_level(const stream_capture *c)
{
    return is_live(c) ? BASE_LOG_INFO : BASE_LOG_DEBUG;
}

/* " text=b.mp4": which of several. */
static base_text text_field(const stream_capture *c)
{
    if (c->o.n_texts == 1)
        return (base_text){{0}};
    char name[STREAM_NAME_BYTES];
    video_public_name(name, sizeof name, c->o.texts[c->at]);
    return base_text_make(" text=\"%s\"", name);
}

static void say_connecting(stream_capture *c)
{
    if (is_live(c) && !may_say(&c->log))
        c->log.owes_state = true;
    else
        base_log(calm_level(c), "source connecting", "name=\"%s\"%s try=%d%s", c->stats->name,
                 text_field(c).text, c->n_retries + 1, is_live(c) ? unsaid(&c->log).text : "");
}

static void say_playing(stream_capture *c, const video_stream_info *info, int64_t began_ns)
{
    if (is_live(c) && !may_say(&c->log))
        c->log.owes_state = true;
    else
        base_log(calm_level(c), "source playing",
                 "name=\"%s\"%s size=%dx%d codec=%s fps=%.3g after_ms=%.0f%s", c->stats->name,
                 text_field(c).text, info->w, info->h, info->codec, info->frames_per_s,
                 base_ms(base_now_ns() - began_ns), is_live(c) ? unsaid(&c->log).text : "");
}

/* A source that flapped plays, and that was not said: now there is room for it. */
static void say_what_is_owed(stream_capture *c)
{
    const uint64_t n = c->log.n_unsaid;
    if (!may_say(&c->log)) {
        c->log.n_unsaid = n; /* the same change, not one more */
        return;
    }
    base_log(calm_level(c), "source playing", "name=\"%s\"%s%s", c->stats->name, text_field(c).text,
             unsaid(&c->log).text);
}

/* "fault=lost what=..."; END_OF_STREAM has no cause. */
static base_text fault_fields(video_fault fault, const vg_error *e)
{
    if (fault == END_OF_STREAM)
        return base_text_make("fault=end");
    return base_text_make("fault=%s what=\"%s\"", video_fault_name(fault), e->what);
}

static void say_waiting(stream_capture *c, video_fault fault, const vg_error *e, double wait_s)
{
    if (!may_say(&c->log))
        c->log.owes_state = true;
    else
        base_log(BASE_LOG_WARN, "source waiting", "name=\"%s\"%s %s wait_s=%.2f retry=%d%s",
                 c->stats->name, text_field(c).text, fault_fields(fault, e).text, wait_s,
                 c->n_retries, unsaid(&c->log).text);
}

static void say_skipped(stream_capture *c, video_fault fault, const vg_error *e)
{
    if (may_say(&c->log))
        base_log(BASE_LOG_WARN, "source skipped", "name=\"%s\"%s %s%s", c->stats->name,
                 text_field(c).text, fault_fields(fault, e).text, unsaid(&c->log).text);
}

/* Once in its life, so without a look at the budget. */
static void say_ended(stream_capture *c, base_log_level level, const char *why)
{
    base_log(level, "source ended", "name=\"%s\" %s frames=%llu connects=%llu%s", c->stats->name,
             why, (unsigned long long)atomic_load(&c->stats->n_frames),
             (unsigned long long)atomic_load(&c->stats->n_connects), unsaid(&c->log).text);
}

/* ---- numbers ---- */

static void set_state(stream_capture *c, stream_state state)
{
    atomic_store(&c->stats->last_progress_ns, base_now_ns());
    atomic_store(&c->stats->state, (int)state);
}

static void count_source(stream_capture *c)
{
    if (c->source == NULL)
        return;
    video_source_counts now;
    video_source_get_counts(c->source, &now);
    const video_source_counts *old = &c->counted;
    stream_channel_stats *s = c->stats;
    const struct {
        _Atomic uint64_t *to;
        uint64_t by;
    } rows[] = {{&s->n_damaged, now.damaged_packets - old->damaged_packets},
                {&s->n_size_changes, now.size_changes - old->size_changes},
                {&s->n_time_jumps, now.time_jumps - old->time_jumps},
                {&s->n_bytes, now.bytes - old->bytes}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].by > 0)
            atomic_fetch_add_explicit(rows[i].to, rows[i].by, memory_order_relaxed);
    c->counted = now;
}

static void count_fault(stream_capture *c, video_fault fault)
{
    assert((int)fault >= 0 && fault < VIDEO_N_FAULTS);
    atomic_fetch_add_explicit(&c->stats->n_faults[fault], 1, memory_order_relaxed);
    atomic_store(&c->stats->last_fault, (int)fault);
}

/* ---- sources ---- */

static void drop_source(stream_capture *c)
{
    count_source(c);
    video_source_destroy(&c->source);
    c->counted = (video_source_counts){0};
}

static vg_status make_source(stream_capture *c, vg_error *err)
{
    video_source_options v = c->o.video;
    video_public_name(c->file, sizeof c->file, c->o.texts[c->at]);
    v.text = c->o.texts[c->at];
    return video_source_create(&c->source, &v, &c->stop, c->mem, err);
}

/* To the text after this one; false: that was the last, and the next is the first again. */
static bool go_to_next_text(stream_capture *c)
{
    const bool was_last = c->at + 1 == c->o.n_texts;
    if (c->o.n_texts > 1)
        drop_source(c);
    c->at = was_last ? 0 : c->at + 1;
    return !was_last;
}

/* ---- waiting ---- */

static double next_wait_s(stream_capture *c)
{
    double wait_s = c->o.retry_first_s;
    for (int i = 1; i < c->n_retries && wait_s < c->o.retry_most_s; i++)
        wait_s *= 2;
    if (wait_s > c->o.retry_most_s)
        wait_s = c->o.retry_most_s;
    return wait_s * (1 - JITTER + 2 * JITTER * base_rng_unit(&c->rng));
}

static void sleep_for(stream_capture *c, double seconds)
{
    const int64_t end_ns = base_now_ns() + (int64_t)(seconds * (double)SECOND_NS);
    pthread_mutex_lock(&c->lock);
    while (!atomic_load(&c->stop) && base_cond_wait(&c->wake, &c->lock, end_ns))
        ;
    pthread_mutex_unlock(&c->lock);
}

/* ---- a connection ---- */

static vg_status connect_source(stream_capture *c, video_fault *fault, vg_error *err)
{
    const int64_t began_ns = base_now_ns();
    *fault = VIDEO_FAULT_OTHER;
    set_state(c, STREAM_CONNECTING);
    say_connecting(c);
    c->first_frame_ns = c->last_frame_ns = 0;
    if (c->source == NULL) {
        vg_status st = make_source(c, err);
        if (st != VG_OK)
            return st;
    }
    video_stream_info info = {0};
    vg_status st = video_source_connect(c->source, &info, fault, err);
    if (st != VG_OK)
        return st;
    stream_channel_stats *s = c->stats;
    atomic_fetch_add(&s->n_connects, 1);
    if (c->is_reconnect)
        atomic_fetch_add(&s->n_reconnects, 1);
    atomic_store(&s->w, info.w);
    atomic_store(&s->h, info.h);
    set_state(c, STREAM_PLAYING);
    say_playing(c, &info, began_ns);
    return VG_OK;
}

static void note_frame(stream_capture *c, const video_frame_info *f)
{
    stream_channel_stats *s = c->stats;
    const int64_t now = base_now_ns();
    c->gave_frames = true;
    c->last_frame_ns = now;
    if (c->first_frame_ns == 0)
        c->first_frame_ns = now;
    atomic_store_explicit(&s->w, f->w, memory_order_relaxed);
    atomic_store_explicit(&s->h, f->h, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->n_frames, 1, memory_order_relaxed);
    atomic_store_explicit(&s->last_frame_ns, now, memory_order_relaxed);
    atomic_store_explicit(&s->last_progress_ns, now, memory_order_relaxed);
    count_source(c);
    if (c->log.owes_state)
        say_what_is_owed(c);
}

/* Hands frames over until none comes any more; false from put is a stop. */
static video_outcome play(stream_capture *c, video_fault *fault, vg_error *err)
{
    video_outcome how;
    video_frame *f;
    for (;;) {
        f = stream_intake_blank(c->in);
        assert(f != NULL && "the pool holds one for every capture");
        *fault = VIDEO_FAULT_OTHER;
        how = video_source_read(c->source, f, fault, err);
        if (how != VIDEO_FRAME)
            break;
        note_frame(c, video_frame_get(f));
        if (c->o.n_texts > 1)
            video_frame_set_file(f, c->file);
        int n_dropped;
        if (c->o.until_ns != NULL && base_boot_ns() >= *c->o.until_ns) {
            stream_intake_give_back(c->in, f);
            return VIDEO_STOPPED;
        }
        const bool is_put = stream_intake_put(c->in, c->channel, f, &c->stop, &n_dropped);
        atomic_fetch_add_explicit(&c->stats->n_dropped, (uint64_t)n_dropped, memory_order_relaxed);
        if (!is_put)
            return VIDEO_STOPPED;
    }
    stream_intake_give_back(c->in, f);
    count_source(c);
    return how;
}

static bool was_steady(const stream_capture *c)
{
    const double least_s = STEADY_S < c->o.retry_most_s ? STEADY_S : c->o.retry_most_s;
    return c->first_frame_ns != 0 &&
           (double)(c->last_frame_ns - c->first_frame_ns) >= least_s * (double)SECOND_NS;
}

/* ---- after a connection; true: go on ---- */

static bool fail_for_good(stream_capture *c, video_fault fault, const vg_error *e)
{
    if (fault == END_OF_STREAM)
        base_fail(&c->failure, VG_ERR_IO, c->stats->name, "check the source, or raise max_retries",
                  "the stream ended at once, %d times in a row", c->n_retries + 1);
    else
        c->failure = *e;
    atomic_store(&c->has_failed, true);
    say_ended(c, BASE_LOG_ERROR, fault_fields(fault, e).text);
    return false;
}

static bool retry_later(stream_capture *c, bool was_good, video_fault fault, const vg_error *e)
{
    if (was_good)
        c->n_retries = 0;
    if (c->o.max_retries > 0 && c->n_retries >= c->o.max_retries)
        return fail_for_good(c, fault, e);
    c->n_retries++;
    if (c->source != NULL)
        video_source_disconnect(c->source);
    const double wait_s = next_wait_s(c);
    set_state(c, STREAM_WAITING);
    say_waiting(c, fault, e, wait_s);
    sleep_for(c, wait_s);
    c->is_reconnect = true;
    return true;
}

static bool after_end(stream_capture *c)
{
    /* A file that was read to its end was good, however short. */
    const bool was_good = was_steady(c) || (!is_live(c) && c->first_frame_ns != 0);
    if (go_to_next_text(c))
        return true;
    if (!c->o.ends)
        return retry_later(c, was_good, END_OF_STREAM, NULL);
    say_ended(c, calm_level(c), "fault=end");
    return false;
}

static bool after_fault(stream_capture *c, video_fault fault, const vg_error *e)
{
    count_source(c);
    count_fault(c, fault);
    const bool was_good = was_steady(c);
    /* Before anything was seen, what this FFmpeg or the options cannot do will not mend itself. */
    if (atomic_load(&c->stats->n_connects) == 0 && c->o.n_texts == 1 &&
        (e->status == VG_ERR_UNSUPPORTED || e->status == VG_ERR_ARGUMENT))
        return fail_for_good(c, fault, e);
    if (is_live(c)) {
        if (!c->has_missed && atomic_load(&c->stats->n_connects) == 0) {
            c->first_miss = *e;
            atomic_store(&c->has_missed, true);
        }
        return retry_later(c, was_good, fault, e);
    }
    if (c->o.n_texts > 1)
        say_skipped(c, fault, e);
    if (go_to_next_text(c))
        return true;
    if (!c->o.ends)
        return retry_later(c, was_good, fault, e);
    if (c->o.n_texts == 1 || !c->gave_frames)
        return fail_for_good(c, fault, e);
    say_ended(c, calm_level(c), "fault=end");
    return false;
}

static void *capture_loop(void *self)
{
    stream_capture *c = self;
    for (bool goes_on = true; goes_on && !atomic_load(&c->stop);) {
        video_fault fault;
        vg_error e = {0};
        video_outcome how = VIDEO_FAILED;
        if (connect_source(c, &fault, &e) == VG_OK)
            how = play(c, &fault, &e);
        if (how == VIDEO_STOPPED || atomic_load(&c->stop))
            break;
        goes_on = how == VIDEO_END ? after_end(c) : after_fault(c, fault, &e);
    }
    c->ended_ns = base_now_ns();
    drop_source(c);
    set_state(c, STREAM_ENDED);
    return NULL;
}

/* ---- start and end ---- */

/* Moves *at on, past the copy. */
static char *copy_text(char **at, const char *text)
{
    char *copy = *at;
    const size_t n = strlen(text) + 1;
    memcpy(copy, text, n);
    *at += n;
    return copy;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* The capture with copies of all texts, in one block. */
static stream_capture *make_capture(const stream_capture_options *o, base_mem *mem, vg_error *err)
{
    size_t bytes = sizeof(stream_capture) + o->n_texts * sizeof(char *) +
                   strlen(or_empty(o->video.format)) + strlen(or_empty(o->video.size)) +
                   strlen(or_empty(o->video.rate)) + 3;
    for (size_t i = 0; i < o->n_texts; i++)
        bytes += strlen(o->texts[i]) + 1;
    stream_capture *c = base_alloc_zero(mem, 1, bytes, err);
    if (c == NULL)
        return NULL;
    c->o = *o;
    const char **texts = (const char **)(void *)(c + 1);
    char *at = (char *)(texts + o->n_texts);
    for (size_t i = 0; i < o->n_texts; i++)
        texts[i] = copy_text(&at, o->texts[i]);
    c->o.texts = texts;
    c->o.video.text = NULL;
    c->o.video.format = copy_text(&at, or_empty(o->video.format));
    c->o.video.size = copy_text(&at, or_empty(o->video.size));
    c->o.video.rate = copy_text(&at, or_empty(o->video.rate));
    return c;
}

size_t stream_capture_bytes(void)
{
    enum { SOURCE_BYTES = 2048 }; /* at most, without its texts */
    return sizeof(stream_capture) + SOURCE_BYTES;
}

static void init_sleep(stream_capture *c)
{
    pthread_mutex_init(&c->lock, NULL);
    base_cond_init(&c->wake);
}

static void free_capture(stream_capture *c)
{
    drop_source(c);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    base_free(c);
}

vg_status stream_capture_start(stream_capture **out, const stream_capture_options *o,
                               stream_intake *in, int channel, stream_channel_stats *s,
                               base_mem *mem, vg_error *err)
{
    *out = NULL;
    assert(o->n_texts >= 1 && o->retry_first_s > 0 && o->retry_most_s >= o->retry_first_s);
    stream_capture *c = make_capture(o, mem, err);
    if (c == NULL)
        return VG_ERR_MEMORY;
    c->in = in;
    c->channel = channel;
    c->stats = s;
    c->mem = mem;
    c->rng = base_rng_make(o->seed);
    c->log = (log_budget){.lines = STREAM_CAPTURE_LOG_BURST, .filled_ns = base_now_ns()};
    init_sleep(c);
    vg_status st = make_source(c, err);
    if (st == VG_OK) {
        set_state(c, STREAM_CONNECTING);
        st = base_thread_start(&c->thread, "vigil-capture", 0, capture_loop, c, err);
    }
    if (st != VG_OK) {
        free_capture(c);
        return st;
    }
    *out = c;
    return VG_OK;
}

void stream_capture_stop(stream_capture *c)
{
    pthread_mutex_lock(&c->lock);
    atomic_store(&c->stop, true);
    pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

int64_t stream_capture_join(stream_capture **capture)
{
    stream_capture *c = *capture;
    if (c == NULL)
        return 0;
    pthread_join(c->thread, NULL);
    const int64_t ended_ns = c->ended_ns;
    free_capture(c);
    *capture = NULL;
    return ended_ns;
}

vg_status stream_capture_failure(const stream_capture *c, vg_error *err)
{
    if (!atomic_load(&c->has_failed))
        return VG_OK;
    if (err != NULL)
        *err = c->failure;
    return c->failure.status;
}

vg_status stream_capture_first_miss(const stream_capture *c, vg_error *err)
{
    if (!atomic_load(&c->has_missed))
        return VG_OK;
    if (err != NULL)
        *err = c->first_miss;
    return c->first_miss.status;
}
