/* commands.c: the table of commands. A new one is its file and a line here. */
#include <string.h>

#include "commands.h"

const cli_command *const cli_commands[] = {
    &cli_command_predict, &cli_command_track,  &cli_command_check,
    &cli_command_train,   &cli_command_attach, &cli_command_stop,
    &cli_command_val,     &cli_command_demo,   &cli_command_watch,
    &cli_command_report,  &cli_command_info,   &cli_command_convert,
    &cli_command_version, &cli_command_help,   NULL,
};

/* What the design names and this build has not: an honest answer beats "unknown command". */
static const char *const planned[] = {"export"};

const cli_command *cli_command_find(const char *name)
{
    for (const cli_command *const *c = cli_commands; *c != NULL; c++)
        if (strcmp(name, (*c)->name) == 0 ||
            ((*c)->alias != NULL && strcmp(name, (*c)->alias) == 0))
            return *c;
    return NULL;
}

bool cli_command_is_planned(const char *name)
{
    for (size_t i = 0; i < sizeof planned / sizeof *planned; i++)
        if (strcmp(name, planned[i]) == 0)
            return true;
    return false;
}

static const char *name_at(const void *context, size_t i)
{
    (void)context;
    return cli_commands[i]->name;
}

const char *cli_command_nearest(const char *word)
{
    return cli_name_nearest(word, name_at, NULL, sizeof cli_commands / sizeof *cli_commands - 1);
}
