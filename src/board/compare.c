/* compare.c: several trainings side by side: their best numbers, the arguments in which they
 * differ, their curves laid over one another. */
#include <math.h>
#include <unistd.h>

#include "draw.h"

enum { MOST_ROWS = 256 };

typedef struct compared {
    char path[BOARD_PATH_BYTES];
    board_facts facts;
    vg_train_epoch *rows;
    size_t n_rows;
    report_columns columns;
    base_tree *arguments;
} compared;

typedef struct view {
    size_t n;
    compared runs[BOARD_MOST_COMPARED];
    board_look look;
    base_str query; /* "r1f..=1&": of the runs */
    uint64_t version;
} view;

static void put_names(page_html *w, const view *v)
{
    for (size_t i = 0; i < v->n; i++) {
        page_put(w, "<th class=n><span class=tools><i class='key c%zu'></i><a href='/run/", i);
        page_put_url(w, v->runs[i].path, "/");
        page_put(w, "'>%s</a></span>", v->runs[i].path);
    }
}

static void put_best(page_html *w, const view *v)
{
    char text[PAGE_FIGURE_BYTES];
    page_put(w, "<tr><td class=soft>state");
    for (size_t i = 0; i < v->n; i++) {
        page_put(w, "<td class=n>");
        page_put_badge(w, v->runs[i].facts.state);
    }
    static const char *const names[] = {"mAP50-95, best", "mAP50, there", "in epoch", "epochs done",
                                        "time"};
    for (int k = 0; k < 5; k++) {
        size_t best = 0;
        for (size_t i = 1; i < v->n; i++)
            if (v->runs[i].facts.best_map > v->runs[best].facts.best_map ||
                isnan(v->runs[best].facts.best_map))
                best = i;
        page_put(w, "<tr><td class=soft>%s", names[k]);
        for (size_t i = 0; i < v->n; i++) {
            const board_facts *f = &v->runs[i].facts;
            const double values[] = {f->best_map, f->best_map50,
                                     f->best_epoch > 0 ? (double)f->best_epoch : (double)NAN,
                                     f->epoch, f->seconds};
            static const page_unit units[] = {PAGE_NUMBER, PAGE_NUMBER, PAGE_COUNT, PAGE_COUNT,
                                              PAGE_SECONDS};
            page_put(w, "<td class='n%s'>%s",
                     k == 0 && i == best && f->best_map > 0 ? " differs" : "",
                     page_figure(text, units[k], values[k]));
        }
    }
}

/* ---- arguments ---- */

static const char *argument_of(const compared *c, const char *key)
{
    const base_node *root = c->arguments != NULL ? base_tree_root(c->arguments) : NULL;
    return board_value_text(base_node_get(root, key));
}

static bool is_named_before(const view *v, size_t run, const char *key)
{
    for (size_t i = 0; i < run; i++)
        if (v->runs[i].arguments != NULL &&
            base_node_get(base_tree_root(v->runs[i].arguments), key) != NULL)
            return true;
    return false;
}

static bool differs(const view *v, const char *key)
{
    for (size_t i = 1; i < v->n; i++)
        if (strcmp(argument_of(&v->runs[0], key), argument_of(&v->runs[i], key)) != 0)
            return true;
    return false;
}

static void put_summary(page_html *w, const void *ctx)
{
    const view *v = ctx;
    size_t n_same = 0, n_rows = 0;
    page_put(w,
             "<div class=title><h1>%zu runs side by side</h1></div><h2>Where they differ</h2>"
             "<div class='card scroll'><table><thead><tr><th>",
             v->n);
    put_names(w, v);
    page_put(w, "</thead><tbody>");
    put_best(w, v);
    for (size_t i = 0; i < v->n; i++) {
        const base_node *root =
            v->runs[i].arguments != NULL ? base_tree_root(v->runs[i].arguments) : NULL;
        if (root == NULL || root->kind != BASE_NODE_MAP)
            continue;
        for (const base_node *n = root->first; n != NULL && n_rows < MOST_ROWS; n = n->next) {
            if (is_named_before(v, i, n->key))
                continue;
            if (!differs(v, n->key)) {
                n_same++;
                continue;
            }
            n_rows++;
            page_put(w, "<tr data-argument='%s'><td class='m'>%s", n->key, n->key);
            for (size_t k = 0; k < v->n; k++) {
                const char *text = argument_of(&v->runs[k], n->key);
                page_put(w, "<td class='n differs'>%s", text[0] != '\0' ? text : "-");
            }
        }
    }
    page_put(w, "</tbody></table></div><p class=soft>%zu other arguments are the same.</p>",
             n_same);
}

static void put_curves(page_html *w, const void *ctx)
{
    const view *v = ctx;
    board_rows rows[BOARD_MOST_COMPARED];
    page_put(w, "<h2>Curves");
    board_put_look(w, &v->look, "/compare", v->query.text != NULL ? v->query.text : "", "curves");
    page_put(w, "</h2>");
    for (size_t i = 0; i < v->n; i++)
        rows[i] = (board_rows){.name = v->runs[i].path,
                               .rows = v->runs[i].rows,
                               .columns = &v->runs[i].columns,
                               .n = v->runs[i].n_rows};
    board_put_overlaid(w, rows, v->n, &v->look);
}

static void put_none(page_html *w, const void *ctx)
{
    (void)ctx;
    page_put(w, "<div class=title><h1>Runs side by side</h1></div>");
    page_put_empty(w, "Mark two or more trainings in the list, then choose Compare.");
}

/* ---- the page ---- */

/* With the lock: those whose id is in the query. */
static void choose(view *v, const board_runs *runs, const net_request *r)
{
    char id[24];
    for (size_t i = 0; i < board_runs_count(runs) && v->n < BOARD_MOST_COMPARED; i++) {
        const board_run *run = board_runs_at(runs, i);
        board_run_id(id, run->path);
        if (run->facts.kind != BOARD_TRAIN || net_request_query(r, id) == NULL)
            continue;
        compared *c = &v->runs[v->n++];
        base_format(c->path, sizeof c->path, "%s", run->path);
        c->facts = run->facts;
        v->version = base_hash(v->version, &run->facts.results, sizeof run->facts.results);
    }
}

static void read_one(compared *c, const board_runs *runs, base_mem *mem)
{
    const int folder = board_runs_open(runs, c->path);
    if (folder < 0)
        return;
    board_results_read(&c->rows, &c->n_rows, &c->columns, folder, mem, NULL);
    c->arguments = board_arguments_read(folder, mem);
    close(folder);
}

void board_answer_compare(board_pages *b, const net_request *r, net_answer *a, base_mem *mem)
{
    char id[24];
    view *v = base_alloc_zero(mem, 1, sizeof *v, NULL);
    if (v == NULL) {
        net_answer_busy(a);
        return;
    }
    v->look = board_look_of(r);
    board_runs_lock(b->runs);
    choose(v, b->runs, r);
    board_runs_unlock(b->runs);
    for (size_t i = 0; i < v->n; i++) {
        read_one(&v->runs[i], b->runs, mem);
        board_run_id(id, v->runs[i].path);
        if (base_str_add(&v->query, 1 << 10, mem, NULL, "%s=1&", id) != VG_OK)
            break;
    }
    const page_part some[] = {{"summary", v->version, put_summary},
                              {"curves", v->version, put_curves}},
                    none[] = {{"summary", 0, put_none}};
    const page_link way[] = {{"compare", NULL}};
    const page_document d = {.title = "vigil: runs side by side",
                             .way = way,
                             .n_way = 1,
                             .parts = v->n > 0 ? some : none,
                             .n_parts = v->n > 0 ? 2 : 1,
                             .ctx = v};
    page_answer(a, r, &d, mem);
    for (size_t i = 0; i < v->n; i++) {
        base_free(v->runs[i].rows);
        base_tree_destroy(&v->runs[i].arguments);
    }
    base_str_fini(&v->query);
    base_free(v);
}
