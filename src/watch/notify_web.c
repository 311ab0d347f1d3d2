/* notify_web.c: HTTP by libcurl. */
#include "notify.h"

#include <string.h>

static bool is_url(const char *url)
{
    return (base_starts_with(url, "http://") && url[7] != '\0') ||
           (base_starts_with(url, "https://") && url[8] != '\0');
}

static vg_status bad_url(vg_error *err)
{
    return base_fail(err, VG_ERR_ARGUMENT, "option webhook", "give http://... or https://...",
                     "a webhook that is no URL");
}

#ifdef VIGIL_HAVE_CURL

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

struct watch_web {
    CURL *easy;
    struct curl_slist *headers;
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_easy_init) *init;
    __typeof__((curl_easy_setopt)) *setopt;
    __typeof__(curl_easy_perform) *perform;
    __typeof__((curl_easy_getinfo)) *getinfo;
    __typeof__(curl_easy_cleanup) *cleanup;
    __typeof__(curl_easy_strerror) *explain;
    __typeof__(curl_slist_append) *append;
    __typeof__(curl_slist_free_all) *free_all;
    char why[CURL_ERROR_SIZE];
};

static vg_status load(watch_web *w, vg_error *err)
{
    void *library;
    const struct {
        void *target;
        const char *name;
    } rows[] = {{&w->global_init, "curl_global_init"}, {&w->init, "curl_easy_init"},
                {&w->setopt, "curl_easy_setopt"},      {&w->perform, "curl_easy_perform"},
                {&w->getinfo, "curl_easy_getinfo"},    {&w->cleanup, "curl_easy_cleanup"},
                {&w->explain, "curl_easy_strerror"},   {&w->append, "curl_slist_append"},
                {&w->free_all, "curl_slist_free_all"}};
    vg_status st = base_library_open(&library, "libcurl.so.4", "--webhook needs libcurl",
                                     "install libcurl4", err);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && st == VG_OK; i++)
        st = base_library_find(rows[i].target, library, rows[i].name, err);
    return st;
}

static size_t ignore(char *bytes, size_t size, size_t n, void *ctx)
{
    (void)bytes, (void)ctx;
    return size * n;
}

static bool set_up(watch_web *w, const char *url)
{
    w->easy = w->init();
    w->headers = w->append(NULL, "Content-Type: application/json");
    if (w->easy == NULL || w->headers == NULL)
        return false;
    return w->setopt(w->easy, CURLOPT_URL, url) == CURLE_OK &&
           w->setopt(w->easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           w->setopt(w->easy, CURLOPT_HTTPHEADER, w->headers) == CURLE_OK &&
           w->setopt(w->easy, CURLOPT_USERAGENT, "vigil-watch") == CURLE_OK &&
           w->setopt(w->easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           w->setopt(w->easy, CURLOPT_TIMEOUT_MS, (long)WATCH_NOTIFY_TIMEOUT_MS) == CURLE_OK &&
           w->setopt(w->easy, CURLOPT_ERRORBUFFER, w->why) == CURLE_OK &&
           w->setopt(w->easy, CURLOPT_WRITEFUNCTION, ignore) == CURLE_OK;
}

vg_status watch_web_open(watch_web **out, const char *url, base_mem *mem, vg_error *err)
{
    *out = NULL;
    if (!is_url(url))
        return bad_url(err);
    watch_web *w = base_alloc_zero(mem, 1, sizeof *w, err);
    if (w == NULL)
        return VG_ERR_MEMORY;
    *out = w;
    vg_status st = load(w, err);
    if (st == VG_OK && (w->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !set_up(w, url)))
        st = base_fail(err, VG_ERR_UNSUPPORTED, "option webhook", "give an http or https URL",
                       "libcurl does not take it");
    if (st != VG_OK)
        watch_web_close(out);
    return st;
}

vg_status watch_web_post(watch_web *w, const char *json, bool *again, vg_error *err)
{
    long status = 0;
    w->why[0] = '\0';
    w->setopt(w->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(json));
    w->setopt(w->easy, CURLOPT_POSTFIELDS, json);
    const CURLcode code = w->perform(w->easy);
    *again = true;
    if (code != CURLE_OK)
        return base_fail(err, VG_ERR_IO, "the webhook", NULL, "no answer: %s",
                         w->why[0] != '\0' ? w->why : w->explain(code));
    w->getinfo(w->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300)
        return VG_OK;
    *again = status >= 500 || status == 408 || status == 429;
    return base_fail(err, VG_ERR_IO, "the webhook", "look at what its server says",
                     "it answered with status %ld", status);
}

void watch_web_close(watch_web **web)
{
    watch_web *w = *web;
    if (w == NULL)
        return;
    if (w->easy != NULL)
        w->cleanup(w->easy);
    if (w->headers != NULL)
        w->free_all(w->headers);
    base_free(w);
    *web = NULL;
}

#else

vg_status watch_web_open(watch_web **out, const char *url, base_mem *mem, vg_error *err)
{
    (void)mem;
    *out = NULL;
    if (!is_url(url))
        return bad_url(err);
    return base_fail(err, VG_ERR_UNSUPPORTED, "option webhook",
                     "install libcurl4-openssl-dev and build again, or use --notify-command",
                     "this vigil was built without libcurl");
}

vg_status watch_web_post(watch_web *w, const char *json, bool *again, vg_error *err)
{
    (void)w, (void)json;
    *again = false;
    return bad_url(err);
}

void watch_web_close(watch_web **w)
{
    *w = NULL;
}

#endif
