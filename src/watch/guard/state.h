/* state.h: what a guard that died leaves for the next one: FOLDER/state.bin.
 *
 * Written every minute and whenever the job is started; removed when the guard ends as it should. A
 * lock of the process (FOLDER/guard.lock) keeps two guards from one folder; the kernel takes it
 * away with the process. The file is bound to this boot and this job. It is believed only when
 * every field of it can be true: what stands in it ends processes and writes into folders. For this
 * folder. */
#ifndef WATCH_STATE_H
#define WATCH_STATE_H

#include <sys/types.h>

#include "watch/judge/judge.h"

typedef struct watch_state_facts {
    pid_t pid;
    uint64_t start_ticks;
    int n_restarts;
    double since_s;        /* of the newest sample: time goes on from there */
    double restarts_s[64]; /* ages of the newest restarts when it was written; NAN: none */
    int64_t wall_ns;       /* when it was written */
    char cgroup[4096];     /* of the job's own; "" */
    char socket_env[128];  /* where it reports of itself */
} watch_state_facts;

typedef struct watch_state_file watch_state_file;

/* Where a job reports of itself, in its environment: WATCH_STATE_SOCKET, a guard's number, the
 * moment, and of which folder that guard was (watch_state_folder_mark). By it the next guard knows
 * the job, and no other folder's state.bin can claim it. */
#define WATCH_STATE_SOCKET "VIGIL_WATCH_SOCKET=@vigil-watch-"
uint64_t watch_state_folder_mark(const char *folder);

/* job: by what the job is known again. Errors: VG_ERR_LIMIT: another guard has the folder;
 * VG_ERR_IO: it is somebody else's, or cannot be locked; VG_ERR_MEMORY. */
vg_status watch_state_open(watch_state_file **out, const char *folder, uint64_t job,
                           const watch_judge *j, base_mem *mem, vg_error *err);
/* False: there is none, or it is of another boot, job or version (*why is ""), or it cannot be
 * believed (*why says what of it). The judge is loaded when it is true. */
bool watch_state_read(watch_state_file *s, watch_state_facts *out, watch_judge *j,
                      const char **why);
/* Every field can be true. NULL, or what is wrong. */
const char *watch_state_check(const watch_state_facts *f, uint64_t folder_mark);
/* The process that it names is the one, and was started by a guard of this folder. */
bool watch_state_is_job(const watch_state_facts *f);
vg_status watch_state_write(watch_state_file *s, const watch_state_facts *f, const watch_judge *j,
                            vg_error *err);
/* remove: nothing is left to take up. */
void watch_state_close(watch_state_file **s, bool remove);

#endif
