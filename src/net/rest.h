/* rest.h: calls of an API over HTTP (libcurl): a method, a path, a JSON body, an answer.
 *
 * A call takes no longer than its timeout. Answers go to one buffer of fixed size. One thread at a
 * time. Built without libcurl's headers, open says so. */
#ifndef NET_REST_H
#define NET_REST_H

#include <stdbool.h>

#include "base/base.h"

typedef struct net_rest net_rest;

typedef struct net_rest_options {
    const char *base;       /* "https://10.0.0.1:443": what stands before every path */
    const char *ca;         /* a PEM file: whom https trusts; NULL: the system's */
    const char *token_file; /* Authorization: Bearer, read anew with each call; NULL: none */
    const char *agent;      /* User-Agent */
    int timeout_ms;
    size_t most_bytes; /* of an answer */
    const char *who;   /* in errors: "the Kubernetes API" */
} net_rest_options;

/* Texts are borrowed until close. Errors: VG_ERR_ARGUMENT (base is no URL), VG_ERR_UNSUPPORTED (no
 * libcurl), VG_ERR_MEMORY. */
vg_status net_rest_open(net_rest **out, const net_rest_options *o, base_mem *mem, vg_error *err);
size_t net_rest_bytes(const net_rest_options *o);

typedef struct net_rest_answer {
    long status;
    const char *text; /* (n) and a 0; until the next call */
    size_t n;
} net_rest_answer;
/* type: of the body, with which it is sent; NULL: there is none. Any status is an answer. Errors:
 * VG_ERR_IO (none came in time), VG_ERR_LIMIT (too large). */
vg_status net_rest_call(net_rest *r, net_rest_answer *out, const char *method, const char *path,
                        const char *type, const char *body, vg_error *err);
void net_rest_close(net_rest **r);

#endif
