/* rule_page_cache.c: R15: the page cache; no leak.
 *
 * Files that were read or mapped stay in memory until somebody else needs the room. It shows in the
 * cgroup's file cache, and in what is resident of a process that maps files, while anonymous memory
 * stays. */
#include "rules.h"

#include "facts.h"

static const double LEAST_SHARE = 0.8; /* of the growth that must be of files */

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    double of_files = 0;
    bool anon_rises = false;
    switch (s) {
    case WATCH_MAIN_RSS_BYTES:
    case WATCH_MAIN_PSS_BYTES:
    case WATCH_MAIN_USS_BYTES:
        of_files = facts_growth(j, WATCH_MAIN_FILE_BYTES, v);
        anon_rises = facts_rises(j, WATCH_MAIN_ANON_BYTES, v);
        break;
    case WATCH_CHILDREN_RSS_BYTES:
    case WATCH_CHILDREN_PSS_BYTES:
        of_files = v->growth - facts_growth(j, WATCH_CHILDREN_ANON_BYTES, v);
        anon_rises = !facts_stays(j, WATCH_CHILDREN_ANON_BYTES, v);
        break;
    case WATCH_TREE_PSS_BYTES:
        of_files = v->growth - facts_growth(j, WATCH_MAIN_ANON_BYTES, v) -
                   facts_growth(j, WATCH_CHILDREN_ANON_BYTES, v);
        anon_rises = !facts_stays(j, WATCH_MAIN_ANON_BYTES, v) ||
                     facts_rises(j, WATCH_CHILDREN_PRIVATE_BYTES, v);
        break;
    default:
        return false;
    }
    if (anon_rises || !(v->growth > 0) || of_files < LEAST_SHARE * v->growth)
        return false;
    static const watch_series with[] = {WATCH_MAIN_FILE_BYTES, WATCH_CGROUP_FILE_BYTES, WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_ANON_BYTES, WATCH_CHILDREN_ANON_BYTES,
                                        WATCH_CGROUP_ANON_BYTES, WATCH_NONE};
    out->confidence_0_1 = 0.97;
    out->is_no_leak = true;
    base_format(out->cause, sizeof out->cause,
                "pages of files: the kernel takes them back when room is needed; no leak");
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy, "nothing to do");
    return true;
}

const watch_rule watch_rule_page_cache = {
    .name = "R15", .title = "page cache, no leak", .explain = explain};
