/* rule_log_handlers.c: R21: a log that is opened again and again.
 *
 * A handler is added to the logger in every call, epoch or request: each has a descriptor of the
 * same file, and each line is written as often as there are handlers. */
#include "rules.h"

#include "facts.h"
#include "worlds.h"

static const double LEAST_SHARE = 0.5; /* of the new descriptors */

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (!facts_may_be_descriptors(j, s, v) ||
        !facts_descriptors_explain(j, s, v, facts_kind_growth(j, s, v, WATCH_MAIN_FDS_LOG),
                                   LEAST_SHARE))
        return false;
    static const watch_series with[] = {WATCH_MAIN_FDS_LOG, WATCH_MAIN_FDS, WATCH_MAIN_ANON_BYTES,
                                        WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_FDS_SOCKET, WATCH_MAIN_FDS_PIPE,
                                        WATCH_MAIN_THREADS, WATCH_NONE};
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] = "add handlers once, when the program begins (Python: if not "
                      "logger.handlers: ...), or take the old one off and close it "
                      "(logger.removeHandler(h); h.close())",
        [FACTS_NODE] = "make the logger and its transports once, not in each request",
        [FACTS_JAVA] = "make appenders once; close() a FileHandler before the next is added",
        [FACTS_GO] = "open the log once; Close() the old file when it is turned over",
        [FACTS_NATIVE] = "open the log once, and close the old one when it is turned over"};
    out->confidence_0_1 = facts_is_descriptors(s) ? 0.91 : 0.78;
    base_format(out->cause, sizeof out->cause,
                "logs are opened again and again: a handler is added each time");
    facts_add_text(out->cause, sizeof out->cause, j, s == WATCH_CHILDREN_FDS ? NULL : ": ",
                   WATCH_TEXT_FILES);
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy, "%s", facts_in_words(j, rows));
    return true;
}

const watch_rule watch_rule_log_handlers = {
    .name = "R21", .title = "log handlers", .explain = explain};
