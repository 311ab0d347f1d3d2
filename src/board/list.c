/* list.c: all runs in a table: filtered, sorted, a page at a time. */
#include <math.h>

#include "draw.h"

enum { ROWS = 100, QUERY_BYTES = 128 };

typedef enum order { BY_CHANGED, BY_NAME, BY_STATE, BY_MAP, BY_EPOCH } order;
static const char *const orders[] = {"changed", "name", "state", "map", "epoch"};

typedef struct view {
    const board_runs *runs;
    char query[QUERY_BYTES];
    order by;
    bool is_up; /* the least first */
    size_t page;
    size_t n_all, n_living, n; /* runs; of those that are asked for */
    uint32_t *order;           /* (n) */
    bool are_more;
    double best;
} view;

static bool matches(const board_run *run, const char *query)
{
    return query[0] == '\0' || strcasestr(run->path, query) != NULL ||
           strcasestr(run->facts.state, query) != NULL ||
           strcasestr(run->facts.model, query) != NULL ||
           strcasestr(run->facts.data, query) != NULL;
}

/* ---- order ---- */

/* The living first, then as is wanted; what has no such number last. */
static int before(const void *a, const void *b, void *ctx)
{
    const view *v = ctx;
    uint32_t i, k;
    memcpy(&i, a, sizeof i);
    memcpy(&k, b, sizeof k);
    const board_run *x = board_runs_at(v->runs, i), *y = board_runs_at(v->runs, k);
    double d = 0;
    int s = 0;
    switch (v->by) {
    case BY_CHANGED:
        if (x->facts.is_alive != y->facts.is_alive)
            return x->facts.is_alive;
        d = x->facts.changed_unix_s - y->facts.changed_unix_s;
        break;
    case BY_MAP:
        if (isnan(x->facts.best_map) != isnan(y->facts.best_map))
            return isnan(y->facts.best_map);
        d = x->facts.best_map - y->facts.best_map;
        break;
    case BY_EPOCH:
        d = x->facts.epoch - y->facts.epoch;
        break;
    case BY_STATE:
        s = strcmp(y->facts.state, x->facts.state);
        break;
    case BY_NAME:
        break;
    }
    if (d != 0 && isfinite(d))
        return v->is_up ? d < 0 : d > 0;
    if (s == 0)
        s = strcmp(y->path, x->path);
    return v->is_up ? s > 0 : v->by == BY_NAME || v->by == BY_STATE ? s < 0 : s > 0;
}

/* With the lock. */
static vg_status collect(view *v, base_mem *mem)
{
    v->n_all = board_runs_count(v->runs);
    v->are_more = board_runs_are_more(v->runs);
    v->best = NAN;
    v->order = base_alloc(mem, (v->n_all + 1) * sizeof *v->order, NULL);
    if (v->order == NULL)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < v->n_all; i++) {
        const board_run *run = board_runs_at(v->runs, i);
        v->n_living += run->facts.is_alive;
        if (!isnan(run->facts.best_map) && !(run->facts.best_map <= v->best))
            v->best = run->facts.best_map;
        if (matches(run, v->query))
            v->order[v->n++] = (uint32_t)i;
    }
    base_sort(v->order, v->n, sizeof *v->order, before, v);
    if (v->page * ROWS >= v->n)
        v->page = v->n > 0 ? (v->n - 1) / ROWS : 0;
    return VG_OK;
}

/* ---- the table ---- */

static void put_address(page_html *w, const view *v, order by, bool is_up, size_t page)
{
    page_put(w, "href='/?q=");
    page_put_url(w, v->query, "");
    page_put(w, "&amp;sort=%s&amp;up=%d&amp;page=%zu' data-view=runs", orders[by], is_up, page);
}

static void put_head(page_html *w, const view *v, order by, const char *label, const char *class)
{
    const bool is_by = v->by == by;
    page_put(w, "<th class='%s'%s><a ", class,
             !is_by     ? ""
             : v->is_up ? " aria-sort=ascending"
                        : " aria-sort=descending");
    put_address(w, v, by, is_by ? !v->is_up : by == BY_NAME, 0);
    page_put(w, ">%s</a>", label);
}

static void put_row(page_html *w, const board_run *run)
{
    const board_facts *f = &run->facts;
    char id[24], date[32], a[PAGE_FIGURE_BYTES], b[PAGE_FIGURE_BYTES];
    const bool is_train = f->kind == BOARD_TRAIN;
    board_run_id(id, run->path);
    page_put(w, "<tr><td>");
    if (is_train)
        page_put(w, "<input type=checkbox name='%s' value=1 form=compare aria-label='compare %s'>",
                 id, run->path);
    page_put(w, "<td class=name><a href='/run/");
    page_put_url(w, run->path, "/");
    page_put(w, "'>%s</a><td class=one>", run->path[0] != '\0' ? run->path : ".");
    page_put_badge(w, f->state);
    if (!is_train && f->is_alive)
        page_put_badge(w, "living");
    page_put(w, "<td class='soft narrow-off'>%s<td class='n narrow-off'>",
             is_train ? f->model : "watched job");
    if (is_train && f->n_epochs > 0)
        page_put(w, "%d / %d", f->epoch, f->n_epochs);
    else if (is_train)
        page_put(w, "%d", f->epoch);
    page_put(w, "<td class=n>%s<td class='n narrow-off'>%s<td class=narrow-off>",
             is_train ? page_figure(a, PAGE_NUMBER, f->best_map) : "",
             is_train ? page_figure(b, PAGE_NUMBER, f->best_map50) : f->why);
    page_put_spark(w, f->spark, f->n_spark, is_train ? 0 : 2);
    page_put(w, "<td class='one soft narrow-off'>%s", board_date(date, f->changed_unix_s));
}

static void put_pages(page_html *w, const view *v)
{
    if (v->n <= ROWS)
        return;
    page_put(w, "<span class=tools>");
    if (v->page > 0) {
        page_put(w, "<a class=button ");
        put_address(w, v, v->by, v->is_up, v->page - 1);
        page_put(w, ">Newer</a>");
    }
    page_put(w, "<span class=soft>%zu to %zu of %zu</span>", v->page * ROWS + 1,
             (v->page + 1) * ROWS < v->n ? (v->page + 1) * ROWS : v->n, v->n);
    if ((v->page + 1) * ROWS < v->n) {
        page_put(w, "<a class=button ");
        put_address(w, v, v->by, v->is_up, v->page + 1);
        page_put(w, ">Older</a>");
    }
    page_put(w, "</span>");
}

static void put_runs(page_html *w, const void *ctx)
{
    const view *v = ctx;
    char text[PAGE_FIGURE_BYTES], count[48];
    page_put_figures_begin(w);
    base_format(count, sizeof count, "%zu", v->n_all);
    page_put_figure(w, NULL, "Runs", count,
                    v->are_more ? "the first of more" : "found below the folder");
    base_format(count, sizeof count, "%zu", v->n_living);
    page_put_figure(w, NULL, "Living", count, "at this moment");
    page_put_figure(w, NULL, "Best mAP50-95", page_figure(text, PAGE_NUMBER, v->best),
                    "of all trainings");
    page_put_figures_end(w);
    page_put(w, "<h2>Runs");
    put_pages(w, v);
    page_put(w, "</h2>");
    if (v->n == 0) {
        page_put_empty(w, v->n_all > 0 ? "No run is like that."
                                       : "No run here yet: a training or a watched job appears by "
                                         "itself.");
        return;
    }
    page_put(w, "<div class='card scroll'><table><thead><tr><th>");
    put_head(w, v, BY_NAME, "run", "");
    put_head(w, v, BY_STATE, "state", "");
    page_put(w, "<th class=narrow-off>model");
    put_head(w, v, BY_EPOCH, "epochs", "n narrow-off");
    put_head(w, v, BY_MAP, "mAP50-95", "n");
    page_put(w, "<th class='n narrow-off'>mAP50<th class=narrow-off>course");
    put_head(w, v, BY_CHANGED, "changed", "narrow-off");
    page_put(w, "</thead><tbody>");
    for (size_t i = v->page * ROWS; i < v->n && i < (v->page + 1) * ROWS; i++)
        put_row(w, board_runs_at(v->runs, v->order[i]));
    page_put(w, "</tbody></table></div>");
}

static void put_title(page_html *w, const void *ctx)
{
    const view *v = ctx;
    page_put(w,
             "<div class=title><h1>%s</h1><span class=room></span><span class=tools><form "
             "method=get action='/' data-view=runs role=search><input type=search name=q "
             "value='%s' placeholder='name, state, model  ( / )' aria-label='filter' "
             "autocomplete=off></form><form method=get action='/compare' id=compare><button "
             "class=button>Compare</button></form></span></div>",
             board_runs_folder(v->runs), v->query);
}

static order order_of(const char *text)
{
    for (size_t i = 0; text != NULL && i < sizeof orders / sizeof *orders; i++)
        if (strcmp(text, orders[i]) == 0)
            return (order)i;
    return BY_CHANGED;
}

void board_answer_list(board_pages *b, const net_request *r, net_answer *a, base_mem *mem)
{
    const char *query = net_request_query(r, "q"), *up = net_request_query(r, "up"),
               *page = net_request_query(r, "page");
    int64_t number = 0;
    view v = {.runs = b->runs,
              .by = order_of(net_request_query(r, "sort")),
              .is_up = up != NULL && strcmp(up, "1") == 0};
    base_format(v.query, sizeof v.query, "%s", query != NULL ? query : "");
    base_utf8_trim(v.query);
    if (page != NULL && base_parse_i64(&number, page, 0, BOARD_MOST_RUNS))
        v.page = (size_t)number;
    board_runs_lock(b->runs);
    if (collect(&v, mem) == VG_OK) {
        const page_part parts[] = {{"title", 0, put_title},
                                   {"runs", board_runs_version(b->runs), put_runs}};
        const page_document d = {.title = "vigil: runs",
                                 .events = "/events",
                                 .topic = "list",
                                 .parts = parts,
                                 .n_parts = 2,
                                 .ctx = &v};
        page_answer(a, r, &d, mem);
    } else {
        net_answer_busy(a);
    }
    board_runs_unlock(b->runs);
    base_free(v.order);
}
