/* rule_connections.c: R25: connections that are not closed.
 *
 * Descriptors of sockets rise, without the threads that a capture has (R10). When the other side
 * has closed most of them (CLOSE_WAIT), it is certain that this side forgot to. */
#include "rules.h"

#include "facts.h"
#include "worlds.h"

static const double LEAST_SHARE = 0.5; /* of the new descriptors; of the sockets that are left */

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (!facts_may_be_descriptors(j, s, v))
        return false;
    const double sockets = facts_kind_growth(j, s, v, WATCH_MAIN_FDS_SOCKET);
    if (!facts_descriptors_explain(j, s, v, sockets, LEAST_SHARE))
        return false;
    const bool is_left = s != WATCH_CHILDREN_FDS &&
                         facts_growth(j, WATCH_MAIN_CLOSE_WAIT, v) >= LEAST_SHARE * sockets;
    static const watch_series with[] = {WATCH_MAIN_FDS_SOCKET, WATCH_MAIN_CLOSE_WAIT,
                                        WATCH_MAIN_FDS, WATCH_CHILD_FDS_SOCKET, WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_FDS_FILE, WATCH_MAIN_THREADS, WATCH_NONE};
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] = "use one session or client for all (with requests.Session() as s), close "
                      "responses and sockets, errors too, and set timeouts; "
                      "ss -tnp shows to whom they are",
        [FACTS_VIDEO] = "call release() (close()) on the old capture before opening the next, "
                        "also after a failed open",
        [FACTS_NODE] = "one http.Agent for all, read or destroy() every response, close sockets on "
                       "'error' and 'timeout'; ss -tnp shows to whom they are",
        [FACTS_JAVA] = "one HttpClient for all, close responses and connections in try (...) { }, "
                       "give pools a bound; ss -tnp shows to whom they are",
        [FACTS_GO] = "defer resp.Body.Close() after each request that succeeded, one http.Client "
                     "with a Timeout for all; ss -tnp shows to whom they are",
        [FACTS_NATIVE] = "close() a socket when read() gives 0 or an error, on every way out; "
                         "ss -tnp shows to whom they are"};
    out->confidence_0_1 = !facts_is_descriptors(s) ? 0.6 : is_left ? 0.97 : 0.82;
    base_format(out->cause, sizeof out->cause,
                is_left ? "connections that the other side has closed are not closed here"
                        : "connections are opened and not closed");
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy, "%s", facts_in_words(j, rows));
    return true;
}

const watch_rule watch_rule_connections = {
    .name = "R25", .title = "connections not closed", .explain = explain};
