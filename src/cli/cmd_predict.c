/* cmd_predict.c: vigil predict: a predict job of vigil.h, told to a person line by line. */
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "predict.h"
#include "rows.h"

typedef struct predict_values {
    vg_predict_options o;
    cli_ints classes;
    int prove_flat; /* pictures of warm-up; -1: as many as fit the job; 0: no proof */
    bool quiet, json;
} predict_values;

_Static_assert(sizeof(predict_values) <= CLI_VALUES_BYTES, "the parser's room");

static void predict_defaults(void *values)
{
    ((predict_values *)values)->o = vg_predict_options_default();
}

/* Everything the loop hands around. */
typedef struct predict_job {
    const predict_values *v;
    vg_predict *p;
    FILE *talk; /* the summary: stdout, or stderr when stdout carries JSON */
    predict_sums sums;
    predict_flat flat;
    predict_progress progress;
} predict_job;

static void result_show(predict_job *job, const vg_predict_result *r)
{
    const vg_detector *d = vg_predict_detector(job->p);
    if (r->status != VG_OK) {
        predict_progress_clear(&job->progress);
        predict_line_skipped(stderr, r);
    } else if (job->v->json) {
        predict_line_json(stdout, d, r);
    } else if (!job->v->quiet) {
        predict_line(stdout, d, r);
    }
    predict_progress_show(&job->progress, &job->sums);
}

/* A proof needs pictures after the warm-up. */
static bool flat_begin(predict_job *job, size_t total)
{
    job->flat.n_warm_up = predict_flat_warm_up(job->v->prove_flat, total);
    if (total > job->flat.n_warm_up)
        return true;
    vg_error err;
    cli_error_set(&err, VG_ERR_ARGUMENT,
                  "%zu pictures and a warm-up of %zu: nothing is left to prove with", total,
                  job->flat.n_warm_up);
    cli_error_text(err.where, "option --prove-flat");
    if (total > 1)
        cli_error_text(err.mend, "--prove-flat %zu, or more pictures", total / 2);
    else
        cli_error_text(err.mend, "more pictures");
    cli_error_print(&err, CLI_FAILED);
    return false;
}

/* All pictures, in order. CLI_FAILED when the job itself failed; a skipped picture is for the
 * caller to judge. */
static int pictures_run(predict_job *job)
{
    vg_error err = {.status = VG_OK};
    const vg_predict_result *r = NULL;
    while (cli_interrupt_signal() == 0 && cli_output_good()) {
        if (vg_predict_next(job->p, &r, &err) != VG_OK) {
            predict_progress_clear(&job->progress);
            return cli_error_print(&err, CLI_FAILED);
        }
        if (r == NULL)
            break;
        if (job->v->prove_flat != 0 && r->index == 0 && !flat_begin(job, r->total))
            return CLI_FAILED;
        predict_sums_add(&job->sums, r);
        if (job->v->prove_flat != 0)
            predict_flat_see(&job->flat, r, job->sums.n_done + job->sums.n_skipped, job->p);
        result_show(job, r);
    }
    predict_progress_clear(&job->progress);
    return CLI_DONE;
}

/* After the last picture, while the job is still open. */
static int pictures_sum_up(predict_job *job)
{
    int status = CLI_DONE;
    vg_memory memory;
    const predict_sums *s = &job->sums;
    vg_predict_memory(job->p, &memory);
    predict_summary_print(job->talk, s, &memory);
    if (vg_predict_folder(job->p)[0] != '\0') {
        fputs("Results saved to ", job->talk);
        cli_text(job->talk, vg_predict_folder(job->p));
        fputc('\n', job->talk);
    }
    if (job->flat.warm &&
        !predict_flat_print(job->talk, &job->flat, &memory, s->n_done + s->n_skipped))
        status = CLI_FAILED;
    if (s->n_skipped > 0) {
        fflush(stdout);
        fprintf(stderr, "%zu of %zu pictures were done, %zu skipped\n", s->n_done, s->total,
                s->n_skipped);
        status = CLI_FAILED;
    }
    return status;
}

static int interrupted(const predict_job *job, int number)
{
    fprintf(stderr, "stopped by %s after %zu of %zu pictures\n",
            number == SIGINT ? "SIGINT" : "SIGTERM", job->sums.n_done + job->sums.n_skipped,
            job->sums.total);
    return 128 + number;
}

/* Standard input or a pipe: another program may keep us waiting for its picture. */
static bool source_may_wait(const char *source)
{
    struct stat info;
    return source &&
           (strcmp(source, "-") == 0 || (stat(source, &info) == 0 && S_ISFIFO(info.st_mode)));
}

static int predict_run(void *values)
{
    predict_values *v = values;
    vg_error err = {.status = VG_OK};
    if (v->classes.n > 0) {
        v->o.detect.classes = v->classes.values;
        v->o.detect.n_classes = v->classes.n;
    }
    predict_job job = {
        .v = v, .talk = v->json ? stderr : stdout, .flat.plan_cache = v->o.detector.plan_cache};
    cli_interrupt_watch();
    if (source_may_wait(v->o.source))
        cli_interrupt_waits();
    if (vg_predict_open(&job.p, &v->o, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    job.sums.started_s = predict_now_s();
    job.progress = predict_progress_make(v->quiet);
    int status = pictures_run(&job), number = cli_interrupt_signal();
    if (status == CLI_DONE && cli_output_good()) {
        int sum = pictures_sum_up(&job);
        status = number != 0 ? interrupted(&job, number) : sum;
    }
    if (vg_predict_close(&job.p, &err) != VG_OK)
        status = cli_error_print(&err, CLI_FAILED);
    return status;
}

#define AT(field) offsetof(predict_values, field)

static const cli_option predict_options[] = {
    {CLI_ROW_WEIGHTS, .offset = AT(o.detector.weights), .group = "what and where"},
    {.name = "source",
     .kind = CLI_TEXT,
     .offset = AT(o.source),
     .value = "SOURCE",
     .help = "a picture, a folder, a glob pattern in quotes, a .txt list of pictures, or - for one "
             "on standard input",
     .required = true},
    {CLI_ROW_IMGSZ, .offset = AT(o.detector.imgsz),
     .help = "longer side of what the network sees, pixels, raised to a multiple of the stride",
     .group = "detection"},
    {CLI_ROW_CONF, .offset = AT(o.detect.conf),
     .help = "boxes with a confidence above this are kept"},
    {CLI_ROW_IOU, .offset = AT(o.detect.iou)},
    {CLI_ROW_MAX_DET, .offset = AT(o.detect.max_det)},
    {.name = "classes",
     .kind = CLI_INTS,
     .offset = AT(classes),
     .value = "LIST",
     .least = 0,
     .most = INT_MAX,
     .help = "only these classes, by number: 0,2,5 or 0 2 5",
     .zero = "all"},
    {CLI_ROW_AGNOSTIC_NMS, .offset = AT(o.detect.agnostic_nms)},
    {CLI_ROW_BATCH, .offset = AT(o.detector.batch),
     .help = "most pictures in one run of the network", .group = "running"},
    {CLI_ROW_THREADS, .offset = AT(o.detector.threads),
     .help = "threads that compute; results do not depend on it"},
    {.name = "device",
     .kind = CLI_TEXT,
     .offset = AT(o.detector.device),
     .value = "NAME",
     .help = "auto or cpu; this build has no GPU"},
    {.name = "isa",
     .kind = CLI_TEXT,
     .offset = AT(o.detector.isa),
     .value = "NAME",
     .help = "instructions for the network: plain, sse41, avx2, avx512",
     .zero = "the best of this processor"},
    {.name = "memory-limit",
     .kind = CLI_BYTES,
     .offset = AT(o.detector.memory_limit_bytes),
     .value = "SIZE",
     .help = "refuse to start, with the sum shown, when the plan is larger: 512M, 2G",
     .zero = "none"},
    {.name = "prove-flat",
     .kind = CLI_INT,
     .offset = AT(prove_flat),
     .value = "N",
     .least = 1,
     .most = 1000000000,
     .help = "after N pictures of warm-up, count allocations and growth by owner; see below",
     .bare = true,
     .bare_value = -1,
     .zero = "off; without N the larger of 10 and a tenth of the pictures, at most 100"},
    {.name = "save",
     .kind = CLI_BOOL,
     .offset = AT(o.save),
     .help = "pictures with boxes drawn",
     .group = "results"},
    {.name = "save-txt",
     .kind = CLI_BOOL,
     .offset = AT(o.save_txt),
     .help = "labels/NAME.txt, a row for each box: class xc yc w h, as shares of the picture"},
    {.name = "save-conf",
     .kind = CLI_BOOL,
     .offset = AT(o.save_conf),
     .help = "the confidence ends each such row"},
    {.name = "save-crop",
     .kind = CLI_BOOL,
     .offset = AT(o.save_crop),
     .help = "the boxes, cut out, by class"},
    {.name = "save-json",
     .kind = CLI_BOOL,
     .offset = AT(o.save_json),
     .help = "one JSON object for each picture"},
    {CLI_ROW_PROJECT, .offset = AT(o.project)},
    {CLI_ROW_NAME, .offset = AT(o.name)},
    {CLI_ROW_EXIST_OK, .offset = AT(o.exist_ok)},
    {.name = "line-width",
     .kind = CLI_INT,
     .offset = AT(o.line_width),
     .value = "N",
     .least = 0,
     .most = 1000,
     .help = "of drawn boxes, pixels",
     .zero = "by the picture's size"},
    {.name = "hide-labels",
     .kind = CLI_BOOL,
     .offset = AT(o.hide_labels),
     .help = "boxes without words"},
    {.name = "hide-conf",
     .kind = CLI_BOOL,
     .offset = AT(o.hide_conf),
     .help = "words without confidences"},
    {.name = "quiet",
     .kind = CLI_BOOL,
     .offset = AT(quiet),
     .help = "no line for each picture",
     .group = "telling"},
    {.name = "json",
     .kind = CLI_BOOL,
     .offset = AT(json),
     .help =
         "a JSON object for each picture on standard output; the summary goes to standard error"},
};

const cli_command cli_command_predict = {
    .name = "predict",
    .alias = "detect",
    .help = "detects objects in pictures",
    .usage = "--weights FILE --source SOURCE [OPTIONS]",
    .notes = "--prove-flat compares memory after the warm-up with memory at the end. The run is "
             "flat, and the exit status 0, "
             "when no owner in the table holds a byte more than after the warm-up; when none "
             "allocated anything since, "
             "unless network shapes changed so that plans had to be made again; and when the heap "
             "of libraries and the "
             "resident memory have grown by at most 1 MB each.\n"
             "\n"
             "A picture that cannot be read is reported, counted and skipped; the exit status is "
             "then 1. SIGINT and SIGTERM "
             "stop the work after the current picture, with all files closed; the exit status is "
             "then 130 or 143.",
    .options = predict_options,
    .n_options = sizeof predict_options / sizeof *predict_options,
    .values_bytes = sizeof(predict_values),
    .defaults = predict_defaults,
    .run = predict_run,
};
