/* rule_capture.c: R10: captures and sessions that are never released: webrtc-streamer #39,
 * ultralytics #19849.
 *
 * With every reconnect a socket, a thread or two and their buffers stay: descriptors, threads and
 * anonymous memory rise together. */
#include "rules.h"

#include "facts.h"

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    const bool is_part =
        s == WATCH_MAIN_FDS || s == WATCH_MAIN_THREADS || facts_scope_of(j, s, v) == FACTS_MAIN;
    const bool pipes =
                   facts_rises(j, WATCH_MAIN_FDS_PIPE, v) || facts_rises(j, WATCH_MAIN_FDS_SHM, v),
               sockets = facts_rises(j, WATCH_MAIN_FDS_SOCKET, v) ||
                         facts_rises(j, WATCH_MAIN_FDS_CAMERA, v);
    const bool fds = facts_rises(j, WATCH_MAIN_FDS, v) || s == WATCH_MAIN_FDS || sockets;
    const bool threads = facts_rises(j, WATCH_MAIN_THREADS, v) || s == WATCH_MAIN_THREADS;
    const bool by_reconnect = v->unit == WATCH_WORK_RECONNECTS;
    if (!is_part || !fds || (pipes && !sockets) || !(threads || by_reconnect || sockets))
        return false;
    if (facts_rises(j, WATCH_MAIN_FDS_EVENTS_FILE, v)) /* R13 */
        return false;
    static const watch_series with[] = {WATCH_MAIN_FDS_SOCKET, WATCH_MAIN_FDS, WATCH_MAIN_THREADS,
                                        WATCH_MAIN_ANON_BYTES, WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_FDS_PIPE, WATCH_GPU0_BYTES, WATCH_CHILDREN_COUNT,
                                        WATCH_NONE};
    out->confidence_0_1 = by_reconnect ? 0.96 : threads && sockets ? 0.92 : threads ? 0.8 : 0.75;
    base_format(out->cause, sizeof out->cause,
                "captures or sessions are opened anew at every reconnect and never released");
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy,
                "call release() (close()) on the old capture before opening the next, also after a "
                "failed open");
    return true;
}

const watch_rule watch_rule_capture = {
    .name = "R10", .title = "capture not released", .explain = explain};
