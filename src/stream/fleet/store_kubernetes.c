/* store_kubernetes.c: leases as objects of Kubernetes, coordination.k8s.io/v1 Lease.
 *
 *     FLEET-shard-3-9f86d081884c7d65     a session; its annotation changes with every beat
 *     FLEET-camera-8c7a41b02e9d11f6      a camera; spec.holderIdentity is its holder
 *
 * A camera changes hands by an update that carries the resourceVersion that was seen: the API
 * refuses it (409) when the object is another by now. A first holder creates the object, which
 * succeeds once. Both kinds have labels, so that each can be listed alone, in pages; a page that
 * the API has forgotten (410) begins the list anew.
 *
 * The pod needs a service account that may get, list, create, update, patch and delete leases. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/net.h"
#include "store.h"

enum {
    FLEET_BYTES = 41,
    PAGE_ITEMS = 200,
    ANSWER_BYTES = 1 << 20,
    BODY_BYTES = 4096,
    PATH_BYTES = 1536,
    TOKEN_BYTES = 1024, /* of a list's next page */
    MOST_PAGES = 200
};
static const char WHO[] = "the Kubernetes API";
static const char JSON[] = "application/json";

typedef struct kube_store {
    net_rest *rest;
    char base[300], ca[4200], token[4200], space[128], fleet[FLEET_BYTES];
    int lease_s;
    char path[PATH_BYTES], body[BODY_BYTES], next[TOKEN_BYTES];
} kube_store;

static net_rest_options rest_options(const kube_store *k, int timeout_ms)
{
    return (net_rest_options){.base = k->base,
                              .ca = k->ca,
                              .token_file = k->token,
                              .agent = "vigil",
                              .timeout_ms = timeout_ms,
                              .most_bytes = ANSWER_BYTES,
                              .who = WHO};
}

size_t stream_store_kubernetes_bytes(void)
{
    const net_rest_options o = {.most_bytes = ANSWER_BYTES};
    return sizeof(kube_store) + net_rest_bytes(&o);
}

/* ---- what it answers ---- */

static base_json_piece piece_of(const net_rest_answer *a)
{
    return (base_json_piece){.text = a->text, .n = a->n, .line = 1};
}

/* A member of a map; false: none of that name. */
static bool get(base_json_piece *out, const base_json_piece *map, const char *name)
{
    base_json_walk w;
    base_json_piece key, value;
    bool more;
    if (base_json_start(&w, map->text, map->n, "", NULL) != VG_OK ||
        base_json_enter(&w, '{', NULL) != VG_OK)
        return false;
    while (base_json_next(&w, &key, &more, NULL) == VG_OK && more &&
           base_json_take(&w, &value, NULL) == VG_OK)
        if (base_json_piece_is(&key, name)) {
            *out = value;
            return true;
        }
    return false;
}

/* A text of letters that JSON writes as they are; "" where there is none, or a longer one. */
static void get_text(char *out, size_t room, const base_json_piece *map, const char *name)
{
    base_json_piece p;
    out[0] = '\0';
    if (get(&p, map, name) && p.n >= 2 && p.text[0] == '"' && p.n - 2 < room)
        base_format(out, room, "%.*s", (int)(p.n - 2), p.text + 1);
}

static vg_status refused(const net_rest_answer *a, const char *what, vg_error *err)
{
    const base_json_piece whole = piece_of(a);
    char why[200];
    get_text(why, sizeof why, &whole, "message");
    const bool is_forbidden = a->status == 401 || a->status == 403;
    return base_fail(err, is_forbidden ? VG_ERR_UNSUPPORTED : VG_ERR_IO, WHO,
                     is_forbidden
                         ? "let the pod's service account get, list, create, update, patch and "
                           "delete leases of coordination.k8s.io"
                         : "look at what its server says",
                     "%s: status %ld%s%s", what, a->status, why[0] != '\0' ? ", " : "", why);
}

/* ---- calls ---- */

static const char *path_of(kube_store *k, const char *name, const char *query)
{
    base_format(k->path, sizeof k->path, "/apis/coordination.k8s.io/v1/namespaces/%s/leases%s%s%s",
                k->space, name[0] != '\0' ? "/" : "", name, query);
    return k->path;
}

static void add_escaped(char *out, size_t room, const char *text)
{
    size_t n = strlen(out);
    for (; *text != '\0' && n + 4 < room; text++)
        n += (size_t)snprintf(out + n, room - n,
                              strchr("-_.~", *text) != NULL || (*text >= '0' && *text <= '9') ||
                                      (*text >= 'A' && *text <= 'Z') ||
                                      (*text >= 'a' && *text <= 'z')
                                  ? "%c"
                                  : "%%%02X",
                              (unsigned char)*text);
}

/* A page. *is_old: it was of a list that is forgotten. */
static vg_status get_page(kube_store *k, net_rest_answer *a, const char *kind, bool *is_old,
                          vg_error *err)
{
    char query[TOKEN_BYTES * 3 + 256];
    base_format(query, sizeof query,
                "?limit=%d&labelSelector=vigil-fleet%%3D%s%%2Cvigil-kind%%3D%s", PAGE_ITEMS,
                k->fleet, kind);
    if (k->next[0] != '\0') {
        const size_t n = strlen(query);
        base_format(query + n, sizeof query - n, "&continue=");
        add_escaped(query, sizeof query, k->next);
    }
    const vg_status st = net_rest_call(k->rest, a, "GET", path_of(k, "", query), NULL, NULL, err);
    *is_old = st == VG_OK && a->status == 410;
    if (st != VG_OK || *is_old || a->status == 200)
        return st;
    return refused(a, "leases cannot be listed", err);
}

static vg_status see_page(kube_store *k, const net_rest_answer *a,
                          void (*see)(void *ctx, const base_json_piece *item), void *ctx,
                          vg_error *err)
{
    const base_json_piece whole = piece_of(a);
    base_json_piece items, meta, item;
    base_json_walk w;
    bool more = false;
    k->next[0] = '\0';
    if (get(&meta, &whole, "metadata"))
        get_text(k->next, sizeof k->next, &meta, "continue");
    if (!get(&items, &whole, "items"))
        return base_fail(err, VG_ERR_FORMAT, WHO, NULL, "a list of leases without items");
    vg_status st = base_json_start(&w, items.text, items.n, WHO, err);
    if (st == VG_OK)
        st = base_json_enter(&w, '[', err);
    while (st == VG_OK && (st = base_json_next(&w, NULL, &more, err)) == VG_OK && more &&
           (st = base_json_take(&w, &item, err)) == VG_OK)
        see(ctx, &item);
    return st;
}

/* turn: between two pages, or NULL. */
static vg_status list(kube_store *k, const char *kind,
                      void (*see)(void *ctx, const base_json_piece *item),
                      vg_status (*turn)(void *ctx, vg_error *err), void *ctx, vg_error *err)
{
    net_rest_answer a;
    bool is_old, was_old = false;
    vg_status st = VG_OK;
    k->next[0] = '\0';
    for (int i = 0; i < MOST_PAGES && st == VG_OK; i++) {
        st = get_page(k, &a, kind, &is_old, err);
        if (st == VG_OK && is_old) {
            if (was_old)
                return refused(&a, "leases cannot be listed", err);
            was_old = true;
            k->next[0] = '\0'; /* what was seen twice is as it was seen last */
            continue;
        }
        if (st == VG_OK)
            st = see_page(k, &a, see, ctx, err);
        if (st != VG_OK || k->next[0] == '\0')
            return st;
        if (turn != NULL)
            st = turn(ctx, err);
    }
    return st != VG_OK ? st
                       : base_fail(err, VG_ERR_LIMIT, WHO, NULL, "a list of more than %d pages",
                                   MOST_PAGES);
}

static void put_time(char out[40])
{
    struct timespec t;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &t);
    gmtime_r(&t.tv_sec, &parts);
    base_format(out, 40, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                t.tv_nsec / 1000);
}

/* ---- sessions ---- */

static vg_status beat(void *self, const stream_session *me, uint64_t n, bool *is_gone,
                      vg_error *err)
{
    kube_store *k = self;
    net_rest_answer a;
    char name[FLEET_BYTES + 8 + STREAM_SESSION_BYTES], now[40], state[128];
    *is_gone = false;
    put_time(now);
    base_format(name, sizeof name, "%s-shard-%s", k->fleet, me->id);
    base_format(state, sizeof state, "beats=%" PRIu64 " changes=%" PRIu64 " shard=%d room=%d", n,
                me->n_changes, me->shard, me->n_room);
    base_format(k->body, sizeof k->body,
                "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{"
                "\"name\":\"%s\",\"labels\":{\"vigil-fleet\":\"%s\",\"vigil-kind\":\"shard\"},"
                "\"annotations\":{\"vigil-state\":\"%s\"}},\"spec\":{\"holderIdentity\":\"%s\","
                "\"leaseDurationSeconds\":%d,\"renewTime\":\"%s\"}}",
                name, k->fleet, state, me->id, k->lease_s, now);
    vg_status st = VG_OK;
    a.status = 409;
    if (n == 1)
        st = net_rest_call(k->rest, &a, "POST", path_of(k, "", ""), JSON, k->body, err);
    if (st == VG_OK && a.status == 409) /* an answer was lost, and it is there */
        st = net_rest_call(k->rest, &a, "PATCH", path_of(k, name, ""),
                           "application/merge-patch+json", k->body, err);
    if (st != VG_OK)
        return st;
    *is_gone = a.status == 404 && n > 1;
    return a.status == 200 || a.status == 201 ? VG_OK : refused(&a, "the beat of this shard", err);
}

typedef struct seer {
    const kube_store *store;
    void (*see_session)(void *ctx, const stream_session *s);
    void (*see_claim)(void *ctx, const stream_claim *c);
    vg_status (*turn)(void *ctx, vg_error *err);
    void *ctx;
} seer;

static uint64_t field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at != NULL ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void see_session(void *ctx, const base_json_piece *item)
{
    const seer *s = ctx;
    base_json_piece meta, spec, notes;
    char state[128] = "", version[STREAM_VERSION_BYTES];
    stream_session one = {0};
    if (!get(&meta, item, "metadata") || !get(&spec, item, "spec"))
        return;
    get_text(one.id, sizeof one.id, &spec, "holderIdentity");
    get_text(version, sizeof version, &meta, "resourceVersion");
    if (get(&notes, &meta, "annotations"))
        get_text(state, sizeof state, &notes, "vigil-state");
    if (one.id[0] == '\0')
        return;
    one.shard = (int)(field(state, " shard=") % INT32_MAX);
    one.n_room = (int)(field(state, " room=") % INT32_MAX);
    one.n_changes = field(state, " changes=");
    one.mark = base_hash(BASE_HASH_START, state, strlen(state));
    one.mark = base_hash(one.mark, version, strlen(version));
    s->see_session(s->ctx, &one);
}

static vg_status sessions(void *self, void (*see)(void *ctx, const stream_session *s), void *ctx,
                          vg_error *err)
{
    seer s = {.store = self, .see_session = see, .ctx = ctx};
    return list(self, "shard", see_session, NULL, &s, err);
}

static vg_status leave(void *self, const char *id, vg_error *err)
{
    kube_store *k = self;
    net_rest_answer a;
    char name[FLEET_BYTES + 8 + STREAM_SESSION_BYTES];
    base_format(name, sizeof name, "%s-shard-%s", k->fleet, id);
    const vg_status st =
        net_rest_call(k->rest, &a, "DELETE", path_of(k, name, ""), NULL, NULL, err);
    return st != VG_OK || a.status == 200 || a.status == 202 || a.status == 404
               ? st
               : refused(&a, "a shard's lease cannot be removed", err);
}

/* ---- cameras ---- */

static void see_claim(void *ctx, const base_json_piece *item)
{
    const seer *s = ctx;
    base_json_piece meta, spec;
    stream_claim c = {0};
    char name[FLEET_BYTES + 40], *end;
    const size_t n_fleet = strlen(s->store->fleet);
    if (!get(&meta, item, "metadata"))
        return;
    get_text(name, sizeof name, &meta, "name");
    if (strncmp(name, s->store->fleet, n_fleet) != 0 ||
        strncmp(name + n_fleet, "-camera-", 8) != 0 || strlen(name + n_fleet + 8) != 16)
        return;
    c.key = strtoull(name + n_fleet + 8, &end, 16);
    get_text(c.version, sizeof c.version, &meta, "resourceVersion");
    if (*end != '\0' || c.version[0] == '\0')
        return;
    if (get(&spec, item, "spec"))
        get_text(c.holder, sizeof c.holder, &spec, "holderIdentity");
    s->see_claim(s->ctx, &c);
}

static vg_status turn_claims(void *ctx, vg_error *err)
{
    const seer *s = ctx;
    return s->turn(s->ctx, err);
}

static vg_status claims(void *self, void (*see)(void *ctx, const stream_claim *c),
                        vg_status (*turn)(void *ctx, vg_error *err), void *ctx, vg_error *err)
{
    seer s = {.store = self, .see_claim = see, .turn = turn, .ctx = ctx};
    return list(self, "camera", see_claim, turn_claims, &s, err);
}

static vg_status claim(void *self, stream_claim *c, const char *camera, const char *holder,
                       bool *is_done, vg_error *err)
{
    kube_store *k = self;
    net_rest_answer a;
    char name[FLEET_BYTES + 40], now[40], escaped[1600],
        version[STREAM_VERSION_BYTES + 32] = "", who[STREAM_SESSION_BYTES + 32] = "";
    *is_done = false;
    put_time(now);
    base_json_escape(escaped, sizeof escaped, camera);
    base_format(name, sizeof name, "%s-camera-%016" PRIx64, k->fleet, c->key);
    const bool is_new = c->version[0] == '\0';
    if (!is_new)
        base_format(version, sizeof version, "\"resourceVersion\":\"%s\",", c->version);
    if (holder[0] != '\0')
        base_format(who, sizeof who, "\"holderIdentity\":\"%s\",", holder);
    base_format(k->body, sizeof k->body,
                "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{%s"
                "\"name\":\"%s\",\"labels\":{\"vigil-fleet\":\"%s\",\"vigil-kind\":\"camera\"},"
                "\"annotations\":{\"vigil-camera\":\"%s\"}},\"spec\":{%s\"acquireTime\":\"%s\"}}",
                version, name, k->fleet, escaped, who, now);
    const vg_status st = net_rest_call(k->rest, &a, is_new ? "POST" : "PUT",
                                       path_of(k, is_new ? "" : name, ""), JSON, k->body, err);
    if (st != VG_OK || a.status == 409)
        return st;
    if (a.status == 404 && !is_new) {
        c->version[0] = c->holder[0] = '\0'; /* somebody removed it: the next one makes it */
        return VG_OK;
    }
    if (a.status != 200 && a.status != 201)
        return refused(&a, "a camera's lease cannot be taken", err);
    const base_json_piece whole = piece_of(&a);
    base_json_piece meta;
    if (!get(&meta, &whole, "metadata"))
        return base_fail(err, VG_ERR_FORMAT, WHO, NULL, "a lease without metadata");
    get_text(c->version, sizeof c->version, &meta, "resourceVersion");
    base_format(c->holder, sizeof c->holder, "%s", holder);
    *is_done = true;
    return VG_OK;
}

/* ---- open and close ---- */

static void close_(void *self)
{
    kube_store *k = self;
    net_rest_close(&k->rest);
    base_free(k);
}

static const stream_store_functions functions = {.beat = beat,
                                                 .sessions = sessions,
                                                 .claims = claims,
                                                 .claim = claim,
                                                 .leave = leave,
                                                 .close = close_};

vg_status stream_store_kubernetes_check(const char *fleet, vg_error *err)
{
    const size_t n = strlen(fleet);
    if (n > 0 && n < FLEET_BYTES && strspn(fleet, "abcdefghijklmnopqrstuvwxyz0123456789-") == n &&
        fleet[0] != '-' && fleet[n - 1] != '-')
        return VG_OK;
    return base_fail(err, VG_ERR_ARGUMENT, "option lease_kubernetes",
                     base_mend("use 1 to %d of a-z, 0-9 and -, no - at an end", FLEET_BYTES - 1),
                     "lease_kubernetes=%s", fleet);
}

/* The cluster's address, and the files of the pod's account. */
static vg_status find_cluster(kube_store *k, const char *account, base_mem *mem, vg_error *err)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
    char path[4200], *text = NULL;
    size_t n = 0;
    if (host == NULL || host[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "option lease_kubernetes",
                         "run it in a pod, or use lease_dir",
                         "there is no KUBERNETES_SERVICE_HOST: this is no pod");
    base_format(k->base, sizeof k->base,
                strchr(host, ':') != NULL ? "https://[%s]:%s" : "https://%s:%s", host,
                port != NULL && port[0] != '\0' ? port : "443");
    base_format(k->ca, sizeof k->ca, "%s/ca.crt", account);
    base_format(k->token, sizeof k->token, "%s/token", account);
    base_format(path, sizeof path, "%s/namespace", account);
    const vg_status st = base_file_read(&text, &n, path, sizeof k->space, mem, err);
    if (st != VG_OK)
        return st;
    text[strcspn(text, "\r\n")] = '\0';
    const bool is_good = base_format(k->space, sizeof k->space, "%s", text) && text[0] != '\0' &&
                         strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
    base_free(text);
    return is_good ? VG_OK
                   : base_fail(err, VG_ERR_FORMAT, path, "write the namespace's name into it",
                               "no name of a namespace");
}

vg_status stream_store_kubernetes_open(stream_store *out, const char *fleet, const char *account,
                                       double lease_s, int timeout_ms, base_mem *mem, vg_error *err)
{
    *out = (stream_store){0};
    vg_status st = stream_store_kubernetes_check(fleet, err);
    if (st != VG_OK)
        return st;
    kube_store *k = base_alloc_zero(mem, 1, sizeof *k, err);
    if (k == NULL)
        return VG_ERR_MEMORY;
    base_format(k->fleet, sizeof k->fleet, "%s", fleet);
    k->lease_s = lease_s > 1 ? (int)lease_s : 1;
    st = find_cluster(k, account, mem, err);
    if (st == VG_OK) {
        const net_rest_options o = rest_options(k, timeout_ms);
        st = net_rest_open(&k->rest, &o, mem, err);
    }
    if (st != VG_OK) {
        base_free(k);
        return st;
    }
    *out = (stream_store){&functions, k};
    return VG_OK;
}
