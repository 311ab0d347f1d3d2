/* curl.c: the functions of libcurl by their names. */
#ifdef VIGIL_HAVE_CURL

#include "curl.h"

vg_status net_curl_load(net_curl *c, const char *what, vg_error *err)
{
    void *library;
    vg_status st = base_library_open(&library, "libcurl.so.4", what, "install libcurl4", err);
#define X(name)                                                                                    \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&c->name, library, #name, err);
    NET_CURL_FUNCTIONS(X)
#undef X
    return st;
}

bool net_curl_begin(net_curl *c, const char *agent)
{
    if (c->curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return false;
    c->easy = c->curl_easy_init();
    if (c->easy == NULL)
        return false;
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Not to wait for a name server when a transfer is left. An older library does not know it. */
    c->curl_easy_setopt(c->easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    return c->curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           c->curl_easy_setopt(c->easy, CURLOPT_USERAGENT, agent) == CURLE_OK &&
           c->curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           c->curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->why) == CURLE_OK;
}

const char *net_curl_why(const net_curl *c, CURLcode code)
{
    return c->why[0] != '\0' ? c->why : c->curl_easy_strerror(code);
}

void net_curl_end(net_curl *c)
{
    if (c->easy != NULL)
        c->curl_easy_cleanup(c->easy);
    if (c->headers != NULL)
        c->curl_slist_free_all(c->headers);
    c->easy = NULL;
    c->headers = NULL;
}

#else

typedef int net_curl_is_not_there; /* a file of C is not empty */

#endif
