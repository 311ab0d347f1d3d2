/* leases.c: a table of sessions, a table of cameras sorted by key, and a step that goes through
 * both. The reader's side asks atomics under a lock that is never held while the store is asked. */
#include "leases.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum {
    MOST_SESSIONS = 512,
    BEATS = 5,         /* in a lease time */
    RELIST_STEPS = 30, /* the cameras' list is read again without a reason, too */
    TELL_S = 60,       /* between two lines of the log on the same matter */
    FULL_LEASES = 10,  /* lease times that a shard which could not read a camera takes no more */
    NOBODY = -1,
    FORGET_LEASES = 3 /* lease times until a dead session's word is taken away */
};
static const double HOLD_SHARE = 0.6; /* of the lease time: until then a holder reads unheard */

typedef struct session {
    stream_session s;
    int64_t seen_ns;      /* its last new beat, as seen here */
    int n_seen, n_missed; /* beats; listings without it */
    bool is_used, is_listed, is_over;
    bool is_held; /* some camera names it, in the last list */
} session;

typedef enum part { OTHERS, MINE, LEAVING } part;

typedef struct camera {
    uint64_t key;
    const char *name; /* behind the table */
    stream_claim claim;
    int holder; /* of sessions, NOBODY */
    bool is_seen;
    part part;
    int64_t since_ns;
    atomic_bool may_read, is_read, is_given_up;
} camera;

typedef struct camera_list {
    camera *items; /* (n) by key */
    size_t n;
} camera_list;

struct stream_leases {
    stream_leases_options o;
    int64_t lease_ns, beat_ns;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock; /* of cameras and next as pointers, and of the sleep */
    pthread_cond_t wake;
    atomic_bool is_stopping;
    bool is_asking, is_over, is_left; /* the thread waits for the store; has ended; by us */
    int64_t stopped_ns;
    bool has_next;
    camera_list cameras, next;
    /* the thread's own */
    stream_session me;
    char old_id[STREAM_SESSION_BYTES]; /* a session that is over and did not say so; "" none */
    uint64_t n_beats;
    int n_held, n_steps;
    int64_t began_ns, full_until_ns;
    uint64_t digest;
    bool wants_list, is_failing, has_opened;
    bool has_lapsed; /* some captures may still be of the old session */
    int64_t told_ns, told_full_ns;
    session sessions[MOST_SESSIONS];
};

static int64_t now_of(const stream_leases *l)
{
    return l->o.now_ns != NULL ? l->o.now_ns(l->o.ctx) : base_boot_ns();
}

/* ---- the store ---- */

/* answered(l, ask(l)->beat(...)). Of a thread that was left behind, what the store answers is all
 * that comes after: what it would write to is gone. */
static const stream_store_functions *ask(stream_leases *l)
{
    pthread_mutex_lock(&l->lock);
    l->is_asking = true;
    pthread_mutex_unlock(&l->lock);
    return l->o.store.functions;
}

static vg_status answered(stream_leases *l, vg_status st)
{
    pthread_mutex_lock(&l->lock);
    l->is_asking = false;
    const bool is_left = l->is_left;
    pthread_mutex_unlock(&l->lock);
    while (is_left)
        pause();
    return st;
}

/* ---- lists ---- */

static int by_key(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return ((const camera *)a)->key < ((const camera *)b)->key;
}

size_t stream_leases_bytes(const char *const *names, size_t n)
{
    size_t bytes = sizeof(stream_leases) + n * sizeof(camera);
    for (size_t i = 0; i < n; i++)
        bytes += strlen(names[i]) + 1;
    return bytes;
}

static vg_status make_list(camera_list *out, const char *const *names, size_t n, base_mem *mem,
                           vg_error *err)
{
    const size_t bytes = stream_leases_bytes(names, n) - sizeof(stream_leases);
    *out = (camera_list){.n = n};
    out->items = base_alloc_zero(mem, 1, bytes > 0 ? bytes : 1, err);
    if (out->items == NULL)
        return VG_ERR_MEMORY;
    char *at = (char *)(out->items + n);
    for (size_t i = 0; i < n; i++) {
        camera *c = &out->items[i];
        const size_t k = strlen(names[i]) + 1;
        c->name = memcpy(at, names[i], k);
        at += k;
        c->key = c->claim.key = stream_shard_key(c->name);
        c->holder = NOBODY;
    }
    if (n > 0)
        base_sort(out->items, n, sizeof *out->items, by_key, NULL);
    for (size_t i = 1; i < n; i++)
        if (out->items[i].key == out->items[i - 1].key) {
            const vg_status st = base_fail(err, VG_ERR_ARGUMENT, "sources", "rename one of them",
                                           "%.80s and %.80s have the same hash of their names",
                                           out->items[i].name, out->items[i - 1].name);
            base_free(out->items);
            *out = (camera_list){0};
            return st;
        }
    return VG_OK;
}

static camera *find_camera(const camera_list *list, uint64_t key)
{
    size_t first = 0, n = list->n;
    while (n > 0) {
        const size_t half = n / 2;
        if (list->items[first + half].key < key) {
            first += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return first < list->n && list->items[first].key == key ? &list->items[first] : NULL;
}

/* ---- log and numbers ---- */

static void tell_failure(stream_leases *l, const vg_error *err, int64_t now_ns)
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

static void tell_full(stream_leases *l, int n_refused, int64_t now_ns)
{
    l->o.stats->n_refused = n_refused;
    if (n_refused == 0 ||
        (l->told_full_ns != 0 && now_ns - l->told_full_ns < TELL_S * INT64_C(1000000000)))
        return;
    l->told_full_ns = now_ns;
    base_log(BASE_LOG_WARN, "shard is full",
             "cameras=%d nobody_reads=%d try=\"more shards, or a larger most_sources\"", l->n_held,
             n_refused);
}

/* ---- sessions ---- */

static bool is_dead(const stream_leases *l, const session *s, int64_t now_ns)
{
    return s->is_over || now_ns - s->seen_ns >= l->lease_ns;
}

static session *find_session(stream_leases *l, const char *id)
{
    for (int i = 0; i < MOST_SESSIONS; i++)
        if (l->sessions[i].is_used && strcmp(l->sessions[i].s.id, id) == 0)
            return &l->sessions[i];
    return NULL;
}

/* A session of that id, begun where there is none; NULL: there are too many, also of the dead. */
static session *note_session(stream_leases *l, const char *id, int64_t now_ns)
{
    session *s = find_session(l, id);
    for (int i = 0; i < MOST_SESSIONS && s == NULL; i++)
        if (!l->sessions[i].is_used) {
            s = &l->sessions[i];
            *s = (session){.is_used = true, .seen_ns = now_ns};
            base_format(s->s.id, sizeof s->s.id, "%s", id);
        }
    return s;
}

static void see_session(void *ctx, const stream_session *one)
{
    stream_leases *l = ctx;
    const int64_t now_ns = now_of(l); /* after it was read: never earlier than its beat */
    session *s = note_session(l, one->id, now_ns);
    if (s == NULL)
        return;
    s->is_listed = true;
    s->n_missed = 0;
    if (s->s.mark == one->mark)
        return;
    s->s = *one;
    s->seen_ns = now_ns;
    s->n_seen++;
}

/* Who is on the list no more has left, or was long dead: its cameras are free. One list may have
 * missed it, two do not. One that no list ever had, but that a camera names, is watched as the
 * others are. */
static void settle_sessions(stream_leases *l, int64_t now_ns)
{
    int n_alive = 0;
    uint64_t digest = 0;
    const session *forgotten = NULL;
    for (int i = 0; i < MOST_SESSIONS; i++) {
        session *s = &l->sessions[i];
        if (!s->is_used)
            continue;
        s->n_missed += !s->is_listed;
        s->is_over = s->is_over || (s->n_missed >= 2 && s->n_seen > 0);
        if (!s->is_listed && !s->is_held && is_dead(l, s, now_ns)) {
            *s = (session){0};
            continue;
        }
        n_alive += s->is_listed && !is_dead(l, s, now_ns);
        digest += base_hash(s->s.n_changes + 1, s->s.id, strlen(s->s.id));
        if (s->is_listed && !s->is_held && now_ns - s->seen_ns > FORGET_LEASES * l->lease_ns)
            forgotten = s;
    }
    if (forgotten != NULL) /* one a step: each may take as long as a beat */
        answered(l, ask(l)->leave(l->o.store.self, forgotten->s.id, NULL));
    l->wants_list = l->wants_list || digest != l->digest;
    l->digest = digest;
    l->o.stats->n_shards = n_alive;
}

/* ---- a session's begin and end ---- */

static void begin_session(stream_leases *l)
{
    uint64_t random = 0;
    if (getentropy(&random, sizeof random) != 0)
        random = (uint64_t)base_boot_ns() ^ (uint64_t)getpid() << 40;
    l->me = (stream_session){.shard = l->o.shard.index};
    base_format(l->me.id, sizeof l->me.id, "%d-%016llx", l->o.shard.index,
                (unsigned long long)random);
    l->n_beats = 0;
    l->o.stats->until_ns = 0;
}

/* Nobody heard of this shard in time: from here on its cameras are anybody's. */
static void lapse(stream_leases *l)
{
    int n = 0;
    for (size_t i = 0; i < l->cameras.n; i++) {
        camera *c = &l->cameras.items[i];
        n += c->part != OTHERS;
        c->may_read = false;
        c->part = OTHERS;
    }
    session *old = find_session(l, l->me.id);
    if (old != NULL)
        old->is_over = true;
    atomic_fetch_add(&l->o.stats->n_lost, (uint64_t)n);
    base_log(BASE_LOG_WARN, "leases lost", "session=%s cameras=%d", l->me.id, n);
    base_format(l->old_id, sizeof l->old_id, "%s", l->me.id);
    l->n_held = 0;
    l->has_lapsed = l->wants_list = true;
    begin_session(l);
}

static bool has_readers(const stream_leases *l)
{
    for (size_t i = 0; i < l->cameras.n; i++)
        if (l->cameras.items[i].is_read)
            return true;
    return false;
}

/* An old session that could not say so is over when the last of its captures is. */
static void bury_old(stream_leases *l)
{
    if (l->old_id[0] != '\0' &&
        answered(l, ask(l)->leave(l->o.store.self, l->old_id, NULL)) == VG_OK)
        l->old_id[0] = '\0';
}

static vg_status beat(stream_leases *l, int64_t now_ns, vg_error *err)
{
    bool is_gone = false;
    l->me.n_room = now_ns < l->full_until_ns ? 0 : l->o.most - l->n_held;
    const vg_status st =
        answered(l, ask(l)->beat(l->o.store.self, &l->me, l->n_beats + 1, &is_gone, err));
    if (is_gone)
        lapse(l);
    else if (st != VG_OK)
        tell_failure(l, err, now_ns);
    if (is_gone || st != VG_OK)
        return is_gone ? VG_ERR_IO : st;
    l->n_beats++;
    atomic_fetch_add(&l->o.stats->n_beats, 1);
    l->o.stats->until_ns = now_ns + (int64_t)(HOLD_SHARE * (double)l->lease_ns);
    return VG_OK;
}

/* ---- the cameras' holders ---- */

/* Of two holders in one list (it changed hands meanwhile), the one that lives is believed. */
static void see_claim(void *ctx, const stream_claim *claim)
{
    stream_leases *l = ctx;
    camera *c = find_camera(&l->cameras, claim->key);
    if (c == NULL)
        return;
    const int64_t now_ns = now_of(l);
    session *s = claim->holder[0] != '\0' ? note_session(l, claim->holder, now_ns) : NULL;
    if (claim->holder[0] != '\0' && s == NULL)
        return; /* of a session too many: as it was */
    if (s != NULL)
        s->is_held = true;
    const bool is_live = s != NULL && !is_dead(l, s, now_ns);
    if (c->is_seen && !is_live)
        return;
    c->is_seen = true;
    c->claim = *claim;
    c->holder = s != NULL ? (int)(s - l->sessions) : NOBODY;
}

static void set_part(stream_leases *l, camera *c, part to, int64_t now_ns)
{
    l->n_held += (to != OTHERS) - (c->part != OTHERS);
    c->part = to;
    c->since_ns = now_ns;
    if (to == MINE)
        c->is_given_up = false; /* of another time */
    c->may_read = to == MINE;
}

static vg_status list_cameras(stream_leases *l, int64_t now_ns, vg_error *err)
{
    for (int i = 0; i < MOST_SESSIONS; i++)
        l->sessions[i].is_held = false;
    for (size_t i = 0; i < l->cameras.n; i++)
        l->cameras.items[i].is_seen = false;
    const vg_status st = answered(l, ask(l)->claims(l->o.store.self, see_claim, l, err));
    if (st != VG_OK) {
        for (int i = 0; i < MOST_SESSIONS; i++) /* not known: nobody is forgotten */
            l->sessions[i].is_held = true;
        return st;
    }
    for (size_t i = 0; i < l->cameras.n; i++) {
        camera *c = &l->cameras.items[i];
        if (!c->is_seen && c->holder != NOBODY)
            l->sessions[c->holder].is_held = true; /* one list may have missed it */
        const bool is_mine = c->is_seen && strcmp(c->claim.holder, l->me.id) == 0;
        if (is_mine && c->part == OTHERS) {
            set_part(l, c, MINE, now_ns); /* the answer to the claim was lost */
        } else if (!is_mine && c->part != OTHERS) {
            set_part(l, c, OTHERS, now_ns); /* somebody has meddled with the store */
            atomic_fetch_add(&l->o.stats->n_lost, 1);
        }
    }
    l->wants_list = false;
    return VG_OK;
}

/* ---- who should read what ---- */

/* The live session with room, but for mine, of the highest score. */
static session *best_other(stream_leases *l, uint64_t key, int64_t now_ns)
{
    session *best = NULL;
    uint64_t most = 0;
    for (int i = 0; i < MOST_SESSIONS; i++) {
        session *s = &l->sessions[i];
        if (!s->is_used || !s->is_listed || s->s.n_room <= 0 || is_dead(l, s, now_ns) ||
            strcmp(s->s.id, l->me.id) == 0)
            continue;
        const uint64_t score = stream_shard_score(key, s->s.shard);
        if (best == NULL || score > most || (score == most && strcmp(s->s.id, best->s.id) > 0)) {
            best = s;
            most = score;
        }
    }
    return best;
}

static bool beats_me(const stream_leases *l, uint64_t key, const session *s)
{
    const uint64_t mine = stream_shard_score(key, l->o.shard.index),
                   other = stream_shard_score(key, s->s.shard);
    return other > mine || (other == mine && strcmp(s->s.id, l->me.id) > 0);
}

/* Until the others had time to be seen, those that will come are waited for. */
static bool waits_for_owner(const stream_leases *l, uint64_t key, int64_t now_ns)
{
    return now_ns - l->began_ns < l->lease_ns &&
           stream_shard_owner(key, l->o.shard.of) != l->o.shard.index;
}

/* *c as `holder` says: "" lets it go. */
static bool change(stream_leases *l, camera *c, const char *holder, int64_t now_ns)
{
    vg_error err = {0};
    bool is_done = false;
    const vg_status st =
        answered(l, ask(l)->claim(l->o.store.self, &c->claim, c->name, holder, &is_done, &err));
    if (st != VG_OK)
        tell_failure(l, &err, now_ns);
    l->wants_list = l->wants_list || !is_done;
    l->me.n_changes += is_done;
    return is_done;
}

static void look_at_mine(stream_leases *l, camera *c, int64_t now_ns)
{
    if (c->part == MINE && atomic_exchange(&c->is_given_up, false)) {
        l->full_until_ns = now_ns + FULL_LEASES * l->lease_ns;
        set_part(l, c, LEAVING, now_ns);
    } else if (c->part == MINE && now_ns - c->since_ns >= l->beat_ns) {
        session *s = best_other(l, c->key, now_ns);
        if (s != NULL && s->n_seen >= 2 && beats_me(l, c->key, s)) {
            s->s.n_room--; /* until its next beat says it better */
            set_part(l, c, LEAVING, now_ns);
        }
    }
    if (c->part == LEAVING && !c->is_read && change(l, c, "", now_ns)) {
        c->holder = NOBODY;
        set_part(l, c, OTHERS, now_ns);
        atomic_fetch_add(&l->o.stats->n_released, 1);
    }
}

/* True: it is free, and would be mine if there was room. */
static bool look_at_others(stream_leases *l, camera *c, int64_t now_ns)
{
    const bool has_died = c->holder != NOBODY;
    session *s = NULL;
    if (c->is_read || waits_for_owner(l, c->key, now_ns) ||
        ((s = best_other(l, c->key, now_ns)) != NULL && beats_me(l, c->key, s)))
        return false;
    if (l->n_held >= l->o.most || now_ns < l->full_until_ns)
        return s == NULL;
    /* Not after the end of what others were told: this may have taken long. */
    if (!change(l, c, l->me.id, now_ns) || now_of(l) >= l->o.stats->until_ns)
        return false;
    session *me = note_session(l, l->me.id, now_ns);
    c->holder = me != NULL ? (int)(me - l->sessions) : NOBODY;
    set_part(l, c, MINE, now_ns);
    atomic_fetch_add(has_died ? &l->o.stats->n_taken_over : &l->o.stats->n_taken, 1);
    return false;
}

/* False: the time for it was over before the last camera. */
static bool look_at_cameras(stream_leases *l)
{
    const int64_t until_ns = now_of(l) + l->beat_ns / 2;
    int n_unread = 0, n_refused = 0;
    bool is_whole = true;
    for (size_t i = 0; i < l->cameras.n && is_whole; i++) {
        camera *c = &l->cameras.items[i];
        const int64_t now_ns = now_of(l);
        is_whole = now_ns < until_ns && !l->is_stopping;
        if (c->part != OTHERS) {
            look_at_mine(l, c, now_ns);
        } else if (c->holder == NOBODY || is_dead(l, &l->sessions[c->holder], now_ns)) {
            n_refused += look_at_others(l, c, now_ns);
            n_unread += c->part == OTHERS;
        }
    }
    if (is_whole) {
        l->o.stats->n_unread = n_unread;
        tell_full(l, n_refused, now_of(l));
    }
    return is_whole;
}

/* ---- a new list ---- */

static void adopt_next(stream_leases *l)
{
    pthread_mutex_lock(&l->lock);
    if (!l->has_next) {
        pthread_mutex_unlock(&l->lock);
        return;
    }
    camera_list old = l->cameras;
    l->cameras = l->next;
    l->next = (camera_list){0};
    l->has_next = false;
    for (size_t i = 0; i < old.n; i++) {
        const camera *from = &old.items[i];
        camera *to = find_camera(&l->cameras, from->key);
        if (to == NULL)
            continue;
        to->claim = from->claim;
        to->holder = from->holder;
        to->part = from->part;
        to->since_ns = from->since_ns;
        to->may_read = from->may_read;
        to->is_read = from->is_read;
        to->is_given_up = from->is_given_up;
    }
    pthread_mutex_unlock(&l->lock);
    /* The job has closed those that are gone from the list before it brought the new one. */
    for (size_t i = 0; i < old.n; i++) {
        camera *c = &old.items[i];
        if (find_camera(&l->cameras, c->key) != NULL || c->part == OTHERS)
            continue;
        l->n_held--;
        change(l, c, "", now_of(l));
    }
    base_free(old.items);
    l->o.stats->n_cameras = (int)l->cameras.n;
    l->wants_list = true;
}

/* ---- the step ---- */

bool stream_leases_step(stream_leases *l)
{
    vg_error err = {0};
    int64_t now_ns = now_of(l);
    const int64_t began_ns = now_ns;
    if (l->began_ns == 0)
        l->began_ns = now_ns;
    adopt_next(l);
    if (l->n_beats > 0 && now_ns >= l->o.stats->until_ns)
        lapse(l);
    /* A capture goes by until_ns and cannot see whose it is: there is none until all of the old
     * session's have ended. */
    if (l->has_lapsed && has_readers(l)) {
        l->o.stats->n_held = 0;
        return true;
    }
    l->has_lapsed = false;
    bury_old(l);
    const bool owes_beat = !l->has_opened; /* that beat is open's */
    l->has_opened = false;
    if (owes_beat && beat(l, now_ns, &err) != VG_OK) {
        l->o.stats->n_held = l->n_held;
        return false;
    }
    if (now_of(l) >= l->o.stats->until_ns)
        return false; /* it took so long that nobody waited */
    for (int i = 0; i < MOST_SESSIONS; i++)
        l->sessions[i].is_listed = false;
    const uint64_t n_before = l->me.n_changes;
    vg_status st = answered(l, ask(l)->sessions(l->o.store.self, see_session, l, &err));
    now_ns = now_of(l);
    if (st == VG_OK)
        settle_sessions(l, now_ns);
    l->wants_list = l->wants_list || l->n_steps++ % RELIST_STEPS == 0;
    /* Long lists, a slow store: the next beat is due already. */
    if (st == VG_OK && l->wants_list && now_ns - began_ns >= l->beat_ns &&
        beat(l, now_ns, &err) != VG_OK)
        return false;
    if (st == VG_OK && l->wants_list)
        st = list_cameras(l, now_ns, &err);
    if (st != VG_OK)
        tell_failure(l, &err, now_ns);
    else
        tell_success(l);
    const bool is_whole = st != VG_OK || look_at_cameras(l);
    l->o.stats->n_held = l->n_held;
    if (l->me.n_changes != n_before)
        base_log(BASE_LOG_INFO, "cameras changed hands", "held=%d of=%d shards=%d nobody_reads=%d",
                 l->n_held, l->o.most, (int)l->o.stats->n_shards, (int)l->o.stats->n_unread);
    return !is_whole;
}

/* Nobody reads on behalf of this shard any more. */
static void say_end(stream_leases *l)
{
    bury_old(l);
    if (l->n_beats > 0)
        answered(l, ask(l)->leave(l->o.store.self, l->me.id, NULL));
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
    vg_status st = make_list(&l->cameras, names, n, mem, err);
    if (st != VG_OK) {
        base_free(l);
        return st;
    }
    l->o = *o;
    l->lease_ns = (int64_t)(o->lease_s * 1e9);
    l->beat_ns = l->lease_ns / BEATS;
    pthread_mutex_init(&l->lock, NULL);
    base_cond_init(&l->wake);
    begin_session(l);
    o->stats->is_on = true;
    o->stats->shard = o->shard.index;
    o->stats->n_shards_planned = o->shard.of;
    o->stats->most = o->most;
    o->stats->n_cameras = (int)n;
    /* A store out of reach may come back; one that says no will not mend itself. */
    vg_error why;
    const vg_status first = beat(l, now_of(l), &why);
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
    const vg_status st = make_list(&next, names, n, mem, err);
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
    const camera *c = find_camera(&l->cameras, key);
    const bool may_read = c != NULL && c->may_read && now_of(l) < l->o.stats->until_ns;
    pthread_mutex_unlock(&l->lock);
    return may_read;
}

void stream_leases_set_reading(stream_leases *l, uint64_t key, bool is_read)
{
    pthread_mutex_lock(&l->lock);
    camera *c = find_camera(&l->cameras, key);
    if (c != NULL)
        c->is_read = is_read;
    pthread_mutex_unlock(&l->lock);
}

void stream_leases_give_up(stream_leases *l, uint64_t key)
{
    pthread_mutex_lock(&l->lock);
    camera *c = find_camera(&l->cameras, key);
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
