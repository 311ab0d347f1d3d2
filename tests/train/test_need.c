/* The plan of a run is what the run then takes, and a limit is kept. */
#include "support/test.h"

#include "shop.h"

typedef struct purse {
    base_mem root, owner[4];
    train_accounts lent;
} purse;

enum { N_TRAIN = 48 };

static shop s;

static int setup(void **state)
{
    (void)state;
    shop_open(&s, N_TRAIN, 10);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shop_close(&s);
    return 0;
}

static void purse_open(purse *p)
{
    static const char *const tags[] = {"data", "model", "activations", "work"};
    base_mem_init(&p->root, "root", NULL, SIZE_MAX);
    for (int i = 0; i < 4; i++)
        base_mem_init(&p->owner[i], tags[i], &p->root, SIZE_MAX);
    p->lent = (train_accounts){.data = &p->owner[0],
                               .model = &p->owner[1],
                               .activations = &p->owner[2],
                               .work = &p->owner[3]};
}

static void purse_close(const purse *p)
{
    assert_int_equal(p->root.in_use_bytes, 0);
}

/* Planned, then created. */
static void expect_exact(const train_args *a)
{
    purse p;
    vg_plan need;
    train_run *r = NULL;
    purse_open(&p);
    OK(train_plan(&need, a, 0, &p.lent, err));
    purse_close(&p);
    assert_int_equal(p.owner[TRAIN_OWNER_MODEL].peak_bytes, 0);
    assert_int_equal(p.owner[TRAIN_OWNER_ACTIVATIONS].peak_bytes, 0);
    OK(train_run_create(&r, a, shop_folder(&s, "need"), &p.lent, err));
    for (int i = 0; i <= TRAIN_OWNER_WORK; i++)
        if (p.owner[i].in_use_bytes != train_need_of(&need, (train_owner)i, true))
            fail_msg("%s: %zu bytes, and %zu were planned (batch %d, imgsz %d)", p.owner[i].tag,
                     p.owner[i].in_use_bytes, train_need_of(&need, (train_owner)i, true), a->batch,
                     a->imgsz);
    assert_int_equal(p.root.in_use_bytes, need.held_bytes);
    assert_true(need.total_bytes > need.held_bytes && need.naive_bytes > 0);
    train_run_destroy(&r);
    purse_close(&p);
    folder_remove(shop_folder(&s, "need"));
}

static void a_run_takes_what_was_planned_to_the_byte(void **state)
{
    (void)state;
    static const char *const settings[][5] = {
        /* batch, imgsz, name, value */
        {"1", "64", "optimizer", "SGD"},    {"3", "96", "workers", "2"},
        {"8", "96", "threads", "2"},        {"23", "32", "mosaic", "1"},
        {"48", "64", "multi_scale", "yes"}, {"100", "32", "rect", "yes"},
        {"5", "96", "cache", "ram"},        {"4", "64", "optimizer", "auto"},
        {"7", "64", "single_cls", "yes"},   {"6", "70", "mixup", "0.5"},
        {"2", "160", "freeze", "10"},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        train_args a = shop_args(&s);
        shop_set(&a, "batch", settings[i][0]);
        shop_set(&a, "imgsz", settings[i][1]);
        shop_set(&a, settings[i][2], settings[i][3]);
        expect_exact(&a);
    }
}

static void every_optimizer_is_planned_by_its_name(void **state)
{
    (void)state;
    for (int k = TRAIN_OPTIMIZER_SGD; k < TRAIN_N_OPTIMIZERS; k++) {
        const char *name = train_optimizer_name((train_optimizer_kind)k);
        train_args a = shop_args(&s);
        purse p;
        vg_plan need;
        char wanted[64];
        bool found = false;
        shop_set(&a, "batch", "2");
        shop_set(&a, "optimizer", name);
        expect_exact(&a);
        purse_open(&p);
        OK(train_plan(&need, &a, 0, &p.lent, err));
        base_format(wanted, sizeof wanted, "optimizer %s", name);
        for (int i = 0; i < need.n_items; i++)
            found = found || strcmp(need.items[i].what, wanted) == 0;
        if (!found)
            fail_msg("no \"%s\" in the plan", wanted);
        purse_close(&p);
    }
}

static size_t held_with_cache(const char *limit)
{
    train_args a = shop_args(&s);
    shop_set(&a, "cache", "ram");
    shop_set(&a, "cache_limit", limit);
    shop_set(&a, "mosaic", "0"); /* no ring of pictures, which would be instead of the cache */
    expect_exact(&a);
    purse p;
    vg_plan need;
    purse_open(&p);
    OK(train_plan(&need, &a, 0, &p.lent, err));
    return need.held_bytes;
}

static void pictures_are_kept_up_to_cache_limit_over_both_splits(void **state)
{
    (void)state;
    const size_t all = held_with_cache("none");
    assert_int_equal(held_with_cache("1G"), all);
    const size_t with_64k = held_with_cache("64K");
    assert_int_equal(held_with_cache("128K") - with_64k, 64 << 10);
    assert_true(with_64k < all);
}

static size_t total_of(train_args a, int batch)
{
    purse p;
    vg_plan need;
    purse_open(&p);
    a.batch = batch;
    a.memory_limit = 0;
    OK(train_plan(&need, &a, 0, &p.lent, err));
    return need.total_bytes;
}

static int choice_of(train_args a, size_t limit)
{
    purse p;
    vg_plan need;
    purse_open(&p);
    a.batch = -1;
    a.memory_limit = limit;
    vg_error err;
    const vg_status st = train_plan(&need, &a, 0, &p.lent, &err);
    purse_close(&p);
    if (st == VG_OK) {
        assert_true(need.is_chosen && need.limit_bytes == limit && need.total_bytes <= limit);
        return need.batch;
    }
    assert_int_equal(st, VG_ERR_LIMIT);
    assert_non_null(strstr(err.mend, "not even a batch of 1 fits"));
    return 0;
}

/* Also where the sum falls: an epoch of one batch needs one buffer. */
static void the_largest_batch_that_fits_is_found(void **state)
{
    (void)state;
    size_t total[N_TRAIN + 1] = {0};
    train_args a = shop_args(&s);
    for (int b = 1; b <= N_TRAIN; b++)
        total[b] = total_of(a, b);
    assert_true(total[N_TRAIN] < total[N_TRAIN - 1]);
    for (int b = 1; b <= N_TRAIN; b++)
        for (int less = 0; less <= 1; less++) {
            const size_t limit = total[b] - (size_t)less;
            int wanted = 0;
            for (int k = 1; k <= N_TRAIN; k++)
                wanted = total[k] <= limit ? k : wanted;
            assert_int_equal(choice_of(a, limit), wanted);
        }
    assert_int_equal(choice_of(a, (size_t)1 << 40), N_TRAIN);
}

static void a_chosen_batch_is_the_runs_own(void **state)
{
    (void)state;
    purse p;
    train_run *r = NULL;
    purse_open(&p);
    train_args a = shop_args(&s);
    a.memory_limit = total_of(a, 3);
    a.batch = -1;
    a.epochs = 1;
    OK(train_run_create(&r, &a, shop_folder(&s, "own"), &p.lent, err));
    assert_int_equal(train_run_args(r)->batch, 3);
    assert_int_equal(train_run_need(r)->batch, 3);
    const size_t held = train_run_need(r)->held_bytes;
    OK(train_run_go(r, NULL, err));
    /* What comes and goes keeps within what was planned for it. */
    for (int i = 0; i <= TRAIN_OWNER_WORK; i++)
        if (p.owner[i].peak_bytes > train_need_of(train_run_need(r), (train_owner)i, false))
            fail_msg("%s: %zu bytes at most, and %zu were planned", p.owner[i].tag,
                     p.owner[i].peak_bytes,
                     train_need_of(train_run_need(r), (train_owner)i, false));
    print_message("headers: %zu of %zu bytes\n",
                  p.owner[3].peak_bytes - train_need_of(train_run_need(r), TRAIN_OWNER_WORK, true),
                  train_need_of(train_run_need(r), TRAIN_OWNER_WORK, false) -
                      train_need_of(train_run_need(r), TRAIN_OWNER_WORK, true));
    /* The pictures are PNG, which makes decoders take a little more, as planned among what passes.
     */
    assert_true(p.root.in_use_bytes >= held && p.root.in_use_bytes < held + 4096);
    train_run_destroy(&r);
    purse_close(&p);
}

static bool stop_after_two(void *ctx)
{
    return ++*(int *)ctx >= 2;
}

static void a_resumed_run_has_the_same_plan(void **state)
{
    (void)state;
    purse p;
    train_run *r = NULL;
    int n_asked = 0;
    const train_listener listener = {.ctx = &n_asked, .wants_stop = stop_after_two};
    purse_open(&p);
    train_args a = shop_args(&s);
    a.memory_limit = total_of(a, 4);
    a.batch = -1;
    OK(train_run_create(&r, &a, shop_folder(&s, "again"), &p.lent, err));
    const vg_plan first = *train_run_need(r);
    assert_int_equal(train_run_go(r, &listener, NULL), VG_ERR_INTERRUPTED);
    train_run_destroy(&r);
    OK(train_run_resume(&r, shop_folder(&s, "again"), &p.lent, err));
    const vg_plan *second = train_run_need(r);
    assert_int_equal(train_run_args(r)->batch, 4);
    assert_int_equal(second->total_bytes, first.total_bytes);
    assert_int_equal(p.root.in_use_bytes, second->held_bytes);
    assert_int_equal(second->limit_bytes, a.memory_limit);
    assert_false(second->is_chosen);
    train_run_destroy(&r);
    purse_close(&p);
}

static void a_run_that_does_not_fit_says_what_would(void **state)
{
    (void)state;
    purse p;
    train_run *r = NULL;
    vg_error err;
    purse_open(&p);
    train_args a = shop_args(&s);
    a.memory_limit = total_of(a, 8) - 1;
    assert_int_equal(train_run_create(&r, &a, shop_folder(&s, "no"), &p.lent, &err), VG_ERR_LIMIT);
    assert_null(r);
    assert_non_null(strstr(err.what, "batches of 8 needs"));
    assert_non_null(strstr(err.what, "activations"));
    char text[64];
    snprintf(text, sizeof text, "batch=%d is the most", choice_of(a, a.memory_limit));
    assert_non_null(strstr(err.mend, text));
    assert_int_equal(p.owner[TRAIN_OWNER_MODEL].peak_bytes, 0); /* nothing was taken */
    a.memory_limit = 1 << 20;
    assert_int_equal(train_run_create(&r, &a, shop_folder(&s, "no"), &p.lent, &err), VG_ERR_LIMIT);
    assert_non_null(strstr(err.mend, "not even a batch of 1"));
    purse_close(&p);
}

/* The accounts refuse what would pass the limit, planned or not. */
static void the_limit_stands_on_the_accounts(void **state)
{
    (void)state;
    purse p;
    train_run *r = NULL;
    purse_open(&p);
    train_args a = shop_args(&s);
    a.memory_limit = total_of(a, 8);
    OK(train_run_create(&r, &a, shop_folder(&s, "stands"), &p.lent, err));
    assert_int_equal(p.root.limit_bytes,
                     a.memory_limit - train_need_of(train_run_need(r), TRAIN_OWNER_PROGRAM, false));
    assert_null(base_alloc(&p.owner[3], a.memory_limit - p.root.in_use_bytes, NULL));
    train_run_destroy(&r);
    purse_close(&p);
}

static void a_plan_needs_no_dataset(void **state)
{
    (void)state;
    purse p;
    vg_plan need, more;
    purse_open(&p);
    train_args a = shop_args(&s);
    shop_set(&a, "data", "");
    OK(train_plan(&need, &a, 2, &p.lent, err));
    assert_int_equal(need.batch, 8);
    assert_int_equal(train_need_of(&need, TRAIN_OWNER_DATA, false), 0);
    OK(train_plan(&more, &a, 80, &p.lent, err));
    assert_true(train_need_of(&more, TRAIN_OWNER_MODEL, true) >
                train_need_of(&need, TRAIN_OWNER_MODEL, true));
    purse_close(&p);
}

static void no_memory_for_a_plan_is_an_error(void **state)
{
    (void)state;
    purse p;
    vg_plan need;
    purse_open(&p);
    const train_args a = shop_args(&s);
    for (int k = 1;; k += 17) {
        p.root.fail_in = k;
        const vg_status st = train_plan(&need, &a, 0, &p.lent, NULL);
        purse_close(&p);
        if (st == VG_OK && p.root.fail_in > 0)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_takes_what_was_planned_to_the_byte),
        cmocka_unit_test(every_optimizer_is_planned_by_its_name),
        cmocka_unit_test(pictures_are_kept_up_to_cache_limit_over_both_splits),
        cmocka_unit_test(the_largest_batch_that_fits_is_found),
        cmocka_unit_test(a_chosen_batch_is_the_runs_own),
        cmocka_unit_test(a_resumed_run_has_the_same_plan),
        cmocka_unit_test(a_run_that_does_not_fit_says_what_would),
        cmocka_unit_test(the_limit_stands_on_the_accounts),
        cmocka_unit_test(a_plan_needs_no_dataset),
        cmocka_unit_test(no_memory_for_a_plan_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
