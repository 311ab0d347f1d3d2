/* cmd_help.c: vigil help [COMMAND]. */
#include "commands.h"

typedef struct help_values {
    const char *command;
} help_values;

static int help_run(void *values)
{
    const help_values *v = values;
    if (v->command == NULL) {
        cli_help_program(stdout);
        return CLI_DONE;
    }
    const cli_command *command = cli_command_find(v->command);
    if (command == NULL) {
        vg_error err;
        cli_error_set(&err, VG_ERR_ARGUMENT, "no command \"%s\" to help with", v->command);
        const char *nearest = cli_command_nearest(v->command);
        if (nearest != NULL)
            cli_error_text(err.mend, "vigil help %s", nearest);
        else
            cli_error_text(err.mend, "vigil help, which lists the commands");
        return cli_error_print(&err, CLI_USAGE);
    }
    cli_help_command(stdout, command);
    return CLI_DONE;
}

static const cli_option help_options[] = {
    {.name = "command",
     .kind = CLI_TEXT,
     .offset = offsetof(help_values, command),
     .value = "NAME",
     .help = "the command whose options are wanted",
     .positional = true},
};

const cli_command cli_command_help = {
    .name = "help",
    .help = "explains a command: vigil help predict",
    .usage = "[COMMAND]",
    .options = help_options,
    .n_options = sizeof help_options / sizeof *help_options,
    .values_bytes = sizeof(help_values),
    .run = help_run,
};
