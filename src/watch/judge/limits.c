/* limits.c: what of a limit is left for one series. */
#include "limits.h"

#include <math.h>

#include "base/base.h"
#include "watch/sample/charged.h"

static double known(const watch_sample *now, watch_series s)
{
    return now->value[s];
}

/* The first of several series that was read. */
static double first_known(const watch_sample *now, const watch_series *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isnan(known(now, names[i])))
            return known(now, names[i]);
    return 0;
}

/* Sums over processes count a page that several share once for each: a limit of as many pages is
 * that much further away. */
static double counted_twice(const watch_sample *now, watch_series s)
{
    const double pss = known(now, WATCH_CHILDREN_PSS_BYTES) -
                       watch_charged_files(now, WATCH_CHILDREN_PSS_BYTES),
                 sum = known(now, s) - watch_charged_files(now, s);
    const bool is_sum = s == WATCH_CHILDREN_RSS_BYTES || s == WATCH_CHILDREN_ANON_BYTES;
    return is_sum && pss > 0 && sum > pss ? sum / pss : 1;
}

/* Memory of main and of the children, each by the series that says most of it. */
typedef struct shares {
    double main, children;
    bool is_main, is_children; /* what the series in hand is of */
} shares;

static shares find_shares(const watch_sample *now, watch_series s)
{
    static const watch_series main_memory[] = {WATCH_MAIN_ANON_BYTES, WATCH_MAIN_USS_BYTES,
                                               WATCH_MAIN_PSS_BYTES, WATCH_MAIN_RSS_BYTES};
    static const watch_series children_memory[] = {
        WATCH_CHILDREN_PRIVATE_BYTES, WATCH_CHILDREN_ANON_BYTES, WATCH_CHILDREN_PSS_BYTES,
        WATCH_CHILDREN_RSS_BYTES};
    const char *name = watch_series_get(s)->name;
    return (shares){.main = first_known(now, main_memory, sizeof main_memory / sizeof *main_memory),
                    .children = first_known(now, children_memory,
                                            sizeof children_memory / sizeof *children_memory),
                    .is_main = base_starts_with(name, "main."),
                    .is_children = base_starts_with(name, "children.")};
}

static double of_others(const shares *p)
{
    return p->is_main ? p->children : p->is_children ? p->main : 0;
}

double watch_limits_others(const watch_sample *now, watch_series s)
{
    const shares p = find_shares(now, s);
    return of_others(&p);
}

/* What others of the job have of the limit that bounds this series of memory. */
static double taken_by_others(const watch_sample *now, const double *limit, watch_series s)
{
    const shares p = find_shares(now, s);
    const double shmem =
        isnan(known(now, WATCH_MAIN_SHMEM_BYTES)) ? 0 : known(now, WATCH_MAIN_SHMEM_BYTES);
    const double seen = of_others(&p), charged = watch_charged_cgroup(now);
    if (!watch_charged_by_cgroup(now, limit[WATCH_LIMIT_MEMORY_BYTES],
                                 limit[WATCH_LIMIT_CGROUP_BYTES]))
        return seen;
    /* The cgroup's account has everything, also shared memory and the kernel's: what is on it and
     * not in this series is taken by others. */
    const bool is_cgroup = base_starts_with(watch_series_get(s)->name, "cgroup."),
               has_shmem = s == WATCH_MAIN_RSS_BYTES || s == WATCH_MAIN_PSS_BYTES ||
                           s == WATCH_MAIN_USS_BYTES;
    const double own = is_cgroup || s == WATCH_MAIN_SHMEM_BYTES ? known(now, s)
                       : p.is_main && has_shmem                 ? p.main + shmem
                       : p.is_main                              ? p.main
                       : p.is_children                          ? p.children
                                                                : watch_charged_tree(now);
    return fmax(seen, charged - own);
}

/* As much further away as the pages of files in it, which no limit bounds. */
double watch_limits_of(const watch_sample *now, const double *limit, watch_series s)
{
    const watch_series_info *info = watch_series_get(s);
    if (info->limit == WATCH_NONE)
        return NAN;
    double at = limit[info->limit];
    if (info->limit != WATCH_LIMIT_MEMORY_BYTES)
        return at;
    if (isnan(at))
        at = limit[WATCH_LIMIT_MACHINE_BYTES];
    return (at - taken_by_others(now, limit, s)) * counted_twice(now, s) +
           watch_charged_files(now, s);
}
