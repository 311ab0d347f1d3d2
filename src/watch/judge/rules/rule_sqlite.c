/* rule_sqlite.c: R20: connections to an SQLite database that are not closed.
 *
 * Each holds one to three descriptors (the database, its -wal and -shm) and its page cache. */
#include "rules.h"

#include "facts.h"
#include "worlds.h"

static const double LEAST_SHARE = 0.5; /* of the new descriptors */

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (!facts_may_be_descriptors(j, s, v) ||
        !facts_descriptors_explain(j, s, v, facts_kind_growth(j, s, v, WATCH_MAIN_FDS_SQLITE),
                                   LEAST_SHARE))
        return false;
    static const watch_series with[] = {WATCH_MAIN_FDS_SQLITE, WATCH_MAIN_FDS,
                                        WATCH_MAIN_ANON_BYTES, WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_FDS_SOCKET, WATCH_MAIN_FDS_PIPE,
                                        WATCH_MAIN_THREADS, WATCH_NONE};
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] = "close each connection (Python: contextlib.closing(sqlite3.connect(...)); "
                      "\"with connection\" only commits and does not close), or use one for all",
        [FACTS_NODE] = "db.close() each connection, or open one at the start and use it for all",
        [FACTS_JAVA] = "open connections and statements in try (...) { }, or use a pool of a bound",
        [FACTS_GO] = "one sql.DB for the program, rows.Close() after each query, SetMaxOpenConns",
        [FACTS_NATIVE] = "sqlite3_finalize() each statement, then sqlite3_close_v2()"};
    out->confidence_0_1 = facts_is_descriptors(s) ? 0.9 : 0.78;
    base_format(out->cause, sizeof out->cause,
                "connections to a database (SQLite) are opened and not closed");
    facts_add_text(out->cause, sizeof out->cause, j, s == WATCH_CHILDREN_FDS ? NULL : ": ",
                   WATCH_TEXT_FILES);
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy, "%s", facts_in_words(j, rows));
    return true;
}

const watch_rule watch_rule_sqlite = {
    .name = "R20", .title = "database connections not closed", .explain = explain};
