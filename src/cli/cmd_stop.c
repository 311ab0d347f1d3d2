/* cmd_stop.c: vigil stop: ends a run politely, and says how to go on with it. */
#include "commands.h"

typedef struct stop_values {
    const char *run;
    int timeout;
} stop_values;

enum { TIMEOUT_S = 600, LOOK_EVERY_MS = 500 };

static void stop_defaults(void *values)
{
    *(stop_values *)values = (stop_values){.timeout = TIMEOUT_S};
}

/* False when the time is out or a signal came. */
static bool await(vg_run *r, int timeout_s)
{
    for (long long left_ms = 1000LL * timeout_s;; left_ms -= LOOK_EVERY_MS) {
        if (vg_run_wait(r, left_ms < LOOK_EVERY_MS ? (int)left_ms : LOOK_EVERY_MS))
            return true;
        if (left_ms <= LOOK_EVERY_MS || cli_interrupt_signal() != 0)
            return false;
    }
}

static int not_ended(const vg_run *r, const vg_run_view *v, int timeout_s)
{
    vg_error err;
    const int number = cli_interrupt_signal();
    if (number != 0) {
        fprintf(stderr, "not waiting any longer: process %d was asked to end, and will\n", v->pid);
        return 128 + number;
    }
    cli_error_set(&err, VG_ERR_LIMIT,
                  "the run has not ended within %d s: a step, a validation or a checkpoint takes "
                  "longer",
                  timeout_s);
    cli_error_text(err.where, "%s, process %d", vg_run_folder(r), v->pid);
    cli_error_text(err.mend,
                   "wait: it was asked to end; or kill -KILL %d, and resume from its last "
                   "checkpoint",
                   v->pid);
    return cli_error_print(&err, CLI_FAILED);
}

static int ended(vg_run *r)
{
    vg_run_view v;
    const char *folder = vg_run_folder(r);
    vg_run_look(r, &v);
    switch (v.state) {
    case VG_RUN_FINISHED:
        printf("%s had finished before it could be stopped\n", folder);
        return CLI_DONE;
    case VG_RUN_STOPPED:
        printf("%s: %s\ngo on with: vigil train --resume %s\n", folder, v.error.what, folder);
        return CLI_DONE;
    case VG_RUN_FAILED:
        fprintf(stderr, "%s failed while it was stopped\n", folder);
        return cli_error_print(&v.error, CLI_FAILED);
    case VG_RUN_PREPARING:
    case VG_RUN_TRAINING:
    case VG_RUN_DIED:
        break;
    }
    cli_error_set(&v.error, VG_ERR_SYSTEM, "process %d ended without a checkpoint of its own",
                  v.pid);
    cli_error_text(v.error.where, "%s", folder);
    cli_error_text(v.error.mend, "vigil train --resume %s, which resumes from the last one",
                   folder);
    return cli_error_print(&v.error, CLI_FAILED);
}

static int stop_open(vg_run *r, const stop_values *v)
{
    vg_error err;
    vg_run_view view;
    vg_run_look(r, &view);
    if (vg_run_stop(r, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    cli_interrupt_waits();
    return await(r, v->timeout) ? ended(r) : not_ended(r, &view, v->timeout);
}

static int stop_run(void *values)
{
    const stop_values *v = values;
    vg_run *r;
    vg_error err;
    if (vg_run_open(&r, v->run, NULL, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    const int status = stop_open(r, v);
    vg_run_close(&r);
    return status;
}

#define AT(field) offsetof(stop_values, field)

static const vg_option stop_options[] = {
    {.name = "run",
     .kind = VG_OPTION_STRING,
     .offset = AT(run),
     .value = "RUN",
     .help = "the run's folder",
     .is_required = true,
     .is_positional = true},
    {.name = "timeout",
     .kind = VG_OPTION_INT,
     .offset = AT(timeout),
     .value = "SECONDS",
     .least = 0,
     .most = 86400,
     .help = "longest wait for its end; it will end later in any case"},
};

const cli_command cli_command_stop = {
    .name = "stop",
    .help = "ends a run in another terminal or in the background, with a checkpoint",
    .usage = "RUN [OPTIONS]",
    .notes = "Sends SIGTERM to exactly the process of the run, waits until it has written its "
             "checkpoint and ended, and says how to resume.",
    .options = stop_options,
    .n_options = sizeof stop_options / sizeof *stop_options,
    .values_bytes = sizeof(stop_values),
    .defaults = stop_defaults,
    .run = stop_run,
};
