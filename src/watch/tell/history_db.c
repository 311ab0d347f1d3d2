/* history_db.c: writing: samples in one transaction each. Coarser rows and thinning out, once a
 * minute, are history_thin.c; reading is history_load.c. */
#include "history_db.h"

#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "history_own.h"

enum {
    MOST_LOG_PAGES = 200, /* of the write-ahead log before it is written back */
    CACHE_KIB = 512,
    BUSY_MS = 250, /* a reader with a lock; write-ahead logs have hardly any */
    MOST_PROCESSES_A_SAMPLE = 256
};

/* ---- SQLite ---- */

static vg_status fail(const watch_history_db *h, const char *what, vg_error *err)
{
    const int code = h->db != NULL ? sqlite3_errcode(h->db) & 0xff : SQLITE_NOMEM;
    const char *why = h->db != NULL ? sqlite3_errmsg(h->db) : "no memory";
    switch (code) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return base_fail(err, VG_ERR_FORMAT, h->path, "move it away: a new one is begun", "%s: %s",
                         what, why);
    case SQLITE_FULL:
    case SQLITE_IOERR:
        return base_fail(err, VG_ERR_IO, h->path, "make room on the disk, or --history 0", "%s: %s",
                         what, why);
    default:
        return base_fail(err, VG_ERR_IO, h->path, NULL, "%s: %s", what, why);
    }
}

/* Runs a prepared statement whose values are bound; one number may come back. */
vg_status history_run(watch_history_db *h, history_statement which, int64_t *a, int64_t *b,
                      vg_error *err)
{
    sqlite3_stmt *s = h->statements[which];
    int code = sqlite3_step(s);
    if (code == SQLITE_ROW) {
        if (a != NULL)
            *a = sqlite3_column_int64(s, 0);
        if (b != NULL)
            *b = sqlite3_column_int64(s, 1);
        code = SQLITE_DONE;
    }
    const vg_status st = code == SQLITE_DONE ? VG_OK : fail(h, "cannot write the history", err);
    sqlite3_reset(s);
    return st;
}

void history_bind_numbers(watch_history_db *h, history_statement which, int n,
                          const int64_t *values)
{
    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(h->statements[which], i + 1, values[i]);
}

/* What is not known is NULL. */
static void bind_real(sqlite3_stmt *s, int at, double value)
{
    if (isnan(value))
        sqlite3_bind_null(s, at);
    else
        sqlite3_bind_double(s, at, value);
}

/* The text must live until the statement has run. */
static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
    if (text[0] == '\0')
        sqlite3_bind_null(s, at);
    else
        sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

vg_status history_begin(watch_history_db *h, vg_error *err)
{
    return history_run(h, HISTORY_BEGIN, NULL, NULL, err);
}

/* Commits what went well, and takes back the rest. */
vg_status history_end(watch_history_db *h, vg_status st, vg_error *err)
{
    if (st == VG_OK)
        st = history_run(h, HISTORY_COMMIT, NULL, NULL, err);
    if (st != VG_OK && !sqlite3_get_autocommit(h->db))
        history_run(h, HISTORY_ROLLBACK, NULL, NULL, NULL);
    return st;
}

/* ---- open ---- */

static vg_status execute(watch_history_db *h, const char *text, vg_error *err)
{
    return sqlite3_exec(h->db, text, NULL, NULL, NULL) == SQLITE_OK
               ? VG_OK
               : fail(h, "cannot use the history", err);
}

static vg_status ask(watch_history_db *h, const char *text, int64_t *a, int64_t *b, vg_error *err)
{
    sqlite3_stmt *s = NULL;
    *a = 0;
    if (sqlite3_prepare_v2(h->db, text, -1, &s, NULL) != SQLITE_OK)
        return fail(h, "cannot read the history", err);
    const int code = sqlite3_step(s);
    if (code == SQLITE_ROW) {
        *a = sqlite3_column_int64(s, 0);
        if (b != NULL)
            *b = sqlite3_column_int64(s, 1);
    }
    sqlite3_finalize(s);
    return code == SQLITE_ROW || code == SQLITE_DONE ? VG_OK
                                                     : fail(h, "cannot read the history", err);
}

static vg_status prepare_tables(watch_history_db *h, vg_error *err)
{
    char text[256];
    int64_t version = 0, n_tables = 0;
    const size_t n_pages = h->most_bytes / HISTORY_PAGE_BYTES,
                 log_pages = n_pages / 24 < MOST_LOG_PAGES ? n_pages / 24 : MOST_LOG_PAGES;
    /* The log belongs to the bound: a sixth is set aside for it. */
    h->most_bytes -= h->most_bytes / 6;
    base_format(text, sizeof text,
                "PRAGMA cache_size=-%d;PRAGMA synchronous=NORMAL;PRAGMA wal_autocheckpoint=%zu;"
                "PRAGMA journal_size_limit=%zu;PRAGMA max_page_count=%zu;",
                CACHE_KIB, log_pages, log_pages * HISTORY_PAGE_BYTES,
                h->most_bytes / HISTORY_PAGE_BYTES);
    vg_status st = execute(h, "PRAGMA page_size=4096;PRAGMA journal_mode=WAL;", err);
    if (st == VG_OK)
        st = execute(h, text, err);
    if (st == VG_OK)
        st = ask(h, "PRAGMA user_version", &version, NULL, err);
    if (st == VG_OK)
        st = ask(h, "SELECT count(*) FROM sqlite_schema", &n_tables, NULL, err);
    if (st == VG_OK && n_tables > 0 && version != HISTORY_VERSION)
        return base_fail(err, VG_ERR_FORMAT, h->path, "move it away: a new one is begun",
                         "a history of version %lld, not %d", (long long)version, HISTORY_VERSION);
    if (st != VG_OK || n_tables > 0)
        return st;
    st = execute(h, "BEGIN", err);
    if (st == VG_OK)
        st = execute(h, HISTORY_SCHEMA, err);
    base_format(text, sizeof text, "PRAGMA user_version=%d;COMMIT", HISTORY_VERSION);
    return st == VG_OK ? execute(h, text, err) : st;
}

static vg_status prepare_statements(watch_history_db *h, vg_error *err)
{
    static const char *const texts[] = {
#define X(name, text) text,
        HISTORY_STATEMENTS(X)
#undef X
    };
    for (int i = 0; i < HISTORY_N_STATEMENTS; i++)
        if (sqlite3_prepare_v3(h->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &h->statements[i],
                               NULL) != SQLITE_OK)
            return fail(h, "cannot use the history", err);
    return VG_OK;
}

/* What an earlier guard left: where its samples ended, and which rows its series have. */
static vg_status take_up(watch_history_db *h, vg_error *err)
{
    sqlite3_stmt *s = NULL;
    int64_t n_rows, latest, began_ms;
    vg_status st =
        ask(h, "SELECT count(*),max(time_ms) FROM reading WHERE step_s=0", &n_rows, &latest, err);
    if (st == VG_OK)
        st = ask(h, "SELECT began_unix_s*1000,samples FROM run", &began_ms, &h->n_samples, err);
    if (st != VG_OK)
        return st;
    h->now_ms = n_rows > 0 ? latest : -1;
    h->began_unix_s = began_ms > 0 ? (double)began_ms * 1e-3 : NAN;
    for (int i = 1; i < HISTORY_N_LEVELS && st == VG_OK; i++) {
        char text[128];
        int64_t middle_ms;
        base_format(text, sizeof text, "SELECT count(*),max(time_ms) FROM reading WHERE step_s=%d",
                    history_levels[i].step_s);
        st = ask(h, text, &n_rows, &middle_ms, err);
        h->coarse_until_ms[i] = n_rows > 0 ? middle_ms + history_levels[i].step_s * 500 : 0;
    }
    if (st != VG_OK)
        return st;
    if (sqlite3_prepare_v2(h->db, "SELECT id,name FROM series", -1, &s, NULL) != SQLITE_OK)
        return fail(h, "cannot read the history", err);
    while (sqlite3_step(s) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(s, 1);
        const watch_series k = name != NULL ? watch_series_find(name) : WATCH_NONE;
        if (k != WATCH_NONE)
            h->series_ids[k] = sqlite3_column_int64(s, 0);
    }
    sqlite3_finalize(s);
    return VG_OK;
}

vg_status watch_history_db_open(watch_history_db **out, const char *path, size_t most_bytes,
                                base_mem *mem, vg_error *err)
{
    *out = NULL;
    if (most_bytes < WATCH_HISTORY_LEAST_BYTES)
        return base_fail(err, VG_ERR_ARGUMENT, "--history",
                         base_mend("at least %dK, or 0 for none", WATCH_HISTORY_LEAST_BYTES >> 10),
                         "a history of %zu bytes is too small", most_bytes);
    watch_history_db *h = base_alloc_zero(mem, 1, sizeof *h, err);
    if (h == NULL)
        return VG_ERR_MEMORY;
    h->most_bytes = most_bytes;
    base_format(h->path, sizeof h->path, "%s", path);
    /* Made by us, so that nobody else may read it; those beside it get its permissions. */
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        close(fd);
    vg_status st = VG_OK;
    if (sqlite3_open_v2(path, &h->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        st = fail(h, "cannot open the history", err);
    if (st == VG_OK) {
        sqlite3_busy_timeout(h->db, BUSY_MS);
        st = prepare_tables(h, err);
    }
    if (st == VG_OK)
        st = prepare_statements(h, err);
    if (st == VG_OK)
        st = take_up(h, err);
    if (st != VG_OK)
        watch_history_db_close(&h);
    *out = h;
    return st;
}

void watch_history_db_close(watch_history_db **db)
{
    watch_history_db *h = *db;
    if (h == NULL)
        return;
    if (h->n_known > 0) /* what is killed does not come here: readers tell one from the other */
        execute(h, "UPDATE run SET phase='ended'", NULL);
    for (int i = 0; i < HISTORY_N_STATEMENTS; i++)
        sqlite3_finalize(h->statements[i]);
    sqlite3_close(h->db);
    base_free(h);
    *db = NULL;
}

/* ---- rows ---- */

static vg_status add_readings(watch_history_db *h, const watch_sample *sample, vg_error *err)
{
    sqlite3_stmt *s = h->statements[HISTORY_READING];
    vg_status st = VG_OK;
    for (int k = 0; k < WATCH_N_SERIES && st == VG_OK; k++) {
        if (isnan(sample->value[k]))
            continue;
        if (h->series_ids[k] == 0) {
            bind_text(h->statements[HISTORY_SERIES], 1, watch_series_get((watch_series)k)->name);
            st = history_run(h, HISTORY_SERIES, &h->series_ids[k], NULL, err);
            if (st != VG_OK)
                return st;
        }
        sqlite3_bind_int64(s, 1, h->now_ms);
        sqlite3_bind_int64(s, 2, h->series_ids[k]);
        sqlite3_bind_double(s, 3, sample->value[k]);
        st = history_run(h, HISTORY_READING, NULL, NULL, err);
    }
    return st;
}

/* The row of a process; the one that was not seen for longest is forgotten when there are many. */
static vg_status find_process(watch_history_db *h, const watch_process *p, int64_t *id,
                              vg_error *err)
{
    known_process *slot = NULL;
    for (size_t i = 0; i < h->n_known; i++) {
        known_process *k = &h->known[i];
        if (k->pid == p->pid && k->start_ticks == p->start_ticks) {
            k->seen_ms = h->now_ms;
            *id = k->id;
            return VG_OK;
        }
        if (slot == NULL || k->seen_ms < slot->seen_ms)
            slot = k;
    }
    const int64_t values[] = {p->pid, (int64_t)p->start_ticks, p->parent, 0, p->role, h->now_ms};
    history_bind_numbers(h, HISTORY_PROCESS, 6, values);
    bind_text(h->statements[HISTORY_PROCESS], 4, p->name);
    const vg_status st = history_run(h, HISTORY_PROCESS, id, NULL, err);
    if (st != VG_OK)
        return st;
    if (h->n_known < HISTORY_KNOWN_PROCESSES)
        slot = &h->known[h->n_known++];
    *slot = (known_process){
        .pid = p->pid, .start_ticks = p->start_ticks, .id = *id, .seen_ms = h->now_ms};
    return VG_OK;
}

static vg_status add_process(watch_history_db *h, const watch_process *p, bool note_seen,
                             vg_error *err)
{
    int64_t id = 0;
    vg_status st = find_process(h, p, &id, err);
    if (st == VG_OK && note_seen) {
        sqlite3_stmt *seen = h->statements[HISTORY_PROCESS_SEEN];
        history_bind_numbers(h, HISTORY_PROCESS_SEEN, 3, (const int64_t[]){id, h->now_ms, p->role});
        bind_text(seen, 4, p->name);
        st = history_run(h, HISTORY_PROCESS_SEEN, NULL, NULL, err);
    }
    if (st != VG_OK)
        return st;
    sqlite3_stmt *s = h->statements[HISTORY_PROCESS_READING];
    history_bind_numbers(h, HISTORY_PROCESS_READING, 2, (const int64_t[]){h->now_ms, id});
    bind_real(s, 3, p->rss_bytes);
    bind_real(s, 4, p->cpu_s);
    sqlite3_bind_int(s, 5, p->threads);
    sqlite3_bind_int(s, 6, p->fds);
    return history_run(h, HISTORY_PROCESS_READING, NULL, NULL, err);
}

static vg_status add_processes(watch_history_db *h, const watch_moment *m, bool note_seen,
                               vg_error *err)
{
    vg_status st = VG_OK;
    size_t n = 0;
    /* Of a tree past the bound, those that were first: main and its oldest. */
    for (size_t i = 0; i < m->n_processes && n < MOST_PROCESSES_A_SAMPLE && st == VG_OK; i++, n++)
        st = add_process(h, &m->processes[i], note_seen, err);
    return st;
}

static vg_status add_run(watch_history_db *h, const watch_moment *m, vg_error *err)
{
    sqlite3_stmt *s = h->statements[HISTORY_RUN];
    bind_text(s, 1, m->command);
    bind_text(s, 2, m->folder);
    bind_text(s, 3, m->run_folder);
    bind_real(s, 4, h->began_unix_s);
    bind_real(s, 5, h->now_ms >= 0 ? (double)h->now_ms * 1e-3 : NAN);
    sqlite3_bind_double(s, 6, m->options->interval_s);
    bind_text(s, 7, m->phase);
    sqlite3_bind_int(s, 8, m->n_restarts);
    sqlite3_bind_int64(s, 9, h->n_samples);
    return history_run(h, HISTORY_RUN, NULL, NULL, err);
}

static vg_status add_event(watch_history_db *h, history_statement which, const watch_event *e,
                           vg_error *err)
{
    sqlite3_stmt *s = h->statements[which];
    const watch_verdict *v = &e->verdict;
    const double reals[] = {v->level,
                            v->floor,
                            v->since_s,
                            v->growth,
                            v->slope_per_s,
                            v->slope_low_per_s,
                            v->slope_high_per_s,
                            v->limit,
                            v->exhaustion_s,
                            v->exhaustion_low_s,
                            v->exhaustion_high_s};
    sqlite3_bind_double(s, 1, e->time_s + (double)h->shift_ms * 1e-3);
    bind_text(s, 2, watch_series_get(e->series)->name);
    bind_text(s, 3, watch_state_name(e->was));
    bind_text(s, 4, watch_state_name(v->state));
    bind_text(s, 5, watch_shape_name(v->shape));
    for (int i = 0; i < (int)(sizeof reals / sizeof *reals); i++)
        bind_real(s, 6 + i, reals[i]);
    bind_text(s, 17, v->unit != WATCH_NONE ? watch_series_get(v->unit)->name : "");
    bind_real(s, 18, v->unit != WATCH_NONE ? v->per_unit : NAN);
    bind_text(s, 19, e->rule);
    bind_real(s, 20, e->rule[0] != '\0' ? e->confidence_0_1 : NAN);
    bind_text(s, 21, e->cause);
    bind_text(s, 22, e->evidence);
    bind_text(s, 23, e->remedy);
    const vg_status st = history_run(h, which, NULL, NULL, err);
    sqlite3_clear_bindings(s); /* the texts are the caller's */
    return st;
}

static vg_status add_verdicts(watch_history_db *h, const watch_judge *j, vg_error *err)
{
    watch_event e;
    vg_status st = VG_OK;
    for (int k = 0; k < WATCH_N_SERIES && st == VG_OK; k++)
        if (watch_judge_get(j, (watch_series)k, &e))
            st = add_event(h, HISTORY_VERDICT, &e, err);
    return st;
}

/* ---- public ---- */

/* Time of the sample in the history's own count: that of a guard which took this file up, and of a
 * sampler that began anew, goes on where the last one ended, as far on as the wall clock says. */
static void set_time(watch_history_db *h, const watch_moment *m)
{
    const double wall_s = (double)m->wall_ns * 1e-9;
    const int64_t at_ms = (int64_t)llround(m->sample->time_s * 1000);
    if (isnan(h->began_unix_s))
        h->began_unix_s = wall_s - m->sample->time_s;
    if (at_ms + h->shift_ms <= h->now_ms) {
        const int64_t by_wall = (int64_t)((wall_s - h->began_unix_s) * 1000),
                      next = h->now_ms + (int64_t)(m->options->interval_s * 1000);
        h->shift_ms = (by_wall > next ? by_wall : next) - at_ms;
    }
    h->now_ms = at_ms + h->shift_ms;
}

vg_status watch_history_db_sample(watch_history_db *h, const watch_moment *m, vg_error *err)
{
    const int64_t was_ms = h->now_ms;
    int64_t until[HISTORY_N_LEVELS];
    memcpy(until, h->coarse_until_ms, sizeof until);
    set_time(h, m);
    const bool is_minute = was_ms < 0 || h->now_ms / 60000 != was_ms / 60000;
    /* A young run is asked about by its second minute: its verdicts are kept fresh at first. */
    const bool is_young = h->n_samples < 12;
    vg_status st = history_begin(h, err);
    if (st != VG_OK)
        return st;
    h->n_samples++;
    st = add_readings(h, m->sample, err);
    if (st == VG_OK)
        st = add_processes(h, m, is_minute || is_young, err);
    if (st == VG_OK)
        st = add_run(h, m, err);
    if (st == VG_OK && (is_minute || is_young))
        st = add_verdicts(h, m->judge, err);
    if (st == VG_OK && is_minute)
        st = history_thin_out(h, m->options->interval_s, err);
    st = history_end(h, st, err);
    if (st != VG_OK) { /* rows that were taken back are not known */
        memcpy(h->coarse_until_ms, until, sizeof until);
        memset(h->series_ids, 0, sizeof h->series_ids);
        h->n_known = 0;
        return st;
    }
    return is_minute ? history_shrink(h, err) : VG_OK;
}

vg_status watch_history_db_event(watch_history_db *h, const watch_event *e, vg_error *err)
{
    vg_status st = history_begin(h, err);
    if (st != VG_OK)
        return st;
    st = add_event(h, HISTORY_EVENT, e, err);
    if (st == VG_OK)
        st = add_event(h, HISTORY_VERDICT, e, err);
    return history_end(h, st, err);
}

vg_status watch_history_db_note(watch_history_db *h, const char *text, const watch_moment *m,
                                vg_error *err)
{
    vg_status st = history_begin(h, err);
    if (st != VG_OK)
        return st;
    sqlite3_stmt *s = h->statements[HISTORY_NOTE];
    sqlite3_bind_double(s, 1, fmax(0, (double)h->now_ms * 1e-3));
    sqlite3_bind_int(s, 2, m->n_restarts);
    bind_text(s, 3, text);
    st = history_run(h, HISTORY_NOTE, NULL, NULL, err);
    if (st == VG_OK)
        st = add_run(h, m, err);
    return history_end(h, st, err);
}
