/* hook.c: guard -> keeper -> sh. The keeper says through a pipe how sh ended, and stays while it
 * has children. */
#include "hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { TIMED_OUT = 124, SLICE_MS = 20 };

static char **make_env(const char *event, base_mem *mem, vg_error *err)
{
    static const char name[] = "VIGIL_EVENT=";
    size_t n = 0, k = 0;
    while (environ != NULL && environ[n] != NULL)
        n++;
    const size_t list = (n + 2) * sizeof(char *), text = sizeof name + strlen(event);
    char **env = base_alloc_zero(mem, 1, list + text, err);
    if (env == NULL)
        return NULL;
    char *own = (char *)env + list;
    base_format(own, text, "%s%s", name, event);
    for (size_t i = 0; i < n; i++)
        if (!base_starts_with(environ[i], name))
            env[k++] = environ[i];
    env[k] = own;
    return env;
}

static _Noreturn void run(const char *command, char *const *env, int null_fd)
{
    sigset_t none;
    char sh[] = "sh", option[] = "-c";
    char *argv[] = {sh, option, (char *)(uintptr_t)command, NULL};
    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    static const int reset[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    for (size_t i = 0; i < sizeof reset / sizeof *reset; i++)
        signal(reset[i], SIG_DFL);
    if (null_fd >= 0)
        dup2(null_fd, STDIN_FILENO);
    execve("/bin/sh", argv, env);
    _exit(127);
}

/* Only system calls: other threads of the guard may hold any lock. */
static _Noreturn void keep(const char *command, char *const *env, int null_fd, int report_fd,
                           double timeout_s)
{
    const struct timespec slice = {.tv_nsec = SLICE_MS * 1000000};
    struct timespec began, now;
    int status = 127 << 8, outcome = 127;
    bool has_ended = false, timed_out = false;
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    /* It stays in the guard's process group, by which the tree knows that it is not the job's; what
     * Ctrl-C sends to that group is for the guard. */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    clock_gettime(CLOCK_MONOTONIC, &began);
    const pid_t pid = fork();
    if (pid == 0)
        run(command, env, null_fd);
    while (pid > 0 && !has_ended) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        const double s =
            (double)(now.tv_sec - began.tv_sec) + 1e-9 * (double)(now.tv_nsec - began.tv_nsec);
        if (s > timeout_s && !timed_out) {
            kill(-pid, SIGKILL); /* its group: not waited for yet, so the number is still its own */
            kill(pid, SIGKILL);
            timed_out = true;
        }
        has_ended = waitpid(pid, &status, WNOHANG) == pid;
        if (!has_ended)
            nanosleep(&slice, NULL);
    }
    if (pid > 0)
        outcome = timed_out             ? TIMED_OUT
                  : WIFSIGNALED(status) ? 128 + WTERMSIG(status)
                                        : WEXITSTATUS(status);
    const ssize_t k = write(report_fd, &outcome, sizeof outcome);
    close(report_fd);
    (void)k;
    /* Lets go of the guard's terminal and files, and stays with what the command left behind. */
    for (int fd = 0; fd < 3; fd++)
        if (null_fd >= 0)
            dup2(null_fd, fd);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        continue;
    _exit(0);
}

vg_status watch_hook_start(watch_hook *out, const char *command, const char *event,
                           double timeout_s, base_mem *mem, vg_error *err)
{
    int report[2] = {-1, -1};
    *out = WATCH_HOOK_NONE;
    char **env = make_env(event, mem, err);
    if (env == NULL)
        return VG_ERR_MEMORY;
    const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    vg_status st = VG_OK;
    if (pipe2(report, O_CLOEXEC) != 0) {
        st = base_fail_errno(err, VG_ERR_SYSTEM, NULL, NULL, "cannot start the hook");
    } else {
        const pid_t pid = fork();
        if (pid == 0) {
            close(report[0]);
            keep(command, env, null_fd, report[1], timeout_s);
        }
        close(report[1]);
        if (pid < 0) {
            st = base_fail_errno(err, VG_ERR_SYSTEM, NULL, NULL, "cannot start the hook");
            close(report[0]);
        } else {
            out->fd = report[0];
        }
    }
    if (null_fd >= 0)
        close(null_fd);
    base_free(env);
    return st;
}

bool watch_hook_wait(watch_hook *h, double wait_s, int *status)
{
    struct pollfd p = {.fd = h->fd, .events = POLLIN};
    if (h->fd < 0)
        return true;
    if (poll(&p, 1, (int)(wait_s * 1000)) != 1)
        return false;
    if (read(h->fd, status, sizeof *status) != sizeof *status)
        *status = 127;
    close(h->fd);
    *h = WATCH_HOOK_NONE;
    return true;
}
