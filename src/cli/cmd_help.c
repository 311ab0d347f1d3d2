/* cmd_help.c: vigil help [COMMAND]. */
#include <string.h>

#include "commands.h"
#include "keys.h"
#include "man.h"

typedef struct help_values {
    const char *command;
    bool man, completion, markdown;
} help_values;

static void program_print(const help_values *v)
{
    if (v->man)
        cli_man_program(stdout);
    else if (v->completion)
        cli_completion_program(stdout);
    else
        cli_help_program(stdout);
}

static void command_print(const help_values *v, const cli_command *command)
{
    if (v->man)
        cli_man_command(stdout, command);
    else if (v->completion)
        cli_completion_command(stdout, command);
    else if (v->markdown)
        cli_markdown_command(stdout, command);
    else
        cli_help_command(stdout, command);
}

static int help_run(void *values)
{
    const help_values *v = values;
    if (v->command == NULL) {
        program_print(v);
        return CLI_DONE;
    }
    if (strcmp(v->command, "yolo") == 0) {
        cli_keys_markdown(stdout);
        return CLI_DONE;
    }
    const cli_command *command = cli_command_find(v->command);
    if (command == NULL) {
        vg_error err;
        cli_error_set(&err, VG_ERR_ARGUMENT, "there is no command \"%s\"", v->command);
        const char *nearest = cli_command_nearest(v->command);
        if (nearest != NULL)
            cli_error_text(err.mend, "vigil help %s", nearest);
        else
            cli_error_text(err.mend, "vigil help, which lists the commands");
        return cli_error_print(&err, CLI_USAGE);
    }
    command_print(v, command);
    return CLI_DONE;
}

static const vg_option help_options[] = {
    {.name = "command",
     .kind = VG_OPTION_STRING,
     .offset = offsetof(help_values, command),
     .value = "NAME",
     .help = "the command whose options are wanted; yolo: every key of YOLO's own configuration, "
             "and what each command here answers to it",
     .is_positional = true},
    {.name = "man",
     .kind = VG_OPTION_BOOL,
     .offset = offsetof(help_values, man),
     .help = "its manual page in roff, for man -l -"},
    {.name = "completion",
     .kind = VG_OPTION_BOOL,
     .offset = offsetof(help_values, completion),
     .help = "what a shell's completion reads: a line for each option and kind of value"},
    {.name = "markdown",
     .kind = VG_OPTION_BOOL,
     .offset = offsetof(help_values, markdown),
     .help = "its options as tables of Markdown, as the docs have them"},
};

const cli_command cli_command_help = {
    .name = "help",
    .help = "explains a command: vigil help predict",
    .usage = "[COMMAND] [OPTIONS]",
    .options = help_options,
    .n_options = sizeof help_options / sizeof *help_options,
    .values_bytes = sizeof(help_values),
    .run = help_run,
};
