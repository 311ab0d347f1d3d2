/* cmd_attach.c: vigil attach: a run in another process, as its own terminal would show it.
 *
 * A detached run's log is followed; on a terminal the row of the epoch at hand stands below it. Of
 * a run with a terminal of its own, which has no log, rows and validations are made from what it
 * notes. Looking changes nothing in the run. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "train.h"

enum { LOOK_EVERY_MS = 250, FIRST_LINES = 12, CHUNK_BYTES = 4096, PATH_BYTES = 4096 };

typedef struct attach_values {
    const char *run, *project;
} attach_values;

typedef struct attach_view {
    vg_run *r;
    cli_screen screen;
    int log;         /* -1: none */
    bool row_stands; /* on the terminal's last line, to be written over */
    vg_run_view now, before;
} attach_view;

/* ---- the log ---- */

/* Behind the FIRST_LINES-th newline from the end. */
static off_t first_lines(int fd)
{
    char chunk[CHUNK_BYTES];
    off_t end = lseek(fd, 0, SEEK_END);
    int n_lines = 0;
    while (end > 0) {
        const size_t n = end < CHUNK_BYTES ? (size_t)end : CHUNK_BYTES;
        if (pread(fd, chunk, n, end - (off_t)n) != (ssize_t)n)
            return end;
        for (size_t i = n; i > 0; i--)
            if (chunk[i - 1] == '\n' && n_lines++ == FIRST_LINES)
                return end - (off_t)(n - i);
        end -= (off_t)n;
    }
    return 0;
}

static void log_open(attach_view *a)
{
    char path[PATH_BYTES];
    const int n = snprintf(path, sizeof path, "%s/train.log", vg_run_folder(a->r));
    a->log = n < PATH_BYTES ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (a->log >= 0)
        lseek(a->log, first_lines(a->log), SEEK_SET);
}

static void row_clear(attach_view *a)
{
    if (a->row_stands)
        fputs("\r\033[K", stdout);
    a->row_stands = false;
}

/* Of n bytes, those of a last character that has not come whole. */
static size_t unfinished(const char *bytes, size_t n)
{
    for (size_t k = 1; k <= 3 && k <= n; k++) {
        const unsigned char c = (unsigned char)bytes[n - k];
        if (c >= 0xC0)
            return k < (c >= 0xF0 ? 4u : c >= 0xE0 ? 3u : 2u) ? k : 0;
        if (c < 0x80)
            return 0;
    }
    return 0;
}

/* What has come since the last time. */
static void log_show(attach_view *a)
{
    char chunk[CHUNK_BYTES];
    ssize_t n;
    while ((n = read(a->log, chunk, sizeof chunk)) > 0) {
        const size_t rest = unfinished(chunk, (size_t)n);
        if (rest > 0)
            lseek(a->log, -(off_t)rest, SEEK_CUR);
        if ((size_t)n == rest)
            return;
        row_clear(a);
        cli_text_lines(stdout, chunk, (size_t)n - rest);
    }
}

/* ---- a run without a log ---- */

static void row_keep(attach_view *a, const vg_run_view *v)
{
    if (v->batch.n_batches == 0)
        return;
    row_clear(a);
    train_header_print(v->batch.task);
    train_row_print(&a->screen, &v->batch, &v->pace);
    if (a->screen.terminal)
        putchar('\n');
}

/* An epoch's last row, then its validation. */
static void notes_show(attach_view *a)
{
    if (a->now.epoch.epoch == a->before.epoch.epoch)
        return;
    const vg_run_view *last =
        a->now.batch.epoch == a->now.epoch.epoch ? &a->now : &a->before; /* of that epoch */
    if (last->batch.epoch == a->now.epoch.epoch)
        row_keep(a, last);
    row_clear(a);
    train_epoch_print(stdout, &a->now.epoch);
}

/* ---- the loop ---- */

static void row_show(attach_view *a)
{
    const vg_train_batch *b = &a->now.batch;
    if (!a->screen.terminal || b->n_batches == 0 || b->epoch == a->now.epoch.epoch)
        return;
    if (a->log >= 0 && b->batch == b->n_batches)
        return; /* it stands in the log */
    train_row_print(&a->screen, b, &a->now.pace);
    a->row_stands = true;
}

static void show(attach_view *a)
{
    if (a->log >= 0)
        log_show(a);
    else if (!a->now.is_detached)
        notes_show(a);
    if (a->now.is_alive)
        row_show(a);
    fflush(stdout);
}

static int left(attach_view *a, int number)
{
    const char *folder = vg_run_folder(a->r);
    if (a->row_stands)
        putchar('\n');
    fflush(stdout);
    fprintf(stderr,
            "%s goes on: process %d\n  look again: vigil attach %s\n  end it:     vigil stop %s\n",
            folder, a->now.pid, folder, folder);
    return 128 + number;
}

static int ended(attach_view *a)
{
    const vg_run_view *v = &a->now;
    const char *folder = vg_run_folder(a->r);
    row_clear(a);
    fflush(stdout);
    vg_error err = v->error;
    switch (v->state) {
    case VG_RUN_FINISHED:
        printf("%s has finished\n", folder);
        return v->exit_status;
    case VG_RUN_STOPPED:
        printf("%s: %s\ngo on with: vigil train --resume %s\n", folder, err.what, folder);
        return v->exit_status;
    case VG_RUN_FAILED:
        fprintf(stderr, "%s has failed\n", folder);
        return cli_error_print(&err, v->exit_status);
    case VG_RUN_PREPARING:
    case VG_RUN_TRAINING:
    case VG_RUN_DIED:
        break;
    }
    cli_error_set(&err, VG_ERR_SYSTEM, "process %d ended without a message: it was killed", v->pid);
    cli_error_text(err.where, "%s", folder);
    cli_error_text(err.mend, "vigil train --resume %s", folder);
    return cli_error_print(&err, CLI_FAILED);
}

static void begin(attach_view *a)
{
    vg_run_look(a->r, &a->now);
    a->before = a->now;
    printf("%s: process %d\n", vg_run_folder(a->r), a->now.pid);
    if (a->now.is_detached)
        log_open(a);
    else if (a->now.epoch.epoch > 0) {
        printf("Epoch %d of %d:\n", a->now.epoch.epoch, a->now.epoch.n_epochs);
        train_epoch_print(stdout, &a->now.epoch);
    }
}

static int follow(attach_view *a)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
    begin(a);
    for (;;) {
        show(a);
        if (!a->now.is_alive)
            return ended(a);
        if (cli_interrupt_signal() != 0)
            return left(a, cli_interrupt_signal());
        if (!cli_output_good())
            return CLI_FAILED;
        nanosleep(&pause, NULL); /* a signal ends it */
        a->before = a->now;
        vg_run_look(a->r, &a->now);
        if (a->now.is_detached && a->log < 0)
            log_open(a); /* it was attached to while it prepared */
    }
}

static int attach_run(void *values)
{
    const attach_values *v = values;
    attach_view a = {.screen = cli_screen_of(stdout), .log = -1};
    vg_error err;
    cli_interrupt_waits();
    if (vg_run_open(&a.r, v->run, v->project, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    const int status = follow(&a);
    if (a.log >= 0)
        close(a.log);
    vg_run_close(&a.r);
    return status;
}

#define AT(field) offsetof(attach_values, field)

static const vg_option attach_options[] = {
    {.name = "run",
     .kind = VG_OPTION_STRING,
     .offset = AT(run),
     .value = "RUN",
     .help = "the run's folder",
     .zero = "the run of --project that was started last and is running",
     .is_positional = true},
    {.name = "project",
     .kind = VG_OPTION_STRING,
     .offset = AT(project),
     .value = "DIR",
     .help = "folder of runs",
     .zero = "runs/train"},
};

const cli_command cli_command_attach = {
    .name = "attach",
    .help = "shows a run that trains in another terminal or in the background",
    .usage = "[RUN] [OPTIONS]",
    .notes = "Ends when the run ends, with its exit status. Ctrl-C leaves the run running.",
    .options = attach_options,
    .n_options = sizeof attach_options / sizeof *attach_options,
    .values_bytes = sizeof(attach_values),
    .run = attach_run,
};
