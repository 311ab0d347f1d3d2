/* resolve.c: glibc's getaddrinfo_a: one of its threads waits for the name server while we look
 * whether to stop.
 *
 * A look-up cannot be called off. One that we no longer wait for is left to itself until it is done
 * (resolv.conf's timeout, some 10 s): at most MOST_LEFT of them in a process. */
#include "resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/base.h"

typedef struct look_up {
    struct gaicb request;
    char host[256];
} look_up;

enum { MOST_LEFT = 16 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static look_up *left[MOST_LEFT];

void video_url_host(char *out, size_t n, const char *url)
{
    out[0] = '\0';
    const char *s = strstr(url, "://");
    if (s == NULL)
        return;
    s += 3;
    const char *end = s + strcspn(s, "/?#");
    for (const char *p = s; p < end; p++)
        if (*p == '@')
            s = p + 1;
    const char *stop = end;
    if (*s == '[') {
        s++;
        stop = memchr(s, ']', (size_t)(end - s));
    } else {
        stop = memchr(s, ':', (size_t)(end - s));
    }
    if (stop == NULL)
        stop = end;
    if ((size_t)(stop - s) < n)
        base_format(out, n, "%.*s", (int)(stop - s), s);
}

static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1 ||
           strchr(host, ':') != NULL; /* fe80::1%eth0 */
}

/* FFmpeg asks the proxy instead. */
static bool goes_by_proxy(const char *url)
{
    return strncasecmp(url, "http", 4) == 0 && getenv("http_proxy") != NULL;
}

static void drop(look_up *l)
{
    if (l->request.ar_result != NULL)
        freeaddrinfo(l->request.ar_result);
    base_handle_free(l);
}

/* Frees those that are done, and keeps l when it is not NULL. False: no room. */
static bool leave(look_up *l)
{
    bool has_room = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < MOST_LEFT; i++) {
        if (left[i] != NULL && gai_error(&left[i]->request) != EAI_INPROGRESS) {
            drop(left[i]);
            left[i] = NULL;
        }
        if (left[i] == NULL) {
            has_room = true;
            left[i] = l;
            l = NULL;
        }
    }
    pthread_mutex_unlock(&lock);
    return has_room;
}

static video_resolved wait_for(look_up *l, int (*is_cut)(void *), void *ctx, const char **why)
{
    const struct timespec slice = {.tv_nsec = 100 * 1000 * 1000};
    const struct gaicb *list[] = {&l->request};
    int code;
    while ((code = gai_error(&l->request)) == EAI_INPROGRESS) {
        if (is_cut(ctx)) {
            if (gai_cancel(&l->request) != EAI_CANCELED) {
                while (!leave(l)) /* another took the last place: one of them will be done */
                    gai_suspend(list, 1, &slice);
                return VIDEO_RESOLVE_CUT;
            }
            drop(l);
            return VIDEO_RESOLVE_CUT;
        }
        gai_suspend(list, 1, &slice);
    }
    *why = code == 0 ? "" : gai_strerror(code);
    drop(l);
    return code == 0 ? VIDEO_RESOLVED : VIDEO_NO_NAME;
}

video_resolved video_resolve(const char *url, int (*is_cut)(void *), void *ctx, const char **why)
{
    char host[256];
    *why = "";
    video_url_host(host, sizeof host, url);
    if (host[0] == '\0' || is_address(host) || goes_by_proxy(url))
        return VIDEO_RESOLVED;
    if (!leave(NULL)) {
        *why = "too many look-ups still wait for the name server";
        return VIDEO_NO_NAME;
    }
    look_up *l = base_handle_alloc(sizeof *l, NULL);
    if (l == NULL) {
        *why = "out of memory";
        return VIDEO_NO_NAME;
    }
    memcpy(l->host, host, sizeof host);
    l->request.ar_name = l->host;
    struct gaicb *list[] = {&l->request};
    int code = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
    if (code != 0) {
        *why = gai_strerror(code);
        drop(l);
        return VIDEO_NO_NAME;
    }
    return wait_for(l, is_cut, ctx, why);
}
