/* parts.c: the markup that style.css knows. */
#include "parts.h"

enum { MOST_LARGE = 12 }; /* letters of a figure that is written large */

void page_put_badge(page_html *w, const char *state)
{
    page_put(w, "<span class='badge %s'>%s</span>", state, state);
}

void page_put_figures_begin(page_html *w)
{
    page_put(w, "<dl class=figures>");
}

void page_put_figure(page_html *w, const char *name, const char *label, const char *value,
                     const char *help)
{
    page_put(w, "<div%s><dt>%s</dt><dd", strlen(value) > MOST_LARGE ? " class=long" : "", label);
    if (name != NULL)
        page_put(w, " data-figure='%s'", name);
    page_put(w, ">%s</dd>", value);
    if (help != NULL)
        page_put(w, "<small>%s</small>", help);
    page_put(w, "</div>");
}

void page_put_figures_end(page_html *w)
{
    page_put(w, "</dl>");
}

void page_put_bar(page_html *w, const char *name, const char *label, double part_0_1)
{
    page_put(w, "<progress max=1 value=%.4f aria-label='%s' data-bar='%s'></progress>", part_0_1,
             label, name);
}

void page_put_facts_begin(page_html *w)
{
    page_put(w, "<dl class=facts>");
}

void page_put_fact(page_html *w, const char *name, const char *value)
{
    page_put(w, "<div><dt>%s</dt><dd>%s</dd></div>", name, value);
}

void page_put_facts_end(page_html *w)
{
    page_put(w, "</dl>");
}

void page_put_act(page_html *w, const char *path, const char *label, const char *question,
                  bool may_act)
{
    page_put(w, "<details class=act><summary>%s</summary><div class=card>", label);
    if (may_act) {
        page_put(w, "<p>%s</p><form method=post action='", question);
        page_put_url(w, path, "/");
        page_put(w, "'><button class=danger>%s</button></form>", label);
    } else {
        page_put(w, "<p>To act, open the address with the token that the terminal showed at the "
                    "start.</p>");
    }
    page_put(w, "</div></details>");
}

void page_put_picture(page_html *w, const char *path, unsigned long long version, const char *title,
                      int width, int height)
{
    page_put(w, "<figure class='card shot%s'><a href='", width > height ? " flat" : "");
    page_put_url(w, path, "/");
    page_put(w, "?v=%llx' data-shot><img src='", version);
    page_put_url(w, path, "/");
    page_put(w, "?v=%llx' alt='%s' loading=lazy decoding=async width=%d height=%d></a>", version,
             title, width > 0 ? width : 600, height > 0 ? height : 600);
    page_put(w, "<figcaption>%s</figcaption></figure>", title);
}

void page_put_empty(page_html *w, const char *text)
{
    page_put(w, "<p class='card empty'>%s</p>", text);
}
