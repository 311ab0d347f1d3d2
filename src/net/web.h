/* web.h: JSON to a URL, by POST (libcurl).
 *
 * A message is tried a stated number of times with exponential back-off, within a total time. What
 * the server refuses (4xx but 408 and 429) is not tried again: it would refuse it again. One thread
 * at a time. Built without libcurl's headers, open says so. */
#ifndef NET_WEB_H
#define NET_WEB_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/base.h"

typedef struct net_web net_web;

typedef struct net_web_options {
    const char *url;                  /* http or https; copied by libcurl */
    const char *agent;                /* User-Agent: "vigil-watch" */
    int timeout_ms;                   /* of one try; 0: 10,000 */
    int most_tries;                   /* of one message; 0: 1 */
    double first_wait_s, most_wait_s; /* before the second try, doubled from try to try; 0: 1, 30 */
    double budget_s;         /* of one message, waits included; 0: no bound beyond the above */
    const atomic_bool *stop; /* when it becomes true, calls return within 100 ms; or NULL */
} net_web_options;

/* Errors: VG_ERR_ARGUMENT (no http or https URL), VG_ERR_UNSUPPORTED (no libcurl), VG_ERR_MEMORY.
 */
vg_status net_web_open(net_web **out, const net_web_options *o, base_mem *mem, vg_error *err);
/* What open would say of a URL, before anything is taken. */
vg_status net_web_check(const char *url, vg_error *err);
/* One try. *again: trying once more may help. Errors: VG_ERR_IO, VG_ERR_INTERRUPTED. The URL, which
 * may hold a secret, is not in the text. */
vg_status net_web_try(net_web *w, const char *json, size_t n, bool *again, vg_error *err);
/* As often as the options allow. The last error counts. */
vg_status net_web_post(net_web *w, const char *json, size_t n, vg_error *err);
void net_web_close(net_web **w);

#endif
