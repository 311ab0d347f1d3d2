/* charged.c: sums and differences of what one sample has. */
#include "charged.h"

#include <math.h>

static const double MOSTLY_OURS = 0.5, OURS_ALONE = 0.9;

static double or_0(double value)
{
    return isnan(value) ? 0 : value;
}

/* What is left of a series when its anonymous and shared pages are taken off; 0: one of the two
 * main figures is not known. */
static double beyond(double all, double anon, double shmem)
{
    const double files = all - anon - or_0(shmem);
    return files > 0 ? files : 0;
}

double watch_charged_files(const watch_sample *now, watch_series s)
{
    const double *v = now->value;
    /* A trace of before has no such column of the children: theirs is what is neither anonymous nor
     * could be of /dev/shm. */
    const double children_shmem =
        isnan(v[WATCH_CGROUP_SHMEM_BYTES]) ? v[WATCH_SHM_BYTES] : v[WATCH_CGROUP_SHMEM_BYTES];
    double files = 0;
    switch (s) {
    case WATCH_MAIN_RSS_BYTES:
        files = isnan(v[WATCH_MAIN_FILE_BYTES])
                    ? beyond(v[s], v[WATCH_MAIN_ANON_BYTES], v[WATCH_MAIN_SHMEM_BYTES])
                    : v[WATCH_MAIN_FILE_BYTES];
        break;
    case WATCH_MAIN_PSS_BYTES:
        files = isnan(v[WATCH_MAIN_PSS_FILE_BYTES])
                    ? beyond(v[s], v[WATCH_MAIN_ANON_BYTES], v[WATCH_MAIN_SHMEM_BYTES])
                    : v[WATCH_MAIN_PSS_FILE_BYTES];
        break;
    case WATCH_MAIN_USS_BYTES:
        files = beyond(v[s], v[WATCH_MAIN_ANON_BYTES], v[WATCH_MAIN_SHMEM_BYTES]);
        break;
    case WATCH_CHILDREN_RSS_BYTES:
        files = isnan(v[WATCH_CHILDREN_FILE_BYTES])
                    ? beyond(v[s], v[WATCH_CHILDREN_ANON_BYTES], children_shmem)
                    : v[WATCH_CHILDREN_FILE_BYTES];
        break;
    case WATCH_CHILDREN_PSS_BYTES:
        files = isnan(v[WATCH_CHILDREN_PSS_FILE_BYTES])
                    ? beyond(v[s], v[WATCH_CHILDREN_ANON_BYTES], children_shmem)
                    : v[WATCH_CHILDREN_PSS_FILE_BYTES];
        break;
    case WATCH_TREE_PSS_BYTES:
        files = watch_charged_files(now, WATCH_MAIN_PSS_BYTES) +
                watch_charged_files(now, WATCH_CHILDREN_PSS_BYTES);
        break;
    default:
        break;
    }
    return files > 0 ? files : 0;
}

double watch_charged_cgroup(const watch_sample *now)
{
    const double *v = now->value;
    return v[WATCH_CGROUP_ANON_BYTES] + or_0(v[WATCH_CGROUP_SHMEM_BYTES]) +
           or_0(v[WATCH_CGROUP_KERNEL_BYTES]);
}

double watch_charged_tree(const watch_sample *now)
{
    const double *v = now->value;
    /* PSS of a large process is read now and then only; its anonymous memory each time. */
    const double tree = v[WATCH_TREE_PSS_BYTES] - watch_charged_files(now, WATCH_TREE_PSS_BYTES),
                 main = v[WATCH_MAIN_ANON_BYTES] + or_0(v[WATCH_MAIN_SHMEM_BYTES]);
    return fmax(tree, main); /* fmax passes over NAN */
}

bool watch_charged_is_ours(const watch_sample *now)
{
    const double *v = now->value;
    const double all = v[WATCH_CGROUP_ANON_BYTES], main = v[WATCH_MAIN_ANON_BYTES];
    return isnan(all) || isnan(main) ||
           main + or_0(v[WATCH_CHILDREN_ANON_BYTES]) >= MOSTLY_OURS * all;
}

bool watch_charged_by_cgroup(const watch_sample *now, double limit_memory, double limit_cgroup)
{
    return limit_cgroup <= limit_memory && !isnan(watch_charged_cgroup(now)) &&
           watch_charged_is_ours(now);
}

double watch_charged_in_use(const watch_sample *now)
{
    const double *v = now->value;
    const double tree = watch_charged_tree(now), cgroup = watch_charged_cgroup(now);
    const bool by_cgroup =
        watch_charged_by_cgroup(now, v[WATCH_LIMIT_MEMORY_BYTES], v[WATCH_LIMIT_CGROUP_BYTES]);
    const double used = by_cgroup ? fmax(cgroup, tree) : tree;
    return isnan(used) ? v[WATCH_MAIN_RSS_BYTES] : used;
}

double watch_charged_unseen_shm(const watch_sample *now, double known, double unclaimed)
{
    const double *v = now->value, shmem = v[WATCH_CGROUP_SHMEM_BYTES];
    const double ours = v[WATCH_MAIN_ANON_BYTES] + or_0(v[WATCH_CHILDREN_ANON_BYTES]);
    const bool is_alone = v[WATCH_LIMIT_CGROUP_BYTES] < v[WATCH_LIMIT_MACHINE_BYTES] &&
                          ours >= OURS_ALONE * v[WATCH_CGROUP_ANON_BYTES]; /* false of NAN */
    return is_alone && shmem > known ? fmin(unclaimed, shmem - known) : 0;
}
