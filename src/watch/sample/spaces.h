/* spaces.h: memory and room that a job takes outside its processes: /dev/shm, /tmp, the disk of its
 * run. For this folder. */
#ifndef WATCH_SPACES_H
#define WATCH_SPACES_H

#include <time.h>

#include "held.h"
#include "tree.h"

/* shm.* and its limit. Files of uid alone count, in folders too, to a bounded number and depth;
 * only those that held knows as the job's. main: whose mounts are meant; NULL: ours. *unclaimed:
 * bytes of uid's files that were changed after `since` and are not known as the job's. */
void watch_spaces_read_shm(double value[WATCH_N_SERIES], watch_held *held, const watch_tree *t,
                           const watch_member *main, uid_t uid, time_t since, double *unclaimed);
/* tmp.bytes (every file of uid), disk.used_bytes and their limits. run_folder: "": the working
 * directory. */
void watch_spaces_read_disks(double value[WATCH_N_SERIES], const watch_tree *t,
                             const watch_member *main, uid_t uid, const char *run_folder);

#endif
