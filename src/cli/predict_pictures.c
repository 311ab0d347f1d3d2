/* predict_pictures.c: vigil predict on pictures: a predict job of vigil.h, told to a person line by
 * line. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "predict.h"
#include "rows.h"

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
                  "%zu pictures and a warm-up of %zu: no picture is left to compare with", total,
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
    char count[64];
    while (cli_interrupt_signal() == 0 && cli_output_good()) {
        if (vg_predict_next(job->p, &r, &err) != VG_OK) {
            predict_progress_clear(&job->progress);
            const int status = cli_error_end(&err);
            if (job->sums.total > 0)
                fprintf(stderr, "%zu of %s were done before\n", job->sums.n_done,
                        vg_count_format(count, sizeof count, job->sums.total, "picture"));
            return status;
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
    if (vg_predict_folder(job->p)[0] != '\0' && s->n_done > 0) {
        fputs("Results saved to ", job->talk);
        cli_text(job->talk, vg_predict_folder(job->p));
        fputc('\n', job->talk);
    }
    if (job->flat.warm &&
        !predict_flat_print(job->talk, &job->flat, &memory, s->n_done + s->n_skipped))
        status = CLI_FAILED;
    if (s->n_skipped > 0) {
        fflush(stdout);
        char count[64];
        fprintf(stderr, "%zu of %s %s done, %zu skipped\n", s->n_done,
                vg_count_format(count, sizeof count, s->total, "picture"),
                s->total == 1 ? "was" : "were", s->n_skipped);
        status = CLI_FAILED;
    }
    return status;
}

static int interrupted(const predict_job *job, int number)
{
    char count[64];
    fprintf(stderr, "stopped by %s after %zu of %s\n", number == SIGINT ? "SIGINT" : "SIGTERM",
            job->sums.n_done + job->sums.n_skipped,
            vg_count_format(count, sizeof count, job->sums.total, "picture"));
    return 128 + number;
}

/* Standard input or a pipe: another program may keep us waiting for its picture. */
static bool source_may_wait(const char *source)
{
    struct stat info;
    return source &&
           (strcmp(source, "-") == 0 || (stat(source, &info) == 0 && S_ISFIFO(info.st_mode)));
}

static void imgsz_print(const predict_job *job)
{
    vg_model_info info;
    char line[128];
    vg_detector_info(vg_predict_detector(job->p), &info);
    if (!job->v->quiet && vg_imgsz_format(line, sizeof line, &info))
        fprintf(job->talk, "%s\n", line);
    if (!job->v->quiet && info.gpu[0] != '\0') {
        vg_memory memory;
        vg_predict_memory(job->p, &memory);
        fprintf(job->talk, "device %s: %s\n", info.isa, info.gpu);
        cli_gpu_print(job->talk, &memory);
    }
    if (job->v->o.detector.half && info.gpu[0] == '\0')
        fprintf(job->talk, CLI_HALF_NOTE);
    char letters[512];
    if (!job->v->quiet && job->v->o.save && !job->v->o.hide_labels &&
        vg_detector_letters_format(letters, sizeof letters, vg_predict_detector(job->p)))
        cli_warning("%s", letters);
}

int predict_pictures_run(predict_values *v)
{
    vg_error err = {.status = VG_OK};
    v->o.hide_labels = v->o.hide_labels || !v->show_labels;
    v->o.hide_conf = v->o.hide_conf || !v->show_conf;
    v->o.hide_boxes = !v->show_boxes;
    v->o.detector.imgsz = v->imgsz.h;
    v->o.detector.imgsz_w = v->imgsz.w;
    v->o.class_names = v->classes.names;
    if (v->classes.n > 0) {
        v->o.detect.classes = v->classes.at;
        v->o.detect.n_classes = (size_t)v->classes.n;
    }
    predict_job job = {
        .v = v, .talk = v->json ? stderr : stdout, .flat.plan_cache = v->o.detector.plan_cache};
    cli_interrupt_watch();
    if (source_may_wait(v->o.source))
        cli_interrupt_waits();
    if (vg_predict_open(&job.p, &v->o, &err) != VG_OK)
        return cli_error_end(&err);
    imgsz_print(&job);
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
