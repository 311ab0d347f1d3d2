/* own_cgroup.h: a cgroup of the job's own, below the guard's, that holds --memory-max.
 *
 * Version 1: a folder of the memory controller. Version 2: the same, after the controller was
 * handed down; that the kernel allows only to a cgroup without processes of its own, so a guard
 * that is alone in its cgroup (a unit with Delegate=yes, a container) steps aside into
 * "vigil-guard" first. Where any of it is not allowed there is none, and the guard measures. For
 * this folder. */
#ifndef WATCH_OWN_CGROUP_H
#define WATCH_OWN_CGROUP_H

#include "base/base.h"

typedef struct watch_own_cgroup {
    char folder[4096]; /* "": there is none */
    char procs[4200];  /* its cgroup.procs */
} watch_own_cgroup;

/* sys: /sys, proc: /proc but for tests. False: why it cannot be, in `why`. */
bool watch_own_cgroup_make(watch_own_cgroup *out, const char *sys, const char *proc,
                           size_t memory_max_bytes, char *why, size_t n_why);
/* One that a guard before this one made; false: it is not there any more. */
bool watch_own_cgroup_take(watch_own_cgroup *out, const char *folder);
/* Its limit, where it has lost it: a service manager can only start a guard in a cgroup (version 2)
 * that hands no controller down, and takes the controller back to do so. False: it cannot be set
 * again (errno). */
bool watch_own_cgroup_hold(const watch_own_cgroup *c, size_t memory_max_bytes);
/* Removes it, if nothing lives in it any more; waits a second at most for the last to go. */
void watch_own_cgroup_remove(watch_own_cgroup *c);

#endif
