/* predict_stream.c: vigil predict on videos, streams and cameras: a job of vigil/stream.h, told to
 * a person.
 *
 * A line a frame is for files, which end. Live sources have a line of status each, every 10 s, and
 * one for each event and change of health: a log that grows with frames is one of the leaks that
 * vigil exists against. */
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "predict.h"

enum { MOST_PLACES = 64 };

typedef struct stream_job {
    vg_stream *s;
    bool quiet, json, verbose;
    double status_every_s;
    FILE *talk; /* the summary: stdout, or stderr when stdout carries JSON */
    double next_status_s, last_status_s;
    uint64_t told[MOST_PLACES]; /* results of each source at last_status_s */
    predict_progress progress;
    bool says; /* lines of results */
    /* Of files, for the bar: frames of those that are told to have so many; 0: not known. */
    _Atomic uint64_t of[MOST_PLACES];
} stream_job;

/* ---- options ---- */

static vg_status set_one(void *stream, const char *name, const char *text, vg_error *err)
{
    return vg_stream_set(stream, name, text, err);
}

static vg_status set_all(stream_job *job, const predict_values *v, const cli_command *command,
                         bool tracks, vg_error *err)
{
    vg_status st = VG_OK;
    if (v->o.detector.retina_masks) {
        cli_error_set(
            err, VG_ERR_UNSUPPORTED,
            "--retina-masks is for pictures: how large frames are is not known when room for "
            "masks is taken");
        cli_error_text(err->where, "option --retina-masks");
        cli_error_text(err->mend, "leave it out: outlines are in pixels of the frame anyway");
        return VG_ERR_UNSUPPORTED;
    }
    if (cli_given_text(command, &v->given, "prove_flat") != NULL) {
        cli_error_set(err, VG_ERR_ARGUMENT, "--prove-flat is for pictures");
        cli_error_text(err->where, "option --prove-flat");
        cli_error_text(err->mend, "leave it out: --serve has the memory of a stream job by owner");
        return VG_ERR_ARGUMENT;
    }
    if (tracks)
        st = vg_stream_set(job->s, "project", "runs/track", err);
    if (st == VG_OK)
        st = cli_hand_on(command, v, &v->given, set_one, job->s, err);
    if (st == VG_OK && tracks)
        st = vg_stream_set(job->s, "track", "true", err);
    return st == VG_OK ? vg_stream_check_options(job->s, err) : st;
}

/* What of the options is the terminal's: as settled by the command line and the configuration. */
static void read_talk(stream_job *job)
{
    char value[32];
    job->quiet = strcmp(vg_stream_get(job->s, "quiet", value, sizeof value), "true") == 0;
    job->json = strcmp(vg_stream_get(job->s, "json", value, sizeof value), "true") == 0;
    job->verbose = strcmp(vg_stream_get(job->s, "verbose", value, sizeof value), "true") == 0;
    cli_read_real(&job->status_every_s, vg_stream_get(job->s, "status_every", value, sizeof value));
    job->talk = job->json ? stderr : stdout;
}

/* ---- what is said while it runs ---- */

/* On the job's thread of results. One call of stdio after another may mix with other threads'
 * lines: the stream is held for the whole line. */
static void see_result(void *ctx, const vg_stream_result *r)
{
    stream_job *job = ctx;
    if (r->source_index >= 0 && r->source_index < MOST_PLACES)
        atomic_store_explicit(&job->of[r->source_index], r->of, memory_order_relaxed);
    if (!job->says)
        return;
    flockfile(stdout);
    if (job->verbose || vg_stream_is_of_files(job->s))
        predict_stream_line(stdout, job->s, r);
    for (size_t i = 0; i < r->n_events; i++)
        predict_stream_event(stdout, job->s, r, &r->events[i]);
    funlockfile(stdout);
}

static void see_note(void *ctx, const char *what)
{
    stream_job *job = ctx;
    predict_progress_clear(&job->progress);
    flockfile(stderr);
    fputs("vigil: ", stderr);
    cli_text(stderr, what);
    fputc('\n', stderr);
    funlockfile(stderr);
}

static void statuses_print(stream_job *job, double now_s)
{
    const double seconds = fmax(now_s - job->last_status_s, 1e-9);
    for (int i = 0; i < vg_stream_n_sources(job->s) && i < MOST_PLACES; i++) {
        vg_stream_source_stats c;
        vg_stream_source_get(job->s, i, &c);
        const uint64_t before = job->told[i] <= c.n_results ? job->told[i] : 0;
        job->told[i] = c.n_results;
        if (c.name[0] == '\0')
            continue;
        flockfile(stderr);
        predict_stream_status(stderr, &c, (double)(c.n_results - before) / seconds);
        funlockfile(stderr);
    }
    job->last_status_s = now_s;
}

/* Of files: how many frames there were so far, where their lines are not seen. */
static void progress_print(stream_job *job, double now_s)
{
    predict_progress *p = &job->progress;
    uint64_t n = 0, n_all = 0;
    bool is_known = true;
    if (!p->on || (!p->bar.on && now_s < p->next_s))
        return;
    p->next_s = now_s + 30;
    for (int i = 0; i < vg_stream_n_sources(job->s); i++) {
        vg_stream_source_stats c;
        vg_stream_source_get(job->s, i, &c);
        n += c.n_results;
        const uint64_t of =
            i < MOST_PLACES ? atomic_load_explicit(&job->of[i], memory_order_relaxed) : 0;
        n_all += of;
        is_known = is_known && of > 0;
    }
    if (p->bar.on && is_known) {
        cli_bar_show(&p->bar, n, n_all > n ? n_all : n);
        return;
    }
    char count[64];
    fprintf(stderr, "%s%s, %.1f/s%s", p->bar.on ? "\r" : "",
            vg_count_format(count, sizeof count, n, "frame"),
            (double)n / fmax(vg_stream_seconds(job->s), 1e-9), p->bar.on ? "\033[K" : "\n");
    p->bar.stands = p->bar.on;
}

static void see_tick(void *ctx)
{
    stream_job *job = ctx;
    const double now_s = predict_now_s();
    if (vg_stream_is_of_files(job->s)) {
        progress_print(job, now_s);
    } else if (!job->quiet && job->status_every_s > 0 && now_s >= job->next_status_s) {
        if (job->next_status_s > 0)
            statuses_print(job, now_s);
        else
            job->last_status_s = now_s;
        job->next_status_s = now_s + job->status_every_s;
    }
}

static bool stop_wanted(void *ctx)
{
    (void)ctx;
    return cli_interrupt_signal() != 0 || !cli_output_good();
}

static bool reload_wanted(void *ctx)
{
    (void)ctx;
    return cli_interrupt_wants_reload();
}

/* ---- the end ---- */

/* Of files, what could not be read is a failure, as a picture that was skipped is; of all, results
 * that were to be kept and are not. */
static int outcome(const stream_job *job)
{
    bool has_failed = false;
    for (int i = 0; i < vg_stream_n_sources(job->s); i++) {
        vg_stream_source_stats c;
        vg_stream_source_get(job->s, i, &c);
        has_failed = has_failed || (vg_stream_is_of_files(job->s) && c.n_faults > 0);
    }
    for (int i = 0; i < vg_stream_n_sinks(job->s); i++) {
        vg_stream_sink_stats k;
        vg_stream_sink_get(job->s, i, &k);
        has_failed = has_failed || k.n_lost > 0;
    }
    return has_failed ? CLI_FAILED : CLI_DONE;
}

static const char *signal_name(int number)
{
    return number == SIGINT ? "SIGINT" : number == SIGHUP ? "SIGHUP" : "SIGTERM";
}

static int job_run(stream_job *job)
{
    job->says = !job->json && (job->verbose || !job->quiet);
    job->progress = predict_progress_make(job->quiet || job->json);
    /* Who listens is one more output, and a job whose reader has gone ends only without others. */
    const bool listens = job->says || (job->progress.bar.on && !job->json);
    const vg_stream_listener l = {.ctx = job,
                                  .result = listens ? see_result : NULL,
                                  .note = see_note,
                                  .tick = see_tick,
                                  .wants_stop = stop_wanted,
                                  .wants_reload = reload_wanted};
    vg_error err = {.status = VG_OK};
    cli_interrupt_watch();
    cli_interrupt_watch_reload();
    const vg_status st = vg_stream_run(job->s, &l, &err);
    const int number = cli_interrupt_signal();
    predict_progress_clear(&job->progress);
    if (vg_stream_n_sources(job->s) > 0 && cli_output_good())
        predict_stream_summary(job->talk, job->s);
    if (st == VG_ERR_INTERRUPTED && number != 0) {
        fflush(stdout);
        fprintf(stderr, "stopped by %s\n", signal_name(number));
        return 128 + number;
    }
    if (st != VG_OK && st != VG_ERR_INTERRUPTED)
        return cli_error_end(&err);
    return outcome(job);
}

int predict_stream_run(const predict_values *v, const cli_command *command, bool tracks)
{
    stream_job job = {0};
    vg_error err = {.status = VG_OK};
    int status;
    if (vg_stream_create(&job.s, &err) != VG_OK) {
        status = cli_error_print(&err, CLI_FAILED);
    } else {
        vg_stream_no_push(job.s);
        if (set_all(&job, v, command, tracks, &err) == VG_OK) {
            read_talk(&job);
            status = job_run(&job);
        } else {
            status = cli_error_end(&err);
        }
    }
    vg_stream_destroy(&job.s);
    return status;
}
