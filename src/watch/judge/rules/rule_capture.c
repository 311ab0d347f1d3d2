/* rule_capture.c: R10: captures and sessions that are never released: webrtc-streamer #39,
 * ultralytics #19849.
 *
 * With every reconnect a socket, a thread or two and their buffers stay: descriptors, threads and
 * anonymous memory rise together. */
#include "rules.h"

#include "facts.h"
#include "worlds.h"

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    const bool is_part =
        s == WATCH_MAIN_FDS || s == WATCH_MAIN_THREADS || facts_scope_of(j, s, v) == FACTS_MAIN;
    const bool pipes =
                   facts_rises(j, WATCH_MAIN_FDS_PIPE, v) || facts_rises(j, WATCH_MAIN_FDS_SHM, v),
               sockets = facts_rises(j, WATCH_MAIN_FDS_SOCKET, v) ||
                         facts_rises(j, WATCH_MAIN_FDS_CAMERA, v),
               /* Where it is known what the descriptors are, and they are neither: R19 to R24. */
        others = facts_known(j, WATCH_MAIN_FDS_SOCKET, v) && !sockets;
    const bool fds = facts_rises(j, WATCH_MAIN_FDS, v) || s == WATCH_MAIN_FDS || sockets;
    const bool threads = facts_rises(j, WATCH_MAIN_THREADS, v) || s == WATCH_MAIN_THREADS;
    const bool by_reconnect = v->unit == WATCH_WORK_RECONNECTS;
    if (!is_part || !fds || others || (pipes && !sockets) || !(threads || by_reconnect || sockets))
        return false;
    if (facts_rises(j, WATCH_MAIN_FDS_EVENTS_FILE, v)) /* R13 */
        return false;
    static const watch_series with[] = {WATCH_MAIN_FDS_SOCKET, WATCH_MAIN_FDS, WATCH_MAIN_THREADS,
                                        WATCH_MAIN_ANON_BYTES, WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_FDS_PIPE, WATCH_GPU0_BYTES, WATCH_CHILDREN_COUNT,
                                        WATCH_NONE};
    const facts_world world = facts_world_of(j);
    const bool is_video = world <= FACTS_VIDEO;
    out->confidence_0_1 = by_reconnect ? 0.96 : threads && sockets ? 0.92 : threads ? 0.8 : 0.75;
    base_format(out->cause, sizeof out->cause, "%s are opened anew at every reconnect and never %s",
                is_video ? "captures or sessions" : "connections or sessions",
                is_video ? "released" : "closed");
    facts_evidence(out, j, s, v, with, flat);
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] = "call release() (close()) on the old capture or session before opening the "
                      "next, also after a failed open",
        [FACTS_WEB] = "use one session or client for all requests (requests.Session, httpx.Client, "
                      "a pool of a bound), close responses, and close the old one before a new",
        [FACTS_PYTHON] = "close the old connection or session before opening the next, errors too "
                         "(with requests.Session() as s), or use one for all",
        [FACTS_NODE] = "destroy() the old socket before connecting anew, one http.Agent for all, "
                       "and take its listeners off",
        [FACTS_JAVA] = "close the old client and its pool of threads before making the next, or "
                       "use one for all",
        [FACTS_GO] = "Close() the old connection before dialling anew, and let its goroutines end",
        [FACTS_NATIVE] = "close() the old socket and join its threads before connecting anew, also "
                         "after a failure"};
    base_format(out->remedy, sizeof out->remedy, "%s", facts_in_words(j, rows));
    return true;
}

const watch_rule watch_rule_capture = {
    .name = "R10", .title = "capture not released", .explain = explain};
