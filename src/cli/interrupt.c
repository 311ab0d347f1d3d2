/* interrupt.c: Ctrl-C and `kill` are requests, which the loop of a command sees between two
 * pictures.
 *
 * The one mutable global of this floor: a signal handler can be handed nothing else. */
#include <signal.h>
#include <stddef.h>

#include "cli.h"

static volatile sig_atomic_t noted;

static void interrupt_note(int number)
{
    noted = number;
}

void cli_interrupt_watch(void)
{
    /* SA_RESETHAND: the second one does what it always did, for whoever cannot wait. */
    struct sigaction action = {.sa_handler = interrupt_note,
                               .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int cli_interrupt_signal(void)
{
    return (int)noted;
}
