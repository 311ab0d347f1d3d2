/* run_page.c: a run on a page of its own: where it is, its curves, its pictures, its arguments. Of
 * a watched job: the guard's report. */
#include <dirent.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "draw.h"
#include "watch/watch.h"

enum { MOST_PICTURE_BYTES = 16 << 20, SHOT_NAME_BYTES = 96 };

/* What a page is drawn from: copied under the lock, read from files without it. */
typedef struct view {
    const char *path;
    board_facts facts;
    board_living living;
    bool is_living, may_act, is_single;
    board_look look;
    vg_train_epoch *rows;
    size_t n_rows;
    report_columns columns;
    vg_error why; /* there are no rows */
    base_tree *arguments;
    size_t n_shots;
    struct {
        char name[SHOT_NAME_BYTES];
        uint64_t stamp;
    } shots[BOARD_MOST_SHOTS];
} view;

static base_text path_of(const char *before, const char *path)
{
    return base_text_make("%s%s", before, path);
}

/* ---- where it is ---- */

typedef struct figures {
    char epoch[48], left[48], speed[48], memory[48], plan[64], loss[64], losses[64], map[48],
        map50[48];
    double part; /* of the epoch */
} figures;

/* "1.20 / 0.80 / 1.01" */
static void put_losses(char *out, size_t n, const double *losses, int n_losses)
{
    size_t at = 0;
    for (int k = 0; k < n_losses && at < n; k++) {
        base_format(out + at, n - at, "%s%.2f", k > 0 ? " / " : "", losses[k]);
        at += strlen(out + at);
    }
}

/* "Loss: box / cls / dfl" */
static void put_loss_title(char *out, size_t n, const char *const *losses, int n_losses)
{
    size_t at = 0;
    for (int k = 0; k < n_losses && at < n; k++) {
        char word[16];
        board_loss_word(word, sizeof word, losses[k]);
        base_format(out + at, n - at, "%s%s", k > 0 ? " / " : "Loss: ", word);
        at += strlen(out + at);
    }
}

static void make_figures(figures *f, const board_facts *facts, const vg_run_view *v)
{
    char text[PAGE_FIGURE_BYTES];
    const vg_train_batch *b = &v->batch;
    const bool runs = v->is_alive && b->n_batches > 0;
    *f = (figures){.part = runs ? (double)b->batch / (double)b->n_batches : 0};
    const int of = runs ? b->n_epochs : facts->n_epochs;
    if (of > 0)
        base_format(f->epoch, sizeof f->epoch, "%d / %d", runs ? b->epoch : facts->epoch, of);
    else
        base_format(f->epoch, sizeof f->epoch, "%d", facts->epoch);
    base_format(f->left, sizeof f->left, "%s",
                runs && v->pace.left_s >= 0 ? page_figure(text, PAGE_SECONDS, v->pace.left_s)
                                            : "-");
    base_format(f->speed, sizeof f->speed, "%s",
                runs ? page_figure(text, PAGE_PER_S, v->pace.pictures_per_s) : "-");
    base_format(f->memory, sizeof f->memory, "%s",
                runs && v->pace.resident_bytes > 0
                    ? page_figure(text, PAGE_BYTES, (double)v->pace.resident_bytes)
                    : "-");
    if (runs && v->pace.planned_bytes > 0)
        base_format(f->plan, sizeof f->plan, "planned %s",
                    page_figure(text, PAGE_BYTES, (double)v->pace.planned_bytes));
    if (runs)
        put_losses(f->loss, sizeof f->loss, b->loss, b->n_losses);
    else
        base_format(f->loss, sizeof f->loss, "-");
    const report_names names = train_report_names(b->task);
    put_loss_title(f->losses, sizeof f->losses, names.losses, names.n_losses);
    base_format(f->map, sizeof f->map, "%s", page_figure(text, PAGE_NUMBER, facts->best_map));
    base_format(f->map50, sizeof f->map50, "%s", page_figure(text, PAGE_NUMBER, facts->best_map50));
}

static void put_error(page_html *w, const vg_error *e)
{
    if (e->what[0] == '\0')
        return;
    page_put(w, "<div class='card note failed'><p><b>what</b>%s</p>", e->what);
    if (e->where[0] != '\0')
        page_put(w, "<p><b>at</b>%s</p>", e->where);
    if (e->mend[0] != '\0')
        page_put(w, "<p><b>try</b>%s</p>", e->mend);
    page_put(w, "</div>");
}

static void put_living(page_html *w, const figures *f)
{
    page_put_figure(w, "loss", f->losses, f->loss, "so far in this epoch");
    page_put_figure(w, "speed", "Pictures", f->speed, "while training");
    page_put_figure(w, "left", "Left of the epoch", f->left, "at this speed");
    page_put_figure(w, "memory", "Memory", f->memory,
                    f->plan[0] != '\0' ? f->plan : "of the process");
}

static void put_over(page_html *w, const view *v)
{
    char text[PAGE_FIGURE_BYTES], loss[64] = "-", title[64];
    const vg_train_epoch *last = v->n_rows > 0 ? &v->rows[v->n_rows - 1] : NULL, *best = NULL;
    for (size_t i = 0; i < v->n_rows; i++)
        if (v->rows[i].epoch == v->facts.best_epoch)
            best = &v->rows[i];
    if (last != NULL)
        put_losses(loss, sizeof loss, last->train_loss, last->n_losses);
    const char *names[VG_MOST_LOSSES];
    for (int k = 0; k < v->columns.n_losses; k++)
        names[k] = report_columns_loss(&v->columns, k);
    put_loss_title(title, sizeof title, names, v->columns.n_losses);
    if (v->columns.has_boxes) {
        page_put_figure(
            w, NULL, "Precision",
            page_figure(text, PAGE_NUMBER, best != NULL ? best->precision : (double)NAN),
            "in that epoch");
        page_put_figure(w, NULL, "Recall",
                        page_figure(text, PAGE_NUMBER, best != NULL ? best->recall : (double)NAN),
                        "in that epoch");
    }
    if (v->columns.second != 0)
        page_put_figure(
            w, NULL, v->columns.second == 'M' ? "Masks mAP50-95" : "Keypoints mAP50-95",
            page_figure(text, PAGE_NUMBER, best != NULL ? best->second.map : (double)NAN),
            "in that epoch");
    page_put_figure(w, NULL, title, loss, "in the last epoch");
    page_put_figure(w, NULL, "Time", page_figure(text, PAGE_SECONDS, v->facts.seconds),
                    "of training");
}

static void put_now(page_html *w, const void *ctx)
{
    const view *v = ctx;
    char best[64];
    figures f;
    make_figures(&f, &v->facts, &v->living.view);
    page_put(w, "<div class=title><h1>%s</h1>", v->path[0] != '\0' ? v->path : "This run");
    page_put_badge(w, v->facts.state);
    if (v->facts.is_alive) {
        const base_text stop = path_of("/stop/", v->path);
        page_put_act(w, stop.text, "Stop run",
                     "The run ends after this batch, with a checkpoint from which it can go on.",
                     v->may_act);
    }
    page_put(w, "</div>");
    base_format(best, sizeof best, v->facts.best_epoch > 0 ? "best, epoch %d" : "not validated yet",
                v->facts.best_epoch);
    page_put_figures_begin(w);
    page_put_figure(w, "epoch", "Epoch", f.epoch, v->facts.data);
    const bool ranks = v->facts.best_epoch > 0 && !v->facts.has_boxes; /* of classes */
    page_put_figure(w, "map", ranks ? "Top-1 accuracy" : "mAP50-95", f.map, best);
    page_put_figure(w, "map50", ranks ? "Top-5 accuracy" : "mAP50", f.map50, v->facts.model);
    if (v->facts.is_alive)
        put_living(w, &f);
    else
        put_over(w, v);
    page_put_figures_end(w);
    if (v->facts.is_alive)
        page_put_bar(w, "epoch", "progress of the epoch", f.part);
    if (v->is_living && !v->living.view.is_alive)
        put_error(w, &v->living.view.error);
    if (strcmp(v->facts.state, "died") == 0)
        page_put(w,
                 "<div class='card note died'><p><b>what</b>Its process ended without a message: "
                 "it was killed.</p><p><b>try</b><code>vigil train --resume FOLDER</code>, which "
                 "goes on from the last checkpoint</p></div>");
}

/* ---- curves ---- */

static void put_curves(page_html *w, const void *ctx)
{
    const view *v = ctx;
    const base_text path = path_of("/run/", v->path);
    page_put(w, "<h2>Curves");
    board_put_look(w, &v->look, path.text, "", "curves");
    page_put(w, "</h2>");
    if (v->n_rows == 0) {
        if (v->why.status == VG_OK || v->why.status == VG_ERR_IO)
            page_put_empty(w, "The first point comes with the end of the first epoch.");
        else
            put_error(w, &v->why);
        return;
    }
    const board_rows rows = {
        .name = v->path, .rows = v->rows, .columns = &v->columns, .n = v->n_rows};
    board_put_run_curves(w, &rows, &v->look);
}

static void put_live(page_html *w, const void *ctx)
{
    const view *v = ctx;
    if (!v->is_living || v->living.course.n == 0)
        return;
    page_put(w, "<h2>While it runs</h2>");
    board_put_course(w, &v->living.course, v->living.view.pace.planned_bytes, &v->look);
}

static void put_ranks(page_html *w, const void *ctx)
{
    const view *v = ctx;
    if (v->is_living)
        board_put_ranks(w, &v->living.view.ranks);
}

/* ---- pictures ---- */

static bool is_picture(const char *name)
{
    const char *suffix = base_path_suffix(name);
    return base_equal_nocase(suffix, ".jpg") || base_equal_nocase(suffix, ".jpeg") ||
           base_equal_nocase(suffix, ".png");
}

static int rank_of(const char *name)
{
    static const char *const begins[] = {"val_batch", "train_batch", "labels",  "confusion",
                                         "PR_curve",  "F1_curve",    "P_curve", "R_curve"};
    size_t i = 0;
    while (i < sizeof begins / sizeof *begins && !base_starts_with(name, begins[i]))
        i++;
    return (int)i;
}

static int shot_before(const void *a, const void *b, void *ctx)
{
    const char *x = a, *y = b;
    (void)ctx;
    return rank_of(x) != rank_of(y) ? rank_of(x) < rank_of(y) : strcmp(x, y) < 0;
}

static void find_shots(view *v, int folder)
{
    const int fd = board_open_folder(folder, "");
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL && v->n_shots < BOARD_MOST_SHOTS;) {
        if (!is_picture(e->d_name) || strcmp(e->d_name, "results.png") == 0 ||
            (e->d_type != DT_REG && e->d_type != DT_UNKNOWN) ||
            !base_format(v->shots[v->n_shots].name, SHOT_NAME_BYTES, "%s", e->d_name))
            continue;
        v->shots[v->n_shots].stamp = board_stamp(folder, e->d_name);
        v->n_shots++;
    }
    closedir(dir);
    base_sort(v->shots, v->n_shots, sizeof v->shots[0], shot_before, NULL);
}

static void put_shots(page_html *w, const view *v, bool are_plots, const char *title)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n_shots; i++) {
        if ((rank_of(v->shots[i].name) >= 3) != are_plots)
            continue;
        if (n++ == 0)
            page_put(w, "<h2>%s</h2><div class=shots>", title);
        const base_text path = base_text_make("/file/%s/%s", v->path, v->shots[i].name);
        page_put_picture(w, path.text, (unsigned long long)v->shots[i].stamp, v->shots[i].name,
                         are_plots ? 1200 : 0, are_plots ? 900 : 0);
    }
    if (n > 0)
        page_put(w, "</div>");
}

static void put_pictures(page_html *w, const void *ctx)
{
    const view *v = ctx;
    if (v->n_shots == 0) {
        page_put(w, "<h2>Pictures</h2>");
        page_put_empty(w,
                       "Mosaics of the first batches, validation pictures and plots come here as "
                       "training writes them.");
        return;
    }
    put_shots(w, v, false, "Pictures");
    put_shots(w, v, true, "Plots");
}

/* ---- arguments ---- */

static void put_arguments(page_html *w, const void *ctx)
{
    const view *v = ctx;
    const base_node *root = v->arguments != NULL ? base_tree_root(v->arguments) : NULL;
    page_put(w, "<h2>Arguments</h2>");
    if (root == NULL || root->kind != BASE_NODE_MAP) {
        page_put_empty(w, "There is no args.yaml that can be read.");
        return;
    }
    page_put(w, "<div class=card>");
    page_put_facts_begin(w);
    for (const base_node *n = root->first; n != NULL; n = n->next)
        if (board_value_text(n)[0] != '\0')
            page_put_fact(w, n->key, board_value_text(n));
    page_put_facts_end(w);
    page_put(w, "</div>");
}

/* ---- the page ---- */

uint64_t board_run_version(const board_run *run, const board_living *k)
{
    const uint64_t all[] = {run->version, k != NULL ? k->version : 0};
    return base_hash(BASE_HASH_START, all, sizeof all);
}

/* Of the part `now`: what no figure tells. */
static uint64_t state_version(const board_facts *f)
{
    const uint64_t all[] = {base_hash(BASE_HASH_START, f->state, strlen(f->state)),
                            (uint64_t)f->best_epoch, (uint64_t)f->epoch};
    return base_hash(BASE_HASH_START, all, sizeof all);
}

static uint64_t ranks_version(const board_living *k)
{
    return k != NULL ? base_hash(BASE_HASH_START, &k->view.ranks, sizeof k->view.ranks) : 0;
}

enum { N_PARTS = 6 };

static void make_parts(page_part parts[N_PARTS], const board_facts *f, const board_living *k)
{
    parts[0] = (page_part){"now", state_version(f), put_now};
    parts[1] = (page_part){"curves", f->results, put_curves};
    parts[2] = (page_part){"live", k != NULL ? k->course_version / 3 : 0, put_live};
    parts[3] = (page_part){"ranks", ranks_version(k), put_ranks};
    parts[4] = (page_part){"pictures", f->pictures, put_pictures};
    parts[5] = (page_part){"arguments", f->arguments, put_arguments};
}

void board_tell_run(page_news *e, const board_run *run, const board_living *k)
{
    static const vg_run_view none;
    figures f;
    page_part parts[N_PARTS];
    if (run->facts.kind == BOARD_WATCH) {
        watch_page_tell(e, run->facts.state, run->facts.stamp);
        return;
    }
    make_figures(&f, &run->facts, k != NULL ? &k->view : &none);
    make_parts(parts, &run->facts, k);
    page_news_parts(e, parts, N_PARTS);
    page_news_figure(e, "epoch", f.epoch);
    page_news_figure(e, "map", f.map);
    page_news_figure(e, "map50", f.map50);
    page_news_figure(e, "loss", f.loss);
    page_news_figure(e, "speed", f.speed);
    page_news_figure(e, "left", f.left);
    page_news_figure(e, "memory", f.memory);
    page_news_bar(e, "epoch", run->facts.is_alive ? f.part : run->facts.epoch > 0 ? 1 : 0);
    page_news_state(e, run->facts.state);
}

static void answer_train(const net_request *r, view *v, net_answer *a, base_mem *mem)
{
    page_part parts[N_PARTS];
    make_parts(parts, &v->facts, v->is_living ? &v->living : NULL);
    const page_link way[] = {{v->path[0] != '\0' ? v->path : "training", NULL}};
    const base_text title =
        base_text_make("%s: %s", v->facts.state, v->path[0] != '\0' ? v->path : "training");
    const base_text topic = path_of("run:", v->path);
    const page_document d = {.title = title.text,
                             .state = v->facts.state,
                             .events = "/events",
                             .topic = topic.text,
                             .way = way,
                             .n_way = 1,
                             .parts = parts,
                             .n_parts = N_PARTS,
                             .ctx = v};
    page_answer(a, r, &d, mem);
}

/* The guard's own page, as its folder tells the story. */
static void answer_watch(board_pages *b, const net_request *r, const view *v, int folder,
                         net_answer *a, base_mem *mem)
{
    char path[BOARD_FD_PATH_BYTES];
    const page_link way = {v->path, NULL};
    const base_text topic = path_of("run:", v->path);
    watch_page p;
    if (b->story == NULL)
        b->story = base_alloc(b->mem, sizeof(watch_story), NULL);
    if (b->story != NULL &&
        (b->story_stamp != v->facts.stamp || strcmp(b->story_of, v->path) != 0)) {
        b->story_stamp = 0;
        if (watch_report_load(b->story, board_fd_path(path, folder), mem, NULL) == VG_OK &&
            base_format(b->story_of, sizeof b->story_of, "%s", v->path))
            b->story_stamp = v->facts.stamp;
    }
    if (b->story == NULL || b->story_stamp == 0) {
        net_answer_busy(a);
        return;
    }
    watch_page_make(&p, b->story, v->facts.stamp);
    p.document.events = "/events";
    p.document.topic = topic.text;
    p.document.way = &way;
    p.document.n_way = 1;
    page_answer(a, r, &p.document, mem);
}

bool board_answer_run(board_pages *b, const net_request *r, const char *path, net_answer *a,
                      base_mem *mem)
{
    view *v = base_alloc_zero(mem, 1, sizeof *v, NULL);
    if (v == NULL) {
        net_answer_busy(a);
        return true;
    }
    board_runs_lock(b->runs);
    const board_run *run = board_runs_find(b->runs, path);
    const board_living *k = board_runs_living(b->runs, path);
    const bool is_known = run != NULL;
    if (is_known)
        v->facts = run->facts;
    if (k != NULL)
        v->living = *k;
    v->is_living = k != NULL;
    board_runs_unlock(b->runs);
    const int folder = is_known ? board_runs_open(b->runs, path) : -1;
    if (folder < 0) {
        base_free(v);
        return false;
    }
    v->path = path;
    v->look = board_look_of(r);
    v->may_act = net_request_may_act(r);
    if (v->facts.kind == BOARD_TRAIN) {
        if (board_results_read(&v->rows, &v->n_rows, &v->columns, folder, mem, &v->why) != VG_OK)
            base_format(v->why.where, sizeof v->why.where, "results.csv");
        v->arguments = board_arguments_read(folder, mem);
        find_shots(v, folder);
        answer_train(r, v, a, mem);
    } else {
        answer_watch(b, r, v, folder, a, mem);
    }
    close(folder);
    base_tree_destroy(&v->arguments);
    base_free(v->rows);
    base_free(v);
    return true;
}

bool board_answer_file(const board_pages *b, const char *path, const char *name, net_answer *a,
                       base_mem *mem)
{
    char fd_path[BOARD_FD_PATH_BYTES], *bytes = NULL;
    size_t n = 0;
    board_runs_lock(b->runs);
    const bool is_known = board_runs_find(b->runs, path) != NULL;
    board_runs_unlock(b->runs);
    const int folder = is_known && is_picture(name) ? board_runs_open(b->runs, path) : -1;
    const int file = folder >= 0 ? board_open_file(folder, name) : -1;
    if (folder >= 0)
        close(folder);
    if (file < 0)
        return false;
    const vg_status st =
        base_file_read(&bytes, &n, board_fd_path(fd_path, file), MOST_PICTURE_BYTES, mem, NULL);
    close(file);
    a->type = base_equal_nocase(base_path_suffix(name), ".png") ? "image/png" : "image/jpeg";
    a->policy = page_policy;
    a->keeps = true; /* its address has its version */
    if (st == VG_OK)
        a->body = (base_str){.text = bytes, .length = n, .capacity = n + 1};
    else
        net_answer_busy(a);
    return true;
}
