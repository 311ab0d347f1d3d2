/* leases_cameras.c: the table of cameras sorted by key, who holds each, and who should. */
#include "leases_inner.h"

enum {
    FULL_LEASES = 10
}; /* lease times that a shard which could not read a camera takes no more */

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

vg_status leases_make_list(camera_list *out, const char *const *names, size_t n, base_mem *mem,
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

camera *leases_find_camera(const camera_list *list, uint64_t key)
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

/* ---- the log ---- */

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

/* ---- the cameras' holders ---- */

/* Of two holders in one list (it changed hands meanwhile), the one that lives is believed. */
static void see_claim(void *ctx, const stream_claim *claim)
{
    stream_leases *l = ctx;
    camera *c = leases_find_camera(&l->cameras, claim->key);
    if (c == NULL)
        return;
    const int64_t now_ns = leases_now(l);
    session *s = claim->holder[0] != '\0' ? leases_note_session(l, claim->holder, now_ns) : NULL;
    if (claim->holder[0] != '\0' && s == NULL)
        return; /* of a session too many: as it was */
    if (s != NULL)
        s->is_held = true;
    const bool is_live = s != NULL && !leases_is_dead(l, s, now_ns);
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

/* Within a list of many pages: when the next beat is due, it is given. */
static vg_status beat_between(void *self, vg_error *err)
{
    stream_leases *l = self;
    leases_answered(l, VG_OK);
    const int64_t now_ns = leases_now(l);
    const vg_status st = now_ns - l->beaten_ns < l->beat_ns ? VG_OK : leases_beat(l, now_ns, err);
    leases_ask(l);
    return st;
}

vg_status leases_list_cameras(stream_leases *l, int64_t now_ns, vg_error *err)
{
    for (int i = 0; i < MOST_SESSIONS; i++)
        l->sessions[i].is_held = false;
    for (size_t i = 0; i < l->cameras.n; i++)
        l->cameras.items[i].is_seen = false;
    const vg_status st =
        leases_answered(l, leases_ask(l)->claims(l->o.store.self, see_claim, beat_between, l, err));
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
        if (!s->is_used || !s->is_listed || s->s.n_room <= 0 || leases_is_dead(l, s, now_ns) ||
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
    const vg_status st = leases_answered(
        l, leases_ask(l)->claim(l->o.store.self, &c->claim, c->name, holder, &is_done, &err));
    if (st != VG_OK)
        leases_tell_failure(l, &err, now_ns);
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
    if (!change(l, c, l->me.id, now_ns) || leases_now(l) >= l->o.stats->until_ns)
        return false;
    session *me = leases_note_session(l, l->me.id, now_ns);
    c->holder = me != NULL ? (int)(me - l->sessions) : NOBODY;
    set_part(l, c, MINE, now_ns);
    atomic_fetch_add(has_died ? &l->o.stats->n_taken_over : &l->o.stats->n_taken, 1);
    return false;
}

/* False: the time for it was over before the last camera. */
bool leases_look_at_cameras(stream_leases *l)
{
    const int64_t until_ns = leases_now(l) + l->beat_ns / 2;
    int n_unread = 0, n_refused = 0;
    bool is_whole = true;
    for (size_t i = 0; i < l->cameras.n && is_whole; i++) {
        camera *c = &l->cameras.items[i];
        const int64_t now_ns = leases_now(l);
        is_whole = now_ns < until_ns && !l->is_stopping;
        if (c->part != OTHERS) {
            look_at_mine(l, c, now_ns);
        } else if (c->holder == NOBODY || leases_is_dead(l, &l->sessions[c->holder], now_ns)) {
            n_refused += look_at_others(l, c, now_ns);
            n_unread += c->part == OTHERS;
        }
    }
    if (is_whole) {
        l->o.stats->n_unread = n_unread;
        tell_full(l, n_refused, leases_now(l));
    }
    return is_whole;
}

/* ---- a new list ---- */

void leases_adopt_next(stream_leases *l)
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
        camera *to = leases_find_camera(&l->cameras, from->key);
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
        if (leases_find_camera(&l->cameras, c->key) != NULL || c->part == OTHERS)
            continue;
        l->n_held--;
        change(l, c, "", leases_now(l));
    }
    base_free(old.items);
    l->o.stats->n_cameras = (int)l->cameras.n;
    l->wants_list = true;
}
