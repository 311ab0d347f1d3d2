/* rule_kernel.c: R16: memory of a driver or of the kernel: opencv #21696 (hardware decoding).
 *
 * The machine's used memory rises by what no process, cache or slab explains, or slab that cannot
 * be reclaimed rises; the processes stay. */
#include "rules.h"

#include "facts.h"

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (s != WATCH_MACHINE_UNEXPLAINED_BYTES && s != WATCH_MACHINE_SLAB_BYTES &&
        s != WATCH_CGROUP_KERNEL_BYTES)
        return false;
    static const watch_series with[] = {WATCH_MACHINE_UNEXPLAINED_BYTES, WATCH_MACHINE_SLAB_BYTES,
                                        WATCH_CGROUP_KERNEL_BYTES, WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_RSS_BYTES, WATCH_MAIN_ANON_BYTES,
                                        WATCH_CHILDREN_ANON_BYTES, WATCH_SHM_BYTES, WATCH_NONE};
    out->confidence_0_1 = facts_rises(j, WATCH_MAIN_ANON_BYTES, v) ? 0.5 : 0.85;
    base_format(out->cause, sizeof out->cause,
                "a driver or the kernel holds the memory, not a process");
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy,
                "look at slabtop and at the driver (hardware decoding, GPU); switch hardware "
                "acceleration off to see whether it stops; update the driver");
    return true;
}

const watch_rule watch_rule_kernel = {
    .name = "R16", .title = "driver or kernel", .explain = explain};
