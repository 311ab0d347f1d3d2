/* cmd_fleet.c: vigil fleet check: whether machines hold cameras, before anything is bought. */
#include "commands.h"
#include "vigil/stream.h"

typedef struct fleet_values {
    int act; /* check, the one there is */
    const char *config;
} fleet_values;

static void cameras_print(const vg_fleet *f)
{
    printf("%-20s %8s %10s %12s\n", "cameras", "count", "frames/s", "size");
    for (size_t i = 0; i < f->n_cameras; i++) {
        const vg_fleet_cameras *c = &f->cameras[i];
        char size[32];
        snprintf(size, sizeof size, "%dx%d", c->width, c->height);
        printf("%-20s %8d %10.4g %12s\n", c->name, c->count, c->fps, size);
    }
    printf("%-20s %8d %10.4g\n\n", "all", f->n_all, f->frames_per_s);
}

static void machines_print(const vg_fleet *f)
{
    char memory[32], planned[32];
    printf("%-20s %6s %9s %10s %9s %10s %6s %7s %10s\n", "machines", "count", "frames/s", "memory",
           "by speed", "by memory", "holds", "shards", "planned");
    for (size_t i = 0; i < f->n_machines; i++) {
        const vg_fleet_machine *m = &f->machines[i];
        printf("%-20s %6d %9.4g %10s %9d %10d %6d %7d %10s\n", m->name, m->count, m->frames_per_s,
               cli_bytes(memory, (double)m->memory_bytes), m->by_speed, m->by_memory, m->holds,
               m->n_shards, cli_bytes(planned, (double)m->planned_bytes));
    }
    printf("\nMemory of a shard: planned %s for its first camera, about %s for each more\n",
           cli_bytes(memory, (double)f->first_bytes), cli_bytes(planned, (double)f->each_bytes));
}

static int verdict_print(const vg_fleet *f)
{
    printf("All machines hold %d cameras of %d", f->holds, f->n_all);
    if (f->holds < f->n_all) {
        printf(": too few by %d\n", f->n_all - f->holds);
        return CLI_FAILED;
    }
    printf("; without one of those that hold most, %d%s\n", f->holds_without_one,
           f->holds_without_one < f->n_all ? ": when it dies, some are not read" : "");
    return CLI_DONE;
}

static int fleet_run(void *values)
{
    static vg_fleet fleet; /* too large for a stack */
    vg_error err = {.status = VG_OK};
    if (vg_fleet_check(&fleet, ((const fleet_values *)values)->config, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    cameras_print(&fleet);
    machines_print(&fleet);
    return verdict_print(&fleet);
}

static const vg_option fleet_options[] = {
    {.name = "act",
     .kind = VG_OPTION_CHOICE,
     .offset = offsetof(fleet_values, act),
     .choices = "check",
     .only = "vigil fleet can check what machines would hold, and nothing else",
     .help = "what to do",
     .is_required = true,
     .is_positional = true},
    {.name = "config",
     .kind = VG_OPTION_STRING,
     .offset = offsetof(fleet_values, config),
     .value = "CONFIG",
     .help = "YAML of machines, cameras and the job that each shard runs",
     .is_required = true,
     .is_positional = true},
};

const cli_command cli_command_fleet = {
    .name = "fleet",
    .help = "works out what machines would hold of many cameras",
    .usage = "check CONFIG",
    .notes = "CONFIG has job: (a configuration of vigil predict), machines: (name, count, memory, "
             "frames_per_s or bench: a file of vigil bench --json) and cameras: (name, count, fps, "
             "size). Speed is what was measured, memory what the job plans. Starts nothing, "
             "connects to nothing and writes nothing.\n"
             "Exit status: 0 the machines hold all cameras, 1 they do not, or something is wrong "
             "with CONFIG, 2 the command line is wrong.",
    .options = fleet_options,
    .n_options = sizeof fleet_options / sizeof *fleet_options,
    .values_bytes = sizeof(fleet_values),
    .run = fleet_run,
};
