/* cmd_report.c: vigil report: what a guard saw of a job, as a page, JSON or text. */
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "vigil/watch.h"

typedef struct report_values {
    const char *run, *out;
    bool json, text;
} report_values;

static void report_defaults(void *values)
{
    *(report_values *)values = (report_values){0};
}

/* The page's place: in the folder, or beside a file. */
static bool put_place(char place[4096], const char *run)
{
    struct stat info;
    const bool is_folder = stat(run, &info) == 0 && S_ISDIR(info.st_mode);
    const int n = is_folder ? snprintf(place, 4096, "%s/report.html", run)
                            : snprintf(place, 4096, "%s.html", run);
    return n > 0 && n < 4096;
}

static int report_run(void *values)
{
    const report_values *v = values;
    vg_error err = {.status = VG_OK};
    char place[4096] = "-";
    if (v->json && v->text) {
        cli_error_set(&err, VG_ERR_ARGUMENT, "both --json and --text");
        cli_error_text(err.mend, "one form at a time");
        return cli_error_print(&err, CLI_USAGE);
    }
    const vg_watch_report_form form = v->json   ? VG_WATCH_REPORT_JSON
                                      : v->text ? VG_WATCH_REPORT_TEXT
                                                : VG_WATCH_REPORT_HTML;
    if (form == VG_WATCH_REPORT_HTML && v->out == NULL && !put_place(place, v->run)) {
        cli_error_set(&err, VG_ERR_LIMIT, "a path too long");
        cli_error_text(err.mend, "use a shorter path, or --out");
        return cli_error_print(&err, CLI_FAILED);
    }
    const char *target = v->out != NULL ? v->out : place;
    if (vg_watch_report(v->run, form, target, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    if (strcmp(target, "-") != 0)
        printf("%s\n", target);
    return CLI_DONE;
}

static const vg_option options[] = {
    {.name = "run",
     .kind = VG_OPTION_STRING,
     .offset = offsetof(report_values, run),
     .value = "RUN",
     .help = "the guard's folder, such as runs/watch/exp, its history.db, or a trace",
     .is_required = true,
     .is_positional = true},
    {.name = "json",
     .kind = VG_OPTION_BOOL,
     .offset = offsetof(report_values, json),
     .help = "JSON, on standard output"},
    {.name = "text",
     .kind = VG_OPTION_BOOL,
     .offset = offsetof(report_values, text),
     .help = "text, on standard output"},
    {.name = "out",
     .kind = VG_OPTION_STRING,
     .offset = offsetof(report_values, out),
     .value = "FILE",
     .help = "where to write; -: standard output",
     .zero = "RUN/report.html"},
};

const cli_command cli_command_report = {
    .name = "report",
    .help = "a watched job on one page: plots, verdicts, causes, remedies",
    .usage = "RUN [OPTIONS]",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .values_bytes = sizeof(report_values),
    .defaults = report_defaults,
    .run = report_run,
};
