/* job_page.h: a stream job in a browser: how it goes, every source with its picture, its numbers
 * over time, what happened in zones. In fixed memory, taken at create.
 *
 * The sink's thread tells it of results and time; the server's thread asks it for pages. */
#ifndef STREAM_JOB_PAGE_H
#define STREAM_JOB_PAGE_H

#include "metrics.h"
#include "page/page.h"
#include "sink.h"

typedef struct stream_job_page stream_job_page;

vg_status stream_job_page_create(stream_job_page **out, const stream_setting *s, base_mem *mem,
                                 vg_error *err);
void stream_job_page_destroy(stream_job_page **p);
size_t stream_job_page_bytes(void);

/* By the sink's thread. */
void stream_job_page_learn(stream_job_page *p, const stream_result *r);
/* About once a second. */
void stream_job_page_step(stream_job_page *p, int64_t now_ns);

/* By the server's thread. The place of the source with this stem; "": the first that plays, else
 * the first. -1: there is none of that name. */
int stream_job_page_channel(stream_job_page *p, const char *stem);
void stream_job_page_answer(stream_job_page *p, const net_request *r, net_answer *a, base_mem *mem);
/* "STEM/ID": the picture of an event that the page shows. False: none. */
bool stream_job_page_snapshot(stream_job_page *p, const char *which, net_answer *a, base_mem *mem);
/* As page_feed_options wants it; ctx is the page. */
bool stream_job_page_news(void *ctx, const char *topic, uint64_t *seen, page_news *e);
/* For /metrics. */
const stream_rates *stream_job_page_rates(const stream_job_page *p);

#endif
