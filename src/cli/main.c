/* main.c: finds the command, has its options parsed, runs it, and makes sure that stdout took the
 * product. */
#include <signal.h>
#include <string.h>

#include "cli.h"

enum { STDOUT_BYTES = 16384 };

static int command_unknown(const char *word)
{
    vg_error err;
    if (cli_command_is_planned(word)) {
        cli_error_set(&err, VG_ERR_UNSUPPORTED, "this build has no `%s` yet", word);
        cli_error_text(err.mend, "vigil predict, info or convert, which it has (vigil --help)");
        return cli_error_print(&err, CLI_USAGE);
    }
    const char *nearest = cli_command_nearest(word);
    cli_error_set(&err, VG_ERR_ARGUMENT, "vigil has no command \"%s\"", word);
    if (nearest != NULL)
        cli_error_text(err.mend, "vigil %s", nearest);
    else
        cli_error_text(err.mend, "vigil --help, which lists the commands");
    return cli_error_print(&err, CLI_USAGE);
}

static int command_run(const cli_command *command, int n, char *const *words)
{
    _Alignas(max_align_t) unsigned char values[CLI_VALUES_BYTES];
    vg_error err;
    switch (cli_options_parse(command, values, n, words, &err)) {
    case CLI_PARSED_HELP:
        cli_help_command(stdout, command);
        return CLI_DONE;
    case CLI_PARSED_WRONG:
        return cli_error_print(&err, CLI_USAGE);
    case CLI_PARSED:
        break;
    }
    return command->run(values);
}

/* YOLO's own program is called as `yolo task=detect mode=predict model=...`: the command's name is
 * in a "mode=" word. */
static const char *mode_of(int n, char *const *words)
{
    for (int i = 0; i < n && strchr(words[i], '=') != NULL; i++)
        if (strncmp(words[i], "mode=", 5) == 0)
            return words[i] + 5;
    return NULL;
}

/* Or as `yolo detect train model=...`: the task before the command. */
static bool is_mode(const char *word)
{
    return strcmp(word, "train") == 0 || strcmp(word, "val") == 0 || strcmp(word, "predict") == 0 ||
           strcmp(word, "track") == 0;
}

static int run(int n, char *const *words)
{
    if (n == 0) {
        cli_help_program(stderr);
        return CLI_USAGE;
    }
    const char *word = words[0], *mode = mode_of(n, words);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        word = "help";
    else if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        word = "version";
    else if (strcmp(word, "detect") == 0 && n > 1 && is_mode(words[1])) {
        word = words[1];
        words++;
        n--;
    }
    const cli_command *command = cli_command_find(mode != NULL ? mode : word);
    if (command == NULL)
        return command_unknown(mode != NULL ? mode : word);
    /* With mode=, all words are options: mode= itself is one. */
    return mode != NULL ? command_run(command, n, words) : command_run(command, n - 1, words + 1);
}

int main(int argc, char **argv)
{
    /* Lines of the product appear as they are made, also in a pipe; and the C library takes no
     * memory for them later. */
    static char room[STDOUT_BYTES];
    setvbuf(stdout, room, _IOLBF, sizeof room);
    /* A reader that went away shows up as a failed write, after which files are still closed
     * properly. */
    signal(SIGPIPE, SIG_IGN);
    return cli_output_finish(run(argc > 0 ? argc - 1 : 0, argv + 1));
}
