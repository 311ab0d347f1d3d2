/* spaces.h: memory and room that a job takes outside its processes: /dev/shm, /tmp, the disk of its
 * run. For this folder. */
#ifndef WATCH_SPACES_H
#define WATCH_SPACES_H

#include <time.h>

#include "held.h"
#include "tree.h"

/* shm.*, tmp.bytes, disk.used_bytes and their limits. Files of uid alone count, in folders too, to
 * a bounded number and depth; of /dev/shm only those that held knows as the job's. main: whose
 * mounts are meant; NULL: ours. run_folder: "": the working directory. *unclaimed: bytes in
 * /dev/shm of uid's files that were changed after `since` and are not known as the job's. */
void watch_spaces_read(double value[WATCH_N_SERIES], watch_held *held, const watch_tree *t,
                       const watch_member *main, uid_t uid, time_t since, const char *run_folder,
                       double *unclaimed);

#endif
