/* settings.c: how curves are looked at, in the address of a page, so that it can be sent to others.
 */
#include <math.h>
#include <time.h>

#include "draw.h"

static const double smooths[] = {0, 0.6, 0.9};

board_look board_look_of(const net_request *r)
{
    const char *log = net_request_query(r, "log"), *x = net_request_query(r, "x"),
               *smooth = net_request_query(r, "smooth");
    double s;
    board_look k = {.is_log = log != NULL && strcmp(log, "1") == 0,
                    .by_time = x != NULL && strcmp(x, "time") == 0};
    if (smooth != NULL && base_parse_double(&s, smooth) && s > 0 && s <= 0.99)
        k.smooth = s;
    return k;
}

static void put_link(page_html *w, const board_look *k, const char *path, const char *query,
                     const char *part, const char *label, const char *key, bool is_current)
{
    page_put(w, "<a data-view='%s' ", part);
    if (key != NULL)
        page_put(w, "data-key='%s' ", key);
    page_put(w, "href='");
    page_put_url(w, path, "/");
    page_put(w, "?");
    page_put_url(w, query, "=&");
    page_put(w, "log=%d&amp;smooth=%g&amp;x=%s'%s>%s</a>", k->is_log, k->smooth,
             k->by_time ? "time" : "epoch", is_current ? " aria-current=true" : "", label);
}

void board_put_look(page_html *w, const board_look *k, const char *path, const char *query,
                    const char *part)
{
    page_put(w, "<span class=tools><span class=tabs title='scale (l)'>");
    for (int i = 0; i < 2; i++) {
        board_look to = *k;
        to.is_log = i == 1;
        /* The key changes to the other one. */
        put_link(w, &to, path, query, part, i == 0 ? "linear" : "log",
                 to.is_log != k->is_log ? "l" : NULL, to.is_log == k->is_log);
    }
    page_put(w, "</span><span class=tabs title='smoothing'>");
    for (size_t i = 0; i < sizeof smooths / sizeof *smooths; i++) {
        static const char *const labels[] = {"raw", "smooth", "smoother"};
        board_look to = *k;
        to.smooth = smooths[i];
        put_link(w, &to, path, query, part, labels[i], NULL, fabs(to.smooth - k->smooth) < 1e-9);
    }
    page_put(w, "</span><span class=tabs title='axis'>");
    for (int i = 0; i < 2; i++) {
        board_look to = *k;
        to.by_time = i == 1;
        put_link(w, &to, path, query, part, i == 0 ? "epochs" : "time", NULL,
                 to.by_time == k->by_time);
    }
    page_put(w, "</span></span>");
}

const char *board_date(char buf[32], double unix_s)
{
    struct tm parts;
    const time_t t = isfinite(unix_s) ? (time_t)unix_s : 0;
    if (!isfinite(unix_s) || localtime_r(&t, &parts) == NULL ||
        strftime(buf, 32, "%Y-%m-%d %H:%M", &parts) == 0)
        base_format(buf, 32, "-");
    return buf;
}
