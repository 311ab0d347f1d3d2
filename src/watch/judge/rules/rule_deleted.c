/* rule_deleted.c: R22: deleted files that are still open: vector #22273, rsyslog #4398.
 *
 * Their room on the disk comes back only when the last descriptor is closed: df shows a disk that
 * fills, du does not find by what. */
#include "rules.h"

#include <string.h>

#include "facts.h"
#include "worlds.h"

static const double LEAST_SHARE = 0.5; /* of the new descriptors, or of the disk's new bytes */

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    const bool is_disk = s == WATCH_DISK_USED_BYTES || s == WATCH_TMP_BYTES;
    const double held = is_disk ? facts_growth(j, WATCH_MAIN_DELETED_BYTES, v) : 0;
    if (s != WATCH_MAIN_DELETED_BYTES &&
        !(is_disk && v->growth > 0 && held >= LEAST_SHARE * v->growth) &&
        !(facts_may_be_descriptors(j, s, v) &&
          facts_descriptors_explain(j, s, v, facts_kind_growth(j, s, v, WATCH_MAIN_FDS_DELETED),
                                    LEAST_SHARE)))
        return false;
    static const watch_series with[] = {WATCH_MAIN_FDS_DELETED,  WATCH_MAIN_DELETED_BYTES,
                                        WATCH_MAIN_FDS,          WATCH_DISK_USED_BYTES,
                                        WATCH_CHILD_FDS_DELETED, WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_THREADS, WATCH_MAIN_FDS_SOCKET,
                                        WATCH_MAIN_FDS_PIPE, WATCH_NONE};
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] = "close a file before or right after it is deleted or turned over (logs: open "
                      "anew at the signal of logrotate, or let it use copytruncate); "
                      "ls -l /proc/PID/fd shows them as (deleted)",
        [FACTS_NODE] = "close handles and end streams of files that are removed or turned over; "
                       "ls -l /proc/PID/fd shows them as (deleted)"};
    out->confidence_0_1 = 0.92;
    base_format(out->cause, sizeof out->cause,
                "deleted files are held open, so the disk does not get their room back");
    facts_add_text(out->cause, sizeof out->cause, j, s == WATCH_CHILDREN_FDS ? NULL : ": ",
                   WATCH_TEXT_DELETED);
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy, "%s", facts_in_words(j, rows));
    return true;
}

const watch_rule watch_rule_deleted = {
    .name = "R22", .title = "deleted files held open", .explain = explain};
