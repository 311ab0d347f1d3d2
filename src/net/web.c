/* web.c: HTTP by libcurl. Its multi interface, though there is one transfer at a time: it alone can
 * be left in the middle without waiting for the other side. */
#include "web.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#include "url/url.h"

static vg_status check_url(const char *url, vg_error *err)
{
    url_parts u;
    const vg_status st = url_parse(&u, url, false, "option webhook", err);
    if (st == VG_OK && strcmp(u.scheme, "http") != 0 && strcmp(u.scheme, "https") != 0)
        return base_fail(err, VG_ERR_ARGUMENT, "option webhook", "give http://... or https://...",
                         "a webhook that is no URL");
    return st;
}

#ifdef VIGIL_HAVE_CURL

#include "curl.h"

enum { TIMEOUT_MS = 10000, SLICE_MS = 50 };

struct net_web {
    net_curl c;
    CURLM *multi;
    net_web_options o; /* without texts */
};

static vg_status load(net_curl *c, vg_error *err)
{
    return net_curl_load(c, "--webhook needs libcurl", err);
}

vg_status net_web_check(const char *url, vg_error *err)
{
    net_curl probe;
    const vg_status st = check_url(url, err);
    return st == VG_OK ? load(&probe, err) : st;
}

static size_t ignore(char *bytes, size_t size, size_t n, void *ctx)
{
    (void)bytes, (void)ctx;
    return size * n;
}

static bool set_up(net_web *w, const net_web_options *o)
{
    net_curl *c = &w->c;
    if (!net_curl_begin(c, o->agent))
        return false;
    w->multi = c->curl_multi_init();
    c->headers = c->curl_slist_append(NULL, "Content-Type: application/json");
    return w->multi != NULL && c->headers != NULL &&
           c->curl_easy_setopt(c->easy, CURLOPT_URL, o->url) == CURLE_OK &&
           c->curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers) == CURLE_OK &&
           c->curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, ignore) == CURLE_OK;
}

vg_status net_web_open(net_web **out, const net_web_options *o, base_mem *mem, vg_error *err)
{
    *out = NULL;
    vg_status st = check_url(o->url, err);
    if (st != VG_OK)
        return st;
    net_web *w = base_alloc_zero(mem, 1, sizeof *w, err);
    if (w == NULL)
        return VG_ERR_MEMORY;
    *out = w;
    w->o = *o;
    w->o.url = w->o.agent = NULL;
    st = load(&w->c, err);
    if (st == VG_OK && !set_up(w, o))
        st = base_fail(err, VG_ERR_UNSUPPORTED, "option webhook", "give an http or https URL",
                       "libcurl does not take it");
    if (st != VG_OK)
        net_web_close(out);
    return st;
}

static bool is_stopped(const net_web *w)
{
    return w->o.stop != NULL && *w->o.stop;
}

/* False: it was left because of stop. */
static bool perform(net_web *w, CURLcode *code)
{
    int n_running = 1;
    *code = CURLE_FAILED_INIT;
    if (w->c.curl_multi_add_handle(w->multi, w->c.easy) != CURLM_OK)
        return true;
    while (n_running > 0 && !is_stopped(w))
        if (w->c.curl_multi_perform(w->multi, &n_running) != CURLM_OK ||
            (n_running > 0 && w->c.curl_multi_poll(w->multi, NULL, 0, SLICE_MS, NULL) != CURLM_OK))
            break;
    int n_left;
    CURLMsg *m;
    while ((m = w->c.curl_multi_info_read(w->multi, &n_left)) != NULL)
        if (m->msg == CURLMSG_DONE)
            *code = m->data.result;
    w->c.curl_multi_remove_handle(w->multi, w->c.easy);
    return n_running == 0 || !is_stopped(w);
}

static vg_status try_for(net_web *w, const char *json, size_t n, long most_ms, bool *again,
                         vg_error *err)
{
    const long timeout_ms = w->o.timeout_ms > 0 ? w->o.timeout_ms : TIMEOUT_MS;
    long status = 0;
    CURLcode code;
    w->c.why[0] = '\0';
    w->c.curl_easy_setopt(w->c.easy, CURLOPT_TIMEOUT_MS,
                          most_ms < timeout_ms ? most_ms : timeout_ms);
    w->c.curl_easy_setopt(w->c.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
    w->c.curl_easy_setopt(w->c.easy, CURLOPT_POSTFIELDS, json);
    *again = false;
    if (!perform(w, &code))
        return base_fail(err, VG_ERR_INTERRUPTED, "the webhook", NULL,
                         "there was no time left for its answer");
    *again = true;
    if (code != CURLE_OK)
        return base_fail(err, VG_ERR_IO, "the webhook", NULL, "no answer: %s",
                         net_curl_why(&w->c, code));
    w->c.curl_easy_getinfo(w->c.easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300)
        return VG_OK;
    *again = status >= 500 || status == 408 || status == 429;
    return base_fail(err, VG_ERR_IO, "the webhook", "look at what its server says",
                     "it answered with status %ld", status);
}

vg_status net_web_try(net_web *w, const char *json, size_t n, bool *again, vg_error *err)
{
    return try_for(w, json, n, LONG_MAX, again, err);
}

/* False: stopped. */
static bool pause_s(const net_web *w, double seconds)
{
    const struct timespec slice = {.tv_nsec = SLICE_MS * 1000000};
    const int64_t until_ns = base_now_ns() + (int64_t)(seconds * 1e9);
    while (base_now_ns() < until_ns && !is_stopped(w))
        nanosleep(&slice, NULL);
    return !is_stopped(w);
}

vg_status net_web_post(net_web *w, const char *json, size_t n, vg_error *err)
{
    const int64_t end_ns = base_now_ns() + (int64_t)(w->o.budget_s * 1e9);
    const double most_wait_s = w->o.most_wait_s > 0 ? w->o.most_wait_s : 30;
    double wait_s = w->o.first_wait_s > 0 ? w->o.first_wait_s : 1;
    for (int t = 1;; t++) {
        bool again;
        const bool is_bound = w->o.budget_s > 0;
        const long left_ms = is_bound ? (long)((end_ns - base_now_ns()) / 1000000) : LONG_MAX;
        const vg_status st = try_for(w, json, n, left_ms > 1 ? left_ms : 1, &again, err);
        if (st == VG_OK || !again || t >= w->o.most_tries ||
            (is_bound && base_now_ns() + (int64_t)(wait_s * 1e9) >= end_ns) || !pause_s(w, wait_s))
            return st;
        wait_s = wait_s * 2 < most_wait_s ? wait_s * 2 : most_wait_s;
    }
}

void net_web_close(net_web **web)
{
    net_web *w = *web;
    if (w == NULL)
        return;
    if (w->multi != NULL) /* its handle is not in it any more */
        w->c.curl_multi_cleanup(w->multi);
    net_curl_end(&w->c);
    base_free(w);
    *web = NULL;
}

#else

vg_status net_web_check(const char *url, vg_error *err)
{
    const vg_status st = check_url(url, err);
    if (st != VG_OK)
        return st;
    return base_fail(err, VG_ERR_UNSUPPORTED, "option webhook",
                     "install libcurl4-openssl-dev and build again, or use --notify-command",
                     "this vigil was built without libcurl");
}

vg_status net_web_open(net_web **out, const net_web_options *o, base_mem *mem, vg_error *err)
{
    (void)mem;
    *out = NULL;
    return net_web_check(o->url, err);
}

vg_status net_web_try(net_web *w, const char *json, size_t n, bool *again, vg_error *err)
{
    (void)w, (void)json, (void)n;
    *again = false;
    return net_web_check("http://none/", err);
}

vg_status net_web_post(net_web *w, const char *json, size_t n, vg_error *err)
{
    bool again;
    return net_web_try(w, json, n, &again, err);
}

void net_web_close(net_web **w)
{
    *w = NULL;
}

#endif
