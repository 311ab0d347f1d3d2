/* rule_workers_left.c: R3: workers that are never joined: pytorch #62066.
 *
 * More and more children, or children that are older than the epoch that made them; whatever else
 * grows, grows with their number. */
#include "rules.h"

#include "facts.h"
#include "worlds.h"

static const char *const causes[FACTS_N_WORLDS] = {
    [FACTS_ANY] = "child processes stay: workers of earlier epochs or calls are never joined",
    [FACTS_TRAINING] = "loader workers of earlier epochs linger: they are never joined",
    [FACTS_WEB] = "child processes are started and never end: a pool for each request or task",
    [FACTS_NODE] = "child processes are started and never end",
    [FACTS_JAVA] = "child processes are started and never end",
    [FACTS_GO] = "child processes are started and never end",
    [FACTS_SCRIPTED] = "child processes are started and never end",
    [FACTS_NATIVE] = "child processes are started and never end"};

static const char *const ending[FACTS_N_WORLDS] = {
    [FACTS_ANY] = "make the loader or pool once and not in every epoch or call (with Pool(...) as "
                  "p, p.close(), p.join()); loaders: drop the iterator at the epoch's end, "
                  "persistent_workers=False",
    [FACTS_TRAINING] = "make the loader once and not in every epoch, drop its iterator at the "
                       "epoch's end, and set persistent_workers=False (or workers=0)",
    [FACTS_WEB] = "make one pool at the start and not in each request, end it with pool.close() "
                  "and pool.join(), give subprocesses a timeout",
    [FACTS_PYTHON] = "make one pool for all and end it (with Pool(...) as p; p.close(), p.join()); "
                     "give subprocess.run(...) a timeout, and terminate() what must not stay",
    [FACTS_NODE] = "kill() children that are done with, and make one pool for all",
    [FACTS_JAVA] = "Process.destroy() what is done with, and waitFor(timeout) what must end",
    [FACTS_GO] = "exec.CommandContext with a deadline, and cmd.Wait() for each",
    [FACTS_SCRIPTED] = "end the children that are done with, and wait for each",
    [FACTS_NATIVE] = "end the children that are done with (kill), and wait for each (waitpid)"};

/* A zombie is a row of the table of processes that only its parent's wait takes away. */
static const char *const waiting[FACTS_N_WORLDS] = {
    [FACTS_ANY] =
        "wait for each child: subprocess.run() does; after Popen call p.wait(), "
        "p.communicate() or now and then p.poll(); join() a multiprocessing.Process; in C "
        "waitpid()",
    [FACTS_NODE] = "listen to 'exit' of each child; if this is a container's process 1, start it "
                   "with --init (tini), which waits for orphans",
    [FACTS_JAVA] = "call Process.waitFor() or onExit() for each child",
    [FACTS_GO] = "call cmd.Wait() after each cmd.Start(), or use cmd.Run()",
    [FACTS_SCRIPTED] = "wait for each child (PHP: pcntl_waitpid, proc_close; Ruby: Process.wait or "
                       "Process.detach)",
    [FACTS_NATIVE] = "waitpid() each child, or ignore SIGCHLD if its status is of no interest; a "
                     "container's process 1 waits for orphans with --init (tini)"};

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    const bool more = facts_rises(j, WATCH_CHILDREN_COUNT, v) ||
                      facts_rises(j, WATCH_CHILDREN_STALE, v) ||
                      facts_rises(j, WATCH_CHILDREN_ZOMBIES, v);
    const bool is_number =
        s == WATCH_CHILDREN_COUNT || s == WATCH_CHILDREN_STALE || s == WATCH_CHILDREN_ZOMBIES;
    const bool is_theirs = facts_scope_of(j, s, v) == FACTS_CHILDREN || s == WATCH_CHILDREN_FDS ||
                           s == WATCH_CHILDREN_THREADS ||
                           s == WATCH_MAIN_FDS; /* a pipe or two to each */
    if ((!is_number && !(more && is_theirs)) || facts_rises(j, WATCH_CHILDREN_ORPHANS, v)) /* R17 */
        return false;
    static const watch_series with[] = {WATCH_CHILDREN_COUNT, WATCH_CHILDREN_STALE,
                                        WATCH_CHILDREN_ZOMBIES, WATCH_CHILDREN_PRIVATE_BYTES,
                                        WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_ANON_BYTES, WATCH_MAIN_THREADS, WATCH_NONE};
    out->confidence_0_1 = is_number ? 0.94 : 0.91; /* R11 is sure by 0.9 of its pipes */
    const bool zombies = facts_rises(j, WATCH_CHILDREN_ZOMBIES, v);
    base_format(out->cause, sizeof out->cause, "%s",
                zombies ? "child processes have ended and nobody waits for them"
                        : facts_in_words(j, causes));
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy, "%s",
                facts_in_words(j, zombies ? waiting : ending));
    return true;
}

const watch_rule watch_rule_workers_left = {
    .name = "R3", .title = "workers not joined", .explain = explain};
