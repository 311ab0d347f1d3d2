/* written.h: a page's text in the making, and what is looked for in it. */
#ifndef TESTS_PAGE_WRITTEN_H
#define TESTS_PAGE_WRITTEN_H

#include "support/test.h"

#include "page/page.h"

static base_mem written_mem = {.tag = "test"};
static base_str written;
static page_html w;

static inline int begin(void **state)
{
    (void)state;
    base_str_fini(&written);
    w = (page_html){.out = &written, .most_bytes = 1 << 20, .mem = &written_mem};
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    base_str_fini(&written);
    return written_mem.in_use_bytes != 0;
}

static inline const char *text(void)
{
    return written.text != NULL ? written.text : "";
}

static inline void says(const char *what)
{
    if (strstr(text(), what) == NULL)
        fail_msg("\"%s\" is not in: %s", what, text());
}

static inline void says_not(const char *what)
{
    if (strstr(text(), what) != NULL)
        fail_msg("\"%s\" is in: %s", what, text());
}

static inline size_t count(const char *what)
{
    size_t n = 0;
    for (const char *at = text(); (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

#endif
