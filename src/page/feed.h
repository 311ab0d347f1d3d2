/* feed.h: what is new, to open pages, by server-sent events.
 *
 * A reader has a place of fixed size and is told the newest state, never a history: one that reads
 * slowly misses what has been overtaken, and one that does not read at all is cut off by the server
 * (net/server.h). The owner is asked by the server's thread whether there is something new; it
 * wakes readers by net_server_wake, else they are asked once a second. Taken at create, nothing
 * later. */
#ifndef PAGE_FEED_H
#define PAGE_FEED_H

#include "net/net.h"

enum { PAGE_MOST_READERS = 32, PAGE_NEWS_BYTES = 6 << 10, PAGE_TOPIC_BYTES = 1024 };

/* An event in the making: {"parts": {...}, "figures": {...}, "bars": {...}}. What does not fit is
 * left out, whole. */
typedef struct page_news {
    char text[PAGE_NEWS_BYTES];
    size_t n;
    int group;
} page_news;
/* In this order: parts, then figures, then bars, then the rest. */
void page_news_part(page_news *e, const char *name, uint64_t version);
void page_news_figure(page_news *e, const char *name, const char *text);
void page_news_bar(page_news *e, const char *name, double part_0_1);
/* The state, for the tab's picture. */
void page_news_state(page_news *e, const char *state);

typedef struct page_feed page_feed;

typedef struct page_feed_options {
    int most_readers; /* at most PAGE_MOST_READERS */
    void *ctx;
    /* False: nothing newer than *seen, which is 0 at first; else e (empty) is filled and *seen set.
     * By the server's thread, which serves others, too: it must not wait. */
    bool (*news)(void *ctx, const char *topic, uint64_t *seen, page_news *e);
} page_feed_options;

vg_status page_feed_create(page_feed **out, const page_feed_options *o, base_mem *mem,
                           vg_error *err);
size_t page_feed_bytes(int most_readers);
/* After the server is closed. */
void page_feed_destroy(page_feed **f);
/* Makes a the stream of a reader of this topic; busy when there is no place. */
void page_feed_join(page_feed *f, const char *topic, net_answer *a);
int page_feed_n_readers(page_feed *f);

#endif
