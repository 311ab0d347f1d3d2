/* cmd_train.c: vigil train: a run of vigil.h, told as YOLO's users know it. Its options are the
 * API's table, and some of its own. */
#include <signal.h>
#include <string.h>

#include "commands.h"
#include "rows.h"
#include "train.h"

typedef struct train_values {
    const char *serve, *token;
    bool detach, json;
    cli_given given;
} train_values;

_Static_assert(sizeof(train_values) <= CLI_VALUES_BYTES, "the parser's room");

/* ---- options ---- */

static const vg_option train_options[] = {
    {.name = "detach",
     .kind = VG_OPTION_BOOL,
     .offset = offsetof(train_values, detach),
     .help = "prepares here, then goes on in the background: folder/train.log, vigil attach, vigil "
             "stop"},
    {.name = "json",
     .kind = VG_OPTION_BOOL,
     .offset = offsetof(train_values, json),
     .help = "at the end one JSON object on standard output, with folder, weights and the final "
             "validation; the rest goes to standard error"},
    {.name = "serve",
     .kind = VG_OPTION_STRING,
     .offset = offsetof(train_values, serve),
     .value = "ADDRESS:PORT",
     .may_stand_alone = true,
     .help = "a live page of the run, such as 127.0.0.1:9400; alone: any port of this machine"},
    {.name = "token",
     .kind = VG_OPTION_STRING,
     .offset = offsetof(train_values, token),
     .help = "what a reader of the page must know; without it one is made, which stopping the run "
             "needs, and reading only from other machines"}};

typedef struct setting {
    vg_train *t;
    bool resumes;
    const char *other; /* an option that a resumed run has no use for; NULL: none */
    bool is_off;       /* it was --no-OTHER */
} setting;

/* A flag that is as it is without being given. */
static bool is_default_flag(const char *name, const char *text)
{
    size_t n;
    const vg_option *rows = vg_train_options(&n);
    bool yes = false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0 && rows[i].kind == VG_OPTION_BOOL)
            return cli_read_bool(&yes, text) && yes == (strcmp(rows[i].preset, "true") == 0);
    return false;
}

/* What says where a run computes, not what: it may be another when the run is resumed. */
static bool is_of_machine(const char *name)
{
    static const char *const names[] = {"project", "device", "gpu_memory_limit", "device_lost",
                                        "rank_timeout"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static vg_status set_one(void *ctx, const char *name, const char *text, vg_error *err)
{
    setting *s = ctx;
    const vg_status st = vg_train_set(s->t, name, text, err);
    if (strcmp(name, "resume") == 0)
        s->resumes = strcmp(text, "false") != 0 && strcmp(text, "False") != 0;
    else if (!is_of_machine(name) && !is_default_flag(name, text)) {
        s->other = name;
        s->is_off = strcmp(text, "false") == 0;
    }
    return st;
}

/* A resumed run keeps its own arguments, but for where it computes. */
static vg_status set_all(bool *resumes, const train_values *v, vg_train *t, vg_error *err)
{
    setting s = {.t = t};
    const vg_status st = cli_hand_on(&cli_command_train, v, &v->given, set_one, &s, err);
    *resumes = s.resumes;
    if (st != VG_OK || !s.resumes || s.other == NULL)
        return st;
    const char *no = s.is_off ? "no-" : "";
    cli_error_set(err, VG_ERR_ARGUMENT, "--%s%s with --resume: a resumed run keeps its arguments",
                  no, s.other);
    cli_error_text(err->where, "option --%s%s", no, s.other);
    cli_error_text(err->mend, "leave --%s%s out, or start a new run with --weights", no, s.other);
    return err->status;
}

/* ---- the command ---- */

static const char *signal_name(int number)
{
    return number == SIGINT ? "SIGINT" : number == SIGHUP ? "SIGHUP" : "SIGTERM";
}

/* By a signal here, the page's button, or what reached another rank: the latter two are as SIGTERM.
 */
static int stopped(const train_talk *k, const vg_error *err)
{
    const int number = cli_interrupt_signal();
    const char *who = number != 0                 ? signal_name(number)
                      : vg_train_is_stopped(k->t) ? "from its page"
                                                  : "from another rank";
    vg_train_info i;
    vg_train_info_get(k->t, &i);
    if (k->screen.terminal)
        putchar('\n');
    fflush(stdout);
    fprintf(stderr, "%s: %s\ngo on with: vigil train --resume %s\n", who, err->what, i.folder);
    return 128 + (number != 0 ? number : SIGTERM);
}

/* Rank 0 tells what all ranks have met; what one met alone it tells itself. */
static int failed(const train_talk *k, const vg_error *err, bool is_usage)
{
    vg_train_rank rank;
    vg_train_rank_get(k->t, &rank);
    if (rank.is_told)
        return CLI_FAILED;
    return is_usage ? cli_error_end(err) : cli_error_print(err, CLI_FAILED);
}

/* A rank other than the first: it is only seen when it fails. */
static int train_run_along(train_talk *k)
{
    vg_error err = {.status = VG_OK};
    const vg_train_listener listener = train_talk_silent(k);
    const vg_status st = vg_train_run(k->t, &listener, &err);
    if (st == VG_ERR_INTERRUPTED)
        return 128 + (cli_interrupt_signal() != 0 ? cli_interrupt_signal() : SIGTERM);
    return st == VG_OK ? CLI_DONE : failed(k, &err, false);
}

/* report: of train_detach_fork; -1 in the foreground. */
static int train_run_all(const train_values *v, train_talk *k, bool resumes, int report)
{
    vg_error err = {.status = VG_OK};
    vg_train_rank rank;
    if (vg_train_prepare(k->t, &err) != VG_OK) /* a resumed run's arguments are not the user's */
        return failed(k, &err, !resumes);
    vg_train_rank_get(k->t, &rank);
    if (rank.rank > 0)
        return train_run_along(k);
    train_talk_begin(k);
    if (rank.n_ranks > 1)
        printf("Ranks: %d, which share every batch\n", rank.n_ranks);
    if (v->serve != NULL) {
        printf("Live page: %s\n", vg_train_url(k->t));
        fflush(stdout);
    }
    /* Who was interrupted before leaving stays: the first step sees it. */
    if (report >= 0 && cli_interrupt_signal() == 0 && train_detach_leave(k, report, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    const vg_train_listener listener = train_talk_listener(k);
    const vg_status st = vg_train_run(k->t, &listener, &err);
    int status = CLI_DONE;
    if (st == VG_ERR_INTERRUPTED &&
        (cli_interrupt_signal() != 0 || vg_train_is_stopped(k->t) || rank.n_ranks > 1))
        status = stopped(k, &err);
    else if (st != VG_OK)
        status = cli_error_print(&err, CLI_FAILED);
    else
        train_talk_end(k);
    vg_train_note_exit(k->t, status);
    return status;
}

/* The launcher's processes are its own: those that they fork do not get through to the others, and
 * the launcher ends with the first that leaves. */
static bool refuse_detach(const vg_train *t, vg_error *err)
{
    vg_train_rank rank;
    vg_train_rank_get(t, &rank);
    if (rank.n_ranks == 1)
        return false;
    cli_error_set(err, VG_ERR_ARGUMENT, "--detach in one of %d processes that train together",
                  rank.n_ranks);
    cli_error_text(err->where, "option --detach");
    cli_error_text(err->mend, "leave it out, and put the launcher into the background: sbatch, or "
                              "nohup mpirun ... &");
    return true;
}

static int train_begin(const train_values *v, train_talk *k)
{
    vg_error err = {.status = VG_OK};
    int report = -1;
    if (vg_train_create(&k->t, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    bool resumes;
    if (set_all(&resumes, v, k->t, &err) != VG_OK)
        return cli_error_print(&err, CLI_USAGE);
    if (v->serve != NULL && vg_train_serve(k->t, v->serve, v->token, &err) != VG_OK)
        return cli_error_end(&err);
    if (v->detach && refuse_detach(k->t, &err))
        return cli_error_print(&err, CLI_USAGE);
    if (v->detach) {
        const int child = train_detach_fork(&report, &err);
        if (child < 0)
            return cli_error_print(&err, CLI_FAILED);
        if (child > 0)
            return train_detach_hear(child, report);
    }
    return train_run_all(v, k, resumes, report);
}

static int train_for_script(const train_values *v, train_talk *k)
{
    vg_error err = {.status = VG_OK};
    if (v->detach) {
        cli_error_set(&err, VG_ERR_ARGUMENT, "--json with --detach: nobody waits for the object");
        cli_error_text(err.where, "option --json");
        cli_error_text(err.mend, "leave one of them out");
        return cli_error_print(&err, CLI_USAGE);
    }
    const int kept = train_json_begin(&err);
    if (kept < 0)
        return cli_error_print(&err, CLI_FAILED);
    const int status = train_begin(v, k);
    train_json_end(kept);
    vg_train_rank rank = {0};
    if (k->t != NULL)
        vg_train_rank_get(k->t, &rank);
    if (status == CLI_DONE && rank.rank == 0)
        train_talk_json(k);
    return status;
}

static int train_run(void *values)
{
    const train_values *v = values;
    train_talk talk = {.screen = cli_screen_of(v->json ? stderr : stdout)};
    signal(SIGXFSZ, SIG_IGN); /* a full quota is a failed write */
    cli_interrupt_watch();
    if (!v->detach)
        cli_interrupt_watch_hangup();
    const int status = v->json ? train_for_script(v, &talk) : train_begin(v, &talk);
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
        "With --serve a live page shows curves, pictures and arguments. Its address, printed at "
        "the "
        "start, has a token, by which its button ends the run as SIGTERM does; vigil board shows "
        "all runs.\n"
        "\n"
        "With --detach the run outlives its terminal, and its output goes to train.log in its "
        "folder; vigil attach FOLDER shows it, vigil stop FOLDER ends it.",
    .table = vg_train_options,
    .options = train_options,
    .n_options = sizeof train_options / sizeof *train_options,
    .given_offset = offsetof(train_values, given),
    .values_bytes = sizeof(train_values),
    .speaks = CLI_AT_TRAIN,
    .siblings = cli_commands,
    .run = train_run,
};
