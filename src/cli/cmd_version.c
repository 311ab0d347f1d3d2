/* cmd_version.c: vigil version. */
#include "commands.h"

static int version_run(void *values)
{
    (void)values;
    printf("vigil %s\n", vg_version());
    if (vg_build_lacks()[0] != '\0')
        printf("this build has %s\n", vg_build_lacks());
    return CLI_DONE;
}

const cli_command cli_command_version = {
    .name = "version",
    .help = "prints the version",
    .usage = "",
    .run = version_run,
};
