/* vault.h: the job's checkpoints: found, seen to be whole, and the last good ones kept.
 *
 * A file is the job's checkpoint when it lies in what the user named (--checkpoints, --run), or
 * when the job itself was seen to write it (witness.h); no other file is ever taken for one, kept,
 * gone on from or replaced. It is believed when it has not changed for a while and its own
 * structure says that it is all there (whole.h).
 *
 * Copies go to FOLDER/vault: bytes of their own, or blocks that the file system shares until one
 * of both is written; never a file that the job could write. A symbolic link and its target are one
 * checkpoint, and so are two names of one file. Files called best* are kept only when the job
 * writes no others: they are older than what a run goes on from. Bounds: 32 files are followed,
 * 4096 entries of folders read a look. For this folder. */
#ifndef WATCH_VAULT_H
#define WATCH_VAULT_H

#include <sys/types.h>

#include "base/base.h"
#include "watch/sample/witness.h"

enum { WATCH_VAULT_PATH_BYTES = 2048 };

typedef struct watch_vault watch_vault;

typedef struct watch_vault_options {
    const char *folder; /* the guard's own */
    const char *given;  /* a file, or a folder; "": found */
    const char *run;    /* where the user says that the job writes; "": not known */
    int keep;           /* 0: nothing is copied */
    double interval_s;  /* between looks, normally */
    uint64_t job;      /* whose copies are gone on from: another job's are put aside; 0: anyone's */
    char *const *argv; /* the command, whose words may be folders to look into; NULL */
    watch_witness *witness; /* borrowed; NULL: only what was named is the job's */
} watch_vault_options;

vg_status watch_vault_create(watch_vault **out, const watch_vault_options *o, base_mem *mem,
                             vg_error *err);
void watch_vault_destroy(watch_vault **v);

/* pid: the main process, whose working folder is looked into when nothing was given; 0: none. run:
 * a folder to look into, as well. True: something to tell is in `said`. */
bool watch_vault_look(watch_vault *v, pid_t pid, const char *run, double now_s, char *said,
                      size_t n_said);
/* On base_now_ns's clock, when the newest good one was seen to be whole; -INFINITY: never. */
double watch_vault_good_s(const watch_vault *v);
/* Between good ones; NAN: not yet known. */
double watch_vault_interval_s(const watch_vault *v);
const char *watch_vault_newest(const watch_vault *v); /* the job's own file; "" */

/* What a restart goes on from: the job's own newest one if it is whole at this moment; else the
 * newest whole copy, which is put back in its place: where nothing is, or what the job left torn.
 * What somebody else put or is putting there is left alone, and the restart gets a copy of its own
 * in FOLDER/resume. False: there is none. of: the job's own file that it is, or stands for. said:
 * what was found and done; "" when all is well. */
bool watch_vault_settle(watch_vault *v, char *path, char *of, size_t n_path, char *said,
                        size_t n_said);

#endif
