/* document.c: the frame around the parts; the style sheet and the script, whose bytes the assembler
 * takes in. */
#include "document.h"

#ifndef PAGE_FOLDER
#error "PAGE_FOLDER: where style.css and page.js are"
#endif

#define EMBED(name, file)                                                                          \
    __asm__(".section .rodata\n"                                                                   \
            ".hidden " #name "\n.hidden " #name "_end\n"                                           \
            ".global " #name "\n.global " #name "_end\n" #name ":\n"                               \
            ".incbin \"" PAGE_FOLDER "/" file "\"\n" #name "_end:\n.byte 0\n.previous\n");         \
    extern const char name[], name##_end[]
EMBED(page_style, "style.css");
EMBED(page_script, "page.js");

const char page_policy[] = "default-src 'none'; img-src 'self' data:; style-src 'self'; "
                           "script-src 'self'; connect-src 'self'; form-action 'self'; "
                           "base-uri 'none'; frame-ancestors 'none'";

/* By which a browser that keeps them knows when they are others. */
static unsigned long long stamp(void)
{
    uint64_t h = base_hash(BASE_HASH_START, page_style, (size_t)(page_style_end - page_style));
    h = base_hash(h, page_script, (size_t)(page_script_end - page_script));
    return (unsigned long long)h;
}

static void put_assets(page_html *w, const page_document *d)
{
    if (!d->is_saved) {
        page_put(w,
                 "<link rel=stylesheet href='/page.css?v=%llx'><script src='/page.js?v=%llx'>"
                 "</script>",
                 stamp(), stamp());
        return;
    }
    page_put(w, "<style>");
    page_put_own(w, page_style, (size_t)(page_style_end - page_style));
    page_put(w, "</style><script>");
    page_put_own(w, page_script, (size_t)(page_script_end - page_script));
    page_put(w, "</script>");
}

static void put_way(page_html *w, const page_document *d)
{
    page_put(w, "<header class=top><nav aria-label=Place><a class=brand href='");
    page_put_url(w, d->is_saved ? "" : "/", "/");
    page_put(w, "'><i></i>vigil</a>");
    for (size_t i = 0; i < d->n_way; i++) {
        page_put(w, "<span class=sep>/</span>");
        if (d->way[i].path != NULL) {
            page_put(w, "<a href='");
            page_put_url(w, d->way[i].path, "/");
            page_put(w, "'>%s</a>", d->way[i].text);
        } else {
            page_put(w, "<b>%s</b>", d->way[i].text);
        }
    }
    page_put(w, "</nav><span class=room></span>");
    if (d->events != NULL)
        page_put(w, "<span class=link id=link role=status title='connection to the program'>"
                    "<i></i><span>live</span></span>");
    page_put(w,
             "<button type=button id=theme class=plain title='light or dark (t)' aria-label="
             "'light or dark'><svg viewBox='0 0 20 20' aria-hidden=true><path d='M10 2a8 8 0 1 0 "
             "8 8 8 8 0 0 0-8-8zm0 14.5v-13a6.5 6.5 0 0 1 0 13z'/></svg></button></header>");
}

static void put_part(page_html *w, const page_document *d, const page_part *p)
{
    page_put(w, "<section id='%s' data-part='%s' data-version='%llu'>", p->name, p->name,
             (unsigned long long)p->version);
    p->put(w, d->ctx);
    page_put(w, "</section>");
}

void page_news_parts(page_news *e, const page_part *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        page_news_part(e, parts[i].name, parts[i].version);
}

vg_status page_write(base_str *out, const page_document *d, const char *part, base_mem *mem,
                     vg_error *err)
{
    page_html w = {.out = out, .most_bytes = PAGE_MOST_BYTES, .mem = mem, .err = err};
    if (part != NULL) {
        for (size_t i = 0; i < d->n_parts; i++)
            if (strcmp(d->parts[i].name, part) == 0) {
                put_part(&w, d, &d->parts[i]);
                return w.st;
            }
        return base_fail(err, VG_ERR_ARGUMENT, "part", NULL, "no such part of the page");
    }
    page_put(&w,
             "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport "
             "content='width=device-width,initial-scale=1'><meta name=color-scheme "
             "content='light dark'><link rel=icon href='data:,'><title>%s</title>",
             d->title);
    put_assets(&w, d);
    page_put(&w, "</head><body");
    if (d->events != NULL) {
        page_put(&w, " data-events='");
        page_put_url(&w, d->events, "/");
        page_put(&w, "?topic=");
        page_put_url(&w, d->topic != NULL ? d->topic : "", "/");
        page_put(&w, "'");
    }
    if (d->state != NULL)
        page_put(&w, " data-state='%s'", d->state);
    page_put(&w, ">");
    put_way(&w, d);
    page_put(&w, "<main>");
    for (size_t i = 0; i < d->n_parts; i++)
        put_part(&w, d, &d->parts[i]);
    page_put(&w, "</main></body></html>\n");
    return w.st;
}

void page_answer(net_answer *a, const net_request *r, const page_document *d, base_mem *mem)
{
    const vg_status st = page_write(&a->body, d, net_request_query(r, "part"), mem, NULL);
    a->type = "text/html; charset=utf-8";
    a->policy = page_policy;
    if (st == VG_ERR_ARGUMENT)
        a->status = 404;
    else if (st != VG_OK)
        net_answer_busy(a);
}

bool page_answer_asset(net_answer *a, const char *path, base_mem *mem)
{
    const bool is_style = strcmp(path, "/page.css") == 0;
    if (!is_style && strcmp(path, "/page.js") != 0)
        return false;
    const char *from = is_style ? page_style : page_script;
    const size_t n = (size_t)((is_style ? page_style_end : page_script_end) - from);
    a->type = is_style ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8";
    a->policy = page_policy;
    a->keeps = true;
    if (base_str_add_bytes(&a->body, PAGE_MOST_BYTES, from, n, mem, NULL) != VG_OK)
        net_answer_busy(a);
    return true;
}
