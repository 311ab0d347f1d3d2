/* curl.h: libcurl, loaded when an option first asks for it, and how each of our handles begins. For
 * this folder; only where VIGIL_HAVE_CURL. */
#ifndef NET_CURL_H
#define NET_CURL_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <stdbool.h>

#include "base/base.h"

#define NET_CURL_FUNCTIONS(X)                                                                      \
    X(curl_global_init)                                                                            \
    X(curl_easy_init)                                                                              \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_perform)                                                                           \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_cleanup)                                                                           \
    X(curl_easy_strerror)                                                                          \
    X(curl_multi_init)                                                                             \
    X(curl_multi_add_handle)                                                                       \
    X(curl_multi_remove_handle)                                                                    \
    X(curl_multi_perform)                                                                          \
    X(curl_multi_poll)                                                                             \
    X(curl_multi_info_read)                                                                        \
    X(curl_multi_cleanup)                                                                          \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)

/* One handle, of one thread. It must not move while it is open: libcurl writes into why. */
typedef struct net_curl {
#define X(name) __typeof__((name)) *name;
    NET_CURL_FUNCTIONS(X)
#undef X
    CURL *easy;
    struct curl_slist *headers;
    char why[CURL_ERROR_SIZE];
} net_curl;

/* what: "calls over HTTP need libcurl". Errors: VG_ERR_UNSUPPORTED. */
vg_status net_curl_load(net_curl *c, const char *what, vg_error *err);
/* The handle: http and https alone, no signals. False: libcurl does not take it. */
bool net_curl_begin(net_curl *c, const char *agent);
/* What libcurl said of a transfer that failed. */
const char *net_curl_why(const net_curl *c, CURLcode code);
/* Half-made ones, too. */
void net_curl_end(net_curl *c);

#endif
