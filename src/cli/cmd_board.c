/* cmd_board.c: vigil board: pages of all runs below a folder, until it is told to end. */
#include <time.h>

#include "commands.h"

typedef struct board_values {
    const char *runs, *serve, *token;
} board_values;

static void board_defaults(void *values)
{
    *(board_values *)values = (board_values){.runs = "runs", .serve = "127.0.0.1:9400"};
}

static int board_run(void *values)
{
    const board_values *v = values;
    const struct timespec nap = {.tv_nsec = 200000000};
    vg_board *b = NULL;
    vg_error err = {.status = VG_OK};
    cli_interrupt_watch();
    cli_interrupt_watch_hangup();
    cli_interrupt_waits();
    if (vg_board_open(&b, v->runs, v->serve, v->token, &err) != VG_OK)
        return cli_error_end(&err);
    printf("Runs of %s: %s\n", v->runs, vg_board_url(b));
    fflush(stdout);
    while (cli_interrupt_signal() == 0)
        nanosleep(&nap, NULL);
    vg_board_close(&b);
    return CLI_DONE;
}

#define AT(field) offsetof(board_values, field)

static const vg_option board_options[] = {
    {.name = "runs",
     .kind = VG_OPTION_STRING,
     .offset = AT(runs),
     .value = "FOLDER",
     .help = "the folder of runs",
     .is_positional = true},
    {.name = "serve",
     .kind = VG_OPTION_STRING,
     .offset = AT(serve),
     .value = "ADDRESS:PORT",
     .may_stand_alone = true,
     .help = "where; alone, or with port 0: any port of this machine"},
    {.name = "token",
     .kind = VG_OPTION_STRING,
     .offset = AT(token),
     .help = "what a reader must know; without it one is made, which stopping a run needs, and "
             "reading only from other machines"},
};

const cli_command cli_command_board = {
    .name = "board",
    .help = "pages of all runs: list, live curves and pictures, several side by side",
    .usage = "[FOLDER] [OPTIONS]",
    .notes =
        "Finds trainings and watched jobs below the folder, also those that begin later, and shows "
        "what they write. It writes nothing itself. The address that it prints has a token, by "
        "which a living training can be stopped; without it the pages can be looked at.\n"
        "\n"
        "SIGINT and SIGTERM end it; the runs go on.",
    .options = board_options,
    .n_options = sizeof board_options / sizeof *board_options,
    .values_bytes = sizeof(board_values),
    .defaults = board_defaults,
    .run = board_run,
};
