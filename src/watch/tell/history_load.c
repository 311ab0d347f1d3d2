/* history_load.c: a history read into a story: the coarse rows of what is long past, then finer
 * ones, each time from where the finer step begins. */
#include <math.h>
#include <sqlite3.h>
#include <string.h>

#include "history_db.h"
#include "history_sql.h"
#include "watch/judge/rule.h"

enum { BUSY_MS = 2000, MOST_IDS = 512 };

typedef struct reader {
    sqlite3 *db;
    const char *path;
    watch_story *out;
    watch_series series[MOST_IDS]; /* by id */
} reader;

static vg_status fail(const reader *r, vg_error *err)
{
    const int code = r->db != NULL ? sqlite3_errcode(r->db) & 0xff : SQLITE_NOMEM;
    return base_fail(err,
                     code == SQLITE_CANTOPEN || code == SQLITE_IOERR ? VG_ERR_IO : VG_ERR_FORMAT,
                     r->path, "give a folder that vigil watch made", "cannot read the history: %s",
                     r->db != NULL ? sqlite3_errmsg(r->db) : "no memory");
}

static const char *text_at(sqlite3_stmt *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s, column);
    return text != NULL ? (const char *)text : "";
}

static double real_at(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL ? NAN : sqlite3_column_double(s, column);
}

/* Runs a query, row by row. ?1 and ?2 may be bound to a and b. */
static vg_status each(reader *r, const char *query, int64_t a, int64_t b,
                      void (*row)(reader *r, sqlite3_stmt *s), vg_error *err)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(r->db, query, -1, &s, NULL) != SQLITE_OK)
        return fail(r, err);
    sqlite3_bind_int64(s, 1, a);
    sqlite3_bind_int64(s, 2, b);
    int code;
    while ((code = sqlite3_step(s)) == SQLITE_ROW)
        row(r, s);
    const vg_status st = code == SQLITE_DONE ? VG_OK : fail(r, err);
    sqlite3_finalize(s);
    return st;
}

/* ---- rows ---- */

static void run_row(reader *r, sqlite3_stmt *s)
{
    watch_story *o = r->out;
    base_format(o->command, sizeof o->command, "%s", text_at(s, 0));
    base_format(o->folder, sizeof o->folder, "%s", text_at(s, 1));
    base_format(o->run_folder, sizeof o->run_folder, "%s", text_at(s, 2));
    o->began_unix_s = real_at(s, 3);
    o->interval_s = real_at(s, 4);
    base_format(o->phase, sizeof o->phase, "%s", text_at(s, 5));
    o->n_restarts = sqlite3_column_int(s, 6);
    o->is_live = strcmp(o->phase, "ended") != 0;
}

static void series_row(reader *r, sqlite3_stmt *s)
{
    const int64_t id = sqlite3_column_int64(s, 0);
    if (id > 0 && id < MOST_IDS)
        r->series[id] = watch_series_find(text_at(s, 1));
}

/* A process in its last known shape, with what changes from the reading. */
static void process_row(reader *r, sqlite3_stmt *s)
{
    watch_process p = {.pid = sqlite3_column_int(s, 7),
                       .start_ticks = (uint64_t)sqlite3_column_int64(s, 8),
                       .parent = sqlite3_column_int(s, 9),
                       .state = '?',
                       .rss_bytes = real_at(s, 3),
                       .pss_bytes = NAN,
                       .anon_bytes = NAN,
                       .cpu_s = real_at(s, 4),
                       .threads = sqlite3_column_int(s, 5),
                       .fds = sqlite3_column_int(s, 6)};
    const int role = sqlite3_column_int(s, 11);
    p.role = role >= WATCH_MAIN && role <= WATCH_ORPHAN ? (watch_role)role : WATCH_HELPER;
    base_format(p.name, sizeof p.name, "%s", text_at(s, 10));
    p.age_s = (sqlite3_column_double(s, 1) - sqlite3_column_double(s, 12)) * 1e-3;
    watch_story_process(r->out, &p);
}

/* Readings and processes in one sequence by time: kind 0 and 1. */
static void reading_row(reader *r, sqlite3_stmt *s)
{
    const double time_s = sqlite3_column_double(s, 1) * 1e-3;
    if (!(time_s <= r->out->now_s))
        watch_story_moment(r->out, time_s);
    if (sqlite3_column_int(s, 0) == 1) {
        process_row(r, s);
        return;
    }
    const int64_t id = sqlite3_column_int64(s, 2);
    const watch_series k = id > 0 && id < MOST_IDS ? r->series[id] : WATCH_NONE;
    if (k == WATCH_NONE)
        return;
    const double value = real_at(s, 3), low = real_at(s, 4), high = real_at(s, 5);
    watch_story_reading(r->out, k, value, isnan(low) ? value : low, isnan(high) ? value : high);
}

static const char *rule_name(const char *name)
{
    for (size_t i = 0; i < watch_n_rules; i++)
        if (strcmp(watch_rules[i]->name, name) == 0)
            return watch_rules[i]->name;
    return "";
}

static watch_state find_state(const char *name)
{
    for (int i = 0; i < WATCH_N_STATES; i++)
        if (strcmp(watch_state_name((watch_state)i), name) == 0)
            return (watch_state)i;
    return WATCH_LEARNING;
}

static watch_shape find_shape(const char *name)
{
    for (int i = 0; i < WATCH_N_SHAPES; i++)
        if (strcmp(watch_shape_name((watch_shape)i), name) == 0)
            return (watch_shape)i;
    return WATCH_SHAPE_UNKNOWN;
}

/* time_s, series and HISTORY_VERDICT_COLUMNS. False: a series that no one knows. */
static bool read_event(watch_event *e, sqlite3_stmt *s)
{
    const watch_series k = watch_series_find(text_at(s, 1));
    if (k == WATCH_NONE)
        return false;
    *e = (watch_event){.time_s = real_at(s, 0),
                       .series = k,
                       .was = find_state(text_at(s, 2)),
                       .verdict = {.state = find_state(text_at(s, 3)),
                                   .shape = find_shape(text_at(s, 4)),
                                   .level = real_at(s, 5),
                                   .floor = real_at(s, 6),
                                   .since_s = real_at(s, 7),
                                   .growth = real_at(s, 8),
                                   .slope_per_s = real_at(s, 9),
                                   .slope_low_per_s = real_at(s, 10),
                                   .slope_high_per_s = real_at(s, 11),
                                   .limit = real_at(s, 12),
                                   .exhaustion_s = real_at(s, 13),
                                   .exhaustion_low_s = real_at(s, 14),
                                   .exhaustion_high_s = real_at(s, 15),
                                   .unit = watch_series_find(text_at(s, 16)),
                                   .per_unit = real_at(s, 17)},
                       .rule = rule_name(text_at(s, 18)),
                       .confidence_0_1 = real_at(s, 19)};
    base_format(e->cause, sizeof e->cause, "%s", text_at(s, 20));
    base_format(e->evidence, sizeof e->evidence, "%s", text_at(s, 21));
    base_format(e->remedy, sizeof e->remedy, "%s", text_at(s, 22));
    return true;
}

static void told_row(reader *r, sqlite3_stmt *s)
{
    watch_event e;
    if (sqlite3_column_type(s, 1) == SQLITE_NULL)
        watch_story_note(r->out, real_at(s, 0), text_at(s, 20));
    else if (read_event(&e, s))
        watch_story_event(r->out, &e);
}

static void verdict_row(reader *r, sqlite3_stmt *s)
{
    watch_event e;
    if (!read_event(&e, s))
        return;
    r->out->verdicts[e.series] = e;
    r->out->is_judged[e.series] = true;
}

/* ---- the whole ---- */

/* From when on rows of a step are there: what is coarser is read up to there. */
static int64_t begin_of(const reader *r, int step_s)
{
    sqlite3_stmt *s = NULL;
    int64_t at = INT64_MAX;
    if (sqlite3_prepare_v2(r->db, "SELECT min(time_ms) FROM reading WHERE step_s=?1", -1, &s,
                           NULL) == SQLITE_OK) {
        sqlite3_bind_int(s, 1, step_s);
        if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL)
            at = sqlite3_column_int64(s, 0);
    }
    sqlite3_finalize(s);
    return at;
}

static vg_status read_level(reader *r, int step_s, int64_t until_ms, vg_error *err)
{
    return each(r,
                "SELECT 0,time_ms,series,value,low,high,0,0,0,0,NULL,0,0 FROM reading "
                "WHERE step_s=?1 AND time_ms<?2 UNION ALL "
                "SELECT 1,time_ms,process,rss_bytes,cpu_s,threads,fds,pid,start_ticks,parent,name,"
                "role,first_ms FROM process_reading JOIN process ON process.id=process "
                "WHERE step_s=?1 AND time_ms<?2 ORDER BY 2,1,3",
                step_s, until_ms, reading_row, err);
}

static vg_status retell(reader *r, vg_error *err)
{
    int64_t version = -1;
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(r->db, "PRAGMA user_version", -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        version = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    if (version < 0)
        return fail(r, err);
    if (version != HISTORY_VERSION)
        return base_fail(err, VG_ERR_FORMAT, r->path,
                         "read it by the vigil that wrote it, or give its trace.csv",
                         "a history of version %lld, not %d", (long long)version, HISTORY_VERSION);
    const int64_t raw = begin_of(r, 0), minutes = begin_of(r, 60);
    vg_status st = each(r,
                        "SELECT command,folder,run_folder,began_unix_s,interval_s,phase,restarts "
                        "FROM run",
                        0, 0, run_row, err);
    if (st == VG_OK)
        st = each(r, "SELECT id,name FROM series", 0, 0, series_row, err);
    if (st == VG_OK)
        st = read_level(r, 600, minutes < raw ? minutes : raw, err);
    if (st == VG_OK)
        st = read_level(r, 60, raw, err);
    if (st == VG_OK)
        st = read_level(r, 0, INT64_MAX, err);
    if (st == VG_OK)
        st = each(r,
                  "SELECT time_s,series," HISTORY_VERDICT_COLUMNS ",id,0 AS kind FROM event "
                  "UNION ALL SELECT time_s,NULL,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,text,0,0,id,1 "
                  "FROM note ORDER BY 1,kind DESC,id",
                  0, 0, told_row, err);
    return st == VG_OK ? each(r, "SELECT time_s,series," HISTORY_VERDICT_COLUMNS " FROM verdict", 0,
                              0, verdict_row, err)
                       : st;
}

vg_status watch_history_db_load(const char *path, watch_story *out, vg_error *err)
{
    reader r = {.path = path, .out = out};
    for (int i = 0; i < MOST_IDS; i++)
        r.series[i] = WATCH_NONE;
    vg_status st = VG_OK;
    if (!base_path_exists(path))
        return base_fail(err, VG_ERR_IO, path, "give a folder that vigil watch made",
                         "there is no history");
    if (sqlite3_open_v2(path, &r.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        st = fail(&r, err);
    if (st == VG_OK) {
        sqlite3_busy_timeout(r.db, BUSY_MS);
        /* One view of a file that is being written. */
        sqlite3_exec(r.db, "PRAGMA query_only=1;BEGIN", NULL, NULL, NULL);
        st = retell(&r, err);
    }
    sqlite3_close(r.db);
    return st;
}
