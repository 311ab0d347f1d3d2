/* rule_hang.c: R18: a hang, not a leak: ultralytics #673.
 *
 * hang.c finds it; here it is put in words. */
#include "rules.h"

#include <math.h>

#include "facts.h"
#include "worlds.h"

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (s != WATCH_WORK_IDLE_S)
        return false;
    const bool effort_known = !isnan(watch_judge_sample(j)->value[WATCH_MAIN_CPU_S]);
    const double cpu_s = watch_judge_count(j, WATCH_MAIN_CPU_S, v->since_s);
    out->confidence_0_1 = effort_known ? 0.95 : 0.75;
    base_format(out->cause, sizeof out->cause, "the job hangs; it is no leak");
    base_format(out->evidence, sizeof out->evidence, "nothing moved for %.0f s", v->level);
    if (effort_known)
        base_format(out->evidence, sizeof out->evidence,
                    "nothing moved for %.0f s, and %.1f s of CPU time were used in them", v->level,
                    cpu_s);
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] =
            "see where it waits (py-spy dump --pid PID, or gdb -p PID); --on-hang restart "
            "starts it again from its checkpoint",
        [FACTS_NODE] = "see where it waits (kill -USR1 PID, then node inspect -p PID); --on-hang "
                       "restart starts it again",
        [FACTS_JAVA] = "see where it waits (jcmd PID Thread.print tells deadlocks, too); --on-hang "
                       "restart starts it again",
        [FACTS_GO] = "see where it waits (kill -QUIT PID prints every goroutine and ends it); "
                     "--on-hang restart starts it again",
        [FACTS_NATIVE] = "see where it waits (gdb -p PID, thread apply all bt); --on-hang restart "
                         "starts it again"};
    base_format(out->remedy, sizeof out->remedy, "%s", facts_in_words(j, rows));
    return true;
}

const watch_rule watch_rule_hang = {.name = "R18", .title = "a hang", .explain = explain};
