/* leases_sessions.c: the shards that are there, as seen from here, and this one's own word. */
#include <unistd.h>

#include "leases_inner.h"

enum { FORGET_LEASES = 3 };           /* lease times until a dead session's word is taken away */
static const double HOLD_SHARE = 0.6; /* of the lease time: until then a holder reads unheard */

/* ---- sessions ---- */

bool leases_is_dead(const stream_leases *l, const session *s, int64_t now_ns)
{
    return s->is_over || now_ns - s->seen_ns >= l->lease_ns;
}

session *leases_find_session(stream_leases *l, const char *id)
{
    for (int i = 0; i < MOST_SESSIONS; i++)
        if (l->sessions[i].is_used && strcmp(l->sessions[i].s.id, id) == 0)
            return &l->sessions[i];
    return NULL;
}

/* A session of that id, begun where there is none; NULL: there are too many, also of the dead. */
session *leases_note_session(stream_leases *l, const char *id, int64_t now_ns)
{
    session *s = leases_find_session(l, id);
    for (int i = 0; i < MOST_SESSIONS && s == NULL; i++)
        if (!l->sessions[i].is_used) {
            s = &l->sessions[i];
            *s = (session){.is_used = true, .seen_ns = now_ns};
            base_format(s->s.id, sizeof s->s.id, "%s", id);
        }
    return s;
}

void leases_see_session(void *ctx, const stream_session *one)
{
    stream_leases *l = ctx;
    const int64_t now_ns = leases_now(l); /* after it was read: never earlier than its beat */
    session *s = leases_note_session(l, one->id, now_ns);
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
void leases_settle_sessions(stream_leases *l, int64_t now_ns)
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
        if (!s->is_listed && !s->is_held && leases_is_dead(l, s, now_ns)) {
            *s = (session){0};
            continue;
        }
        n_alive += s->is_listed && !leases_is_dead(l, s, now_ns);
        digest += base_hash(s->s.n_changes + 1, s->s.id, strlen(s->s.id));
        if (s->is_listed && !s->is_held && now_ns - s->seen_ns > FORGET_LEASES * l->lease_ns)
            forgotten = s;
    }
    if (forgotten != NULL) /* one a step: each may take as long as a beat */
        leases_answered(l, leases_ask(l)->leave(l->o.store.self, forgotten->s.id, NULL));
    l->wants_list = l->wants_list || digest != l->digest;
    l->digest = digest;
    l->o.stats->n_shards = n_alive;
}

/* ---- a session's begin and end ---- */

void leases_begin_session(stream_leases *l)
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
void leases_lapse(stream_leases *l)
{
    int n = 0;
    for (size_t i = 0; i < l->cameras.n; i++) {
        camera *c = &l->cameras.items[i];
        n += c->part != OTHERS;
        c->may_read = false;
        c->part = OTHERS;
    }
    session *old = leases_find_session(l, l->me.id);
    if (old != NULL)
        old->is_over = true;
    atomic_fetch_add(&l->o.stats->n_lost, (uint64_t)n);
    base_log(BASE_LOG_WARN, "leases lost", "session=%s cameras=%d", l->me.id, n);
    base_format(l->old_id, sizeof l->old_id, "%s", l->me.id);
    l->n_held = 0;
    l->has_lapsed = l->wants_list = true;
    leases_begin_session(l);
}

/* An old session that could not say so is over when the last of its captures is. */
void leases_bury_old(stream_leases *l)
{
    if (l->old_id[0] != '\0' &&
        leases_answered(l, leases_ask(l)->leave(l->o.store.self, l->old_id, NULL)) == VG_OK)
        l->old_id[0] = '\0';
}

vg_status leases_beat(stream_leases *l, int64_t now_ns, vg_error *err)
{
    bool is_gone = false;
    l->me.n_room = now_ns < l->full_until_ns ? 0 : l->o.most - l->n_held;
    const vg_status st = leases_answered(
        l, leases_ask(l)->beat(l->o.store.self, &l->me, l->n_beats + 1, &is_gone, err));
    if (is_gone)
        leases_lapse(l);
    else if (st != VG_OK)
        leases_tell_failure(l, err, now_ns);
    if (is_gone || st != VG_OK)
        return is_gone ? VG_ERR_IO : st;
    l->n_beats++;
    l->beaten_ns = now_ns;
    atomic_fetch_add(&l->o.stats->n_beats, 1);
    l->o.stats->until_ns = now_ns + (int64_t)(HOLD_SHARE * (double)l->lease_ns);
    return VG_OK;
}
