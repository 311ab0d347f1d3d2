/* vault.h: the job's checkpoints: found, seen to be whole, and the last good ones kept.
 *
 * A checkpoint is believed when it has not changed for a while and its own structure says that it
 * is all there (whole.h). Copies go to FOLDER/vault: by sharing the file's blocks where the file
 * system can; by a hard link when the job was seen to replace its file by a new one (what it
 * overwrites in place would change under a link); else byte by byte, as long as the disk has room
 * for twice that much. Files called best* are kept only when the job writes no others: they are
 * older than what a run goes on from. Bounds: 32 files are followed, 4096 entries of folders read
 * a look. For this folder. */
#ifndef WATCH_VAULT_H
#define WATCH_VAULT_H

#include <sys/types.h>

#include "base/base.h"

enum { WATCH_VAULT_PATH_BYTES = 2048 };

typedef struct watch_vault watch_vault;

typedef struct watch_vault_options {
    const char *folder; /* the guard's own */
    const char *given;  /* a file, or a folder; "": found */
    const char *run;    /* where the job writes; "": not known */
    int keep;           /* 0: nothing is copied */
    double interval_s;  /* between looks, normally */
} watch_vault_options;

vg_status watch_vault_create(watch_vault **out, const watch_vault_options *o, base_mem *mem,
                             vg_error *err);
void watch_vault_destroy(watch_vault **v);

/* pid: the main process, whose working folder and open files are looked at when nothing was given;
 * 0: none. True: something to tell is in `said`. */
bool watch_vault_look(watch_vault *v, pid_t pid, const char *run, double now_s, char *said,
                      size_t n_said);
/* On base_now_ns's clock, when the newest good one was seen to be whole; -INFINITY: never. */
double watch_vault_good_s(const watch_vault *v);
/* Between good ones; NAN: not yet known. */
double watch_vault_interval_s(const watch_vault *v);
const char *watch_vault_newest(const watch_vault *v); /* the job's own file; "" */

/* What a restart goes on from: the job's own newest one if it is whole at this moment; else the
 * newest whole copy, which is put back in the torn one's place. False: there is none. said: what
 * was found and done; "" when all is well. */
bool watch_vault_settle(watch_vault *v, char *path, size_t n_path, char *said, size_t n_said);

#endif
