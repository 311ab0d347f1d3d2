/* interrupt.c: Ctrl-C and `kill` are requests, which the loop of a command sees between two
 * pictures.
 *
 * The one mutable global of this floor: a signal handler can be handed nothing else. */
#include <signal.h>
#include <stddef.h>

#include "cli.h"

static volatile sig_atomic_t noted;

/* The second one, of either kind, does what it always did, for whoever cannot wait. */
static void interrupt_note(int number)
{
    if (noted != 0) {
        signal(number, SIG_DFL);
        raise(number); /* arrives when this handler returns */
    }
    noted = number;
}

static void watch(int flags)
{
    struct sigaction action = {.sa_handler = interrupt_note, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void cli_interrupt_watch(void)
{
    watch(SA_RESTART);
}

void cli_interrupt_waits(void)
{
    watch(0);
}

int cli_interrupt_signal(void)
{
    return (int)noted;
}
