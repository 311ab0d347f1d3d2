/* history_own.h: the writing side of history.db, shared by history_db.c and history_thin.c. For
 * those alone. */
#ifndef WATCH_HISTORY_OWN_H
#define WATCH_HISTORY_OWN_H

#include <sqlite3.h>

#include "history_db.h"
#include "history_sql.h"

enum { HISTORY_PAGE_BYTES = 4096, HISTORY_KNOWN_PROCESSES = 1024, HISTORY_N_LEVELS = 3 };

/* Steps of rows in seconds (0: as sampled), and how long they are kept; the last as long as there
 * is room. */
typedef struct history_level {
    int step_s;
    double keep_s;
    double least_s; /* what thinning out leaves if it can, */
    double bare_s;  /* and always: the next level is made from it */
} history_level;
extern const history_level history_levels[HISTORY_N_LEVELS];

typedef struct known_process {
    pid_t pid;
    uint64_t start_ticks;
    int64_t id, seen_ms;
} known_process;

struct watch_history_db {
    sqlite3 *db;
    sqlite3_stmt *statements[HISTORY_N_STATEMENTS];
    size_t most_bytes;
    int64_t series_ids[WATCH_N_SERIES]; /* 0: no row yet */
    int64_t now_ms;                     /* of the last sample; -1: none yet */
    int64_t shift_ms;                   /* added to the sampler's times */
    int64_t coarse_until_ms[HISTORY_N_LEVELS];
    int64_t n_samples;
    double began_unix_s;
    size_t n_known;
    known_process known[HISTORY_KNOWN_PROCESSES];
    char path[4096];
};

/* Runs a prepared statement whose values are bound; one row of two numbers may come back. */
vg_status history_run(watch_history_db *h, history_statement which, int64_t *a, int64_t *b,
                      vg_error *err);
void history_bind_numbers(watch_history_db *h, history_statement which, int n,
                          const int64_t *values);
vg_status history_begin(watch_history_db *h, vg_error *err);
/* Commits what went well, and takes back the rest. */
vg_status history_end(watch_history_db *h, vg_status st, vg_error *err);

/* Within a sample's transaction, once a minute; and after it, which is transactions of its own. */
vg_status history_thin_out(watch_history_db *h, double interval_s, vg_error *err);
vg_status history_shrink(watch_history_db *h, vg_error *err);

#endif
