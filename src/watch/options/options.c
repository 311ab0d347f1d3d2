/* options.c: the table of the guard's options. */
#include "options.h"

#define DAYS      86400.0
#define HUGE_SIZE 1e18
#define ROW(name_, kind_, field, preset_)                                                          \
    .name = name_, .kind = VG_OPTION_##kind_, .offset = offsetof(watch_options, field),            \
    .preset = preset_
#define IN(least_, most_) .least = least_, .most = most_
#define ACTIONS                                                                                    \
    .choices = "warn|notify|hook|checkpoint|stop|restart", .also = "none=warn", .value = "ACTIONS"

/* clang-format off: a row a line or two reads as the table that it is */
static const vg_option rows[] = {
    {ROW("pid", INT, pid, "0"), IN(0, 4194304), .zero = "none", .group = "the job",
     .help = "watch this running process and its descendants"},
    {ROW("cgroup", TEXT, cgroup, ""),
     .help = "watch every process of this cgroup (path below /sys/fs/cgroup)"},
    {ROW("unit", TEXT, unit, ""), .help = "watch this systemd unit"},
    {ROW("run", FOLDER, run, ""),
     .help = "folder where the job writes its results; found by itself when not given"},
    {ROW("project", FOLDER, project, "runs/watch"), .help = "folder of the guard's own folders"},
    {ROW("name", TEXT, name, "exp"), .help = "name of its folder there"},
    {ROW("exist_ok", BOOL, exist_ok, "false"), .help = "use the folder though it exists"},
    {ROW("config", FILE, config, ""), .help = "YAML with any of these options"},

    {ROW("interval", SECONDS, interval_s, "5s"), IN(0.1, 3600), .group = "measuring",
     .help = "time between samples"},
    {ROW("duration", SECONDS, duration_s, "0"), IN(0, 3650 * DAYS),
     .help = "stop watching after so long; 0: when the job ends"},
    {ROW("record", BOOL, record, "false"), .help = "write every sample to trace.csv, for --replay"},
    {ROW("replay", FILE, replay, ""),
     .help = "judge a recorded trace instead of a job; -: standard input"},

    {ROW("memory_max", BYTES, memory_max_bytes, "0"), IN(0, HUGE_SIZE), .zero = "none",
     .group = "judging",
     .help = "the job's memory limit; kept by a cgroup where that is allowed, else by measuring"},
    {ROW("expect_rss", BYTES, expect_rss_bytes, "0"), IN(0, HUGE_SIZE), .zero = "none",
     .help = "what the job is meant to hold when its caches are full: growth up to it is told as "
             "growing, not as leaking"},
    {ROW("hang", SECONDS, hang_s, "0"), IN(0, 365 * DAYS),
     .help = "no progress for so long is a hang; 0: five times the longest pause seen, at least "
             "10 min"},
    {ROW("horizon", SECONDS, horizon_s, "0"), IN(0, 365 * DAYS),
     .help = "a leak is critical when its limit is nearer than this; 0: two checkpoints, at least "
             "10 min"},
    {ROW("limit_at", RATIO, limit_0_1, "0.95"), IN(0.01, 1),
     .help = "share of a limit at which on_limit is done"},

    {ROW("on_leaking", BITS, on_leaking, "warn"), ACTIONS, .group = "acting",
     .help = "when a series leaks"},
    {ROW("on_critical", BITS, on_critical, "warn"), ACTIONS, .help = "when a leak's limit is near"},
    {ROW("on_limit", BITS, on_limit, "warn"), ACTIONS,
     .help = "when limit_at of the memory limit is used"},
    {ROW("on_hang", BITS, on_hang, "warn"), ACTIONS, .help = "when it hangs"},
    {ROW("on_exit", BITS, on_exit, "warn"), ACTIONS,
     .help = "when it ends with a status that is not 0"},
    {ROW("on_oom", BITS, on_oom, "warn"), ACTIONS,
     .help = "when the kernel ended one of its processes for want of memory"},
    {ROW("checkpoint_signal", TEXT, checkpoint_signal, ""), IN(0, 15),
     .help = "signal that asks the job for a checkpoint, such as USR1"},
    {ROW("grace", SECONDS, grace_s, "30s"), IN(0, DAYS), .help = "time between TERM and KILL"},
    {ROW("backoff", SECONDS, backoff_s, "5s"), IN(0, DAYS),
     .help = "wait before a restart; doubles with each in the same hour"},
    {ROW("max_restarts", INT, max_restarts, "5"), IN(0, 1000),
     .help = "restarts an hour; past that the job is left stopped"},
    {ROW("resume_args", TEXT, resume_args, ""),
     .help = "what a restart appends to the command; {checkpoint} and {run} are replaced; found "
             "by itself for vigil and Ultralytics runs"},
    {ROW("remedies", TEXT, remedies, ""),
     .help = "what a restart may try, one at a time: arenas, jemalloc, workers"},
    {ROW("hook", TEXT, hook, ""),
     .help = "shell command of the action hook; VIGIL_EVENT holds the event as JSON"},

    {ROW("checkpoints", FOLDER, checkpoints, ""), .group = "checkpoints",
     .help = "the job's checkpoint, or the folder of them; found in the run folder when not given"},
    {ROW("keep", INT, keep, "3"), IN(0, 100),
     .help = "good checkpoints kept in the vault; 0: no vault"},

    {ROW("json", BOOL, json, "false"), .group = "telling",
     .help = "one JSON object an event on standard output"},
    {ROW("webhook", TEXT, webhook, ""), .help = "URL that events are posted to as JSON"},
    {ROW("mqtt", TEXT, mqtt, ""), .help = "mqtt://HOST[:PORT]/TOPIC that events are published to"},
    {ROW("notify_command", TEXT, notify_command, ""),
     .help = "shell command run for each event; VIGIL_EVENT holds it as JSON"},
    {ROW("view", CHOICE, view, "auto"), .choices = "auto|on|off",
     .help = "the live view: auto when standard output is a terminal"},
    {ROW("history", BYTES, history_bytes, "20M"), IN(0, HUGE_SIZE),
     .help = "most bytes of history.db, older samples thinned out; 0: none"},
    {ROW("serve", TEXT, serve, ""),
     .help = "ADDRESS:PORT of a live page and /metrics, such as 127.0.0.1:9200"},
    {ROW("token", TEXT, token, ""),
     .help = "what a reader of the page must know: Authorization: Bearer TOKEN"},

    {ROW("stacks", BOOL, stacks, "false"), .group = "who allocates",
     .help = "sample the job's allocations and tell which call stacks grow"},
    {ROW("stacks_rate", BYTES, stacks_rate_bytes, "512K"), IN(1, HUGE_SIZE),
     .help = "bytes between two samples, on average"},
};
/* clang-format on */

const base_options watch_option_table = {.rows = rows,
                                         .n = sizeof rows / sizeof *rows,
                                         .noun = "option of the guard",
                                         .mend =
                                             "leave it out; vigil watch --help lists the options",
                                         .where = "option "};

void watch_options_default(watch_options *out)
{
    *out = (watch_options){0};
    base_options_default(&watch_option_table, out);
}

vg_status watch_options_set(watch_options *o, const char *name, const char *value, vg_error *err)
{
    return base_options_set(&watch_option_table, o, name, value, err);
}

vg_status watch_options_read(watch_options *o, const char *path, base_mem *mem, vg_error *err)
{
    base_tree *tree = NULL;
    vg_status st = base_tree_read(&tree, path, mem, err);
    if (st != VG_OK)
        return st;
    const base_node *root = base_tree_root(tree);
    watch_options read = *o; /* all or nothing */
    if (root->kind != BASE_NODE_MAP)
        st = base_fail(err, VG_ERR_FORMAT, path, "write one `option: value` a line",
                       "options that are not a map");
    for (const base_node *c = root->first; c != NULL && st == VG_OK; c = c->next)
        st = base_options_set_node(&watch_option_table, &read, c, path, err);
    if (st == VG_OK)
        *o = read;
    base_tree_destroy(&tree);
    return st;
}
