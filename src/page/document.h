/* document.h: a page from its head and parts, whole or one part alone.
 *
 * A browser gets the whole page once; then the script asks for the parts whose version has changed
 * ("?part=NAME") and puts them in place. So a part is drawn by the same function both times, and a
 * reader without a script has the same page. */
#ifndef PAGE_DOCUMENT_H
#define PAGE_DOCUMENT_H

#include "feed.h"
#include "html.h"
#include "net/net.h"

typedef struct page_part {
    const char *name; /* letters; also its id */
    uint64_t version; /* changes when the part does; as the feed tells it */
    void (*put)(page_html *w, const void *ctx);
} page_part;

typedef struct page_link {
    const char *text, *path; /* path: a whole one here; NULL: no link */
} page_link;

typedef struct page_document {
    const char *title;
    const char *state;    /* of page_badge, for the tab's picture; NULL: none */
    const char *events;   /* the path of its event stream; NULL: the page stands still */
    const char *topic;    /* which is asked for as "?topic="; NULL: "" */
    const page_link *way; /* from the top to this page */
    size_t n_way;
    const page_part *parts;
    size_t n_parts;
    const void *ctx; /* of the parts */
    bool is_saved;   /* a file: style and script are within it */
} page_document;

/* What the feed tells of these parts: the same table says what a page has and what is new of it. */
void page_news_parts(page_news *e, const page_part *parts, size_t n);

enum { PAGE_MOST_BYTES = 24 << 20 };

/* part: NULL: the whole page. VG_ERR_ARGUMENT: no part of that name. Adds to out. */
vg_status page_write(base_str *out, const page_document *d, const char *part, base_mem *mem,
                     vg_error *err);
/* The same as an answer: of "?part=NAME" the part. Always answered: busy when memory is short, 404
 * for no such part. */
void page_answer(net_answer *a, const net_request *r, const page_document *d, base_mem *mem);
/* "/page.css", "/page.js". False: path is neither. */
bool page_answer_asset(net_answer *a, const char *path, base_mem *mem);

/* What pages of these parts may do: nothing from elsewhere, no style or script within them. */
extern const char page_policy[];

#endif
