/* launch.c: whether this process is one of several, told by what their launchers leave in the
 * environment, before any library is opened. */
#include "ranks.h"

/* 0: it says none. */
static int count_of(const char *text)
{
    int64_t n;
    return text != NULL && base_parse_i64(&n, text, 1, INT32_MAX) ? (int)n : 0;
}

static bool is_more_than_one(const char *text)
{
    return count_of(text) > 1;
}

int ranks_launch_n(char *(*env)(const char *name))
{
    int n = count_of(env("OMPI_COMM_WORLD_SIZE"));
    if (n == 0 && env("OMPI_COMM_WORLD_SIZE") == NULL)
        n = count_of(env("SLURM_STEP_NUM_TASKS"));
    if (n == 0 && env("PMI_RANK") != NULL)
        n = count_of(env("PMI_SIZE"));
    return n > 0 ? n : 1;
}

ranks_launch ranks_launch_of(char *(*env)(const char *name))
{
    if (env("OMPI_COMM_WORLD_SIZE") != NULL)
        return is_more_than_one(env("OMPI_COMM_WORLD_SIZE")) ? RANKS_OPEN : RANKS_ALONE;
    /* srun: PMIx says which process of how many this is, and Open MPI asks it. */
    if (env("PMIX_RANK") != NULL)
        return is_more_than_one(env("SLURM_STEP_NUM_TASKS")) || env("SLURM_STEP_NUM_TASKS") == NULL
                   ? RANKS_OPEN
                   : RANKS_ALONE;
    if (env("PMI_RANK") != NULL && is_more_than_one(env("PMI_SIZE")))
        return RANKS_FOREIGN;
    /* srun without an MPI to tell them apart: all would be the same training, each alone. */
    if (is_more_than_one(env("SLURM_STEP_NUM_TASKS")))
        return RANKS_APART;
    return RANKS_ALONE;
}
