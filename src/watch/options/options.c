/* options.c: the table of the guard's options, and values from text. */
#include "options.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define AT(field) offsetof(watch_options, field)
#define DAYS      86400.0
#define ACTIONS   "warn|notify|hook|checkpoint|stop|restart"

static const watch_option table[] = {
    {"pid", NULL, WATCH_OPTION_INT, AT(pid), 0, 4194304, NULL, "0",
     "watch this running process and its descendants", "the job"},
    {"cgroup", NULL, WATCH_OPTION_TEXT, AT(cgroup), 0, 0, NULL, "",
     "watch every process of this cgroup (path below /sys/fs/cgroup)", NULL},
    {"unit", NULL, WATCH_OPTION_TEXT, AT(unit), 0, 0, NULL, "", "watch this systemd unit", NULL},
    {"run", NULL, WATCH_OPTION_FOLDER, AT(run), 0, 0, NULL, "",
     "folder where the job writes its results; found by itself when not given", NULL},
    {"project", NULL, WATCH_OPTION_FOLDER, AT(project), 0, 0, NULL, "runs/watch",
     "folder of the guard's own folders", NULL},
    {"name", NULL, WATCH_OPTION_TEXT, AT(name), 0, 0, NULL, "exp", "name of its folder there",
     NULL},
    {"exist_ok", NULL, WATCH_OPTION_BOOL, AT(exist_ok), 0, 0, NULL, "false",
     "use the folder though it exists", NULL},
    {"config", NULL, WATCH_OPTION_FILE, AT(config), 0, 0, NULL, "",
     "YAML with any of these options", NULL},
    {"interval", NULL, WATCH_OPTION_SECONDS, AT(interval_s), 0.1, 3600, NULL, "5s",
     "time between samples", "measuring"},
    {"duration", NULL, WATCH_OPTION_SECONDS, AT(duration_s), 0, 3650 * DAYS, NULL, "0",
     "stop watching after so long; 0: when the job ends", NULL},
    {"record", NULL, WATCH_OPTION_BOOL, AT(record), 0, 0, NULL, "false",
     "write every sample to trace.csv, for --replay", NULL},
    {"replay", NULL, WATCH_OPTION_FILE, AT(replay), 0, 0, NULL, "",
     "judge a recorded trace instead of a job; -: standard input", NULL},
    {"memory_max", NULL, WATCH_OPTION_BYTES, AT(memory_max_bytes), 0, 1e18, NULL, "0",
     "the job's memory limit; kept by a cgroup where that is allowed, else by measuring",
     "judging"},
    {"hang", NULL, WATCH_OPTION_SECONDS, AT(hang_s), 0, 365 * DAYS, NULL, "0",
     "no progress for so long is a hang; 0: five times the longest pause seen, at least 10 min",
     NULL},
    {"horizon", NULL, WATCH_OPTION_SECONDS, AT(horizon_s), 0, 365 * DAYS, NULL, "0",
     "a leak is critical when its limit is nearer than this; 0: two checkpoints, at least 10 min",
     NULL},
    {"limit_at", NULL, WATCH_OPTION_RATIO, AT(limit_0_1), 0.01, 1, NULL, "0.95",
     "share of a limit at which on_limit is done", NULL},
    {"on_leaking", NULL, WATCH_OPTION_ACTIONS, AT(on_leaking), 0, 0, ACTIONS, "warn",
     "when a series leaks", "acting"},
    {"on_critical", NULL, WATCH_OPTION_ACTIONS, AT(on_critical), 0, 0, ACTIONS, "warn",
     "when a leak's limit is near", NULL},
    {"on_limit", NULL, WATCH_OPTION_ACTIONS, AT(on_limit), 0, 0, ACTIONS, "warn",
     "when limit_at of the memory limit is used", NULL},
    {"on_hang", NULL, WATCH_OPTION_ACTIONS, AT(on_hang), 0, 0, ACTIONS, "warn", "when it hangs",
     NULL},
    {"on_exit", NULL, WATCH_OPTION_ACTIONS, AT(on_exit), 0, 0, ACTIONS, "warn",
     "when it ends with a status that is not 0", NULL},
    {"on_oom", NULL, WATCH_OPTION_ACTIONS, AT(on_oom), 0, 0, ACTIONS, "warn",
     "when the kernel ended one of its processes for want of memory", NULL},
    {"checkpoint_signal", NULL, WATCH_OPTION_TEXT, AT(checkpoint_signal), 0, 15, NULL, "",
     "signal that asks the job for a checkpoint, such as USR1", NULL},
    {"grace", NULL, WATCH_OPTION_SECONDS, AT(grace_s), 0, DAYS, NULL, "30s",
     "time between TERM and KILL", NULL},
    {"backoff", NULL, WATCH_OPTION_SECONDS, AT(backoff_s), 0, DAYS, NULL, "5s",
     "wait before a restart; doubles with each in the same hour", NULL},
    {"max_restarts", NULL, WATCH_OPTION_INT, AT(max_restarts), 0, 1000, NULL, "5",
     "restarts an hour; past that the job is left stopped", NULL},
    {"resume_args", NULL, WATCH_OPTION_TEXT, AT(resume_args), 0, 0, NULL, "",
     "what a restart appends to the command; {checkpoint} and {run} are replaced; found by itself "
     "for vigil and Ultralytics runs",
     NULL},
    {"remedies", NULL, WATCH_OPTION_TEXT, AT(remedies), 0, 0, NULL, "",
     "what a restart may try, one at a time: arenas, jemalloc, workers", NULL},
    {"hook", NULL, WATCH_OPTION_TEXT, AT(hook), 0, 0, NULL, "",
     "shell command of the action hook; VIGIL_EVENT holds the event as JSON", NULL},
    {"checkpoints", NULL, WATCH_OPTION_FOLDER, AT(checkpoints), 0, 0, NULL, "",
     "the job's checkpoint, or the folder of them; found in the run folder when not given",
     "checkpoints"},
    {"keep", NULL, WATCH_OPTION_INT, AT(keep), 0, 100, NULL, "3",
     "good checkpoints kept in the vault; 0: no vault", NULL},
    {"json", NULL, WATCH_OPTION_BOOL, AT(json), 0, 0, NULL, "false",
     "one JSON object an event on standard output", "telling"},
    {"webhook", NULL, WATCH_OPTION_TEXT, AT(webhook), 0, 0, NULL, "",
     "URL that events are posted to as JSON", NULL},
    {"mqtt", NULL, WATCH_OPTION_TEXT, AT(mqtt), 0, 0, NULL, "",
     "mqtt://HOST[:PORT]/TOPIC that events are published to", NULL},
    {"notify_command", NULL, WATCH_OPTION_TEXT, AT(notify_command), 0, 0, NULL, "",
     "shell command run for each event; VIGIL_EVENT holds it as JSON", NULL},
    {"view", NULL, WATCH_OPTION_CHOICE, AT(view), 0, 0, "auto|on|off", "auto",
     "the live view: auto when standard output is a terminal", NULL},
    {"history", NULL, WATCH_OPTION_BYTES, AT(history_bytes), 0, 1e12, NULL, "20M",
     "most bytes of history.db, older samples thinned out; 0: none", NULL},
    {"serve", NULL, WATCH_OPTION_TEXT, AT(serve), 0, 0, NULL, "",
     "ADDRESS:PORT of a live page and /metrics, such as 127.0.0.1:9200", NULL},
    {"token", NULL, WATCH_OPTION_TEXT, AT(token), 0, 0, NULL, "",
     "what a reader of the page must know: Authorization: Bearer TOKEN", NULL},
    {"stacks", NULL, WATCH_OPTION_BOOL, AT(stacks), 0, 0, NULL, "false",
     "sample the job's allocations and tell which call stacks grow", "who allocates"},
    {"stacks_rate", NULL, WATCH_OPTION_BYTES, AT(stacks_rate_bytes), 1, 1e12, NULL, "512K",
     "bytes between two samples, on average", NULL},
};
enum { N_OPTIONS = sizeof table / sizeof table[0] };

const watch_option *watch_option_table(size_t *n)
{
    *n = N_OPTIONS;
    return table;
}

/* ---- values ---- */

static bool same_name(const char *a, const char *b)
{
    for (; *a != '\0' && (*a == *b || (*a == '_' && *b == '-')); a++)
        b++;
    return *a == *b;
}

static const watch_option *find(const char *name)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (same_name(table[i].name, name) ||
            (table[i].alias != NULL && same_name(table[i].alias, name)))
            return &table[i];
    return NULL;
}

/* "5", "5s", "10m", "2h", "1d", "250ms". */
static bool parse_seconds(double *out, const char *value)
{
    static const struct {
        const char *suffix;
        double seconds;
    } units[] = {{"ms", 1e-3}, {"min", 60}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", DAYS}};
    char number[64];
    double scale = 1;
    if (!base_format(number, sizeof number, "%s", value))
        return false;
    size_t n = strlen(number);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const size_t k = strlen(units[i].suffix);
        if (n > k && strcmp(number + n - k, units[i].suffix) == 0) {
            number[n - k] = '\0';
            scale = units[i].seconds;
            break;
        }
    }
    if (!base_parse_double(out, number))
        return false;
    *out *= scale;
    return isfinite(*out);
}

static bool parse_ratio(double *out, const char *value)
{
    char number[64];
    const size_t n = strlen(value);
    const bool is_percent = n > 1 && n < sizeof number && value[n - 1] == '%';
    base_format(number, sizeof number, "%.*s", (int)(is_percent ? n - 1 : n), value);
    if (!base_parse_double(out, number))
        return false;
    *out /= is_percent ? 100 : 1;
    return true;
}

/* The place of a word among "a|b|c"; -1: none. */
static int find_word(const char *choices, const char *word, size_t n)
{
    for (int place = 0;; place++) {
        const size_t k = strcspn(choices, "|");
        if (k == n && strncmp(choices, word, n) == 0)
            return place;
        if (choices[k] == '\0')
            return -1;
        choices += k + 1;
    }
}

/* "notify,restart" to bits; the words stand in the order of watch_action's bits, behind "warn". */
static bool parse_actions(int *out, const char *choices, const char *value)
{
    int bits = 0;
    if (strcmp(value, "none") == 0 || value[0] == '\0')
        value = "warn";
    while (true) {
        const size_t n = strcspn(value, ",+");
        const int place = find_word(choices, value, n);
        if (place < 0)
            return false;
        bits |= place > 0 ? 1 << (place - 1) : 0;
        if (value[n] == '\0')
            break;
        value += n + 1;
        value += strspn(value, " ");
    }
    *out = bits;
    return true;
}

static vg_status bad_value(const watch_option *o, const char *value, const char *mend,
                           vg_error *err)
{
    const bool is_kind = base_starts_with(mend, "give "); /* and says what is wanted */
    return base_fail(err, VG_ERR_ARGUMENT, base_where("option %s", o->name), mend,
                     "%s=%.200s %s%.200s", o->name, value, is_kind ? "is not " : "is too long",
                     is_kind ? mend + 5 : "");
}

static vg_status set_number(watch_options *to, const watch_option *o, const char *value,
                            vg_error *err)
{
    void *field = (char *)to + o->offset;
    int64_t i;
    double x = 0;
    size_t bytes;
    switch (o->kind) {
    case WATCH_OPTION_INT:
        if (!base_parse_i64(&i, value, (int64_t)o->least, (int64_t)o->most))
            return bad_value(o, value,
                             base_mend("give a whole number from %.0f to %.0f", o->least, o->most),
                             err);
        *(int *)field = (int)i;
        return VG_OK;
    case WATCH_OPTION_BYTES:
        if (!base_parse_bytes(&bytes, value) || (double)bytes < o->least)
            return bad_value(o, value, "give a size such as 512M or 8G", err);
        *(size_t *)field = bytes;
        return VG_OK;
    case WATCH_OPTION_SECONDS:
        if (!parse_seconds(&x, value) || !(x >= o->least && x <= o->most))
            return bad_value(o, value,
                             base_mend("give a time such as 5s, 10m or 2h, from %g s to %g s",
                                       o->least, o->most),
                             err);
        *(double *)field = x;
        return VG_OK;
    default:
        if (!parse_ratio(&x, value) || !(x >= o->least && x <= o->most))
            return bad_value(o, value, "give a share such as 0.95 or 95%", err);
        *(double *)field = x;
        return VG_OK;
    }
}

static vg_status set_value(watch_options *to, const watch_option *o, const char *value,
                           vg_error *err)
{
    void *field = (char *)to + o->offset;
    size_t room = o->most > 0 ? (size_t)o->most + 1 : WATCH_TEXT_BYTES;
    int place;
    switch (o->kind) {
    case WATCH_OPTION_BOOL:
        if (!base_parse_bool(field, value))
            return bad_value(o, value, "give true or false", err);
        return VG_OK;
    case WATCH_OPTION_TEXT:
    case WATCH_OPTION_FILE:
    case WATCH_OPTION_FOLDER:
        if (strlen(value) >= room)
            return bad_value(o, value, base_mend("use at most %zu characters", room - 1), err);
        memcpy(field, value, strlen(value) + 1);
        return VG_OK;
    case WATCH_OPTION_CHOICE:
        place = find_word(o->choices, value, strlen(value));
        if (place < 0)
            return bad_value(o, value, base_mend("give one of %s", o->choices), err);
        *(int *)field = place;
        return VG_OK;
    case WATCH_OPTION_ACTIONS:
        if (!parse_actions(field, o->choices, value))
            return bad_value(o, value, base_mend("give some of %s, with commas", o->choices), err);
        return VG_OK;
    default:
        return set_number(to, o, value, err);
    }
}

void watch_options_default(watch_options *out)
{
    *out = (watch_options){0};
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const vg_status st = set_value(out, &table[i], table[i].preset, NULL);
        assert(st == VG_OK);
        (void)st;
    }
}

static const char *name_at(const void *rows, size_t i)
{
    return ((const watch_option *)rows)[i].name;
}

vg_status watch_options_set(watch_options *o, const char *name, const char *value, vg_error *err)
{
    const watch_option *option = find(name);
    if (option != NULL)
        return set_value(o, option, value, err);
    const char *nearest = vg_name_nearest(name, name_at, table, N_OPTIONS);
    return base_fail(err, VG_ERR_ARGUMENT, NULL,
                     nearest != NULL ? nearest
                                     : "leave it out; vigil watch --help lists the options",
                     "no option of the guard is named %.100s", name);
}

/* ---- from YAML ---- */

/* A list in YAML is the same as its words with commas. */
static vg_status node_value(char *buf, size_t n, const base_node *node, const char *where,
                            vg_error *err)
{
    bool fits = true;
    buf[0] = '\0';
    if (node->kind == BASE_NODE_MAP)
        fits = false;
    else if (node->kind != BASE_NODE_LIST)
        fits = base_format(buf, n, "%s", node->text != NULL ? node->text : "");
    else
        for (const base_node *c = node->first; c != NULL && fits; c = c->next) {
            const size_t k = strlen(buf);
            fits =
                c->text != NULL && base_format(buf + k, n - k, "%s%s", k > 0 ? "," : "", c->text);
        }
    return fits ? VG_OK
                : base_fail(err, VG_ERR_FORMAT, where, "give a single value or a short list",
                            "a value of %.100s that is neither", node->key);
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
    for (const base_node *c = root->first; c != NULL && st == VG_OK; c = c->next) {
        char value[WATCH_TEXT_BYTES];
        const base_text where = base_text_make("%.400s:%d", path, c->line);
        st = node_value(value, sizeof value, c, where.text, err);
        if (st == VG_OK && (st = watch_options_set(&read, c->key, value, err)) != VG_OK)
            base_error_prefix_where(err, where.text);
    }
    if (st == VG_OK)
        *o = read;
    base_tree_destroy(&tree);
    return st;
}
