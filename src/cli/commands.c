/* commands.c: the table of commands. A new one is its file and a line here. */
#include <string.h>

#include "commands.h"

const cli_command *const cli_commands[] = {
    &cli_command_predict, &cli_command_track,  &cli_command_check,
    &cli_command_fleet,   &cli_command_train,  &cli_command_attach,
    &cli_command_stop,    &cli_command_val,    &cli_command_demo,
    &cli_command_watch,   &cli_command_report, &cli_command_board,
    &cli_command_info,    &cli_command_data,   &cli_command_convert,
    &cli_command_export,  &cli_command_bench,  &cli_command_devices,
    &cli_command_version, &cli_command_help,   NULL,
};

/* Commands of YOLO's own program that there are none of here: what to do instead. */
static const cli_other others[] = {
    {"checks", "there is no installation of Python to look at",
     "vigil version; vigil check CONFIG looks at a configuration of predict"},
    {"settings", "it keeps none", "options on the command line, or --config YAML"},
    {"copy-cfg", "there is no file of defaults",
     "vigil train --help lists every default; a run's args.yaml has all that it used"},
    {"cfg", "there is no file of defaults",
     "vigil train --help lists every default; a run's args.yaml has all that it used"},
    {"benchmark", "it would run one model in every format that the Python tool exports",
     "vigil bench --weights FILE for the time of each layer, by batch and threads; vigil val "
     "--data "
     "YAML --weights FILE for accuracy; vigil export --format onnx for other engines"},
    {"tune", "hyperparameters are not searched",
     "vigil train in a loop over lr0=... and others; results.csv has what each came to"},
    {"solutions", "counting and the like are zones", "vigil track --zones YAML --source SOURCE"},
    {"hub", "it talks to no service", "vigil train on a dataset that is here"},
    {"login", "it talks to no service", "leave it out"},
    {"logout", "it talks to no service", "leave it out"},
};

const cli_other *cli_other_find(const char *word)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (vg_name_equal(others[i].name, word))
            return &others[i];
    return NULL;
}

const cli_command *cli_command_find(const char *name)
{
    for (const cli_command *const *c = cli_commands; *c != NULL; c++)
        if (strcmp(name, (*c)->name) == 0 ||
            ((*c)->alias != NULL && strcmp(name, (*c)->alias) == 0))
            return *c;
    return NULL;
}

static const char *name_at(const void *context, size_t i)
{
    (void)context;
    return cli_commands[i]->name;
}

const char *cli_command_nearest(const char *word)
{
    return vg_name_nearest(word, name_at, NULL, sizeof cli_commands / sizeof *cli_commands - 1);
}
