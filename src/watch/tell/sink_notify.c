/* sink_notify.c: tells people: a webhook, MQTT, a command, for what they would want to be woken by.
 *
 * What is reported: that a series leaks, nears its limit, hangs, or has stopped to; and each deed
 * of the guard. When any on_... option says "notify", of the changes only those of such options.
 * The loop of the guard only copies the text into one of 16 slots; a thread delivers, three tries
 * each; while all slots are taken, the oldest text gives way. At the end there are ten seconds for
 * what still waits. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "event_text.h"
#include "hook.h"
#include "net/net.h"
#include "sinks.h"

enum {
    MOST_SLOTS = 16,
    SLOT_BYTES = 3 * WATCH_EVENT_TEXT_BYTES,
    MOST_TRIES = 3,
    COMMAND_S = 60,
    LAST_S = 10,
    SLICE_MS = 100
};

typedef struct slot {
    char json[SLOT_BYTES];
} slot;

typedef struct state {
    net_web *web;
    char mqtt[WATCH_TEXT_BYTES], command[WATCH_TEXT_BYTES];
    base_queue *waiting, *spare;
    slot *slots;
    base_mem *mem;
    pthread_t thread;
    bool has_thread;
    bool web_failed, mqtt_failed, command_failed; /* reported once; the thread's */
    _Atomic int64_t stop_ns;                      /* when waiting ends; 0: not yet */
    char event[WATCH_EVENT_TEXT_BYTES], words[WATCH_EVENT_TEXT_BYTES];
} state;

/* ---- the thread ---- */

static bool is_over(const state *s)
{
    const int64_t stop_ns = s->stop_ns;
    return stop_ns != 0 && base_now_ns() > stop_ns;
}

/* Seconds between two tries; none when the guard is about to end. */
static void pause_s(const state *s, double seconds)
{
    const struct timespec slice = {.tv_nsec = SLICE_MS * 1000000};
    for (double t = 0; t < seconds && s->stop_ns == 0; t += SLICE_MS * 1e-3)
        nanosleep(&slice, NULL);
}

static void tell_failure(bool *has_failed, vg_status st, const vg_error *err)
{
    if (st != VG_OK && !*has_failed)
        base_log_error(BASE_LOG_WARN, err);
    *has_failed = st != VG_OK;
}

static vg_status run_command(state *s, const char *json, bool *again, vg_error *err)
{
    watch_hook hook;
    int status = 0;
    *again = false;
    const vg_status st = watch_hook_start(&hook, s->command, json, COMMAND_S, s->mem, err);
    if (st != VG_OK)
        return st;
    while (!watch_hook_wait(&hook, SLICE_MS * 1e-3, &status) && !is_over(s))
        continue;
    return status == 0 ? VG_OK
                       : base_fail(err, VG_ERR_IO, "option notify_command", "run it by hand",
                                   "the command ended with status %d", status);
}

static void deliver(state *s, const char *json)
{
    for (int way = 0; way < 3; way++) {
        bool *const failed = (bool *[]){&s->web_failed, &s->mqtt_failed, &s->command_failed}[way];
        vg_error err = {.status = VG_OK};
        vg_status st = VG_OK;
        bool again = true;
        double wait_s = 1;
        for (int t = 0; t < MOST_TRIES && again && !is_over(s); t++, wait_s *= 4) {
            if (t > 0)
                pause_s(s, wait_s);
            if (way == 0 && s->web != NULL)
                st = net_web_try(s->web, json, strlen(json), &again, &err);
            else if (way == 1 && s->mqtt[0] != '\0')
                st = net_mqtt_tell(s->mqtt, json, &again, s->mem, &err);
            else if (way == 2 && s->command[0] != '\0')
                st = run_command(s, json, &again, &err);
            if (st == VG_OK)
                break;
        }
        tell_failure(failed, st, &err);
    }
}

static void *work(void *ctx)
{
    state *s = ctx;
    void *item;
    while (base_queue_pop(s->waiting, &item, -1, NULL)) {
        if (!is_over(s))
            deliver(s, ((slot *)item)->json);
        base_queue_push(s->spare, item, NULL);
    }
    return NULL;
}

/* ---- the sink ---- */

static vg_status open_notify(void *state_, bool *wanted, const watch_moment *m, base_mem *mem,
                             vg_error *err)
{
    state *s = state_;
    const watch_options *o = m->options;
    vg_status st = VG_OK;
    *wanted = o->webhook[0] != '\0' || o->mqtt[0] != '\0' || o->notify_command[0] != '\0';
    if (!*wanted)
        return VG_OK;
    s->mem = mem;
    memcpy(s->command, o->notify_command, sizeof s->command);
    memcpy(s->mqtt, o->mqtt, sizeof s->mqtt);
    const net_web_options web = {.url = o->webhook, .agent = "vigil-watch"};
    if (o->webhook[0] != '\0')
        st = net_web_open(&s->web, &web, mem, err);
    if (st == VG_OK && o->mqtt[0] != '\0')
        st = net_mqtt_check(o->mqtt, err);
    if (st == VG_OK)
        st = base_queue_create(&s->waiting, MOST_SLOTS, BASE_QUEUE_BLOCK, mem, err);
    if (st == VG_OK)
        st = base_queue_create(&s->spare, MOST_SLOTS, BASE_QUEUE_BLOCK, mem, err);
    if (st == VG_OK && (s->slots = base_alloc_zero(mem, MOST_SLOTS, sizeof *s->slots, err)) == NULL)
        st = VG_ERR_MEMORY;
    if (st != VG_OK)
        return st;
    for (int i = 0; i < MOST_SLOTS; i++)
        base_queue_push(s->spare, &s->slots[i], NULL);
    st = base_thread_start(&s->thread, "vigil-notices", 0, work, s, err);
    s->has_thread = st == VG_OK;
    return st;
}

static void send(state *s, const char *text, const char *event, const watch_moment *m)
{
    char job[1200], words[2 * WATCH_EVENT_TEXT_BYTES];
    void *item;
    if (!base_queue_try_pop(s->spare, &item) && !base_queue_try_pop(s->waiting, &item))
        return; /* the thread has just taken the last one: it is as if this was the oldest */
    base_json_escape(job, sizeof job, m->command);
    base_json_escape(words, sizeof words, text);
    base_format(((slot *)item)->json, SLOT_BYTES,
                "{\"unix_s\":%.3f,\"job\":\"%s\",\"restarts\":%d,\"text\":\"%s\"%s%s}",
                (double)m->wall_ns * 1e-9, job, m->n_restarts, words,
                event[0] != '\0' ? ",\"event\":" : "", event);
    base_queue_push(s->waiting, item, NULL);
}

static int actions_of(const watch_options *o, watch_state now)
{
    return now == WATCH_LEAKING || now == WATCH_GROWING ? o->on_leaking
           : now == WATCH_CRITICAL                      ? o->on_critical
           : now == WATCH_HUNG                          ? o->on_hang
                                                        : 0;
}

static bool is_bad(watch_state s)
{
    return s == WATCH_GROWING || s == WATCH_LEAKING || s == WATCH_CRITICAL || s == WATCH_HUNG;
}

static vg_status add_event(void *state_, const watch_event *e, const watch_moment *m, vg_error *err)
{
    state *s = state_;
    const watch_options *o = m->options;
    const watch_state now = e->verdict.state, worst = is_bad(now) ? now : e->was;
    const bool chosen = (o->on_leaking | o->on_critical | o->on_hang) & WATCH_DO_NOTIFY;
    (void)err;
    if (!is_bad(worst) || (chosen && !(actions_of(o, worst) & WATCH_DO_NOTIFY)))
        return VG_OK;
    send(s, watch_event_words(s->words, e), watch_event_json(s->event, e), m);
    return VG_OK;
}

static vg_status add_note(void *state_, const char *what, const watch_moment *m, vg_error *err)
{
    (void)err;
    send(state_, what, "", m);
    return VG_OK;
}

static void close_notify(void *state_)
{
    state *s = state_;
    if (s->has_thread) {
        s->stop_ns = base_now_ns() + (int64_t)LAST_S * 1000000000;
        base_queue_close(s->waiting);
        pthread_join(s->thread, NULL);
    }
    base_queue_destroy(&s->waiting);
    base_queue_destroy(&s->spare);
    base_free(s->slots);
    net_web_close(&s->web);
}

const watch_sink watch_sink_notify = {.name = "notify",
                                      .state_bytes = sizeof(state),
                                      .open = open_notify,
                                      .event = add_event,
                                      .note = add_note,
                                      .close = close_notify};
