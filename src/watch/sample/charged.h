/* charged.h: which part of a reading a limit of memory bounds.
 *
 * Limits count what cannot be taken back: anonymous memory, shared memory (tmpfs), the kernel's own
 * for the job. Pages of files, such as the text of a large library, are dropped when room is
 * needed; RSS and PSS have them, and a cgroup may not even have them on its account, for whoever
 * reads a page first pays for it. For this subsystem. */
#ifndef WATCH_CHARGED_H
#define WATCH_CHARGED_H

#include "series.h"

/* The pages of files in a series of memory; 0: it has none, or they are not known. What old traces
 * lack is worked out from what they have. */
double watch_charged_files(const watch_sample *now, watch_series s);
/* What the cgroup cannot give back: anonymous, shared, the kernel's. NAN: no cgroup is known. */
double watch_charged_cgroup(const watch_sample *now);
/* The same of the job's processes, main and children; NAN: not known. */
double watch_charged_tree(const watch_sample *now);
/* What is shown as in use of limit.memory_bytes: the cgroup's where the limit is a cgroup's
 * of the job's own, else the tree's, else what is resident. */
double watch_charged_in_use(const watch_sample *now);
/* Is the limit in force the cgroup's, on whose account the job is most? A limit of the user's that
 * no cgroup holds is the job's alone, and what others have on the account is not held against it.
 */
bool watch_charged_by_cgroup(const watch_sample *now, double limit_memory, double limit_cgroup);
/* A cgroup's figures are the job's when the job is most of it: jobs that share one are not blamed
 * for each other. True when it cannot be known: a cgroup that is watched as such has no main. */
bool watch_charged_is_ours(const watch_sample *now);
/* A file of /dev/shm that was made and closed between two looks was seen with nobody. Where the
 * cgroup has a limit and is the job's alone, its account tells that shared memory is on it which
 * the known files (bytes) do not explain: so much of the user's other new files (unclaimed, bytes)
 * is the job's. Else 0. */
double watch_charged_unseen_shm(const watch_sample *now, double known, double unclaimed);

#endif
