/* rule_log_writer.c: R13: log writers that are never closed: TensorBoard #766, keras #4533.
 *
 * A descriptor of events.out.tfevents and a thread for each run in one process. */
#include "rules.h"

#include "facts.h"

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    const bool is_part =
        s == WATCH_MAIN_FDS || s == WATCH_MAIN_THREADS || facts_scope_of(j, s, v) == FACTS_MAIN;
    if (!is_part || !facts_rises(j, WATCH_MAIN_FDS_EVENTS_FILE, v))
        return false;
    static const watch_series with[] = {WATCH_MAIN_FDS_EVENTS_FILE, WATCH_MAIN_THREADS,
                                        WATCH_MAIN_ANON_BYTES, WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_FDS_SOCKET, WATCH_MAIN_FDS_PIPE, WATCH_NONE};
    out->confidence_0_1 = 0.97;
    base_format(
        out->cause, sizeof out->cause,
        "TensorBoard writers are opened for each run and never closed, each with a file and "
        "a thread");
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy,
                "call writer.close() at the end of each run, or use one writer");
    return true;
}

const watch_rule watch_rule_log_writer = {
    .name = "R13", .title = "log writer not closed", .explain = explain};
