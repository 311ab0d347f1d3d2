/* train_detach.c: `vigil train --detach`: a child prepares in the foreground, so that what is wrong
 * is said where the user looks and with the right exit status, and then goes on alone.
 *
 * The fork comes first of all, because a child of a process with threads would have but one of
 * them, and training's start while it is prepared. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "train.h"

enum { FOLDER_BYTES = 4096 };

static int fail_system(const char *what, vg_error *err)
{
    cli_error_set(err, VG_ERR_SYSTEM, "%s: %s", what, strerror(errno));
    cli_error_text(err->where, "option --detach");
    return -1;
}

int train_detach_fork(int *ends, vg_error *err)
{
    int both[2];
    fflush(stdout); /* or it would be written twice */
    if (pipe2(both, O_CLOEXEC) != 0)
        return fail_system("no pipe to the process in the background", err);
    const pid_t child = fork();
    if (child < 0) {
        fail_system("no process for the background", err);
        close(both[0]);
        close(both[1]);
        return -1;
    }
    if (child == 0)
        signal(SIGHUP, SIG_IGN);
    *ends = both[child == 0];
    close(both[child != 0]);
    return (int)child;
}

/* The child's status as the shell would say it. */
static int await(int child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return CLI_FAILED;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Ctrl-C reaches the child by itself; a `kill` of this process is passed on, as a queued one, which
 * the child does not take for impatience. */
static void pass_on(int child)
{
    static bool done;
    const int number = cli_interrupt_signal();
    if (number != 0 && !done)
        done = sigqueue(child, number, (union sigval){0}) == 0;
}

int train_detach_hear(int child, int pipe)
{
    char folder[FOLDER_BYTES];
    size_t n = 0;
    cli_interrupt_waits();
    while (n < sizeof folder - 1) {
        const ssize_t got = read(pipe, folder + n, sizeof folder - 1 - n);
        if (got == 0)
            break;
        if (got > 0)
            n += (size_t)got;
        else if (errno != EINTR)
            break;
        pass_on(child);
    }
    folder[n] = '\0';
    close(pipe);
    if (n == 0)
        return await(child); /* it ended, or ends, in the foreground, and has said why */
    printf("Detached: process %d goes on in the background\n"
           "  log:      %s/train.log\n"
           "  look:     vigil attach %s\n"
           "  end it:   vigil stop %s\n",
           child, folder, folder, folder);
    return CLI_DONE;
}

vg_status train_detach_leave(train_talk *k, int pipe, vg_error *err)
{
    vg_train_info i;
    char date[64];
    vg_train_info_get(k->t, &i);
    fflush(stdout);
    if (vg_train_detach(k->t, err) != VG_OK)
        return err->status;
    clearerr(stdout); /* a terminal that went away meanwhile is no loss to the log */
    k->screen.terminal = false;
    const time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local);
    printf("---- %s, process %d\n", date, (int)getpid());
    train_talk_begin(k);
    /* Whoever started this may be gone: then nobody needs to be told. */
    const ssize_t told = write(pipe, i.folder, strlen(i.folder));
    (void)told;
    close(pipe);
    return VG_OK;
}
