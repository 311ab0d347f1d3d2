/* facts.c: from files that a run leaves: vigil.pid and vigil.progress, results.csv, args.yaml,
 * weights/last.safetensors; of a watched job its history. */
#include "facts.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watch/watch.h"

enum { MOST_ARGUMENT_BYTES = 1 << 20 };

static const char LAST[] = "last.safetensors";

board_kind board_kind_of(int folder)
{
    struct stat info;
    static const char *const trains[] = {"results.csv", TRAIN_PID_NAME, "args.yaml"},
                             *const watches[] = {"history.db", "trace.csv"};
    for (size_t i = 0; i < 2; i++)
        if (fstatat(folder, watches[i], &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode))
            return BOARD_WATCH;
    for (size_t i = 0; i < 3; i++)
        if (fstatat(folder, trains[i], &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
            (i < 2 || (fstatat(folder, "weights", &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                       S_ISDIR(info.st_mode))))
            return BOARD_TRAIN;
    return BOARD_NO_RUN;
}

uint64_t board_facts_stamp(int folder, board_kind kind)
{
    static const char *const trains[] = {"results.csv", "args.yaml", TRAIN_PID_NAME,
                                         "weights/last.safetensors", NULL},
                             *const watches[] = {"history.db", "history.db-wal", "trace.csv", NULL};
    uint64_t h = BASE_HASH_START;
    for (const char *const *name = kind == BOARD_TRAIN ? trains : watches; *name != NULL; name++) {
        const uint64_t stamp = board_stamp(folder, *name);
        h = base_hash(h, &stamp, sizeof stamp);
    }
    return h;
}

/* ---- a training ---- */

const char *board_state_name(vg_run_state s)
{
    static const char *const names[] = {
        [VG_RUN_PREPARING] = "preparing", [VG_RUN_TRAINING] = "training",
        [VG_RUN_FINISHED] = "finished",   [VG_RUN_STOPPED] = "stopped",
        [VG_RUN_FAILED] = "failed",       [VG_RUN_DIED] = "died"};
    return names[s];
}

bool board_view_read(vg_run_view *view, int folder)
{
    const int pid = board_open_file(folder, TRAIN_PID_NAME);
    *view = (vg_run_view){.state = VG_RUN_PREPARING};
    if (pid < 0)
        return false;
    const bool is_alive = train_run_file_is_locked(pid);
    const int progress = board_open_file(folder, TRAIN_PROGRESS_NAME);
    if (progress < 0 || !train_run_view_read(view, progress))
        *view = (vg_run_view){.state = VG_RUN_PREPARING};
    view->is_alive = is_alive;
    if (!is_alive && (view->state == VG_RUN_PREPARING || view->state == VG_RUN_TRAINING))
        view->state = VG_RUN_DIED;
    if (progress >= 0)
        close(progress);
    close(pid);
    return true;
}

/* Of a run whose process has taken its files away: a checkpoint can be gone on with. */
static const char *state_over(int folder, base_mem *mem)
{
    char path[BOARD_FD_PATH_BYTES];
    weights_file *f = NULL;
    const char *state = "ended";
    const int weights = board_open_folder(folder, "weights");
    const int fd = weights >= 0 ? board_open_file(weights, LAST) : -1;
    if (fd >= 0 && weights_open(&f, board_fd_path(path, fd), mem, NULL) == VG_OK) {
        state = weights_get_meta(f)->epoch < 0 ? "finished" : "stopped";
        weights_close(&f);
    }
    if (fd >= 0)
        close(fd);
    if (weights >= 0)
        close(weights);
    return state;
}

vg_status board_results_read(vg_train_epoch **out, size_t *n, report_columns *columns, int folder,
                             base_mem *mem, vg_error *err)
{
    char path[BOARD_FD_PATH_BYTES];
    *out = NULL;
    *n = 0;
    const int fd = board_open_file(folder, "results.csv");
    if (fd < 0)
        return base_fail(err, VG_ERR_IO, "results.csv", NULL, "there is none");
    const vg_status st = report_csv_read(out, n, columns, board_fd_path(path, fd), mem, err);
    close(fd);
    return st;
}

base_tree *board_arguments_read(int folder, base_mem *mem)
{
    char path[BOARD_FD_PATH_BYTES], *text = NULL;
    size_t n = 0;
    base_tree *t = NULL;
    const int fd = board_open_file(folder, "args.yaml");
    if (fd >= 0 &&
        base_file_read(&text, &n, board_fd_path(path, fd), MOST_ARGUMENT_BYTES, mem, NULL) ==
            VG_OK &&
        base_tree_from_yaml(&t, text, n, "args.yaml", mem, NULL) != VG_OK)
        t = NULL;
    base_free(text);
    if (fd >= 0)
        close(fd);
    return t;
}

const char *board_value_text(const base_node *v)
{
    return v == NULL || v->kind == BASE_NODE_NULL || v->text == NULL ? "" : v->text;
}

static void read_arguments(board_facts *out, int folder, base_mem *mem)
{
    base_tree *t = board_arguments_read(folder, mem);
    if (t == NULL)
        return;
    const base_node *root = base_tree_root(t), *epochs = base_node_get(root, "epochs");
    const char *model = board_value_text(base_node_get(root, "weights"));
    if (model[0] == '\0')
        model = board_value_text(base_node_get(root, "model"));
    base_format(out->model, sizeof out->model, "%s", base_path_name(model));
    base_format(out->data, sizeof out->data, "%s",
                base_path_name(board_value_text(base_node_get(root, "data"))));
    base_utf8_trim(out->model);
    base_utf8_trim(out->data);
    if (epochs != NULL && epochs->kind == BASE_NODE_INT && epochs->i > 0 && epochs->i < INT32_MAX)
        out->n_epochs = (int)epochs->i;
    base_tree_destroy(&t);
}

double board_row_score(const vg_train_epoch *row, const report_columns *columns)
{
    return columns->has_boxes ? row->map + row->second.map : row->top1;
}

static void read_results(board_facts *out, int folder, base_mem *mem)
{
    vg_train_epoch *rows;
    size_t n;
    report_columns columns;
    double best = 0;
    if (board_results_read(&rows, &n, &columns, folder, mem, NULL) != VG_OK)
        return;
    out->has_boxes = columns.has_boxes;
    out->second = columns.second;
    for (size_t i = 0; i < n; i++) {
        const double fitness = board_row_score(&rows[i], &columns);
        if (!isnan(fitness) && (out->best_epoch == 0 || fitness > best)) {
            best = fitness;
            out->best_epoch = rows[i].epoch;
            out->best_map = columns.has_boxes ? rows[i].map : rows[i].top1;
            out->best_map50 = columns.has_boxes ? rows[i].map50 : rows[i].top5;
        }
    }
    if (n > 0) {
        out->epoch = rows[n - 1].epoch;
        out->seconds = rows[n - 1].seconds;
    }
    out->n_spark = n < BOARD_SPARK_POINTS ? n : BOARD_SPARK_POINTS;
    for (size_t i = 0; i < out->n_spark; i++)
        out->spark[i] = board_row_score(
            &rows[n <= BOARD_SPARK_POINTS ? i : i * (n - 1) / (BOARD_SPARK_POINTS - 1)], &columns);
    base_free(rows);
}

static void read_train(board_facts *out, int folder, base_mem *mem)
{
    vg_run_view view;
    read_arguments(out, folder, mem);
    read_results(out, folder, mem);
    if (!board_view_read(&view, folder)) {
        out->state = state_over(folder, mem);
        return;
    }
    out->is_alive = view.is_alive;
    out->state = board_state_name(view.state);
    base_format(out->why, sizeof out->why, "%s", view.error.what);
}

/* ---- a watched job ---- */

static void read_watch(board_facts *out, int folder, void **room, base_mem *mem)
{
    char path[BOARD_FD_PATH_BYTES];
    watch_series worst;
    if (*room == NULL)
        *room = base_alloc(mem, sizeof(watch_story), NULL);
    watch_story *s = *room;
    out->state = "ended";
    if (s == NULL || watch_report_load(s, board_fd_path(path, folder), mem, NULL) != VG_OK)
        return;
    const watch_state state = watch_story_worst(s, &worst);
    out->is_alive = s->is_live;
    out->state = watch_state_name(state);
    base_format(out->model, sizeof out->model, "%s", s->command);
    base_utf8_trim(out->model);
    out->seconds = s->now_s - s->first_s;
    out->began_unix_s = s->began_unix_s;
    if (worst != WATCH_NONE && state > WATCH_STEADY)
        base_format(out->why, sizeof out->why, "%s", watch_series_get(worst)->name);
    const size_t n = watch_story_n_bins(s);
    for (size_t i = 0; i < BOARD_SPARK_POINTS && n > 0; i++) {
        watch_bin b;
        const size_t at = n <= BOARD_SPARK_POINTS ? i : i * (n - 1) / (BOARD_SPARK_POINTS - 1);
        if (at >= n)
            break;
        out->spark[out->n_spark++] = watch_story_at(s, WATCH_TREE_PSS_BYTES, at, &b) ||
                                             watch_story_at(s, WATCH_MAIN_RSS_BYTES, at, &b)
                                         ? b.mean
                                         : NAN;
    }
}

/* ---- both ---- */

void board_facts_read(board_facts *out, int folder, board_kind kind, void **story, base_mem *mem)
{
    struct stat info;
    memset(out, 0, sizeof *out); /* with what is between the fields: they are compared as bytes */
    out->kind = kind;
    out->state = "ended";
    out->best_map = out->best_map50 = out->seconds = NAN;
    out->began_unix_s = out->changed_unix_s = NAN;
    out->stamp = board_facts_stamp(folder, kind); /* before reading: what comes then is read anew */
    out->results = board_stamp(folder, "results.csv");
    out->pictures = board_stamp(folder, ".");
    out->arguments = board_stamp(folder, "args.yaml");
    if (fstatat(folder, kind == BOARD_TRAIN ? "results.csv" : "history.db", &info,
                AT_SYMLINK_NOFOLLOW) == 0 ||
        fstat(folder, &info) == 0)
        out->changed_unix_s = (double)info.st_mtim.tv_sec;
    if (kind == BOARD_TRAIN)
        read_train(out, folder, mem);
    else
        read_watch(out, folder, story, mem);
}
