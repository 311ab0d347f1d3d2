/* cmd_watch.c: vigil watch: the guard of vigil/watch.h on a terminal. Its options are the API's
 * table. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands.h"
#include "vigil/watch.h"

typedef struct watch_values {
    char *const *command;
    cli_given given;
} watch_values;

_Static_assert(sizeof(watch_values) <= CLI_VALUES_BYTES, "the parser's room");

/* ---- options ---- */

static const vg_option watch_options[] = {{.name = "command",
                                           .kind = VG_OPTION_WORDS,
                                           .offset = offsetof(watch_values, command),
                                           .help = "the job"}};

static vg_status set_one(void *watch, const char *name, const char *text, vg_error *err)
{
    return vg_watch_set(watch, name, text, err);
}

static vg_status set_all(const watch_values *v, vg_watch *w, vg_error *err)
{
    const vg_status st = cli_hand_on(&cli_command_watch, v, &v->given, set_one, w, err);
    return st == VG_OK && v->command != NULL ? vg_watch_command(w, v->command, err) : st;
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
    const vg_watch_listener l = {.ctx = stdout,
                                 .event = json ? event_json : event_words,
                                 .note = note_words,
                                 .wants_stop = stop_wanted};
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
    if (vg_watch_create(&w, &err) != VG_OK || set_all(v, w, &err) != VG_OK) {
        status = cli_error_end(&err);
        goto done;
    }
    const char *text = cli_given_text(&cli_command_watch, &v->given, "json");
    bool json = false;
    if (text != NULL)
        cli_read_bool(&json, text);
    const bool is_replay = cli_given_text(&cli_command_watch, &v->given, "replay") != NULL;
    status = is_replay ? replay(w, json) : guard(w, json);
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
    .table = vg_watch_options,
    .options = watch_options,
    .n_options = 1,
    .given_offset = offsetof(watch_values, given),
    .values_bytes = sizeof(watch_values),
    .run = watch_run,
};
