/* job.c: fork, exec, wait, signal. */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch/sample/proc.h"

extern char **environ;

void watch_job_prepare(watch_job *j)
{
    *j = WATCH_JOB_NONE;
    getrlimit(RLIMIT_NOFILE, &j->files);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* 0: gone. */
static uint64_t start_ticks_of(pid_t pid)
{
    proc_stat stat;
    return proc_stat_read(&stat, pid) ? stat.start_ticks : 0;
}

static int open_pidfd(pid_t pid)
{
    const int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

/* ---- start ---- */

/* Between fork and exec nothing but system calls: other threads of the guard may hold any lock. */
static _Noreturn void become(const watch_job *j, const watch_job_options *o, char *const *env,
                             int null_fd, int cgroup_fd, int report_fd)
{
    sigset_t none;
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL); /* the guard ignores it; what else is ignored (nohup) stays so */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setrlimit(RLIMIT_NOFILE, &j->files);
    if (null_fd >= 0)
        dup2(null_fd, STDIN_FILENO);
    if (cgroup_fd < 0 || write(cgroup_fd, "0", 1) == 1)
        execvpe(o->argv[0], o->argv, env);
    const int why = errno;
    const ssize_t k = write(report_fd, &why, sizeof why);
    _exit(k == sizeof why ? 127 : 126);
}

/* The guard's environment with the additions, in one block. */
static char **make_env(const watch_job_options *o, base_mem *mem, vg_error *err)
{
    size_t n = 0, k = 0;
    while (environ != NULL && environ[n] != NULL)
        n++;
    char **env = base_alloc_zero(mem, n + WATCH_MOST_ENV + 1, sizeof *env, err);
    if (env == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        bool is_replaced = false;
        for (size_t a = 0; a < WATCH_MOST_ENV && o->env[a] != NULL; a++) {
            const size_t name = strcspn(o->env[a], "=") + 1;
            is_replaced |= strncmp(environ[i], o->env[a], name) == 0;
        }
        if (!is_replaced)
            env[k++] = environ[i];
    }
    for (size_t a = 0; a < WATCH_MOST_ENV && o->env[a] != NULL; a++)
        env[k++] = (char *)(uintptr_t)o->env[a]; /* exec only reads them */
    return env;
}

static vg_status fork_job(watch_job *j, const watch_job_options *o, char *const *env, vg_error *err)
{
    /* A terminal cannot be shared with a process group in the background: reading it would stop
     * the job. */
    const int null_fd = isatty(STDIN_FILENO) ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
    const bool in_cgroup = o->cgroup_procs != NULL && o->cgroup_procs[0] != '\0';
    const int cgroup_fd = in_cgroup ? open(o->cgroup_procs, O_WRONLY | O_CLOEXEC) : -1;
    int report[2] = {-1, -1}, why = 0;
    vg_status st = VG_OK;
    if (in_cgroup && cgroup_fd < 0)
        st = base_fail_errno(err, VG_ERR_SYSTEM, o->cgroup_procs, NULL, "cannot enter the cgroup");
    else if (pipe2(report, O_CLOEXEC) != 0)
        st = base_fail_errno(err, VG_ERR_SYSTEM, NULL, NULL, "cannot start the job");
    if (st != VG_OK)
        goto done;
    const pid_t pid = fork();
    if (pid == 0)
        become(j, o, env, null_fd, cgroup_fd, report[1]);
    close(report[1]);
    report[1] = -1;
    if (pid < 0) {
        st = base_fail_errno(err, VG_ERR_SYSTEM, NULL, NULL, "cannot start the job");
        goto done;
    }
    ssize_t k;
    do
        k = read(report[0], &why, sizeof why); /* ends when the program has begun */
    while (k < 0 && errno == EINTR);
    if (k == sizeof why) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        errno = why;
        st = base_fail_errno(err, VG_ERR_SYSTEM, o->argv[0],
                             why == ENOENT ? "give the program's path, or a name that PATH knows"
                                           : NULL,
                             "cannot start the job");
        goto done;
    }
    j->pid = pid;
    j->pidfd = open_pidfd(pid);
    j->start_ticks = start_ticks_of(pid);
    j->is_ours = true;
    j->has_ended = false;
    j->status = j->signal = 0;
    j->started_ns = base_now_ns();
done:
    for (int i = 0; i < 2; i++)
        if (report[i] >= 0)
            close(report[i]);
    if (null_fd >= 0)
        close(null_fd);
    if (cgroup_fd >= 0)
        close(cgroup_fd);
    return st;
}

vg_status watch_job_start(watch_job *j, const watch_job_options *o, base_mem *mem, vg_error *err)
{
    watch_job_fini(j);
    char **env = make_env(o, mem, err);
    const vg_status st = env != NULL ? fork_job(j, o, env, err) : VG_ERR_MEMORY;
    base_free(env);
    return st;
}

vg_status watch_job_attach(watch_job *j, pid_t pid, uint64_t start_ticks, vg_error *err)
{
    watch_job_fini(j);
    const int fd = open_pidfd(pid);
    proc_stat stat;
    /* The descriptor first: whoever has the number afterwards is who it stands for, or gone. */
    const bool lives =
        fd >= 0 && proc_stat_read(&stat, pid) && stat.state != 'Z' && stat.state != 'X';
    if (!lives || (start_ticks != 0 && stat.start_ticks != start_ticks)) {
        if (fd >= 0)
            close(fd);
        return base_fail(err, VG_ERR_IO, base_where("process %d", (int)pid),
                         "ps -e lists the processes", "no such process");
    }
    j->pid = pid;
    j->pidfd = fd;
    j->start_ticks = stat.start_ticks;
    j->is_ours = j->has_ended = false;
    j->status = -1;
    j->signal = 0;
    j->started_ns = base_now_ns();
    return VG_OK;
}

void watch_job_fini(watch_job *j)
{
    if (j->pidfd >= 0)
        close(j->pidfd);
    j->pidfd = -1;
}

/* ---- wait and signal ---- */

void watch_job_reap(watch_job *j)
{
    int status;
    pid_t pid;
    if (!j->is_ours) { /* a pidfd is readable when its process has ended */
        struct pollfd p = {.fd = j->pidfd, .events = POLLIN};
        j->has_ended |= j->pidfd >= 0 && poll(&p, 1, 0) == 1;
    }
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != j->pid || !j->is_ours || j->has_ended)
            continue; /* an orphan of the job's */
        j->has_ended = true;
        j->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        j->status = j->signal != 0 ? 128 + j->signal : WEXITSTATUS(status);
    }
}

bool watch_job_signal(const watch_job *j, int signal)
{
    return j->pidfd >= 0 && !j->has_ended &&
           syscall(SYS_pidfd_send_signal, j->pidfd, signal, NULL, 0) == 0;
}

bool watch_signal_process(pid_t pid, uint64_t start_ticks, int signal)
{
    const int fd = open_pidfd(pid);
    if (fd < 0)
        return false;
    const bool is_it = start_ticks_of(pid) == start_ticks;
    const bool done = is_it && syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
    close(fd);
    return done;
}
