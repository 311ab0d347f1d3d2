/* fuzz_page.c: any bytes as the names on a page: what comes out are the page's own signs and text,
 * well-formed UTF-8 without control characters; and an address ends where it should. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "page/page.h"

enum { MOST_BYTES = 4096 };

static base_mem mem = {.tag = "fuzz"};

static size_t count(const char *text, char c)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += *text == c;
    return n;
}

static void check(const base_str *s, size_t n_tags, size_t n_quotes)
{
    const char *text = s->text != NULL ? s->text : "";
    assert(strlen(text) == s->length && base_is_utf8(text));
    assert(count(text, '<') == n_tags && count(text, '>') == n_tags);
    assert(count(text, '\'') == n_quotes && count(text, '"') == 0);
    for (const char *c = text; *c != '\0'; c++)
        assert((unsigned char)*c >= 0x20 && *c != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char name[MOST_BYTES + 1];
    base_str out = {0};
    if (n > MOST_BYTES)
        return 0;
    memcpy(name, bytes, n);
    name[n] = '\0';
    page_html w = {.out = &out, .most_bytes = 1 << 20, .mem = &mem};
    page_put(&w, "<a title='%s'>%s %.7s</a>", name, name, name);
    assert(w.st == VG_OK);
    check(&out, 2, 2);
    base_str_fini(&out);
    page_put(&w, "<a href='");
    page_put_url(&w, name, "/");
    page_put(&w, "'>");
    check(&out, 1, 2);
    base_str_fini(&out);
    page_news e = {.n = 0};
    page_news_part(&e, name, 1);
    page_news_figure(&e, name, name);
    page_news_bar(&e, name, 0.5);
    page_news_state(&e, name);
    assert(e.n < sizeof e.text && strlen(e.text) == e.n && base_is_utf8(e.text));
    assert(strchr(e.text, '\n') == NULL && strchr(e.text, '\r') == NULL);
    assert(mem.in_use_bytes == 0);
    return 0;
}
