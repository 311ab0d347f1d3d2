/* train_talk.c: a run told as YOLO's users know it: what there is, a row an epoch, its validation,
 * what came of it. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "train.h"

enum { SHOW_EVERY_MS = 200 }; /* the row on a terminal */

double train_now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* ---- rows ---- */

static bool is_utf8(void)
{
    const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL;
    }
    return false;
}

train_screen train_screen_make(void)
{
    return (train_screen){.terminal = isatty(STDOUT_FILENO) == 1, .ascii = !is_utf8()};
}

static size_t columns_of(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void train_row_print(const train_screen *s, const vg_train_batch *b, const vg_train_pace *pace)
{
    char line[1024];
    vg_train_progress_format(line, sizeof line, b, pace,
                             s->terminal ? columns_of(STDOUT_FILENO) : 0, s->ascii);
    printf(s->terminal ? "\r%s\033[K" : "%s\n", line);
    if (s->terminal)
        fflush(stdout);
}

void train_header_print(void)
{
    char line[512];
    vg_train_header_format(line, sizeof line);
    printf("\n%s\n", line);
}

/* ---- while it runs ---- */

static void batch_seen(void *ctx, const vg_train_batch *b)
{
    train_talk *k = ctx;
    if (k->epoch != b->epoch)
        train_header_print();
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
    if (e->trouble)
        fprintf(stderr, "warning: training goes on: %s (%s)\n", e->trouble->what,
                e->trouble->where);
    if (e->stops)
        printf("No better fitness for as many epochs as --patience says: training stops\n");
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

/* ---- before and after ---- */

void train_talk_begin(train_talk *k)
{
    char a[32], line[128];
    vg_train_info i;
    vg_memory m;
    vg_train_info_get(k->t, &i);
    vg_train_memory(k->t, &m);
    printf("Model: %s, %d classes, %s parameters, %.1f GFLOPs at %d\n", i.model, i.n_classes,
           cli_commas(a, i.n_params), i.gflops, i.imgsz);
    if (vg_imgsz_format(line, sizeof line, i.imgsz, i.asked_imgsz, VG_IMGSZ_GIVEN, i.max_stride))
        printf("%s\n", line);
    if (i.has_transferred)
        printf("Transferred %zu/%zu items from the weights\n", i.n_transferred, i.n_items);
    train_data_print(stdout, &i.train, &i.val);
    const char *message;
    for (size_t n = 0; (message = vg_train_message(k->t, n)) != NULL; n++)
        fprintf(stderr, "warning: %s\n", message);
    if (i.fell_back)
        fprintf(stderr, "warning: an older checkpoint is used: %s (%s)\n", i.why->what,
                i.why->where);
    printf("Optimizer: %s, lr %g, momentum %g\n", i.optimizer, i.lr0, i.momentum);
    train_memory_planned(stdout, &m);
    vg_plan plan;
    vg_train_plan_get(k->t, &plan);
    train_limit_print(stdout, &plan);
    printf("Results go to %s\n", i.folder);
    if (i.start_epoch > 0)
        printf("Resuming in epoch %d of %d\n", i.start_epoch + 1, i.epochs);
    else
        printf("Training for %d epochs, batches of %d\n", i.epochs, i.batch);
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
    const vg_val_result *r = vg_train_final(k->t);
    if (r != NULL) {
        printf("Validation of %s/weights/best.safetensors\n", i.folder);
        train_table_print(stdout, r);
    }
    train_memory_held(stdout, &m);
    printf("Results saved to %s\n", i.folder);
}
