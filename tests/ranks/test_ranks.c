/* What ranks do together. Each of three processes runs all of this, in step. */
#include "ranks/ranks.h"
#include "support/ok.h"

static base_mem mem = {.tag = "test"};
static ranks *r;

static void there_are_as_many_as_were_started(void **state)
{
    (void)state;
    char name[128];
    assert_int_equal(ranks_n(r), 3);
    assert_in_range(ranks_me(r), 0, 2);
    assert_int_equal(ranks_neighbours(r), 3);
    ranks_name(name, sizeof name, r, 2);
    assert_non_null(strstr(name, "rank 2 on "));
    assert_true(strlen(ranks_host(r, 1)) > 0);
}

static void sums_are_everybodys(void **state)
{
    (void)state;
    double values[] = {ranks_me(r) + 1, 0.5};
    uint64_t counts[] = {(uint64_t)1 << 40, (uint64_t)ranks_me(r)};
    OK(ranks_sum(r, values, 2, err));
    assert_true(values[0] == 6 && values[1] == 1.5);
    OK(ranks_sum_counts(r, counts, 2, err));
    assert_true(counts[0] == (uint64_t)3 << 40 && counts[1] == 3);
}

static void sums_go_on_beside_other_work(void **state)
{
    (void)state;
    enum { N = 100000, SUMS = 7 };
    static float values[SUMS][N];
    for (int s = 0; s < SUMS; s++)
        for (int i = 0; i < N; i++)
            values[s][i] = (float)(ranks_me(r) + s);
    for (int s = 0; s < SUMS; s++) {
        ranks_sum_begin(r, values[s], N);
        ranks_push(r);
    }
    OK(ranks_wait(r, err));
    for (int s = 0; s < SUMS; s++)
        for (int i = 0; i < N; i++)
            assert_true(values[s][i] == (float)(3 + 3 * s));
    OK(ranks_wait(r, err)); /* nothing is under way */
}

static void rank_0s_bytes_are_everybodys(void **state)
{
    (void)state;
    char text[] = "from .";
    text[5] = (char)('0' + ranks_me(r));
    OK(ranks_spread(r, text, sizeof text, err));
    assert_string_equal(text, "from 0");
}

static void everybodys_bytes_are_told_by_rank(void **state)
{
    (void)state;
    const int mine = 10 * ranks_me(r);
    int all[3] = {-1, -1, -1};
    OK(ranks_share(r, all, &mine, sizeof mine, err));
    assert_true(all[0] == 0 && all[1] == 10 && all[2] == 20);
}

/* Rank k brings k letters. */
static void rank_0_collects_pieces_of_any_size(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 2};
    const char *const mine[] = {"", "a", "bc"};
    char all[4] = "";
    OK(ranks_collect(r, ranks_me(r) == 0 ? all : NULL, sizeof all, mine[ranks_me(r)], sizes, err));
    assert_string_equal(all, ranks_me(r) == 0 ? "abc" : "");
}

/* Nobody waits for the one that would have had to take it. */
static void no_room_for_pieces_is_everybodys_failure(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 2};
    char all[2];
    assert_int_equal(ranks_collect(r, ranks_me(r) == 0 ? all : NULL, sizeof all, "xy", sizes, NULL),
                     VG_ERR_LIMIT);
}

static void ranks_that_agree_go_on(void **state)
{
    (void)state;
    OK(ranks_settle(r, VG_OK, err));
    assert_false(ranks_are_settled(r));
}

static void a_failure_of_one_is_everybodys(void **state)
{
    (void)state;
    vg_error e = {.status = VG_OK};
    if (ranks_me(r) != 0)
        base_fail(&e, VG_ERR_IO, "data.yaml", "put it there", "no file %d", ranks_me(r));
    assert_int_equal(ranks_settle(r, e.status, &e), VG_ERR_IO);
    assert_string_equal(e.what, "no file 1"); /* the lowest that failed */
    assert_non_null(strstr(e.where, "rank 1 on "));
    assert_non_null(strstr(e.where, "data.yaml"));
    assert_string_equal(e.mend, "put it there");
    assert_true(ranks_are_settled(r));
}

static void what_was_counted_is_told(void **state)
{
    (void)state;
    const ranks_figures f = ranks_figures_get(r);
    assert_true(f.sum_bytes == 2 * sizeof(double) + 700000 * sizeof(float));
    assert_true(f.n_calls > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_as_many_as_were_started),
        cmocka_unit_test(sums_are_everybodys),
        cmocka_unit_test(sums_go_on_beside_other_work),
        cmocka_unit_test(rank_0s_bytes_are_everybodys),
        cmocka_unit_test(everybodys_bytes_are_told_by_rank),
        cmocka_unit_test(rank_0_collects_pieces_of_any_size),
        cmocka_unit_test(no_room_for_pieces_is_everybodys_failure),
        cmocka_unit_test(ranks_that_agree_go_on),
        cmocka_unit_test(a_failure_of_one_is_everybodys),
        cmocka_unit_test(what_was_counted_is_told),
    };
    vg_error err = {.status = VG_OK};
    if (ranks_open(&r, "1", &mem, &err) != VG_OK) {
        fprintf(stderr, "%s, at %s\n", err.what, err.where);
        return 1;
    }
    const int status = cmocka_run_group_tests(tests, NULL, NULL);
    ranks_close(&r);
    return status != 0 || mem.in_use_bytes != 0;
}
