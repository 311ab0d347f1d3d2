/* html.h: HTML that is safe by construction.
 *
 * page_put is the one way in: its format is the page's own markup, and whatever a %s brings is made
 * text (base_html_escape), so a hostile name cannot be forgotten. Attributes that take a %s are in
 * quotes: <a title='%s'>. An address is put together by page_put_url, never by %s alone. After the
 * first failure (no memory, too large) nothing more is added, and the failure is st. */
#ifndef PAGE_HTML_H
#define PAGE_HTML_H

#include "base/base.h"

typedef struct page_html {
    base_str *out;
    size_t most_bytes;
    base_mem *mem;
    vg_error *err; /* NULL is fine */
    vg_status st;
} page_html;

/* printf of C17 but for %n, %p, %c of wide characters and '*'. */
void page_put(page_html *w, const char *format, ...) VG_PRINTF(2, 3);
/* One segment of a path, or a value of a query: all but letters, digits and -._~ as %41. keep: more
 * characters to leave as they are: "/" of a whole path, "=&" of a query; never <>"'%. */
void page_put_url(page_html *w, const char *text, const char *keep);
/* Own text of any length: styles, scripts. */
void page_put_own(page_html *w, const char *text, size_t n);

#endif
