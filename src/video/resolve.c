/* resolve.c: a thread that waits for the name server while we look whether to stop.
 *
 * A look-up cannot be called off. One that we no longer wait for is left to itself until it is done
 * (resolv.conf's time-outs, some 10 s): at most MOST_LOOK_UPS are under way in a process. Not
 * glibc's getaddrinfo_a: neither valgrind nor the thread sanitizer can bear its threads. */
#include "resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "url/url.h"

/* Shared by who asks and the thread; who leaves last frees it. */
typedef struct look_up {
    pthread_mutex_t lock;
    pthread_cond_t done;
    int n_users;
    bool is_done;
    int code; /* of getaddrinfo */
    char host[256];
} look_up;

enum { MOST_LOOK_UPS = 96, STACK_BYTES = 256 << 10 };
static atomic_int n_threads;

/* FFmpeg asks the proxy instead. */
static bool goes_by_proxy(const char *url)
{
    return strncasecmp(url, "http", 4) == 0 && getenv("http_proxy") != NULL;
}

static void leave(look_up *l)
{
    pthread_mutex_lock(&l->lock);
    bool is_last = --l->n_users == 0;
    pthread_mutex_unlock(&l->lock);
    if (!is_last)
        return;
    pthread_cond_destroy(&l->done);
    pthread_mutex_destroy(&l->lock);
    base_handle_free(l);
}

static void *look(void *of)
{
    look_up *l = of;
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int code = getaddrinfo(l->host, NULL, &hints, &found);
    if (code == 0)
        freeaddrinfo(found);
    pthread_mutex_lock(&l->lock);
    l->code = code;
    l->is_done = true;
    pthread_cond_signal(&l->done);
    pthread_mutex_unlock(&l->lock);
    leave(l);
    atomic_fetch_sub(&n_threads, 1);
    return NULL;
}

static vg_status start(look_up *l)
{
    pthread_t thread;
    const vg_status st = base_thread_start(&thread, "vigil-resolve", STACK_BYTES, look, l, NULL);
    if (st == VG_OK)
        pthread_detach(thread);
    return st;
}

static look_up *make(const char *host)
{
    look_up *l = base_handle_alloc(sizeof *l, NULL);
    if (l == NULL)
        return NULL;
    base_cond_init(&l->done);
    pthread_mutex_init(&l->lock, NULL);
    l->n_users = 2;
    base_format(l->host, sizeof l->host, "%s", host);
    return l;
}

static video_resolved wait_for(look_up *l, int (*is_cut)(void *), void *ctx, const char **why)
{
    video_resolved result = VIDEO_RESOLVED;
    pthread_mutex_lock(&l->lock);
    while (!l->is_done && result == VIDEO_RESOLVED) {
        if (is_cut(ctx))
            result = VIDEO_RESOLVE_CUT;
        else
            base_cond_wait(&l->done, &l->lock, base_now_ns() + INT64_C(100000000));
    }
    if (l->is_done && l->code != 0) {
        result = VIDEO_NO_NAME;
        *why = gai_strerror(l->code);
    }
    pthread_mutex_unlock(&l->lock);
    return result;
}

video_resolved video_resolve(const char *url, int (*is_cut)(void *), void *ctx, const char **why)
{
    url_parts parts;
    *why = "";
    if (url_parse(&parts, url, true, "source", NULL) != VG_OK || parts.host[0] == '\0' ||
        parts.is_address || goes_by_proxy(url))
        return VIDEO_RESOLVED;
    if (atomic_fetch_add(&n_threads, 1) >= MOST_LOOK_UPS) {
        atomic_fetch_sub(&n_threads, 1);
        *why = "too many look-ups still wait for the name server";
        return VIDEO_NO_NAME;
    }
    look_up *l = make(parts.host);
    if (l == NULL || start(l) != VG_OK) {
        atomic_fetch_sub(&n_threads, 1);
        if (l != NULL)
            leave(l), leave(l); /* for the thread that there is not, too */
        *why = "no memory, or no thread, to look it up";
        return VIDEO_NO_NAME;
    }
    video_resolved result = wait_for(l, is_cut, ctx, why);
    leave(l);
    return result;
}
