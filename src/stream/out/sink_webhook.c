/* sink_webhook.c: events or results to a URL, one JSON object a POST.
 *
 * A thread of its own posts them one after the other, for a server may stall for as long as the
 * retry budget lasts; they wait in an outbox of fixed memory, whose oldest give way. A write fails
 * while the server does not take what is posted, or when messages have given way. */
#include "messages.h"
#include "net/net.h"
#include <pthread.h>
#include <signal.h>

enum {
    MOST_MESSAGES = 200,
    LEAST_OUTBOX_BYTES = 256 << 10,
    SLICE_MS = 500,
    TIMEOUT_MS = 10000,
    LAST_MS = 300
};
static const double FIRST_WAIT_S = 1, MOST_WAIT_S = 30, BUDGET_S = 120;

typedef struct state {
    net_web *web;
    net_outbox *outbox;
    sink_messages messages;
    char *posted; /* (a message's bytes) the thread's */
    uint64_t n_put, n_dropped;
    atomic_bool closing, stop; /* no more will come; the server is waited for no longer */
    pthread_t thread;
    bool has_thread, has_lock;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t ended;
    bool is_over, is_failing;
    uint64_t n_lost, n_told; /* not taken by the server; of them, told by tick */
    vg_error failure;        /* of the last one */
} state;

static bool is_wanted(const stream_options *o)
{
    return o->webhook[0] != '\0';
}

static vg_status check(const stream_options *o, base_mem *mem, vg_error *err)
{
    (void)mem;
    return net_web_check(o->webhook, err);
}

static size_t outbox_bytes(const stream_setting *s)
{
    const size_t two = 2 * stream_json_message_bytes(s);
    return two > LEAST_OUTBOX_BYTES ? two : LEAST_OUTBOX_BYTES;
}

static size_t need_bytes(const stream_setting *s)
{
    return 2 * stream_json_message_bytes(s) + net_outbox_bytes(MOST_MESSAGES, outbox_bytes(s)) +
           (8 << 10); /* the client */
}

/* ---- the thread ---- */

static void note(state *t, vg_status st, const vg_error *err)
{
    pthread_mutex_lock(&t->lock);
    t->is_failing = st != VG_OK;
    if (st != VG_OK) {
        t->n_lost++;
        t->failure = *err;
    }
    pthread_mutex_unlock(&t->lock);
}

static void *work(void *self)
{
    state *t = self;
    net_message m;
    while (!t->stop) {
        vg_error err = {0};
        if (net_outbox_take(t->outbox, &m, t->posted, SLICE_MS))
            note(t, net_web_post(t->web, t->posted, m.n, &err), &err);
        else if (t->closing)
            break;
    }
    pthread_mutex_lock(&t->lock);
    t->is_over = true;
    pthread_cond_signal(&t->ended);
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* ---- the sink ---- */

static void make_lock(state *t)
{
    base_cond_init(&t->ended);
    pthread_mutex_init(&t->lock, NULL);
    t->has_lock = true;
}

static vg_status start(state *t, vg_error *err)
{
    /* Its mask blocks SIGPIPE, too: TLS writes to sockets that may be closed. */
    const vg_status st = base_thread_start(&t->thread, "vigil-post", 0, work, t, err);
    t->has_thread = st == VG_OK;
    return st;
}

/* A little patience for what waits; then whatever is under way is left. */
static void end_thread(state *t)
{
    const int64_t end_ns = base_now_ns() + LAST_MS * INT64_C(1000000);
    t->closing = true;
    net_outbox_close(t->outbox);
    pthread_mutex_lock(&t->lock);
    while (!t->is_over && base_cond_wait(&t->ended, &t->lock, end_ns))
        ;
    pthread_mutex_unlock(&t->lock);
    t->stop = true;
    pthread_join(t->thread, NULL);
}

static vg_status close_(void *self, vg_error *err)
{
    state *t = self;
    size_t n_left = 0;
    if (t->has_thread) {
        end_thread(t);
        n_left = net_outbox_length(t->outbox);
    }
    net_outbox_destroy(&t->outbox);
    net_web_close(&t->web);
    base_free(t->posted);
    sink_messages_close(&t->messages);
    if (t->has_lock) {
        pthread_cond_destroy(&t->ended);
        pthread_mutex_destroy(&t->lock);
    }
    t->posted = NULL;
    t->has_thread = t->has_lock = false;
    (void)err; /* the job has done its part: it does not fail for a server that is gone */
    if (n_left > 0)
        base_log(BASE_LOG_WARN, "messages left", "sink=webhook messages=%zu", n_left);
    return VG_OK;
}

static vg_status put(void *self, const sink_message *m, vg_error *err)
{
    state *t = self;
    size_t n_gave_way;
    t->n_put++;
    return net_outbox_put(t->outbox, "", m->text, m->n, false, &n_gave_way, err);
}

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    const stream_options *o = s->options;
    const net_web_options web = {.url = o->webhook,
                                 .agent = "vigil",
                                 .timeout_ms = TIMEOUT_MS,
                                 .most_tries = 1 + o->webhook_retries,
                                 .first_wait_s = FIRST_WAIT_S,
                                 .most_wait_s = MOST_WAIT_S,
                                 .budget_s = BUDGET_S,
                                 .stop = &t->stop};
    t->messages.send = put;
    t->messages.self = t;
    make_lock(t);
    vg_status st = sink_messages_open(&t->messages, s, o->webhook_what, err);
    if (st == VG_OK)
        st = net_outbox_create(&t->outbox, MOST_MESSAGES, outbox_bytes(s), s->mem, err);
    if (st == VG_OK && (t->posted = base_alloc(s->mem, stream_json_message_bytes(s), err)) == NULL)
        st = VG_ERR_MEMORY;
    if (st == VG_OK)
        st = net_web_open(&t->web, &web, s->mem, err);
    if (st == VG_OK)
        st = start(t, err);
    if (st != VG_OK)
        close_(t, NULL);
    return st;
}

/* What the server last said against a message, if that is not told yet or it has taken none since;
 * then whether messages have given way. */
static vg_status check_lost(state *t, vg_error *err)
{
    const uint64_t n_dropped = net_outbox_dropped(t->outbox), n = n_dropped - t->n_dropped;
    pthread_mutex_lock(&t->lock);
    const bool is_failing = t->is_failing || t->n_lost > t->n_told;
    if (is_failing && err != NULL)
        *err = t->failure;
    t->n_told = t->n_lost;
    pthread_mutex_unlock(&t->lock);
    t->n_dropped = n_dropped;
    if (is_failing)
        return VG_ERR_IO;
    return n == 0 ? VG_OK
                  : base_fail(err, VG_ERR_LIMIT, "option webhook", "send less: webhook_what events",
                              "%llu messages were dropped for newer ones", (unsigned long long)n);
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    state *t = self;
    const uint64_t n_before = t->n_put;
    const vg_status st = sink_messages_write(&t->messages, s, r, err);
    return st == VG_OK && t->n_put > n_before ? check_lost(t, err) : st;
}

/* Also tells of a failure since the last write: events are rare. */
static vg_status tick(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    const vg_status st = sink_messages_tick(&t->messages, s, err);
    pthread_mutex_lock(&t->lock);
    const bool is_news = t->n_lost > t->n_told;
    pthread_mutex_unlock(&t->lock);
    return st == VG_OK && is_news ? check_lost(t, err) : st;
}

const stream_sink stream_sink_webhook = {.name = "webhook",
                                         .help = "events or results to a URL, by POST",
                                         .queue_length = 16,
                                         .state_bytes = sizeof(state),
                                         .is_wanted = is_wanted,
                                         .check = check,
                                         .need_bytes = need_bytes,
                                         .open = open_,
                                         .write = write_,
                                         .tick = tick,
                                         .close = close_};
