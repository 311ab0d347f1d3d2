/* cmd_watch.c: vigil watch: the guard of vigil/watch.h on a terminal. Its options are the API's
 * table, drawn when they are asked for. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands.h"
#include "vigil/watch.h"

/* Texts and flags by their place in the API's table. */
typedef struct watch_values {
    const char *text[CLI_OPTIONS_MAX];
    bool flag[CLI_OPTIONS_MAX];
    char *const *command;
} watch_values;

_Static_assert(sizeof(watch_values) <= CLI_VALUES_BYTES, "the parser's room");

/* ---- options ---- */

static void watch_defaults(void *values)
{
    watch_values *v = values;
    vg_watch_option o;
    for (size_t i = 0; i < vg_watch_n_options(); i++) {
        vg_watch_option_get(i, &o);
        if (o.kind == VG_WATCH_BOOL)
            v->flag[i] = strcmp(o.preset, "true") == 0;
        else if (o.preset[0] != '\0' && strcmp(o.preset, "0") != 0)
            v->text[i] = o.preset;
    }
}

static size_t watch_draw(cli_option room[CLI_OPTIONS_MAX])
{
    const size_t n = vg_watch_n_options();
    assert(n + 1 <= CLI_OPTIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        vg_watch_option o;
        vg_watch_option_get(i, &o);
        const bool is_flag = o.kind == VG_WATCH_BOOL;
        room[i] =
            (cli_option){.name = o.name,
                         .kind = is_flag ? CLI_BOOL : CLI_TEXT,
                         .offset = is_flag ? offsetof(watch_values, flag) + i * sizeof(bool)
                                           : offsetof(watch_values, text) + i * sizeof(char *),
                         .value = o.kind == VG_WATCH_CHOICE ? o.choices : o.value,
                         .help = o.help,
                         .group = o.group};
    }
    room[n] = (cli_option){.name = "command",
                           .kind = CLI_WORDS,
                           .offset = offsetof(watch_values, command),
                           .help = "the job"};
    return n + 1;
}

/* What was given, in two passes: a file of options first, so that the command line wins. */
static vg_status values_set(const watch_values *v, vg_watch *w, vg_error *err)
{
    watch_values presets = {0};
    watch_defaults(&presets);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < vg_watch_n_options(); i++) {
            vg_watch_option o;
            vg_watch_option_get(i, &o);
            const bool is_flag = o.kind == VG_WATCH_BOOL;
            if ((strcmp(o.name, "config") == 0) != (pass == 0) ||
                (is_flag ? v->flag[i] == presets.flag[i] : v->text[i] == presets.text[i]))
                continue;
            const char *value = is_flag ? v->flag[i] ? "true" : "false" : v->text[i];
            const vg_status st = vg_watch_set(w, o.name, value, err);
            /* The command line is right that names a file of options with a wrong one. */
            if (st == VG_ERR_ARGUMENT && pass == 0)
                err->status = VG_ERR_FORMAT;
            if (st != VG_OK)
                return err->status;
        }
    return v->command != NULL ? vg_watch_command(w, v->command, err) : VG_OK;
}

static const char *given(const watch_values *v, const char *name)
{
    vg_watch_option o;
    for (size_t i = 0; i < vg_watch_n_options(); i++) {
        vg_watch_option_get(i, &o);
        if (strcmp(o.name, name) == 0)
            return o.kind == VG_WATCH_BOOL ? v->flag[i] ? "true" : NULL : v->text[i];
    }
    return NULL;
}

/* ---- what is said ---- */

static bool stop_wanted(void *ctx)
{
    (void)ctx;
    return cli_interrupt_signal() != 0;
}

static int impatience(void *ctx)
{
    (void)ctx;
    return cli_interrupt_impatience();
}

static void event_json(void *ctx, const vg_watch_event *e)
{
    (void)ctx;
    puts(e->json);
}

/* In words, but for what is no news: that a series has become steady from the start, and the other
 * series in which a leak shows that was told. */
static void event_words(void *ctx, const vg_watch_event *e)
{
    FILE *to = ctx;
    const bool begins = strcmp(e->was, "learning") == 0 && strcmp(e->state, "steady") == 0;
    if (begins || e->with[0] != '\0')
        return;
    fprintf(to, "%10.0f s  ", e->time_s);
    cli_text_lines(to, e->words, strlen(e->words));
    fputc('\n', to);
    fflush(to);
}

static void note_words(void *ctx, const char *what)
{
    (void)ctx;
    fprintf(stderr, "vigil watch: %s\n", what);
}

/* ---- live view ---- */

static bool is_utf8(void)
{
    const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL;
    }
    return false;
}

/* Asked after every sample: a window may have been resized. */
static bool screen_size(void *ctx, vg_watch_screen *out)
{
    struct winsize size;
    const char *terminal = getenv("TERM"), *no_color = getenv("NO_COLOR");
    (void)ctx;
    if (isatty(STDOUT_FILENO) != 1 || terminal == NULL || strcmp(terminal, "dumb") == 0 ||
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return false;
    *out = (vg_watch_screen){.columns = size.ws_col,
                             .rows = size.ws_row,
                             .has_color = no_color == NULL || no_color[0] == '\0',
                             .has_utf8 = is_utf8()};
    return true;
}

/* At once, so that the job's output does not come in between. */
static void draw(void *ctx, const char *text)
{
    (void)ctx;
    fflush(stdout);
    for (size_t left = strlen(text); left > 0;) {
        const ssize_t n = write(STDOUT_FILENO, text, left);
        if (n <= 0)
            return;
        text += n;
        left -= (size_t)n;
    }
}

static int replay(vg_watch *w, bool json)
{
    const vg_watch_listener l = {
        .ctx = stdout, .event = json ? event_json : event_words, .wants_stop = stop_wanted};
    const char *verdicts;
    cli_interrupt_watch();
    vg_error err = {.status = VG_OK};
    if (vg_watch_replay(w, &l, &verdicts, &err) != VG_OK)
        return cli_error_print(&err, CLI_FAILED);
    puts(verdicts);
    return CLI_DONE;
}

static int guard(vg_watch *w, bool json)
{
    const vg_watch_listener l = {.ctx = stderr,
                                 .event = json ? event_json : event_words,
                                 .note = note_words,
                                 .screen = json ? NULL : draw,
                                 .screen_size = screen_size,
                                 .wants_stop = stop_wanted,
                                 .impatience = impatience};
    vg_error err = {.status = VG_OK};
    int status;
    cli_interrupt_count();
    cli_interrupt_watch_hangup();
    const vg_status st = vg_watch_run(w, &l, &status, &err);
    if (st == VG_ERR_INTERRUPTED && cli_interrupt_signal() != 0)
        return 128 + cli_interrupt_signal();
    if (st != VG_OK)
        return cli_error_end(&err);
    return status;
}

static int watch_run(void *values)
{
    const watch_values *v = values;
    vg_watch *w = NULL;
    vg_error err = {.status = VG_OK};
    int status;
    if (vg_watch_create(&w, &err) != VG_OK || values_set(v, w, &err) != VG_OK) {
        status = cli_error_end(&err);
        goto done;
    }
    const bool json = given(v, "json") != NULL;
    status = given(v, "replay") != NULL ? replay(w, json) : guard(w, json);
done:
    vg_watch_destroy(&w);
    return status;
}

const cli_command cli_command_watch = {
    .name = "watch",
    .help = "guards any job: tells a leak from a warm-up, names its cause, restarts it",
    .usage = "[OPTIONS] -- PROGRAM [ARGUMENTS]",
    .notes =
        "Instead of a program: --pid, --unit or --cgroup for a job that runs already, which is "
        "never signalled unless an action asks for it; --replay FILE for a recorded one.\n"
        "Exit status: the program's own. Actions: warn, notify, hook, checkpoint, stop, "
        "restart; several with commas.",
    .draw = watch_draw,
    .values_bytes = sizeof(watch_values),
    .defaults = watch_defaults,
    .run = watch_run,
};
