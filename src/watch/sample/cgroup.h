/* cgroup.h: the job's cgroup, v1 or v2, and the machine: charged memory, limits, pressure. For this
 * folder. */
#ifndef WATCH_CGROUP_H
#define WATCH_CGROUP_H

#include "proc.h"

enum { WATCH_PATH_BYTES = 4096 };

typedef struct watch_cgroup {
    bool is_known, is_v2;
    char folder[WATCH_PATH_BYTES];       /* of the memory controller */
    char root[WATCH_PATH_BYTES];         /* where its hierarchy begins: limits are read up to it */
    char pids_folder[WATCH_PATH_BYTES];  /* "": no such controller */
    char procs_folder[WATCH_PATH_BYTES]; /* where its processes are listed; "": it does not exist */
} watch_cgroup;

/* text: the process's /proc/PID/cgroup (n bytes). When the path in it is not to be seen, as in
 * containers, it is the root of the mount. given: a path below the mount, or an absolute one, which
 * must exist in a hierarchy (else procs_folder is ""); NULL or "": by text. sys: the root of /sys.
 * Not known is no error: machines without cgroups exist. */
void watch_cgroup_find(watch_cgroup *out, const char *sys, const char *given, const char *text,
                       size_t n);
/* The path below the mount of a systemd unit ("camera", "camera.service", "work.slice"): of the
 * system's, of this user's manager, else wherever it is (bounded). False: none runs. */
bool watch_cgroup_find_unit(char path[WATCH_PATH_BYTES], const char *sys, const char *unit,
                            uid_t uid);
/* cgroup.*, limit.memory_bytes, limit.cgroup_bytes, limit.threads. */
void watch_cgroup_read(const watch_cgroup *c, watch_sample *out);
/* machine.*, limit.machine_bytes from the text of /proc/meminfo. */
void watch_machine_read(watch_sample *out, const char *meminfo, size_t n);

#endif
