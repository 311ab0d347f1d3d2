/* leases.c: the thread that goes through sessions and cameras step by step, and the reader's side,
 * which asks atomics under a lock that is never held while the store is asked. */
#include <unistd.h>

#include "leases_inner.h"

enum {
    BEATS = 5,        /* in a lease time */
    RELIST_STEPS = 30 /* the cameras' list is read again without a reason, too */
};

int64_t leases_now(const stream_leases *l)
{
    return l->o.now_ns != NULL ? l->o.now_ns(l->o.ctx) : base_boot_ns();
}

/* ---- the store ---- */

/* leases_answered(l, leases_ask(l)->beat(...)). Of a thread that was left behind, what the store
 * answers is all that comes after: what it would write to is gone. */
const stream_store_functions *leases_ask(stream_leases *l)
{
    pthread_mutex_lock(&l->lock);
    l->is_asking = true;
    pthread_mutex_unlock(&l->lock);
    return l->o.store.functions;
}

vg_status leases_answered(stream_leases *l, vg_status st)
{
    pthread_mutex_lock(&l->lock);
    l->is_asking = false;
    const bool is_left = l->is_left;
    pthread_mutex_unlock(&l->lock);
    while (is_left)
        pause();
    return st;
}

/* ---- log and numbers ---- */

void leases_tell_failure(stream_leases *l, const vg_error *err, int64_t now_ns)
{
    atomic_fetch_add(&l->o.stats->n_failures, 1);
    l->is_failing = true;
    if (l->told_ns != 0 && now_ns - l->told_ns < TELL_S * INT64_C(1000000000))
        return;
    l->told_ns = now_ns;
    base_log(BASE_LOG_WARN, "leases not reached", "what=\"%s\" where=\"%s\" try=\"%s\"", err->what,
             err->where, err->mend);
}

static void tell_success(stream_leases *l)
{
    if (l->is_failing)
        base_log(BASE_LOG_INFO, "leases reached again", "session=%s", l->me.id);
    l->is_failing = false;
}

/* ---- the step ---- */

static bool has_readers(const stream_leases *l)
{
    for (size_t i = 0; i < l->cameras.n; i++)
        if (l->cameras.items[i].is_read)
            return true;
    return false;
}

bool stream_leases_step(stream_leases *l)
{
    vg_error err = {0};
    int64_t now_ns = leases_now(l);
    const int64_t began_ns = now_ns;
    if (l->began_ns == 0)
        l->began_ns = now_ns;
    leases_adopt_next(l);
    if (l->n_beats > 0 && now_ns >= l->o.stats->until_ns)
        leases_lapse(l);
    /* A capture goes by until_ns and cannot see whose it is: there is none until all of the old
     * session's have ended. */
    if (l->has_lapsed && has_readers(l)) {
        l->o.stats->n_held = 0;
        return true;
    }
    l->has_lapsed = false;
    leases_bury_old(l);
    const bool owes_beat = !l->has_opened; /* that beat is open's */
    l->has_opened = false;
    if (owes_beat && leases_beat(l, now_ns, &err) != VG_OK) {
        l->o.stats->n_held = l->n_held;
        return false;
    }
    if (leases_now(l) >= l->o.stats->until_ns)
        return false; /* it took so long that nobody waited */
    for (int i = 0; i < MOST_SESSIONS; i++)
        l->sessions[i].is_listed = false;
    const uint64_t n_before = l->me.n_changes;
    vg_status st =
        leases_answered(l, leases_ask(l)->sessions(l->o.store.self, leases_see_session, l, &err));
    now_ns = leases_now(l);
    if (st == VG_OK)
        leases_settle_sessions(l, now_ns);
    l->wants_list = l->wants_list || l->n_steps++ % RELIST_STEPS == 0;
    /* Long lists, a slow store: the next beat is due already. */
    if (st == VG_OK && l->wants_list && now_ns - began_ns >= l->beat_ns &&
        leases_beat(l, now_ns, &err) != VG_OK)
        return false;
    if (st == VG_OK && l->wants_list)
        st = leases_list_cameras(l, now_ns, &err);
    if (st != VG_OK)
        leases_tell_failure(l, &err, now_ns);
    else
        tell_success(l);
    const bool is_whole = st != VG_OK || leases_look_at_cameras(l);
    l->o.stats->n_held = l->n_held;
    if (l->me.n_changes != n_before)
        base_log(BASE_LOG_INFO, "cameras changed hands", "held=%d of=%d shards=%d nobody_reads=%d",
                 l->n_held, l->o.most, (int)l->o.stats->n_shards, (int)l->o.stats->n_unread);
    return !is_whole;
}

/* Nobody reads on behalf of this shard any more. */
static void say_end(stream_leases *l)
{
    leases_bury_old(l);
    if (l->n_beats > 0)
        leases_answered(l, leases_ask(l)->leave(l->o.store.self, l->me.id, NULL));
}

static void *lease_loop(void *self)
{
    stream_leases *l = self;
    pthread_mutex_lock(&l->lock);
    while (!l->is_stopping) {
        pthread_mutex_unlock(&l->lock);
        const int64_t began_ns = base_now_ns();
        const bool owes = stream_leases_step(l);
        pthread_mutex_lock(&l->lock);
        const int64_t end_ns = began_ns + (owes ? l->beat_ns / 2 : l->beat_ns);
        while (!l->is_stopping && base_cond_wait(&l->wake, &l->lock, end_ns))
            ;
    }
    pthread_mutex_unlock(&l->lock);
    say_end(l);
    pthread_mutex_lock(&l->lock);
    l->is_over = true;
    pthread_cond_broadcast(&l->wake);
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* ---- open and close ---- */

vg_status stream_leases_open(stream_leases **out, const stream_leases_options *o,
                             const char *const *names, size_t n, base_mem *mem, vg_error *err)
{
    *out = NULL;
    stream_leases *l = base_alloc_zero(mem, 1, sizeof *l, err);
    if (l == NULL)
        return VG_ERR_MEMORY;
    vg_status st = leases_make_list(&l->cameras, names, n, mem, err);
    if (st != VG_OK) {
        base_free(l);
        return st;
    }
    l->o = *o;
    l->lease_ns = (int64_t)(o->lease_s * 1e9);
    l->beat_ns = l->lease_ns / BEATS;
    pthread_mutex_init(&l->lock, NULL);
    base_cond_init(&l->wake);
    leases_begin_session(l);
    o->stats->is_on = true;
    o->stats->shard = o->shard.index;
    o->stats->n_shards_planned = o->shard.of;
    o->stats->most = o->most;
    o->stats->n_cameras = (int)n;
    /* A store out of reach may come back; one that says no will not mend itself. */
    vg_error why;
    const vg_status first = leases_beat(l, leases_now(l), &why);
    l->has_opened = first == VG_OK;
    if (first == VG_ERR_UNSUPPORTED) {
        st = first;
        if (err != NULL)
            *err = why;
    }
    if (!o->is_stepped && st == VG_OK)
        st = base_thread_start(&l->thread, "vigil-leases", 0, lease_loop, l, err);
    l->is_running = !o->is_stepped && st == VG_OK;
    if (st != VG_OK) {
        l->o.store = (stream_store){0}; /* stays the caller's */
        stream_leases_close(&l);
    }
    *out = l;
    return st;
}

vg_status stream_leases_relist(stream_leases *l, const char *const *names, size_t n, base_mem *mem,
                               vg_error *err)
{
    camera_list next;
    const vg_status st = leases_make_list(&next, names, n, mem, err);
    if (st != VG_OK)
        return st;
    pthread_mutex_lock(&l->lock);
    camera_list unseen = l->next;
    l->next = next;
    l->has_next = true;
    pthread_mutex_unlock(&l->lock);
    base_free(unseen.items);
    return VG_OK;
}

bool stream_leases_may_read(stream_leases *l, uint64_t key)
{
    pthread_mutex_lock(&l->lock);
    const camera *c = leases_find_camera(&l->cameras, key);
    const bool may_read = c != NULL && c->may_read && leases_now(l) < l->o.stats->until_ns;
    pthread_mutex_unlock(&l->lock);
    return may_read;
}

void stream_leases_set_reading(stream_leases *l, uint64_t key, bool is_read)
{
    pthread_mutex_lock(&l->lock);
    camera *c = leases_find_camera(&l->cameras, key);
    if (c != NULL)
        c->is_read = is_read;
    pthread_mutex_unlock(&l->lock);
}

void stream_leases_give_up(stream_leases *l, uint64_t key)
{
    pthread_mutex_lock(&l->lock);
    camera *c = leases_find_camera(&l->cameras, key);
    if (c != NULL) {
        c->may_read = false; /* at once: its reader would try again and again */
        c->is_given_up = true;
    }
    pthread_mutex_unlock(&l->lock);
}

const _Atomic int64_t *stream_leases_until_ns(const stream_leases *l)
{
    return &l->o.stats->until_ns;
}

void stream_leases_end(stream_leases *l)
{
    pthread_mutex_lock(&l->lock);
    if (!l->is_stopping)
        l->stopped_ns = base_now_ns();
    l->is_stopping = true;
    pthread_cond_broadcast(&l->wake);
    pthread_mutex_unlock(&l->lock);
}

/* False: it hangs in the store, a lease time after it was to end. */
static bool wait_for_thread(stream_leases *l)
{
    enum { MOMENT_NS = 10000000 };
    pthread_mutex_lock(&l->lock);
    for (int64_t end_ns = l->stopped_ns + l->lease_ns; !l->is_over && !l->is_left;) {
        if (base_cond_wait(&l->wake, &l->lock, end_ns) || base_now_ns() < end_ns)
            continue;
        l->is_left = l->is_asking;
        end_ns = base_now_ns() + MOMENT_NS;
    }
    const bool is_left = l->is_left;
    pthread_mutex_unlock(&l->lock);
    if (is_left)
        pthread_detach(l->thread);
    else
        pthread_join(l->thread, NULL);
    return !is_left;
}

void stream_leases_close(stream_leases **leases)
{
    stream_leases *l = *leases;
    *leases = NULL;
    if (l == NULL)
        return;
    stream_leases_end(l);
    if (l->is_running && !wait_for_thread(l)) {
        base_log(BASE_LOG_WARN, "leases left behind",
                 "session=%s what=\"the store does not answer\" "
                 "try=\"look at the store; the others wait a lease time for these cameras\"",
                 l->me.id);
        return; /* its memory, too: it may still be used */
    }
    if (!l->is_running && l->o.store.functions != NULL)
        say_end(l);
    stream_store_close(&l->o.store);
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->lock);
    base_free(l->cameras.items);
    base_free(l->next.items);
    base_free(l);
}
