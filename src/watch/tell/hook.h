/* hook.h: a shell command of the user's, started for an event, that is no part of the job.
 *
 * It runs below a small keeper process, a subreaper of its own in the guard's process group: what
 * the command leaves behind stays below the keeper and never comes to the guard, which takes its
 * own orphans for the job's. A command that takes longer than its time is ended with its process
 * group; what it put elsewhere (a daemon) lives on. Any thread may start one. For this folder. */
#ifndef WATCH_HOOK_H
#define WATCH_HOOK_H

#include "base/base.h"

typedef struct watch_hook {
    int fd; /* readable when it has ended; -1: none runs */
} watch_hook;
#define WATCH_HOOK_NONE ((watch_hook){.fd = -1})

/* sh -c command with VIGIL_EVENT in its environment and /dev/null as its input. event: at most
 * 64 KiB. Errors: VG_ERR_SYSTEM, VG_ERR_MEMORY. */
vg_status watch_hook_start(watch_hook *out, const char *command, const char *event,
                           double timeout_s, base_mem *mem, vg_error *err);
/* Waits so long at most (0: only looks). True: it has ended; *status as a shell tells it, 124 when
 * its time was up; the hook is empty again. */
bool watch_hook_wait(watch_hook *h, double wait_s, int *status);

#endif
