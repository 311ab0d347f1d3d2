/* cmd_train.c: vigil train: a run of vigil.h, told as YOLO's users know it. Its options are the
 * API's table of arguments, drawn when they are asked for. */
#include <assert.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "train.h"

enum { SHOW_EVERY_MS = 200 }; /* the progress line */

/* Texts and flags by their place in the API's table. */
typedef struct train_values {
    const char *text[CLI_OPTIONS_MAX];
    bool flag[CLI_OPTIONS_MAX];
    const char *device;
    bool detach;
} train_values;

_Static_assert(sizeof(train_values) <= CLI_VALUES_BYTES, "the parser's room");

/* ---- options ---- */

static void train_defaults(void *values)
{
    train_values *v = values;
    vg_train_arg arg;
    for (size_t i = 0; i < vg_train_n_args(); i++) {
        vg_train_arg_get(i, &arg);
        if (arg.kind == VG_ARG_BOOL)
            v->flag[i] = strcmp(arg.preset, "true") == 0;
        else if (arg.preset[0] != '\0')
            v->text[i] = arg.preset;
    }
}

/* Older spellings that people's fingers know. */
static const char *alias_of(const vg_train_arg *arg)
{
    if (arg->alias != NULL)
        return arg->alias;
    if (strcmp(arg->name, "imgsz") == 0)
        return "img-size";
    return strcmp(arg->name, "batch") == 0 ? "batch-size" : NULL;
}

static size_t train_draw(cli_option room[CLI_OPTIONS_MAX])
{
    static const char *const values[] = {
        [VG_ARG_BOOL] = NULL,   [VG_ARG_INT] = "N",       [VG_ARG_REAL] = "X",
        [VG_ARG_TEXT] = "TEXT", [VG_ARG_CHOICE] = "NAME", [VG_ARG_INTS] = "LIST"};
    const size_t n = vg_train_n_args();
    assert(n + 2 <= CLI_OPTIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        vg_train_arg arg;
        vg_train_arg_get(i, &arg);
        const bool is_flag = arg.kind == VG_ARG_BOOL;
        room[i] =
            (cli_option){.name = arg.name,
                         .alias = alias_of(&arg),
                         .kind = is_flag ? CLI_BOOL : CLI_TEXT,
                         .offset = is_flag ? offsetof(train_values, flag) + i * sizeof(bool)
                                           : offsetof(train_values, text) + i * sizeof(char *),
                         .value = arg.choices != NULL ? arg.choices : values[arg.kind],
                         .help = arg.help,
                         .bare = strcmp(arg.name, "resume") == 0};
    }
    room[n] = (cli_option){.name = "device",
                           .kind = CLI_TEXT,
                           .offset = offsetof(train_values, device),
                           .value = "NAME",
                           .help = "auto or cpu; this build has no GPU"};
    room[n + 1] = (cli_option){.name = "detach",
                               .kind = CLI_BOOL,
                               .offset = offsetof(train_values, detach),
                               .help = "not in this build yet: refused"};
    return n + 2;
}

/* What differs from the defaults, handed to the API. A resumed run keeps its own arguments. */
static vg_status values_set(const train_values *v, vg_train *t, vg_error *err)
{
    train_values presets = {0};
    bool resumes = false;
    const char *other = NULL;
    train_defaults(&presets);
    for (size_t i = 0; i < vg_train_n_args(); i++) {
        vg_train_arg arg;
        vg_train_arg_get(i, &arg);
        const bool is_flag = arg.kind == VG_ARG_BOOL;
        if (is_flag ? v->flag[i] == presets.flag[i] : v->text[i] == presets.text[i])
            continue;
        const char *value = is_flag ? v->flag[i] ? "true" : "false" : v->text[i];
        if (vg_train_set(t, arg.name, value, err) != VG_OK)
            return err->status;
        if (strcmp(arg.name, "resume") == 0)
            resumes = strcmp(value, "false") != 0 && strcmp(value, "False") != 0;
        else if (strcmp(arg.name, "project") != 0)
            other = arg.name;
    }
    if (!resumes || other == NULL)
        return VG_OK;
    cli_error_set(err, VG_ERR_ARGUMENT, "--%s beside --resume: a resumed run keeps its arguments",
                  other);
    cli_error_text(err->where, "option --%s", other);
    cli_error_text(err->mend, "leave --%s out, or start a new run with --weights", other);
    return err->status;
}

static vg_status values_check(const train_values *v, vg_error *err)
{
    if (v->detach) {
        cli_error_set(err, VG_ERR_UNSUPPORTED, "this build cannot detach a run yet");
        cli_error_text(err->where, "option --detach");
        cli_error_text(err->mend, "nohup vigil train ... >train.log 2>&1 &");
        return err->status;
    }
    if (v->device != NULL && strcmp(v->device, "cpu") != 0 && strcmp(v->device, "auto") != 0) {
        cli_error_set(err, VG_ERR_UNSUPPORTED,
                      "the device \"%s\": this build of vigil runs on the CPU alone", v->device);
        cli_error_text(err->where, "option --device");
        cli_error_text(err->mend, "--device cpu, or leave it out");
        return err->status;
    }
    return VG_OK;
}

/* ---- telling ---- */

typedef struct train_talk {
    vg_train *t;
    bool terminal, ascii; /* stdout is a terminal: the row is written over */
    vg_train_batch last;
    double session_s, epoch_s, shown_s; /* monotonic: began, began, shown last */
    int64_t first_batch;                /* of this epoch in this session, from 0 */
    double n_pictures, total_pictures;  /* in this epoch and session; in the session */
    double train_s;                     /* in batches, of all epochs of the session */
} train_talk;

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

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

static size_t columns_of(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void row_show(const train_talk *k, const vg_train_batch *b)
{
    char line[1024];
    vg_memory m;
    vg_train_memory(k->t, &m);
    const double elapsed = now_s() - k->epoch_s;
    const int64_t done = b->batch - k->first_batch;
    const vg_train_pace pace = {
        .pictures_per_s = elapsed > 0 ? k->n_pictures / elapsed : 0,
        .elapsed_s = elapsed,
        .left_s = done > 0 ? elapsed / (double)done * (double)(b->n_batches - b->batch) : -1,
        .planned_bytes = m.planned_bytes,
        .resident_bytes = m.resident_bytes};
    vg_train_progress_format(line, sizeof line, b, &pace, k->terminal ? columns_of(1) : 0,
                             k->ascii);
    printf(k->terminal ? "\r%s\033[K" : "%s\n", line);
    if (k->terminal)
        fflush(stdout);
}

static void batch_seen(void *ctx, const vg_train_batch *b)
{
    train_talk *k = ctx;
    char line[512];
    if (k->last.epoch != b->epoch) {
        k->first_batch = b->batch - 1;
        k->n_pictures = 0;
        vg_train_header_format(line, sizeof line);
        printf("\n%s\n", line);
    }
    k->last = *b;
    k->n_pictures += b->n_pictures;
    k->total_pictures += b->n_pictures;
    const bool is_last = b->batch == b->n_batches;
    const double now = now_s();
    if (is_last || (k->terminal && now - k->shown_s >= SHOW_EVERY_MS * 1e-3)) {
        row_show(k, b);
        k->shown_s = now;
    }
    if (is_last) {
        k->train_s += now - k->epoch_s;
        if (k->terminal)
            putchar('\n');
    }
}

static void epoch_seen(void *ctx, const vg_train_epoch *e)
{
    train_talk *k = ctx;
    char line[512];
    k->epoch_s = now_s();
    if (e->is_validated) {
        const vg_val_class all = {.name = "all",
                                  .n_pictures = e->n_pictures,
                                  .n_instances = e->n_instances,
                                  .precision = e->precision,
                                  .recall = e->recall,
                                  .map50 = e->map50,
                                  .map = e->map};
        vg_val_header_format(line, sizeof line);
        printf("%s\n", line);
        vg_val_row_format(line, sizeof line, &all);
        printf("%s\n", line);
    }
    if (e->stops)
        printf("No better fitness for as many epochs as --patience says: training stops\n");
}

static bool stop_wanted(void *ctx)
{
    (void)ctx;
    return cli_interrupt_signal() != 0;
}

static void begin_print(const vg_train *t)
{
    char a[32];
    vg_train_info i;
    vg_memory m;
    vg_train_info_get(t, &i);
    vg_train_memory(t, &m);
    printf("Model: %s, %d classes, %s parameters, %.1f GFLOPs at %d\n", i.model, i.n_classes,
           cli_commas(a, i.n_params), i.gflops, i.imgsz);
    if (i.has_transferred)
        printf("Transferred %zu/%zu items from the weights\n", i.n_transferred, i.n_items);
    printf("Data: %zu pictures with %zu objects to train on, %zu with %zu to validate; %zu without "
           "objects, %zu corrupt and left out\n",
           i.n_train, i.n_train_labels, i.n_val, i.n_val_labels, i.n_without_labels, i.n_corrupt);
    const char *message;
    for (size_t n = 0; (message = vg_train_message(t, n)) != NULL; n++)
        fprintf(stderr, "warning: %s\n", message);
    if (i.fell_back)
        fprintf(stderr, "warning: an older checkpoint is used: %s (%s)\n", i.why->what,
                i.why->where);
    printf("Optimizer: %s, lr %g, momentum %g\n", i.optimizer, i.lr0, i.momentum);
    train_memory_planned(stdout, &m);
    printf("Results go to %s\n", i.folder);
    if (i.start_epoch > 0)
        printf("Resuming in epoch %d of %d\n", i.start_epoch + 1, i.epochs);
    else
        printf("Training for %d epochs, batches of %d\n", i.epochs, i.batch);
}

static void end_print(const train_talk *k)
{
    vg_train_info i;
    vg_memory m;
    vg_train_info_get(k->t, &i);
    vg_train_memory(k->t, &m);
    printf("\nDone in %.3f hours", (now_s() - k->session_s) / 3600);
    if (k->train_s > 0)
        printf(", %.1f images/s while training", k->total_pictures / k->train_s);
    printf("\n");
    const vg_val_result *r = vg_train_final(k->t);
    if (r != NULL) {
        printf("Validation of %s/weights/best.safetensors\n", i.folder);
        train_table_print(stdout, r);
    }
    train_memory_held(stdout, &m);
    printf("Results saved to %s\n", i.folder);
}

/* ---- the command ---- */

static int stopped(const train_talk *k, const vg_error *err, int number)
{
    vg_train_info i;
    vg_train_info_get(k->t, &i);
    if (k->terminal)
        putchar('\n');
    fflush(stdout);
    fprintf(stderr, "%s: %s\ngo on with: vigil train --resume %s\n",
            number == SIGINT ? "SIGINT" : "SIGTERM", err->what, i.folder);
    return 128 + number;
}

static int train_run_all(train_talk *k)
{
    vg_error err = {.status = VG_OK};
    if (vg_train_prepare(k->t, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    begin_print(k->t);
    k->session_s = k->epoch_s = now_s();
    const vg_train_listener listener = {
        .ctx = k, .batch = batch_seen, .epoch = epoch_seen, .wants_stop = stop_wanted};
    const vg_status st = vg_train_run(k->t, &listener, &err);
    if (st == VG_ERR_INTERRUPTED && cli_interrupt_signal() != 0)
        return stopped(k, &err, cli_interrupt_signal());
    if (st != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    end_print(k);
    return CLI_DONE;
}

static int train_run(void *values)
{
    const train_values *v = values;
    vg_error err = {.status = VG_OK};
    train_talk talk = {.terminal = isatty(1) == 1, .ascii = !is_utf8()};
    if (values_check(v, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    signal(SIGXFSZ, SIG_IGN); /* a full quota is a failed write */
    cli_interrupt_watch();
    if (vg_train_create(&talk.t, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    const int status = values_set(v, talk.t, &err) == VG_OK ? train_run_all(&talk)
                                                            : cli_error_print(&err, CLI_USAGE);
    vg_train_destroy(&talk.t);
    return status;
}

const cli_command cli_command_train = {
    .name = "train",
    .help = "trains a model on a dataset",
    .usage = "--data YAML --model MODEL [OPTIONS]",
    .notes = "The run's folder, runs/train/exp and then exp2, exp3, gets weights/best.safetensors, "
             "weights/last.safetensors, args.yaml, results.csv, plots and TensorBoard events.\n"
             "\n"
             "SIGINT and SIGTERM finish the step and write a checkpoint; the exit status is then "
             "130 or 143, and --resume FOLDER goes on. --resume alone takes the newest run. After "
             "a crash the last epoch's checkpoint is there, or that of the last --save-minutes.",
    .draw = train_draw,
    .values_bytes = sizeof(train_values),
    .defaults = train_defaults,
    .run = train_run,
};
