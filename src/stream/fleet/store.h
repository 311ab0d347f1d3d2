/* store.h: what shards that share a list of cameras tell each other, and where: files of a shared
 * folder (store_dir.c), objects of Kubernetes (store_kubernetes.c).
 *
 * A process is a session: it has an id that nobody had before or will have again, and says in short
 * intervals that it is there (beat). A camera has a holder, a session or nobody. claim alone
 * changes the holder, and does so only where it is still the one that was seen: of many who try at
 * once, one succeeds. Nothing here looks at a clock: who is dead is judged by who watches. */
#ifndef STREAM_FLEET_STORE_H
#define STREAM_FLEET_STORE_H

#include <stdbool.h>

#include "base/base.h"

enum { STREAM_SESSION_BYTES = 40, STREAM_VERSION_BYTES = 40 };

typedef struct stream_session {
    char id[STREAM_SESSION_BYTES]; /* letters, digits, '-' */
    int shard;
    int n_room;         /* cameras that it could take beyond those it has */
    uint64_t n_changes; /* of holders that it made: when it stands, no list need be read again */
    uint64_t mark;      /* another one with every beat; made by the store */
} stream_session;

/* A camera's holder ("": nobody) and the state of the store in which it was so. */
typedef struct stream_claim {
    uint64_t key;
    char holder[STREAM_SESSION_BYTES], version[STREAM_VERSION_BYTES];
} stream_claim;

/* All calls come from one thread, wait no longer than the store was made to, and take no memory of
 * ours. Errors: VG_ERR_IO, VG_ERR_FORMAT (what is there is not ours), VG_ERR_LIMIT,
 * VG_ERR_UNSUPPORTED (it will not do it later either: not allowed, no hard links). */
typedef struct stream_store_functions {
    /* Says that `me` is there; n counts the calls from 1. *is_gone: it was there before, and
     * somebody has taken it away. */
    vg_status (*beat)(void *self, const stream_session *me, uint64_t n, bool *is_gone,
                      vg_error *err);
    vg_status (*sessions)(void *self, void (*see)(void *ctx, const stream_session *s), void *ctx,
                          vg_error *err);
    /* Cameras that nobody ever held are not among them. A list that comes in pages may be long:
     * between two of them, where it may ask the store for something else, it calls `turn`, whose
     * failure ends it. */
    vg_status (*claims)(void *self, void (*see)(void *ctx, const stream_claim *c),
                        vg_status (*turn)(void *ctx, vg_error *err), void *ctx, vg_error *err);
    /* Makes `holder` the holder of c->key, if c is how it stands (version "": never held).
     * *is_done: it was, and c is what it became. name: the camera's, for people. */
    vg_status (*claim)(void *self, stream_claim *c, const char *name, const char *holder,
                       bool *is_done, vg_error *err);
    /* The session is over: nobody reads on its behalf. */
    vg_status (*leave)(void *self, const char *id, vg_error *err);
    void (*close)(void *self);
} stream_store_functions;

typedef struct stream_store {
    const stream_store_functions *functions; /* NULL: none */
    void *self;
} stream_store;

/* A folder that all shards see, made where it is not there; its file system needs hard links and,
 * on NFS, the usual close-to-open consistency (no `nocto`). Tries both. Errors: VG_ERR_IO,
 * VG_ERR_UNSUPPORTED (no hard links), VG_ERR_MEMORY. */
vg_status stream_store_dir_open(stream_store *out, const char *folder, base_mem *mem,
                                vg_error *err);
size_t stream_store_dir_bytes(void);

/* Leases of the API of the cluster that this pod is in (KUBERNETES_SERVICE_HOST and _PORT); fleet:
 * what their names begin with; account: the folder of the pod's token, ca.crt and namespace. A call
 * waits for timeout_ms. Errors: VG_ERR_ARGUMENT (the name, no pod), VG_ERR_IO, VG_ERR_FORMAT,
 * VG_ERR_UNSUPPORTED (no libcurl), VG_ERR_MEMORY. */
vg_status stream_store_kubernetes_open(stream_store *out, const char *fleet, const char *account,
                                       double lease_s, int timeout_ms, base_mem *mem,
                                       vg_error *err);
size_t stream_store_kubernetes_bytes(void);
vg_status stream_store_kubernetes_check(const char *fleet, vg_error *err);

static inline void stream_store_close(stream_store *s)
{
    if (s->functions != NULL)
        s->functions->close(s->self);
    *s = (stream_store){0};
}

#endif
