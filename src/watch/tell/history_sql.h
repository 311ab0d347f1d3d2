/* history_sql.h: the texts of history_db.c: its tables and what is asked of them. For it alone. */
#ifndef WATCH_HISTORY_SQL_H
#define WATCH_HISTORY_SQL_H

#include "base/base.h"

enum { HISTORY_VERSION = 1 };

/* Columns that event and verdict share, behind time_s and series, in the order in which they are
 * bound and read. */
#define HISTORY_VERDICT_COLUMNS                                                                    \
    "was,state,shape,level,floor,since_s,growth,slope_per_s,slope_low_per_s,slope_high_per_s,"     \
    "limit_at,exhaustion_s,exhaustion_low_s,exhaustion_high_s,unit,per_unit,rule,confidence,"      \
    "cause,evidence,remedy"

static const char HISTORY_SCHEMA[] =
    "CREATE TABLE run(id INTEGER PRIMARY KEY CHECK(id=1),command TEXT,folder TEXT,run_folder TEXT,"
    "began_unix_s REAL,now_s REAL,interval_s REAL,phase TEXT,restarts INTEGER,samples INTEGER);"
    "CREATE TABLE series(id INTEGER PRIMARY KEY,name TEXT UNIQUE);"
    "CREATE TABLE reading(step_s INTEGER,time_ms INTEGER,series INTEGER,value REAL,low REAL,"
    "high REAL,PRIMARY KEY(step_s,time_ms,series))WITHOUT ROWID;"
    "CREATE TABLE process(id INTEGER PRIMARY KEY,pid INTEGER,start_ticks INTEGER,parent INTEGER,"
    "name TEXT,role INTEGER,first_ms INTEGER,last_ms INTEGER,"
    "UNIQUE(pid,start_ticks));"
    "CREATE TABLE process_reading(step_s INTEGER,time_ms INTEGER,process INTEGER,rss_bytes INTEGER,"
    "cpu_s REAL,threads INTEGER,fds INTEGER,PRIMARY KEY(step_s,time_ms,process))WITHOUT ROWID;"
    "CREATE TABLE event(id INTEGER PRIMARY KEY,time_s REAL,series TEXT," HISTORY_VERDICT_COLUMNS
    ");"
    "CREATE TABLE verdict(time_s REAL,series TEXT PRIMARY KEY," HISTORY_VERDICT_COLUMNS
    ")WITHOUT ROWID;"
    "CREATE TABLE note(id INTEGER PRIMARY KEY,time_s REAL,restarts INTEGER,text TEXT);";

#define HISTORY_23_VALUES                                                                          \
    "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,"                      \
    "?21,?22,?23"

/* X(name, text): prepared once, at open. Coarser rows: ?1 the step made, ?2 the step read, from ?3
 * ms up to ?4 ms. */
#define HISTORY_STATEMENTS(X)                                                                      \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(RUN, "INSERT OR REPLACE INTO run VALUES(1,?1,?2,?3,?4,?5,?6,?7,?8,?9)")                      \
    X(READING, "INSERT OR REPLACE INTO reading VALUES(0,?1,?2,?3,NULL,NULL)")                      \
    X(SERIES, "INSERT INTO series(name) VALUES(?1) ON CONFLICT(name) DO UPDATE SET "               \
              "name=excluded.name RETURNING id")                                                   \
    X(PROCESS, "INSERT INTO process VALUES(NULL,?1,?2,?3,?4,?5,?6,?6) "                            \
               "ON CONFLICT(pid,start_ticks) DO UPDATE SET last_ms=excluded.last_ms RETURNING id") \
    X(PROCESS_SEEN, "UPDATE process SET last_ms=?2,role=?3,name=?4 WHERE id=?1")                   \
    X(PROCESS_READING, "INSERT OR REPLACE INTO process_reading VALUES(0,?1,?2,?3,?4,?5,?6)")       \
    X(EVENT, "INSERT INTO event VALUES(NULL," HISTORY_23_VALUES ")")                               \
    X(VERDICT, "INSERT OR REPLACE INTO verdict VALUES(" HISTORY_23_VALUES ")")                     \
    X(NOTE, "INSERT INTO note VALUES(NULL,?1,?2,?3)")                                              \
    X(EVENTS_TRIM, "DELETE FROM event WHERE id<=(SELECT max(id) FROM event)-?1")                   \
    X(NOTES_TRIM, "DELETE FROM note WHERE id<=(SELECT max(id) FROM note)-?1")                      \
    X(COARSER,                                                                                     \
      "INSERT OR REPLACE INTO reading SELECT ?1,time_ms/(?1*1000)*(?1*1000)+?1*500,series,"        \
      "avg(value),min(coalesce(low,value)),max(coalesce(high,value)) FROM reading "                \
      "WHERE step_s=?2 AND time_ms>=?3 AND time_ms<?4 GROUP BY time_ms/(?1*1000),series")          \
    X(PROCESS_COARSER,                                                                             \
      "INSERT OR REPLACE INTO process_reading SELECT ?1,time_ms/(?1*1000)*(?1*1000)+?1*500,"       \
      "process,max(rss_bytes),max(cpu_s),max(threads),max(fds) FROM process_reading "              \
      "WHERE step_s=?2 AND time_ms>=?3 AND time_ms<?4 GROUP BY time_ms/(?1*1000),process "         \
      "HAVING count(*)>=?5")                                                                       \
    X(TRIM, "DELETE FROM reading WHERE step_s=?1 AND time_ms<?2")                                  \
    X(PROCESS_TRIM, "DELETE FROM process_reading WHERE step_s=?1 AND time_ms<?2")                  \
    X(PROCESSES_TRIM, "DELETE FROM process WHERE last_ms<?1 AND id NOT IN "                        \
                      "(SELECT DISTINCT process FROM process_reading)")                            \
    X(OLDEST, "SELECT min(time_ms),max(time_ms) FROM reading WHERE step_s=?1")                     \
    X(PAGES, "PRAGMA page_count")                                                                  \
    X(FREE_PAGES, "PRAGMA freelist_count")

typedef enum history_statement {
#define X(name, text) HISTORY_##name,
    HISTORY_STATEMENTS(X)
#undef X
        HISTORY_N_STATEMENTS
} history_statement;

#endif
