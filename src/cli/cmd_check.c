/* cmd_check.c: vigil check: a configuration of vigil predict, looked at without being started. */
#include <string.h>

#include "commands.h"
#include "predict.h"

typedef struct check_values {
    const char *config;
} check_values;

static void source_print(void *ctx, const vg_stream_source *s)
{
    (void)ctx;
    printf("%-24s ", s->stem);
    cli_text(stdout, s->name);
    printf("\n%-24s %s, %s, %s", "", s->kind, s->keeps_all ? "every frame" : "the latest frame",
           s->ends ? "ends" : "begins again");
    if (s->stride > 1)
        printf(", one frame of %d", s->stride);
    if (s->n_files > 1)
        printf(", %zu files one after the other", s->n_files);
    fputc('\n', stdout);
}

static void plan_print(const vg_memory *m)
{
    char bytes[32];
    printf("Memory: planned %s", cli_bytes(bytes, (double)m->planned_bytes));
    const char *separator = " (";
    for (int i = 0; i < m->n_items; i++) {
        if (m->items[i].planned_bytes == 0)
            continue;
        printf("%s%s %s", separator, m->items[i].owner,
               cli_bytes(bytes, (double)m->items[i].planned_bytes));
        separator = ", ";
    }
    puts(strcmp(separator, ", ") == 0 ? ")" : "");
}

static int check_run(void *values)
{
    const check_values *v = values;
    vg_stream *s = NULL;
    vg_error err = {.status = VG_OK};
    vg_memory plan = {0};
    vg_status st = vg_stream_create(&s, &err);
    if (st == VG_OK) {
        vg_stream_no_push(s);
        st = vg_stream_set(s, "config", v->config, &err);
    }
    if (st == VG_OK)
        st = vg_stream_check(s, source_print, NULL, &plan, &err);
    if (plan.n_items > 0)
        plan_print(&plan);
    vg_stream_destroy(&s);
    if (st != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    cli_text(stdout, v->config);
    puts(" is good: nothing was started or connected to");
    return CLI_DONE;
}

static const vg_option check_options[] = {{.name = "config",
                                           .kind = VG_OPTION_STRING,
                                           .offset = offsetof(check_values, config),
                                           .value = "CONFIG",
                                           .help = "YAML as vigil predict --config takes it",
                                           .is_required = true,
                                           .is_positional = true}};

const cli_command cli_command_check = {
    .name = "check",
    .help = "looks at a configuration of predict without starting it",
    .usage = "CONFIG",
    .notes = "Prints what each source is, the plan of memory, and what is wrong. "
             "Starts nothing, connects to nothing and writes nothing.\n"
             "Exit status: 0 good, 1 something is wrong with it, 2 the command line is wrong.",
    .options = check_options,
    .n_options = sizeof check_options / sizeof *check_options,
    .values_bytes = sizeof(check_values),
    .run = check_run,
};
