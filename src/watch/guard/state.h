/* state.h: what a guard that died leaves for the next one: FOLDER/state.bin.
 *
 * Written every minute and whenever the job is started; removed when the guard ends as it should. A
 * lock of the process (FOLDER/guard.lock) keeps two guards from one folder; the kernel takes it
 * away with the process. The file is bound to this boot and this command. For this folder. */
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
    char socket_env[128];  /* where it tells of itself */
} watch_state_facts;

typedef struct watch_state_file watch_state_file;

/* Errors: VG_ERR_ARGUMENT: another guard has the folder; VG_ERR_IO, VG_ERR_MEMORY. */
vg_status watch_state_open(watch_state_file **out, const char *folder, const char *command,
                           const watch_judge *j, base_mem *mem, vg_error *err);
/* False: there is none, or it is of another boot, command or version. The judge is loaded when the
 * bytes are its own. */
bool watch_state_read(watch_state_file *s, watch_state_facts *out, watch_judge *j);
vg_status watch_state_write(watch_state_file *s, const watch_state_facts *f, const watch_judge *j,
                            vg_error *err);
/* remove: nothing is left to take up. */
void watch_state_close(watch_state_file **s, bool remove);

#endif
