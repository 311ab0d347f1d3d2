/* Who started this process: only what launchers of several processes leave in the environment
 * counts. */
#include "ranks/ranks.h"
#include "support/test.h"

static const char *const *variables; /* name, value, ..., NULL */

static char *look(const char *name)
{
    static char value[64];
    for (const char *const *v = variables; *v != NULL; v += 2)
        if (strcmp(v[0], name) == 0) {
            base_format(value, sizeof value, "%s", v[1]);
            return value;
        }
    return NULL;
}

#define LAUNCH(...) (variables = (const char *const[]){__VA_ARGS__, NULL}, ranks_launch_of(look))

static void a_process_that_nobody_started_is_alone(void **state)
{
    (void)state;
    assert_int_equal(LAUNCH("HOME", "/root"), RANKS_ALONE);
}

static void open_mpi_says_how_many_there_are(void **state)
{
    (void)state;
    assert_int_equal(LAUNCH("OMPI_COMM_WORLD_SIZE", "4"), RANKS_OPEN);
    assert_int_equal(LAUNCH("OMPI_COMM_WORLD_SIZE", "1"), RANKS_ALONE);
    assert_int_equal(LAUNCH("OMPI_COMM_WORLD_SIZE", "many"), RANKS_ALONE);
}

static void slurm_with_pmix_is_open_mpis_too(void **state)
{
    (void)state;
    assert_int_equal(LAUNCH("PMIX_RANK", "0", "SLURM_STEP_NUM_TASKS", "8"), RANKS_OPEN);
    assert_int_equal(LAUNCH("PMIX_RANK", "0", "SLURM_STEP_NUM_TASKS", "1"), RANKS_ALONE);
    assert_int_equal(LAUNCH("SLURM_NTASKS", "8"), RANKS_ALONE); /* within a job, not by srun */
}

/* Each would train alone, all into one folder. */
static void slurm_without_an_mpi_starts_no_ranks(void **state)
{
    (void)state;
    assert_int_equal(LAUNCH("SLURM_STEP_NUM_TASKS", "8"), RANKS_APART);
    assert_int_equal(LAUNCH("SLURM_STEP_NUM_TASKS", "1"), RANKS_ALONE);
    assert_int_equal(LAUNCH("SLURM_STEP_NUM_TASKS", "8", "OMPI_COMM_WORLD_SIZE", "1"), RANKS_ALONE);
}

static void launchers_say_how_many_they_started(void **state)
{
    (void)state;
    assert_int_equal((LAUNCH("HOME", "/root"), ranks_launch_n(look)), 1);
    assert_int_equal((LAUNCH("OMPI_COMM_WORLD_SIZE", "4"), ranks_launch_n(look)), 4);
    assert_int_equal((LAUNCH("OMPI_COMM_WORLD_SIZE", "many"), ranks_launch_n(look)), 1);
    assert_int_equal((LAUNCH("SLURM_STEP_NUM_TASKS", "8"), ranks_launch_n(look)), 8);
    assert_int_equal(
        (LAUNCH("SLURM_STEP_NUM_TASKS", "8", "OMPI_COMM_WORLD_SIZE", "2"), ranks_launch_n(look)),
        2);
    assert_int_equal((LAUNCH("PMI_RANK", "0", "PMI_SIZE", "3"), ranks_launch_n(look)), 3);
}

static void another_mpi_is_recognised(void **state)
{
    (void)state;
    assert_int_equal(LAUNCH("PMI_RANK", "1", "PMI_SIZE", "2"), RANKS_FOREIGN);
    assert_int_equal(LAUNCH("PMI_RANK", "0", "PMI_SIZE", "1"), RANKS_ALONE);
}

static void a_rank_that_is_left_with_a_core_is_bound(void **state)
{
    (void)state;
    assert_true(ranks_is_bound(1, 16, 2));
    assert_true(ranks_is_bound(2, 64, 4)); /* both threads of a core */
    assert_false(ranks_is_bound(16, 16, 2));
    assert_false(ranks_is_bound(16, 64, 1)); /* a part of a machine, by a job's wish */
    assert_false(ranks_is_bound(1, 2, 2));
    assert_false(ranks_is_bound(1, 1, 1));
    int n, n_online;
    assert_int_equal(ranks_first_bound(NULL, &n, &n_online), -1);
}

static void alone_there_is_nothing_to_open_or_exchange(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    ranks *r = (ranks *)1;
    double x = 3;
    int n = 7, all = 0;
    if (ranks_launch_of(getenv) != RANKS_ALONE)
        skip();
    assert_int_equal(ranks_open(&r, "1", &mem, NULL), VG_OK);
    assert_null(r);
    assert_int_equal(mem.n_allocs, 0);
    assert_int_equal(ranks_n(r), 1);
    assert_int_equal(ranks_me(r), 0);
    assert_int_equal(ranks_sum(r, &x, 1, NULL), VG_OK);
    assert_true(x == 3);
    assert_int_equal(ranks_share(r, &all, &n, sizeof n, NULL), VG_OK);
    assert_int_equal(all, 7);
    assert_int_equal(ranks_settle(r, VG_ERR_IO, NULL), VG_ERR_IO);
    ranks_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_that_nobody_started_is_alone),
        cmocka_unit_test(open_mpi_says_how_many_there_are),
        cmocka_unit_test(slurm_with_pmix_is_open_mpis_too),
        cmocka_unit_test(slurm_without_an_mpi_starts_no_ranks),
        cmocka_unit_test(launchers_say_how_many_they_started),
        cmocka_unit_test(another_mpi_is_recognised),
        cmocka_unit_test(a_rank_that_is_left_with_a_core_is_bound),
        cmocka_unit_test(alone_there_is_nothing_to_open_or_exchange),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
