/* leases_inner.h: what leases are made of. For leases*.c.
 *
 * leases.c has the thread, its step, and the reader's side; leases_sessions.c the shards that are
 * there, this one too; leases_cameras.c who holds what, and who should. */
#ifndef STREAM_FLEET_LEASES_INNER_H
#define STREAM_FLEET_LEASES_INNER_H

#include <pthread.h>
#include <string.h>

#include "leases.h"

enum {
    MOST_SESSIONS = 512,
    TELL_S = 60, /* between two lines of the log on the same matter */
    NOBODY = -1
};

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
    int64_t beaten_ns; /* when the last one that arrived was begun */
    int n_held, n_steps;
    int64_t began_ns, full_until_ns;
    uint64_t digest;
    bool wants_list, is_failing, has_opened;
    bool has_lapsed; /* some captures may still be of the old session */
    int64_t told_ns, told_full_ns;
    session sessions[MOST_SESSIONS];
};

/* ---- leases.c ---- */

int64_t leases_now(const stream_leases *l);
/* leases_answered(l, leases_ask(l)->beat(...)): of a thread that was left behind, what the store
 * answers is all that comes after. */
const stream_store_functions *leases_ask(stream_leases *l);
vg_status leases_answered(stream_leases *l, vg_status st);
void leases_tell_failure(stream_leases *l, const vg_error *err, int64_t now_ns);

/* ---- leases_sessions.c ---- */

bool leases_is_dead(const stream_leases *l, const session *s, int64_t now_ns);
session *leases_find_session(stream_leases *l, const char *id);
/* A session of that id, begun where there is none; NULL: there are too many, also of the dead. */
session *leases_note_session(stream_leases *l, const char *id, int64_t now_ns);
void leases_see_session(void *ctx, const stream_session *one);
/* After a list of them: who is over, and whether the cameras are to be listed again. */
void leases_settle_sessions(stream_leases *l, int64_t now_ns);
void leases_begin_session(stream_leases *l);
/* Nobody heard of this shard in time: from here on its cameras are anybody's. */
void leases_lapse(stream_leases *l);
void leases_bury_old(stream_leases *l);
/* Also what failed is told. */
vg_status leases_beat(stream_leases *l, int64_t now_ns, vg_error *err);

/* ---- leases_cameras.c ---- */

vg_status leases_make_list(camera_list *out, const char *const *names, size_t n, base_mem *mem,
                           vg_error *err);
/* NULL: none. */
camera *leases_find_camera(const camera_list *list, uint64_t key);
vg_status leases_list_cameras(stream_leases *l, int64_t now_ns, vg_error *err);
/* False: the time for it was over before the last camera. */
bool leases_look_at_cameras(stream_leases *l);
/* The list that relist left. */
void leases_adopt_next(stream_leases *l);

#endif
