/* rule_files.c: R19: files that are opened and not closed.
 *
 * Descriptors of plain files rise, and the run ends with "too many open files". Which file most of
 * them are is named with it. */
#include "rules.h"

#include "facts.h"
#include "worlds.h"

static const double LEAST_SHARE = 0.5; /* of the new descriptors */

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    /* Where of children only the number is known; workers that are more have more. */
    const bool is_theirs = s == WATCH_CHILDREN_FDS && !facts_known(j, WATCH_CHILD_FDS, v) &&
                           !facts_rises(j, WATCH_CHILDREN_COUNT, v);
    if (!is_theirs && !facts_may_be_descriptors(j, s, v))
        return false;
    const double files = facts_kind_growth(j, s, v, WATCH_MAIN_FDS_FILE) -
                         facts_kind_growth(j, s, v, WATCH_MAIN_FDS_SQLITE) -
                         facts_kind_growth(j, s, v, WATCH_MAIN_FDS_LOG);
    if (!is_theirs && !facts_descriptors_explain(j, s, v, files, LEAST_SHARE))
        return false;
    static const watch_series with[] = {WATCH_MAIN_FDS, WATCH_MAIN_FDS_FILE, WATCH_CHILD_FDS_FILE,
                                        WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_FDS_SOCKET, WATCH_MAIN_FDS_PIPE,
                                        WATCH_MAIN_THREADS, WATCH_NONE};
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] = "close each file when it is done with (Python: with open(...) as f); "
                      "ls -l /proc/PID/fd shows them; raise `ulimit -n` only to win time",
        [FACTS_NODE] = "await handle.close(), end streams also after an error "
                       "(stream.pipeline), ls -l /proc/PID/fd shows them",
        [FACTS_JAVA] = "open files in try (...) { }, also Files.lines and Files.list, which hold "
                       "theirs until they are closed; ls -l /proc/PID/fd shows them",
        [FACTS_GO] =
            "defer f.Close() after each open that succeeded; ls -l /proc/PID/fd shows them",
        [FACTS_NATIVE] = "close() what was opened on every way out, errors too; ls -l /proc/PID/fd "
                         "shows them, valgrind --track-fds=yes says where they were opened"};
    out->confidence_0_1 = is_theirs ? 0.5 : facts_is_descriptors(s) ? 0.88 : 0.6;
    base_format(out->cause, sizeof out->cause,
                is_theirs ? "the processes that were started open files or connections and do not "
                            "close them"
                          : "files are opened and not closed");
    facts_add_text(out->cause, sizeof out->cause, j, s == WATCH_CHILDREN_FDS ? NULL : ": ",
                   WATCH_TEXT_FILES);
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy, "%s", facts_in_words(j, rows));
    return true;
}

const watch_rule watch_rule_files = {
    .name = "R19", .title = "files not closed", .explain = explain};
