/* cmd_demo.c: vigil demo: draws a data set, trains on it, detects in pictures that training never
 * saw, and shows what it cost. All of it by the calls that `vigil train` and `vigil predict` make,
 * so what is seen here is what they do. */
#include <signal.h>
#include <string.h>

#include "bar.h"
#include "commands.h"
#include "predict.h"
#include "train.h"

enum { PATH_BYTES = VG_DEMO_PATH_BYTES + 64, WARM_EPOCHS = 2 };

typedef struct demo_values {
    vg_demo_options o;
    const char *folder;
    int task;          /* a vg_task */
    int epochs, imgsz; /* 0: the subject's */
} demo_values;

_Static_assert(sizeof(demo_values) <= CLI_VALUES_BYTES, "the parser's room");

static void demo_defaults(void *values)
{
    demo_values *v = values;
    v->o = vg_demo_options_default();
}

typedef struct demo_job {
    const demo_values *v;
    const vg_demo_subject *subject;
    int epochs, imgsz, n_train, n_val;
    vg_demo set;
    train_talk talk;
    vg_train_listener telling;   /* the talk's */
    vg_memory start, warm, last; /* before training; after epoch WARM_EPOCHS; after the last */
    int n_epochs;                /* done */
} demo_job;

/* ---- the data set ---- */

/* --folder a/b is --project a --name b. */
static void folder_split(vg_demo_options *o, const char *folder, char project[PATH_BYTES])
{
    const char *slash = strrchr(folder, '/');
    snprintf(project, PATH_BYTES, "%.*s", slash == NULL ? 1 : (int)(slash - folder),
             slash == NULL ? "." : folder);
    if (slash == folder)
        snprintf(project, PATH_BYTES, "/");
    o->project = project;
    o->name = slash == NULL ? folder : slash + 1;
}

static void drawn_seen(void *ctx, int n_done, int n_total)
{
    cli_bar_show(ctx, (size_t)n_done, (size_t)n_total);
}

static vg_status set_draw(demo_job *job, vg_error *err)
{
    char project[PATH_BYTES];
    char count[64];
    vg_demo_options o = job->v->o;
    o.task = (vg_task)job->v->task;
    const char *folder = job->v->folder;
    if (folder != NULL && strlen(folder) >= VG_DEMO_PATH_BYTES) {
        cli_error_set(err, VG_ERR_ARGUMENT, "a folder's name of %zu bytes", strlen(folder));
        cli_error_text(err->where, "option --folder");
        cli_error_text(err->mend, "use a shorter one");
        return err->status;
    }
    if (folder != NULL)
        folder_split(&o, folder, project);
    const double start_s = train_now_s();
    cli_bar bar = cli_bar_make(stderr, "drawing");
    o.progress = drawn_seen;
    o.ctx = &bar;
    const vg_status st = vg_demo_draw(&job->set, &o, err);
    cli_bar_clear(&bar);
    if (st != VG_OK)
        return st;
    printf("Drew %d + %d + %d pictures of %s (to train, to validate, for the end) with %s "
           "in %.1f s: %s/dataset\n",
           job->n_train, job->n_val, o.n_unseen, job->subject->pictures,
           vg_count_format(count, sizeof count, job->set.n_objects, job->subject->object),
           train_now_s() - start_s, job->set.folder);
    return VG_OK;
}

/* ---- training ---- */

/* One of the run's arguments; those that say something about the recipe are shown. */
static vg_status argument_set(const demo_job *job, const char *name, const char *value,
                              bool is_shown, vg_error *err)
{
    if (vg_train_set(job->talk.t, name, value, err) != VG_OK)
        return err->status;
    if (is_shown)
        printf(" %s=%s", name, value);
    return VG_OK;
}

static vg_status number_set(const demo_job *job, const char *name, int value, bool is_shown,
                            vg_error *err)
{
    char text[16];
    snprintf(text, sizeof text, "%d", value);
    return argument_set(job, name, text, is_shown, err);
}

static vg_status training_set(const demo_job *job, vg_error *err)
{
    fputs("$ vigil train", stdout);
    vg_status st = argument_set(job, "data", job->set.data, true, err);
    if (st == VG_OK)
        st = argument_set(job, "model", job->subject->model, true, err);
    if (st == VG_OK)
        st = number_set(job, "imgsz", job->imgsz, true, err);
    if (st == VG_OK)
        st = number_set(job, "epochs", job->epochs, true, err);
    for (const vg_demo_argument *a = job->subject->arguments; a->name != NULL && st == VG_OK; a++)
        st = argument_set(job, a->name, a->value, true, err);
    if (st == VG_OK)
        st = number_set(job, "seed", job->v->o.seed, true, err);
    if (st == VG_OK)
        st = number_set(job, "threads", job->v->o.threads, false, err);
    if (st == VG_OK)
        st = argument_set(job, "project", job->set.folder, false, err);
    if (st == VG_OK)
        st = argument_set(job, "name", "train", false, err);
    putchar('\n');
    return st;
}

static void batch_seen(void *ctx, const vg_train_batch *b)
{
    const demo_job *job = ctx;
    job->telling.batch(job->telling.ctx, b);
}

static void epoch_seen(void *ctx, const vg_train_epoch *e)
{
    demo_job *job = ctx;
    job->telling.epoch(job->telling.ctx, e);
    vg_train_memory(job->talk.t, &job->last);
    if (e->epoch <= WARM_EPOCHS)
        job->warm = job->last;
    job->n_epochs = e->epoch;
}

static bool stop_wanted(void *ctx)
{
    const demo_job *job = ctx;
    return job->telling.wants_stop(job->telling.ctx);
}

static int stopped(const demo_job *job, const vg_error *err, int number)
{
    vg_train_info i;
    vg_train_info_get(job->talk.t, &i);
    fflush(stdout);
    fprintf(stderr, "%s%s\ngo on with: vigil train --resume %s\n",
            job->talk.screen.terminal ? "\n" : "", err->what, i.folder);
    return 128 + number;
}

static int training_run(demo_job *job)
{
    vg_error err = {.status = VG_OK};
    vg_train *t = job->talk.t;
    vg_train_memory(t, &job->start);
    if (training_set(job, &err) != VG_OK || vg_train_prepare(t, &err) != VG_OK)
        return cli_error_end(&err);
    train_talk_begin(&job->talk);
    job->telling = train_talk_listener(&job->talk);
    const vg_train_listener listener = {
        .ctx = job, .batch = batch_seen, .epoch = epoch_seen, .wants_stop = stop_wanted};
    const vg_status st = vg_train_run(t, &listener, &err);
    const int number = cli_interrupt_signal();
    const int status = st == VG_OK ? CLI_DONE
                       : st == VG_ERR_INTERRUPTED && number != 0
                           ? stopped(job, &err, number)
                           : cli_error_print(&err, CLI_FAILED);
    if (status == CLI_DONE)
        train_talk_end(&job->talk);
    vg_train_note_exit(t, status);
    return status;
}

/* ---- the pictures at the end ---- */

static vg_status unseen_predict(const demo_job *job, vg_error *err)
{
    char weights[PATH_BYTES];
    vg_predict *p = NULL;
    const vg_predict_result *r = NULL;
    vg_predict_options o = vg_predict_options_default();
    snprintf(weights, sizeof weights, "%s/train/weights/best.safetensors", job->set.folder);
    o.detector.weights = weights;
    o.detector.imgsz = job->imgsz;
    o.detector.threads = job->v->o.threads;
    o.source = job->set.unseen;
    o.save = true;
    o.line_width = 2; /* shelves are crowded */
    o.project = job->set.folder;
    o.name = "predict";
    printf("\n$ vigil predict weights=%s source=%s imgsz=%d\n", weights, o.source,
           o.detector.imgsz);
    vg_status st = vg_predict_open(&p, &o, err);
    if (st != VG_OK)
        return st;
    while (cli_interrupt_signal() == 0) {
        st = vg_predict_next(p, &r, err);
        if (st != VG_OK || r == NULL)
            break;
        if (r->status != VG_OK)
            predict_line_skipped(stderr, r);
        else
            predict_line(stdout, vg_predict_detector(p), r);
    }
    const vg_status closed = vg_predict_close(&p, st == VG_OK ? err : NULL);
    return st != VG_OK ? st : closed;
}

/* ---- the end ---- */

/* What was planned before the first step, and what the process was seen to hold after the last. */
static void memory_print(const demo_job *job)
{
    char a[32], b[32], c[32];
    const vg_memory *m = &job->last, *warm = &job->warm;
    printf("Memory: planned %s, of it %s for the program; measured %s",
           cli_bytes(a, (double)(m->planned_bytes + job->start.resident_bytes)),
           cli_bytes(b, (double)job->start.resident_bytes),
           cli_bytes(c, (double)m->resident_bytes));
    if (job->n_epochs <= WARM_EPOCHS) {
        char count[64];
        printf("; %s: too few to see growth\n",
               vg_count_format(count, sizeof count, (uint64_t)job->n_epochs, "epoch"));
        return;
    }
    const double grown = (double)m->resident_bytes - (double)warm->resident_bytes;
    printf("; growth from epoch %d to %d: %lld bytes in use, %s%s resident\n", WARM_EPOCHS,
           job->n_epochs, (long long)m->in_use_bytes - (long long)warm->in_use_bytes,
           grown < 0 ? "-" : "", cli_bytes(a, grown < 0 ? -grown : grown));
}

/* By the names of results.csv, so that whatever a task is judged by is found. */
static void reached_print(const demo_job *job, const vg_val_result *final)
{
    char count[64];
    vg_number numbers[VG_MOST_NUMBERS];
    const size_t n = vg_val_numbers(final, numbers);
    const char *before = "";
    for (const vg_demo_goal *g = job->subject->goals; g->number != NULL; g++)
        for (size_t i = 0; i < n; i++)
            if (strcmp(numbers[i].name, g->number) == 0) {
                printf("%s%s %.3f", before, g->what, numbers[i].value);
                before = ", ";
            }
    printf(" on %s that %s not trained on\n",
           vg_count_format(count, sizeof count, final->n_pictures, "picture"),
           final->n_pictures == 1 ? "was" : "were");
}

static void places_print(const demo_job *job, double seconds)
{
    const char *folder = job->set.folder;
    const vg_val_result *final = vg_train_final(job->talk.t);
    if (final != NULL)
        reached_print(job, final);
    printf("%.0f s in all\n"
           "\n"
           "Look at\n"
           "  %s/predict/           unseen pictures with what was found in them\n"
           "  %s/train/results.png  the course of training; more plots beside it\n"
           "  %s/train/weights/     best.safetensors, for vigil predict\n"
           "  %s/dataset/           pictures and labels, as drawn\n",
           seconds, folder, folder, folder, folder);
}

static int demo_steps(demo_job *job)
{
    vg_error err = {.status = VG_OK};
    const double start_s = train_now_s();
    if (set_draw(job, &err) != VG_OK)
        return cli_error_end(&err);
    signal(SIGXFSZ, SIG_IGN); /* a full quota is a failed write */
    cli_interrupt_watch();
    cli_interrupt_watch_hangup();
    if (vg_train_create(&job->talk.t, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    const int status = training_run(job);
    if (status != CLI_DONE)
        return status;
    if (unseen_predict(job, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    if (cli_interrupt_signal() != 0)
        return 128 + cli_interrupt_signal();
    putchar('\n');
    memory_print(job);
    places_print(job, train_now_s() - start_s);
    return CLI_DONE;
}

static int demo_run(void *values)
{
    const demo_values *v = values;
    const vg_demo_subject *s = vg_demo_subject_get((vg_task)v->task);
    demo_job job = {.v = v,
                    .subject = s,
                    .epochs = v->epochs > 0 ? v->epochs : s->epochs,
                    .imgsz = v->imgsz > 0 ? v->imgsz : s->imgsz,
                    .n_train = v->o.n_train > 0 ? v->o.n_train : s->n_train,
                    .n_val = v->o.n_val > 0 ? v->o.n_val : s->n_val,
                    .talk.screen = cli_screen_of(stdout)};
    const int status = demo_steps(&job);
    vg_train_destroy(&job.talk.t);
    return status;
}

#define AT(field) offsetof(demo_values, field)

static const char zero[] = "as the task needs";

static const vg_option demo_options[] = {
    {.name = "task",
     .kind = VG_OPTION_CHOICE,
     .offset = AT(task),
     .choices = "detect|segment|pose|obb|classify",
     .only = "there is no such task",
     .help = "what is learnt: boxes, masks, keypoints, turned boxes, or a class a picture"},
    {.name = "epochs",
     .kind = VG_OPTION_INT,
     .offset = AT(epochs),
     .value = "N",
     .least = 1,
     .most = 1000000,
     .help = "passes over the training pictures",
     .zero = zero},
    {.name = "imgsz",
     .alias = "img-size",
     .kind = VG_OPTION_INT,
     .offset = AT(imgsz),
     .value = "N",
     .least = 32,
     .most = 1024,
     .help = "size of what the network sees, pixels",
     .zero = zero},
    {.name = "seed",
     .kind = VG_OPTION_INT,
     .offset = AT(o.seed),
     .value = "N",
     .least = 0,
     .most = 2147483647,
     .help = "another seed, other pictures and another training"},
    {.name = "pictures",
     .kind = VG_OPTION_INT,
     .offset = AT(o.n_train),
     .value = "N",
     .least = 8,
     .most = 100000,
     .help = "to train on",
     .zero = zero},
    {.name = "val-pictures",
     .kind = VG_OPTION_INT,
     .offset = AT(o.n_val),
     .value = "N",
     .least = 1,
     .most = 100000,
     .help = "to validate on",
     .zero = zero},
    {.name = "threads",
     .kind = VG_OPTION_INT,
     .offset = AT(o.threads),
     .value = "N",
     .least = 0,
     .most = 1024,
     .help = "threads that draw and compute",
     .zero = "one for each processor"},
    {.name = "project",
     .kind = VG_OPTION_STRING,
     .offset = AT(o.project),
     .value = "DIR",
     .help = "folder of runs"},
    {.name = "name",
     .kind = VG_OPTION_STRING,
     .offset = AT(o.name),
     .value = "NAME",
     .help = "this run's folder in it; NAME2, NAME3 and so on when it is taken"},
    {.name = "folder",
     .kind = VG_OPTION_STRING,
     .offset = AT(folder),
     .value = "DIR",
     .help = "both in one: --folder a/b is --project a --name b"},
};

const cli_command cli_command_demo = {
    .name = "demo",
    .help = "draws a data set, trains on it and detects: two or three minutes",
    .usage = "[OPTIONS]",
    .notes =
        "Needs no data and no network. Draws pictures, trains YOLO11n on them from random "
        "weights, validates it on others, and predicts on some that it has never seen: a "
        "shop's shelves with bottles, cans, cartons, jars and boxes (detect, segment), figures "
        "in a hall (pose), parcels on a belt from above (obb), goods one by one (classify). "
        "All files go into one new folder, runs/demo, then runs/demo2; existing files are not "
        "touched.\n"
        "\n"
        "SIGINT, SIGTERM and a closed terminal (SIGHUP) end training after its step, with a "
        "checkpoint; the exit status is then 130, 143 or 129.",
    .options = demo_options,
    .n_options = sizeof demo_options / sizeof *demo_options,
    .values_bytes = sizeof(demo_values),
    .defaults = demo_defaults,
    .run = demo_run,
};
