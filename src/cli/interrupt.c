/* interrupt.c: Ctrl-C, `kill` and a closed terminal are requests, which the loop of a command sees
 * between two pictures.
 *
 * The mutable globals of this floor: a signal handler can be handed nothing else. */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

static volatile sig_atomic_t noted, is_impatient, hangups, n_again, is_counting;
static struct timespec noted_at; /* the newest one that was counted; the handler's alone */

enum { MOST_IMPATIENT = 3 };
static const double MOMENT_S = 0.3;

static bool is_same_moment(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const double passed_s =
        (double)(now.tv_sec - noted_at.tv_sec) + 1e-9 * (double)(now.tv_nsec - noted_at.tv_nsec);
    const bool is_same = noted != 0 && passed_s < MOMENT_S;
    if (!is_same)
        noted_at = now;
    return is_same;
}

static void count(int number)
{
    static const char left[] = "vigil: ended at once: what it was ending may run on\n";
    if (is_same_moment() || noted == 0)
        return;
    if (n_again < MOST_IMPATIENT)
        n_again++;
    if (n_again < MOST_IMPATIENT)
        return;
    if (write(STDERR_FILENO, left, sizeof left - 1) < 0) {
        /* nobody is there to read it */
    }
    signal(number, SIG_DFL);
    raise(number); /* arrives when the handler returns */
}
static bool had_terminal; /* when reloads began to be watched for */

/* The second one of a person, by either signal, does what it always did, for whoever cannot wait.
 * Two kinds are not a person's: SIGHUP, which the shell and the kernel both send when a terminal
 * closes, and what was queued (`vigil stop`, which may be called again and again). */
static void interrupt_note(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (is_counting && number != SIGHUP && info->si_code != SI_QUEUE) {
        count(number);
    } else if (number != SIGHUP && info->si_code != SI_QUEUE) {
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
    sigaddset(&action.sa_mask, SIGINT); /* one at a time: they count together */
    sigaddset(&action.sa_mask, SIGTERM);
    sigaddset(&action.sa_mask, SIGQUIT);
    sigaction(number, &action, NULL);
}

void cli_interrupt_watch(void)
{
    watch(SIGINT, SA_RESTART);
    watch(SIGTERM, SA_RESTART);
}

void cli_interrupt_count(void)
{
    is_counting = 1;
    cli_interrupt_watch();
    watch(SIGQUIT, SA_RESTART); /* it never reaches a job that has a process group of its own */
}

int cli_interrupt_impatience(void)
{
    return (int)n_again;
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

static void hangup_note(int number)
{
    (void)number;
    hangups = 1;
}

static bool has_terminal(void)
{
    const int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

void cli_interrupt_watch_reload(void)
{
    struct sigaction now, action = {.sa_handler = hangup_note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    had_terminal = has_terminal();
    if (sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
}

bool cli_interrupt_wants_reload(void)
{
    if (hangups == 0)
        return false;
    hangups = 0; /* before it is done: one that comes meanwhile is another */
    if (!had_terminal || has_terminal())
        return true;
    if (noted == 0)
        noted = SIGHUP;
    return false;
}

int cli_interrupt_signal(void)
{
    return (int)noted;
}
