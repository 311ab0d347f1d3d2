/* cmd_train.c: vigil train: a run of vigil.h, told as YOLO's users know it. Its options are the
 * API's table of arguments, drawn when they are asked for. */
#include <assert.h>
#include <signal.h>
#include <string.h>

#include "commands.h"
#include "rows.h"
#include "train.h"

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
    const size_t n = vg_train_n_args();
    assert(n + 2 <= CLI_OPTIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        vg_train_arg arg;
        vg_train_arg_get(i, &arg);
        const bool is_flag = arg.kind == VG_ARG_BOOL;
        room[i] = (cli_option){
            .name = arg.name,
            .alias = alias_of(&arg),
            .kind = is_flag ? CLI_BOOL : CLI_TEXT,
            .offset = is_flag ? offsetof(train_values, flag) + i * sizeof(bool)
                              : offsetof(train_values, text) + i * sizeof(char *),
            .value = arg.choices != NULL ? arg.choices : arg.value,
            .help = arg.help,
            .idle = arg.idle,
            .list = strcmp(arg.name, "imgsz") == 0 ? "training pictures are fitted into a square"
                                                   : NULL,
            .bare = strcmp(arg.name, "resume") == 0};
    }
    room[n] = (cli_option){CLI_ROW_DEVICE, .offset = offsetof(train_values, device)};
    room[n + 1] = (cli_option){.name = "detach",
                               .kind = CLI_BOOL,
                               .offset = offsetof(train_values, detach),
                               .help = "prepares here, then goes on in the background: "
                                       "folder/train.log, vigil attach, vigil stop"};
    return n + 2;
}

/* What differs from the defaults, handed to the API. A resumed run keeps its own arguments. */
static vg_status values_set(bool *resumes, const train_values *v, vg_train *t, vg_error *err)
{
    train_values presets = {0};
    *resumes = false;
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
            *resumes = strcmp(value, "false") != 0 && strcmp(value, "False") != 0;
        else if (strcmp(arg.name, "project") != 0)
            other = arg.name;
    }
    if (!*resumes || other == NULL)
        return VG_OK;
    cli_error_set(err, VG_ERR_ARGUMENT, "--%s with --resume: a resumed run keeps its arguments",
                  other);
    cli_error_text(err->where, "option --%s", other);
    cli_error_text(err->mend, "leave --%s out, or start a new run with --weights", other);
    return err->status;
}

/* ---- the command ---- */

static const char *signal_name(int number)
{
    return number == SIGINT ? "SIGINT" : number == SIGHUP ? "SIGHUP" : "SIGTERM";
}

static int stopped(const train_talk *k, const vg_error *err, int number)
{
    vg_train_info i;
    vg_train_info_get(k->t, &i);
    if (k->screen.terminal)
        putchar('\n');
    fflush(stdout);
    fprintf(stderr, "%s: %s\ngo on with: vigil train --resume %s\n", signal_name(number), err->what,
            i.folder);
    return 128 + number;
}

/* report: of train_detach_fork; -1 in the foreground. */
static int train_run_all(train_talk *k, bool resumes, int report)
{
    vg_error err = {.status = VG_OK};
    if (vg_train_prepare(k->t, &err) != VG_OK) /* a resumed run's arguments are not the user's */
        return resumes ? cli_error_print(&err, CLI_FAILED) : cli_error_end(&err);
    train_talk_begin(k);
    /* Who was interrupted before leaving stays: the first step sees it. */
    if (report >= 0 && cli_interrupt_signal() == 0 && train_detach_leave(k, report, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    const vg_train_listener listener = train_talk_listener(k);
    const vg_status st = vg_train_run(k->t, &listener, &err);
    int status = CLI_DONE;
    if (st == VG_ERR_INTERRUPTED && cli_interrupt_signal() != 0)
        status = stopped(k, &err, cli_interrupt_signal());
    else if (st != VG_OK)
        status = cli_error_print(&err, CLI_FAILED);
    else
        train_talk_end(k);
    vg_train_note_exit(k->t, status);
    return status;
}

static int train_begin(const train_values *v, train_talk *k)
{
    vg_error err = {.status = VG_OK};
    int report = -1;
    if (vg_train_create(&k->t, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    bool resumes;
    if (values_set(&resumes, v, k->t, &err) != VG_OK)
        return cli_error_print(&err, CLI_USAGE);
    if (v->detach) {
        const int child = train_detach_fork(&report, &err);
        if (child < 0)
            return cli_error_print(&err, CLI_FAILED);
        if (child > 0)
            return train_detach_hear(child, report);
    }
    return train_run_all(k, resumes, report);
}

static int train_run(void *values)
{
    const train_values *v = values;
    train_talk talk = {.screen = cli_screen_of(stdout)};
    signal(SIGXFSZ, SIG_IGN); /* a full quota is a failed write */
    cli_interrupt_watch();
    if (!v->detach)
        cli_interrupt_watch_hangup();
    const int status = train_begin(v, &talk);
    vg_train_destroy(&talk.t);
    return status;
}

const cli_command cli_command_train = {
    .name = "train",
    .help = "trains a model on a dataset",
    .usage = "--data YAML --model MODEL [OPTIONS]",
    .notes =
        "The run's folder, runs/train/exp and then exp2, exp3, gets weights/best.safetensors, "
        "weights/last.safetensors, args.yaml, results.csv, plots and TensorBoard events.\n"
        "\n"
        "SIGINT, SIGTERM and a closed terminal (SIGHUP) finish the step and write a checkpoint; "
        "the exit status is then 130, 143 or 129, and --resume FOLDER resumes it. A second Ctrl-C "
        "ends the run at once. --resume alone takes the newest run. After a crash the last "
        "epoch's checkpoint is there, or that of the last --save-minutes.\n"
        "\n"
        "With --detach the run outlives its terminal, and its output goes to train.log in its "
        "folder; vigil attach FOLDER shows it, vigil stop FOLDER ends it.",
    .draw = train_draw,
    .values_bytes = sizeof(train_values),
    .speaks = CLI_AT_TRAIN,
    .siblings = cli_commands,
    .defaults = train_defaults,
    .run = train_run,
};
