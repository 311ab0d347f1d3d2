/* interrupt.c: Ctrl-C, `kill` and a closed terminal are requests, which the loop of a command sees
 * between two pictures.
 *
 * The mutable globals of this floor: a signal handler can be handed nothing else. */
#include <signal.h>
#include <stddef.h>

#include "cli.h"

static volatile sig_atomic_t noted, is_impatient;

/* The second one of a person, by either signal, does what it always did, for whoever cannot wait.
 * Two kinds are not a person's: SIGHUP, which the shell and the kernel both send when a terminal
 * closes, and what was queued (`vigil stop`, which may be called again and again). */
static void interrupt_note(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (number != SIGHUP && info->si_code != SI_QUEUE) {
        if (is_impatient) {
            signal(number, SIG_DFL);
            raise(number); /* arrives when this handler returns */
        }
        is_impatient = 1;
    }
    if (noted == 0)
        noted = number;
}

static void watch(int number, int flags)
{
    struct sigaction action = {.sa_sigaction = interrupt_note, .sa_flags = flags | SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void cli_interrupt_watch(void)
{
    watch(SIGINT, SA_RESTART);
    watch(SIGTERM, SA_RESTART);
}

void cli_interrupt_waits(void)
{
    watch(SIGINT, 0);
    watch(SIGTERM, 0);
}

void cli_interrupt_watch_hangup(void)
{
    struct sigaction now;
    if (sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
        watch(SIGHUP, SA_RESTART);
}

int cli_interrupt_signal(void)
{
    return (int)noted;
}
