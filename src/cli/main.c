/* main.c: finds the command, has its options parsed, runs it, and makes sure that stdout took the
 * product. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "field.h"

enum { STDOUT_BYTES = 16384 };

static int command_unknown(const char *word)
{
    vg_error err;
    const cli_other *other = cli_other_find(word);
    if (other != NULL) {
        cli_error_set(&err, VG_ERR_UNSUPPORTED, "vigil has no %s: %s", word, other->why);
        cli_error_text(err.mend, "%s", other->instead);
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
    cli_notes notes = {0};
    cli_arguments file; /* the values' texts are in it */
    const bool has_file = cli_arguments_find(&file, command, n, words, &err);
    if (!has_file && err.status != VG_OK)
        return cli_error_end(&err);
    switch (
        cli_options_parse_with(command, values, has_file ? &file : NULL, n, words, &notes, &err)) {
    case CLI_PARSED_HELP:
        cli_help_command(stdout, command);
        return CLI_DONE;
    case CLI_PARSED_WRONG: /* a file's fault is not the command line's */
        return cli_error_print(&err, err.status == VG_ERR_FORMAT ? CLI_FAILED : CLI_USAGE);
    case CLI_PARSED:
        break;
    }
    cli_notes_print(stderr, &notes);
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

/* Or as `yolo segment train model=...`: its name and the task stand before the command. The name is
 * dropped, and the task goes behind the command, whose options know it. "detect" alone is predict.
 * The number of words that are dropped. */
static int grammar_skip(int n, char **words)
{
    const int skipped = strcmp(words[0], "yolo") == 0 && n > 1 ? 1 : 0;
    words += skipped;
    n -= skipped;
    if (!cli_is_task(words[0]) || n < 2)
        return skipped;
    const char *next = words[1];
    const bool is_word = strchr(next, '=') == NULL && next[0] != '-' && next[0] != '\0';
    const cli_command *command = is_word ? cli_command_find(next) : NULL;
    if (command != NULL && command->speaks == 0 && strcmp(words[0], "detect") == 0)
        return skipped + 1;
    if (is_word) {
        words[1] = words[0];
        words[0] = (char *)next;
    }
    return skipped;
}

static int run(int n, char **words)
{
    if (n == 0 || (n == 1 && strcmp(words[0], "yolo") == 0)) {
        cli_help_program(stderr);
        return CLI_USAGE;
    }
    const int skipped = grammar_skip(n, words);
    words += skipped;
    n -= skipped;
    const char *word = words[0], *mode = mode_of(n, words);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        word = "help";
    else if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        word = "version";
    const cli_command *command = cli_command_find(mode != NULL ? mode : word);
    if (command == NULL)
        return command_unknown(mode != NULL ? mode : word);
    /* With mode=, all words are options: mode= itself is one. */
    return mode != NULL ? command_run(command, n, words) : command_run(command, n - 1, words + 1);
}

/* A closed descriptor of 0 to 2 would be the number of the next file that is opened, and what is
 * said on stdout or stderr would be written into it. False: not even /dev/null can be had. */
static bool standard_files_are_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) != fd)
            return false; /* open gives the lowest number that is free: fd */
    return true;
}

int main(int argc, char **argv)
{
    if (!standard_files_are_open())
        return CLI_FAILED;
    /* Lines of the product appear as they are made, also in a pipe; and the C library takes no
     * memory for them later. */
    static char room[STDOUT_BYTES];
    setvbuf(stdout, room, _IOLBF, sizeof room);
    /* A reader that went away shows up as a failed write, after which files are still closed
     * properly. */
    signal(SIGPIPE, SIG_IGN);
    return cli_output_finish(run(argc > 0 ? argc - 1 : 0, argv + 1));
}
