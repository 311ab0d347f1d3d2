/* rule_event_fds.c: R24: event loops, timers and watchers that are not closed.
 *
 * Descriptors of epoll, eventfd, timerfd, signalfd or inotify rise. An event loop of Python's
 * asyncio has one of epoll and two sockets, so a share of the growth is enough. */
#include "rules.h"

#include "facts.h"
#include "worlds.h"

static const double LEAST_SHARE = 0.3; /* of the new descriptors */

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (!facts_may_be_descriptors(j, s, v) || facts_are_of_threads(j, s, v, WATCH_MAIN_FDS_EVENT) ||
        !facts_descriptors_explain(j, s, v, facts_kind_growth(j, s, v, WATCH_MAIN_FDS_EVENT),
                                   LEAST_SHARE))
        return false;
    static const watch_series with[] = {WATCH_MAIN_FDS_EVENT, WATCH_MAIN_FDS_SOCKET, WATCH_MAIN_FDS,
                                        WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_FDS_FILE, WATCH_MAIN_THREADS, WATCH_NONE};
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] = "close each event loop (asyncio.run() does; loop.close() after "
                      "asyncio.new_event_loop()), selector and watcher (observer.stop(), "
                      "observer.join())",
        [FACTS_NODE] = "close watchers (fs.watch(...).close()) and workers",
        [FACTS_JAVA] = "close Selectors and WatchServices, and shut event loop groups down "
                       "(group.shutdownGracefully())",
        [FACTS_GO] = "close watchers (fsnotify: watcher.Close()), one for all",
        [FACTS_NATIVE] = "close() each descriptor of epoll_create1, eventfd, timerfd_create and "
                         "inotify_init1 on every way out"};
    out->confidence_0_1 = facts_is_descriptors(s) ? 0.93 : 0.7;
    base_format(out->cause, sizeof out->cause,
                "event loops, timers or watchers (epoll, eventfd, timerfd, inotify) are made and "
                "not closed");
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy, "%s", facts_in_words(j, rows));
    return true;
}

const watch_rule watch_rule_event_fds = {
    .name = "R24", .title = "event loops and watchers", .explain = explain};
