/* train_talk.c: a run told as YOLO's users know it: what there is, a row an epoch, its validation,
 * what came of it. */
#include <string.h>
#include <time.h>

#include "train.h"

enum { SHOW_EVERY_MS = 200 }; /* the row on a terminal */

double train_now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* ---- rows ---- */

void train_row_print(const cli_screen *s, const vg_train_batch *b, const vg_train_pace *pace)
{
    char line[1024];
    vg_train_progress_format(line, sizeof line, b, pace, cli_columns(stdout), s->ascii);
    printf(s->terminal ? "\r%s\033[K" : "%s\n", line);
    if (s->terminal)
        fflush(stdout);
}

void train_header_print(vg_task task)
{
    char line[512];
    vg_train_header_format(line, sizeof line, task, cli_columns(stdout));
    putchar('\n');
    cli_paint(stdout, CLI_BOLD, line);
    putchar('\n');
}

/* ---- while it runs ---- */

static void batch_seen(void *ctx, const vg_train_batch *b)
{
    train_talk *k = ctx;
    if (k->epoch != b->epoch)
        train_header_print(b->task);
    k->epoch = b->epoch;
    k->total_pictures += b->n_pictures;
    const bool is_last = b->batch == b->n_batches;
    const double now = train_now_s();
    if (is_last || (k->screen.terminal && now - k->shown_s >= SHOW_EVERY_MS * 1e-3)) {
        vg_train_pace pace;
        vg_train_pace_get(k->t, &pace);
        train_row_print(&k->screen, b, &pace);
        k->shown_s = now;
    }
    if (is_last) {
        k->train_s += now - k->epoch_s;
        if (k->screen.terminal)
            putchar('\n');
    }
}

static void epoch_seen(void *ctx, const vg_train_epoch *e)
{
    train_talk *k = ctx;
    k->epoch_s = train_now_s();
    train_epoch_print(stdout, e);
    k->best_epoch = e->is_best ? e->epoch : k->best_epoch;
    k->time_is_up = e->time_is_up;
    if (e->trouble)
        cli_warning("training goes on: %s (%s)", e->trouble->what, e->trouble->where);
    if (e->time_is_up)
        printf("The hours of --time are over: training stops\n");
    else if (e->stops)
        printf("No better fitness in --patience epochs: training stops\n");
}

static bool stop_wanted(void *ctx)
{
    (void)ctx;
    return cli_interrupt_signal() != 0;
}

vg_train_listener train_talk_listener(train_talk *k)
{
    k->session_s = k->epoch_s = train_now_s();
    return (vg_train_listener){
        .ctx = k, .batch = batch_seen, .epoch = epoch_seen, .wants_stop = stop_wanted};
}

vg_train_listener train_talk_silent(train_talk *k)
{
    return (vg_train_listener){.ctx = k, .wants_stop = stop_wanted};
}

/* ---- before and after ---- */

void train_talk_begin(train_talk *k)
{
    char a[32], b[64], line[128];
    vg_train_info i;
    vg_memory m;
    vg_train_info_get(k->t, &i);
    vg_train_memory(k->t, &m);
    printf("Model: %s, %s, %s parameters, %.1f GFLOPs at %d\n", i.model,
           vg_count_format(b, sizeof b, (uint64_t)i.n_classes, "class"), cli_commas(a, i.n_params),
           i.gflops, i.imgsz);
    const vg_model_info sizes = {.imgsz = i.imgsz,
                                 .imgsz_w = i.imgsz,
                                 .asked_imgsz = i.asked_imgsz,
                                 .asked_imgsz_w = i.asked_imgsz,
                                 .imgsz_from = VG_IMGSZ_GIVEN,
                                 .max_stride = i.max_stride};
    if (vg_imgsz_format(line, sizeof line, &sizes))
        printf("%s\n", line);
    if (i.has_transferred)
        printf("Transferred %zu/%zu items from the weights\n", i.n_transferred, i.n_items);
    train_data_print(stdout, &i.train, &i.val);
    const char *message;
    for (size_t n = 0; (message = vg_train_message(k->t, n)) != NULL; n++)
        cli_warning("%s", message);
    if (i.fell_back)
        cli_warning("an older checkpoint is used: %s (%s)", i.why->what, i.why->where);
    printf("Optimizer: %s, lr %g, momentum %g\n", i.optimizer, i.lr0, i.momentum);
    if (i.gpu[0] != '\0')
        printf("device %s: %s\n", i.device, i.gpu);
    train_memory_planned(stdout, &m);
    vg_plan plan;
    vg_train_plan_get(k->t, &plan);
    train_gpu_print(stdout, &plan);
    train_limit_print(stdout, &plan);
    printf("Results go to %s\n", i.folder);
    if (i.start_epoch > 0)
        printf("Resuming in epoch %d of %d\n", i.start_epoch + 1, i.epochs);
    else
        printf("Training for %s, batches of %d\n",
               vg_count_format(b, sizeof b, (uint64_t)i.epochs, "epoch"), i.batch);
}

/* Of several ranks: where the time went that one process would not have needed. */
static void print_waits(const train_talk *k)
{
    vg_train_rank rank;
    vg_train_rank_get(k->t, &rank);
    const vg_train_ranks *w = rank.waits;
    if (w == NULL)
        return;
    printf("Ranks: %.1f %% of training in exchanging numbers (%.1f %% beside backward, %.1f MB a "
           "step), %.1f %% in waiting for rank %d on %s\n",
           100 * (w->exchange + w->pushing), 100 * w->pushing, w->step_bytes / 1e6,
           100 * w->for_slowest, w->shown[0].rank, w->shown[0].host);
}

void train_talk_end(const train_talk *k)
{
    vg_train_info i;
    vg_memory m;
    vg_train_info_get(k->t, &i);
    vg_train_memory(k->t, &m);
    printf("\nDone in %.3f hours", (train_now_s() - k->session_s) / 3600);
    if (k->train_s > 0)
        printf(", %.1f images/s while training, loader wait %.1f %%",
               k->total_pictures / k->train_s, 100 * i.loader_wait);
    printf("\n");
    print_waits(k);
    const vg_val_result *r = vg_train_final(k->t);
    if (r != NULL) {
        printf("Validation of %s/weights/best.safetensors\n", i.folder);
        train_table_print(stdout, r);
    }
    train_memory_held(stdout, &m);
    printf("Results saved to %s\n", i.folder);
}

void train_talk_json(const train_talk *k)
{
    char path[4400];
    vg_train_info i;
    vg_train_info_get(k->t, &i);
    printf("{");
    train_json_text("folder", i.folder);
    printf(", ");
    snprintf(path, sizeof path, "%s/weights/best.safetensors", i.folder);
    train_json_text("weights", path);
    printf(", \"epochs\": %d, \"best_epoch\": %d, \"time_is_up\": %s, \"seconds\": %.3f, ",
           k->epoch, k->best_epoch, k->time_is_up ? "true" : "false", train_now_s() - k->session_s);
    train_json_result(vg_train_final(k->t));
    printf("}\n");
}
