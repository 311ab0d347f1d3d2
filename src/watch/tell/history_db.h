/* history_db.h: what was seen and said, in an SQLite file that anything can read.
 *
 * Tables: run (one row), series, reading, process, process_reading, event, note, verdict; docs/
 * watch.md has their columns. Every sample is kept for an hour, a row a minute for a day, a row
 * each ten minutes after that; and when the file nears its bound, the oldest of these are thinned
 * out earlier. Coarser rows are made from finer ones inside the database, so a kill loses at most
 * the sample in hand (write-ahead log, synced at checkpoints). One owner. Its memory is SQLite's,
 * with a page cache of 512 KiB; ours is taken at open. */
#ifndef WATCH_HISTORY_DB_H
#define WATCH_HISTORY_DB_H

#include "story.h"

enum { WATCH_HISTORY_LEAST_BYTES = 512 << 10 };

typedef struct watch_history_db watch_history_db;

/* Makes the file or goes on with it. most_bytes: bound of the file and its log together. Errors:
 * VG_ERR_ARGUMENT (a bound below WATCH_HISTORY_LEAST_BYTES), VG_ERR_IO, VG_ERR_FORMAT (no history,
 * or another version's). */
vg_status watch_history_db_open(watch_history_db **out, const char *path, size_t most_bytes,
                                base_mem *mem, vg_error *err);
void watch_history_db_close(watch_history_db **db);

/* Each is one transaction: whole or not at all. Errors: VG_ERR_IO, also when the disk is full; the
 * next call tries again. */
vg_status watch_history_db_sample(watch_history_db *db, const watch_moment *m, vg_error *err);
vg_status watch_history_db_event(watch_history_db *db, const watch_event *e, vg_error *err);
vg_status watch_history_db_note(watch_history_db *db, const char *text, const watch_moment *m,
                                vg_error *err);
/* Bytes of the file in use, its log not counted. */
size_t watch_history_db_bytes(watch_history_db *db);

/* Retells a history, also one that is being written. *out is initialised. */
vg_status watch_history_db_load(const char *path, watch_story *out, vg_error *err);

#endif
