/* A run that went through its checkpoint goes on as if it had not; and every failure to write one
 * leaves the last. */
#include "support/test.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/folder.h"
#include "run.h"

static base_mem mem;
static char folder[256], path[300], previous[300];

static int setup(void **state)
{
    (void)state;
    base_mem_init(&mem, "test", NULL, 0);
    const int st = folder_make(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/last.safetensors", folder);
    snprintf(previous, sizeof previous, "%s/last.1.safetensors", folder);
    return st;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(mem.in_use_bytes, 0);
    return folder_remove(folder);
}

static void save(run *r)
{
    vg_error err;
    if (run_save(r, path, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
}

static void load(run *r)
{
    vg_error err;
    train_checkpoint *c;
    if (train_checkpoint_open(&c, path, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    if (train_checkpoint_read(c, &r->state, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    train_checkpoint_close(&c);
}

static void a_resumed_run_ends_bit_equal(void **state)
{
    (void)state;
    static run straight, broken;
    for (int kind = TRAIN_OPTIMIZER_SGD; kind < TRAIN_N_OPTIMIZERS; kind++) {
        run_make(&straight, 300, (train_optimizer_kind)kind, &mem);
        run_until(&straight, 30);
        for (int64_t at = 0; at < 30;
             at += 4) { /* with gathered gradients, and without; within epochs, and between */
            run_make(&broken, 300, (train_optimizer_kind)kind, &mem);
            run_until(&broken, at);
            save(&broken);
            run_fini(&broken);
            run_make(&broken, 300, (train_optimizer_kind)kind, &mem);
            model_shake(&broken.m, 99); /* what is not read would show */
            load(&broken);
            run_until(&broken, 30);
            run_expect_same(&straight, &broken);
            run_fini(&broken);
        }
        run_fini(&straight);
    }
}

static void it_is_a_weights_file_of_the_average(void **state)
{
    (void)state;
    static run r;
    run_make(&r, 10, TRAIN_OPTIMIZER_SGD, &mem);
    run_until(&r, 15);
    save(&r);
    weights_file *f;
    assert_int_equal(weights_open(&f, path, &mem, NULL), VG_OK);
    const weights_meta *meta = weights_get_meta(f);
    assert_int_equal(meta->epoch, 2);
    assert_string_equal(meta->names[1], "a \"dog\"");
    assert_true(meta->n_strides == 3 && meta->strides[2] == 32);
    assert_string_equal(meta->model_yaml, "nc: 2\n");
    for (size_t i = 0; i < MODEL_N; i++) {
        const weights_tensor *t = weights_find(f, r.m.infos[i].key);
        assert_memory_equal(t->data, train_ema_value(r.state.ema, i),
                            t->n_elements * sizeof(float));
    }
    weights_close(&f);
    train_checkpoint *c;
    assert_int_equal(train_checkpoint_open(&c, path, &mem, NULL), VG_OK);
    assert_memory_equal(train_checkpoint_args(c), &r.args, sizeof r.args);
    assert_int_equal(train_checkpoint_position(c)->epoch, 2);
    assert_int_equal(train_checkpoint_optimizer(c), TRAIN_OPTIMIZER_SGD);
    assert_string_equal(train_checkpoint_path(c), path);
    train_checkpoint_close(&c);
    run_fini(&r);
}

static void the_previous_one_is_kept_and_no_more(void **state)
{
    (void)state;
    static run r, back;
    run_make(&r, 10, TRAIN_OPTIMIZER_SGD, &mem);
    run_make(&back, 10, TRAIN_OPTIMIZER_SGD, &mem);
    for (int64_t at = 0; at < 5; at++) {
        run_until(&r, at);
        save(&r);
        assert_int_equal(folder_count_entries(folder), at == 0 ? 1 : 2);
    }
    train_checkpoint *c;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(train_checkpoint_open(&c, path, &mem, NULL), VG_OK);
    const vg_error *why;
    assert_true(train_checkpoint_fell_back(c, &why));
    assert_int_equal(why->status, VG_ERR_IO);
    assert_string_equal(train_checkpoint_path(c), previous);
    assert_int_equal(train_checkpoint_position(c)->batch, 3);
    train_checkpoint_close(&c);
    run_fini(&r);
    run_fini(&back);
}

static void a_whole_one_not_yet_in_its_place_is_the_newest(void **state)
{
    (void)state;
    static run r;
    char fresh[320];
    const vg_error *why;
    train_checkpoint *c;
    snprintf(fresh, sizeof fresh, "%s.new", path);
    run_make(&r, 10, TRAIN_OPTIMIZER_SGD, &mem);
    run_until(&r, 1);
    save(&r);
    run_until(&r, 2);
    save(&r);
    assert_int_equal(rename(path, fresh),
                     0); /* as a crash before step 3 leaves it, its link being done */
    assert_int_equal(link(previous, path), 0);
    assert_int_equal(train_checkpoint_open(&c, path, &mem, NULL), VG_OK);
    assert_false(train_checkpoint_fell_back(c, &why));
    assert_int_equal(train_checkpoint_position(c)->batch, 2);
    train_checkpoint_close(&c);
    run_until(&r, 3);
    save(&r); /* and the next one tidies up */
    assert_int_equal(folder_count_entries(folder), 2);
    run_fini(&r);
}

/* ---- what does not fit ---- */

static void another_model_is_refused_and_nothing_is_touched(void **state)
{
    (void)state;
    static run r, other;
    static model before;
    run_make(&r, 10, TRAIN_OPTIMIZER_SGD, &mem);
    run_until(&r, 4);
    save(&r);
    train_checkpoint *c;
    vg_error err;
    assert_int_equal(train_checkpoint_open(&c, path, &mem, NULL), VG_OK);

    run_make(&other, 11, TRAIN_OPTIMIZER_SGD, &mem);
    before = other.m;
    assert_int_equal(train_checkpoint_read(c, &other.state, &err), VG_ERR_FORMAT);
    assert_non_null(strstr(err.where, "model.0.conv.weight"));
    assert_non_null(strstr(err.what, "another shape"));
    assert_true(model_same_values(&before, &other.m));
    run_fini(&other);

    run_make(&other, 10, TRAIN_OPTIMIZER_ADAM, &mem);
    assert_int_equal(train_checkpoint_read(c, &other.state, &err), VG_ERR_FORMAT);
    assert_non_null(strstr(err.what, "a training with SGD, not Adam"));
    run_fini(&other);

    run_make(&other, 10, TRAIN_OPTIMIZER_SGD, &mem); /* frozen layers have no momentum */
    train_optimizer_destroy(&other.state.optimizer);
    train_params_freeze(other.m.params, MODEL_N, (int[]){0}, 1, NULL);
    const train_optimizer_options options = {.kind = TRAIN_OPTIMIZER_SGD};
    train_optimizer_create(&other.state.optimizer, other.m.params, MODEL_N, &options, &mem, NULL);
    before = other.m;
    assert_int_equal(train_checkpoint_read(c, &other.state, &err), VG_ERR_FORMAT);
    assert_non_null(strstr(err.what, "tensors where"));
    assert_true(model_same_values(&before, &other.m));
    run_fini(&other);
    train_checkpoint_close(&c);
    run_fini(&r);
}

static void weights_alone_are_no_checkpoint(void **state)
{
    (void)state;
    static run r;
    vg_error err;
    train_checkpoint *c;
    run_make(&r, 10, TRAIN_OPTIMIZER_SGD, &mem);
    save(&r);
    save(&r);
    assert_int_equal(train_model_save(r.m.params, MODEL_N, r.state.ema, WEIGHTS_F16, -1, &r.args,
                                      &r.facts, path, &mem, &err),
                     VG_OK);
    assert_int_equal(train_checkpoint_open(&c, path, &mem, &err),
                     VG_ERR_ARGUMENT); /* not the previous one */
    assert_null(c);
    assert_non_null(strstr(err.what, "without a training state"));
    run_fini(&r);
}

static void a_stripped_model_has_half_the_precision_and_its_facts(void **state)
{
    (void)state;
    static run r;
    run_make(&r, 10, TRAIN_OPTIMIZER_SGD, &mem);
    run_until(&r, 5);
    assert_int_equal(train_model_save(r.m.params, MODEL_N, r.state.ema, WEIGHTS_F16, -1, &r.args,
                                      &r.facts, path, &mem, NULL),
                     VG_OK);
    weights_file *f;
    assert_int_equal(weights_open(&f, path, &mem, NULL), VG_OK);
    assert_int_equal(weights_count(f), MODEL_N);
    assert_int_equal(weights_get_meta(f)->epoch, -1);
    assert_non_null(strstr(weights_get_meta(f)->train_args, "\"data\": \"a/b.yaml\""));
    for (size_t i = 0; i < MODEL_N; i++) {
        const weights_tensor *t = weights_at(f, i);
        assert_string_equal(t->name, r.m.infos[i].key);
        assert_int_equal(t->dtype, WEIGHTS_F16);
        for (size_t k = 0; k < t->n_elements; k++)
            assert_int_equal(((const uint16_t *)t->data)[k],
                             weights_f32_to_f16(train_ema_value(r.state.ema, i)[k]));
    }
    weights_close(&f);
    run_fini(&r);
}

/* ---- no room, no right, no memory ---- */

static void expect_state(int64_t iteration)
{
    static run wanted, got;
    run_make(&wanted, 3000, TRAIN_OPTIMIZER_ADAMW, &mem);
    run_make(&got, 3000, TRAIN_OPTIMIZER_ADAMW, &mem);
    run_until(&wanted, iteration);
    load(&got);
    run_expect_same(&wanted, &got);
    run_fini(&wanted);
    run_fini(&got);
}

static void a_full_disk_is_an_error_and_the_old_one_stays(void **state)
{
    (void)state;
    static run r;
    vg_error err;
    run_make(&r, 3000, TRAIN_OPTIMIZER_ADAMW, &mem);
    run_until(&r, 4);
    save(&r);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    run_until(&r, 5);

    struct rlimit old, tight;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_IGN);
    const off_t sizes[] = {0, 100, 5000, info.st_size / 2, info.st_size - 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        tight = (struct rlimit){.rlim_cur = (rlim_t)sizes[i], .rlim_max = old.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
        const vg_status st = run_save(&r, path, &mem, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(st, VG_ERR_IO);
        assert_non_null(strstr(err.what, "cannot write"));
        assert_int_equal(folder_count_entries(folder), 1);
        expect_state(4);
    }
    save(&r); /* once there is room again */
    expect_state(5);
    signal(SIGXFSZ, SIG_DFL);
    run_fini(&r);
}

static void a_folder_that_takes_no_file_is_an_error(void **state)
{
    (void)state;
    static run r;
    vg_error err;
    char there[320];
    run_make(&r, 10, TRAIN_OPTIMIZER_SGD, &mem);
    snprintf(there, sizeof there, "%s/none/last.safetensors", folder);
    assert_int_equal(run_save(&r, there, &mem, &err), VG_ERR_IO);
    assert_non_null(strstr(err.mend, "create the folder"));
    assert_int_equal(run_save(&r, "/proc/last.safetensors", &mem, &err), VG_ERR_IO);
    char longer[5000];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(run_save(&r, longer, &mem, &err), VG_ERR_LIMIT);

    save(&r);
    if (geteuid() != 0) { /* root writes anyway */
        assert_int_equal(chmod(folder, 0555), 0);
        assert_int_equal(run_save(&r, path, &mem, &err), VG_ERR_IO);
        assert_int_equal(chmod(folder, 0755), 0);
    }
    assert_int_equal(mkdir(previous, 0777), 0); /* where the previous one would go */
    assert_int_equal(run_save(&r, path, &mem, &err), VG_ERR_IO);
    train_checkpoint *c;
    assert_int_equal(train_checkpoint_open(&c, path, &mem, &err), VG_OK);
    train_checkpoint_close(&c);
    run_fini(&r);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static run r;
    run_make(&r, 3000, TRAIN_OPTIMIZER_ADAMW, &mem);
    run_until(&r, 4);
    save(&r);
    run_until(&r, 5);
    const size_t held = mem.in_use_bytes;
    vg_error err;
    int n_refused = 0;
    for (int64_t k = 1;; k++, n_refused++) {
        mem.fail_in = k;
        const vg_status st = run_save(&r, path, &mem, &err);
        const bool untouched = mem.fail_in > 0;
        mem.fail_in = 0;
        assert_int_equal(mem.in_use_bytes, held);
        if (st == VG_OK && untouched)
            break;
        assert_int_equal(st, VG_ERR_MEMORY);
        assert_int_equal(folder_count_entries(folder), 1);
        if (k % 8 == 1)
            expect_state(4);
    }
    assert_true(n_refused > 5);
    n_refused = 0;
    for (int64_t k = 1;; k++, n_refused++) {
        train_checkpoint *c;
        mem.fail_in = k;
        const vg_status st = train_checkpoint_open(&c, path, &mem, &err);
        const bool untouched = mem.fail_in > 0;
        mem.fail_in = 0;
        train_checkpoint_close(&c);
        assert_int_equal(mem.in_use_bytes, held);
        if (st == VG_OK && untouched)
            break;
        assert_int_equal(st, VG_ERR_MEMORY);
    }
    assert_true(n_refused > 5);
    run_fini(&r);
}

static void sweeping_takes_what_the_dead_left_and_nothing_else(void **state)
{
    (void)state;
    const pid_t dead = fork();
    if (dead == 0)
        _exit(0);
    waitpid(dead, NULL, 0);
    char name[400];
    const long pids[] = {(long)dead, (long)getppid()};
    for (int k = 0; k < 2; k++) {
        snprintf(name, sizeof name, "%s.new.tmp-%ld-0", path, pids[k]);
        fclose(fopen(name, "w"));
    }
    snprintf(name, sizeof name, "%s.tmp-%ld-3", path, (long)dead);
    fclose(fopen(name, "w"));
    snprintf(name, sizeof name, "%s.tmp-%ld-3x", path, (long)dead);
    fclose(fopen(name, "w"));
    fclose(fopen(path, "w"));
    train_checkpoint_sweep(path);
    assert_int_equal(folder_count_entries(folder), 3);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(access(name, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(a_resumed_run_ends_bit_equal),
        TEST(it_is_a_weights_file_of_the_average),
        TEST(the_previous_one_is_kept_and_no_more),
        TEST(a_whole_one_not_yet_in_its_place_is_the_newest),
        TEST(another_model_is_refused_and_nothing_is_touched),
        TEST(weights_alone_are_no_checkpoint),
        TEST(a_stripped_model_has_half_the_precision_and_its_facts),
        TEST(a_full_disk_is_an_error_and_the_old_one_stays),
        TEST(a_folder_that_takes_no_file_is_an_error),
        TEST(every_allocation_may_fail),
        TEST(sweeping_takes_what_the_dead_left_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
