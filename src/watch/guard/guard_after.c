/* guard_after.c: what a guard can know of how its job died: its status, the kernel's counts, the
 * kernel's log. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guard_own.h"

/* The kernel's clock of its log runs a little beside the one that programs read. */
static const double LOG_CLOCK_S = 2;

/* Does the kernel's log, which not everybody may read, name this process as one that it ended since
 * then? A record is "6,339,5140900,-;text": priority, number, microseconds, flags. */
static bool kernel_log_names(pid_t pid, double since_s)
{
    char record[8192], killed[48];
    const int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool found = false;
    base_format(killed, sizeof killed, "Killed process %d ", (int)pid);
    while (fd >= 0 && !found) {
        const ssize_t n = read(fd, record, sizeof record - 1);
        if (n < 0 && (errno == EPIPE || errno == EINTR)) /* EPIPE: what came next was overwritten */
            continue;
        if (n <= 0)
            break;
        record[n] = '\0';
        const char *at = strchr(record, ',');
        at = at != NULL ? strchr(at + 1, ',') : NULL;
        found = at != NULL && strtod(at + 1, NULL) * 1e-6 >= since_s - LOG_CLOCK_S &&
                strstr(at, killed) != NULL;
    }
    if (fd >= 0)
        close(fd);
    return found;
}

void guard_tell_after(watch_guard *g, bool kernel_counts)
{
    char text[WATCH_AFTER_BYTES], how[128];
    const watch_job *j = &g->job;
    watch_end end = {.how = how, .kernel = "", .now_s = guard_now_s() - g->began_s};
    if (!j->is_ours)
        base_format(how, sizeof how, "it ended, and how is not known, for it was not started here");
    else if (j->signal != 0)
        base_format(how, sizeof how, "it ended by signal %d (%s)", j->signal, strsignal(j->signal));
    else
        base_format(how, sizeof how, "it ended with status %d", j->status);
    /* 137: a shell's word for a child that was killed. */
    end.was_killed = j->is_ours && (j->signal == SIGKILL || j->status == 128 + SIGKILL);
    if (kernel_log_names(j->pid, (double)j->started_ns * 1e-9))
        end.kernel = "its log names the process";
    else if (kernel_counts)
        end.kernel = isnan(g->fresh.value[WATCH_CGROUP_OOM_KILL])
                         ? "the machine's count of such kills rose"
                         : "the count of such kills in the job's cgroup rose";
    if (!j->is_ours && end.kernel[0] == '\0' &&
        !watch_after_is_suspicious(&g->after, watch_after_judge, g->judge))
        return; /* nothing says that it was a bad end */
    guard_note(g, "%s", watch_after_text(text, &g->after, &end, watch_after_judge, g->judge));
}
