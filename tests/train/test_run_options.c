/* What arguments do to a run; and what a run does when something is missing. */
#include "support/test.h"

#include "shop.h"

static shop s;
static train_args args;

static int setup(void **state)
{
    (void)state;
    shop_open(&s, 9, 4);
    args = shop_args(&s);
    shop_set(&args, "imgsz", "64");
    shop_set(&args, "epochs", "1");
    shop_set(&args, "batch", "4");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shop_close(&s);
    return 0;
}

typedef struct sizes {
    int least, most, n;
} sizes;

static void note_size(void *ctx, const vg_train_batch *p)
{
    sizes *z = ctx;
    z->least = z->n == 0 || p->height < z->least ? p->height : z->least;
    z->most = p->height > z->most ? p->height : z->most;
    z->n++;
    assert_true(p->loss[0] > 0 && p->loss[1] > 0);
}

static void note_losses(void *ctx, const vg_train_epoch *e)
{
    double *box_losses = ctx;
    box_losses[e->epoch - 1] = e->train_loss[0];
}

static void run_for_losses(const char *folder, double box_losses[2])
{
    train_run *r;
    OK(train_run_create(&r, &args, shop_folder(&s, folder), &s.accounts, err));
    OK(train_run_go(r, &(train_listener){.ctx = box_losses, .epoch = note_losses}, err));
    train_run_destroy(&r);
}

static sizes run(const char *folder)
{
    train_run *r;
    sizes z = {0};
    OK(train_run_create(&r, &args, shop_folder(&s, folder), &s.accounts, err));
    OK(train_run_go(r, &(train_listener){.ctx = &z, .batch = note_size}, err));
    train_run_destroy(&r);
    return z;
}

static void refuse(vg_status status, const char *what)
{
    train_run *r;
    vg_error err = {0};
    const size_t held = s.mem.in_use_bytes;
    assert_int_equal(train_run_create(&r, &args, shop_folder(&s, "refused"), &s.accounts, &err),
                     status);
    assert_null(r);
    if (strstr(err.what, what) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", err.what, what);
    assert_int_equal(s.mem.in_use_bytes, held);
}

static void multi_scale_varies_the_size_of_batches(void **state)
{
    (void)state;
    shop_set(&args, "multi_scale", "true");
    shop_set(&args, "epochs", "6");
    const sizes z = run("scales");
    assert_int_equal(z.n, 18);
    assert_true(z.least < 64 && z.most > 64 && z.most <= 96);
}

static void note_end(void *ctx, const vg_train_epoch *e)
{
    vg_train_epoch *last = ctx;
    *last = *e;
}

static void time_ends_the_run_within_its_epoch(void **state)
{
    (void)state;
    train_run *r;
    vg_error why;
    vg_train_epoch last = {0};
    shop_set(&args, "epochs", "50");
    shop_set(&args, "time", "0.0000001"); /* over after the first batch */
    OK(train_run_create(&r, &args, shop_folder(&s, "hours"), &s.accounts, err));
    OK(train_run_go(r, &(train_listener){.ctx = &last, .epoch = note_end}, err));
    assert_int_equal(last.epoch, 1);
    assert_true(last.time_is_up && last.is_validated && last.train_loss[0] > 0);
    assert_non_null(train_run_final(r));
    train_run_destroy(&r);
    assert_true(base_path_exists(shop_folder(&s, "hours/weights/best.safetensors")));
    assert_int_equal(train_run_resume(&r, shop_folder(&s, "hours"), &s.accounts, &why),
                     VG_ERR_ARGUMENT);
    assert_non_null(strstr(why.what, "finished, after 1 epochs"));
}

static void the_last_epochs_are_without_mosaic_and_each_has_its_own_samples(void **state)
{
    (void)state;
    double plain[2], mosaic[2], closed[2], early[2];
    shop_set(&args, "epochs", "2");
    shop_set(&args, "freeze", "24"); /* so that the weights have no part in it */
    run_for_losses("plain", plain);
    shop_set(&args, "mosaic", "1");
    run_for_losses("mosaic", mosaic);
    shop_set(&args, "close_mosaic", "1");
    run_for_losses("closed", closed);
    shop_set(&args, "close_mosaic", "3"); /* more than there are epochs: none, as in the recipe */
    run_for_losses("early", early);
    assert_true(plain[0] != plain[1] && mosaic[0] != mosaic[1]);
    assert_true(mosaic[0] != plain[0] && mosaic[1] != plain[1]);
    assert_true(closed[0] == mosaic[0] && closed[1] == plain[1]);
    assert_true(early[0] == mosaic[0] && early[1] == mosaic[1]);
}

static void single_cls_and_classes_make_models_of_their_counts(void **state)
{
    (void)state;
    train_run *r;
    nn_graph_info info;
    shop_set(&args, "single_cls", "true");
    shop_set(&args, "classes", "1");
    shop_set(&args, "rect", "true");
    run("one");
    OK(train_run_create(&r, &args, shop_folder(&s, "one"), &s.accounts, err));
    nn_graph_get_info(train_run_graph(r), 64, &info);
    assert_int_equal(info.nc, 1);
    const data_set *set = train_run_set(r, DATA_TRAIN);
    size_t n_labels = 0;
    for (size_t i = 0; i < data_set_size(set); i++)
        n_labels += data_set_picture(set, i)->n_labels;
    assert_true(n_labels > 0 && n_labels < 18);
    train_run_destroy(&r);
}

static void another_models_weights_give_what_fits(void **state)
{
    (void)state;
    train_run *r;
    size_t n, of;
    run("first");
    OK(train_run_create(&r, &args, shop_folder(&s, "none"), &s.accounts, err));
    assert_false(train_run_transferred(r, &n, &of));
    train_run_destroy(&r);

    shop_set(&args, "weights", shop_folder(&s, "first/weights/best.safetensors"));
    OK(train_run_create(&r, &args, shop_folder(&s, "second"), &s.accounts, err));
    assert_true(train_run_transferred(r, &n, &of));
    assert_true(n == of && of > 400);
    train_run_destroy(&r);

    shop_set(&args, "single_cls",
             "true"); /* three class layers of another width, each with a bias */
    OK(train_run_create(&r, &args, shop_folder(&s, "third"), &s.accounts, err));
    assert_true(train_run_transferred(r, &n, &of));
    assert_int_equal(n, of - 6);
    train_run_destroy(&r);

    shop_set(&args, "weights", "none"); /* a file as the model: its scale and its weights */
    shop_set(&args, "model", shop_folder(&s, "first/weights/best.safetensors"));
    OK(train_run_create(&r, &args, shop_folder(&s, "fourth"), &s.accounts, err));
    assert_true(train_run_transferred(r, &n, &of));
    assert_int_equal(n, of - 6);
    train_run_destroy(&r);
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    const train_args good = args;
    shop_set(&args, "data", "none");
    refuse(VG_ERR_ARGUMENT, "no dataset");
    args = good;
    shop_set(&args, "data", "/nonexistent.yaml");
    refuse(VG_ERR_IO, "cannot read");
    args = good;
    shop_set(&args, "model", "none");
    refuse(VG_ERR_ARGUMENT, "no model");
    shop_set(&args, "model", "yolo12n.yaml");
    refuse(VG_ERR_ARGUMENT, "no such model");
    args = good;
    shop_set(&args, "freeze", "25");
    refuse(VG_ERR_ARGUMENT, "layer 24");
    args = good;
    shop_set(&args, "classes", "0,2");
    refuse(VG_ERR_ARGUMENT, "class 2 in a dataset of 2");
    args = good;
    shop_set(&args, "split", "test");
    refuse(VG_ERR_FORMAT, "test");
    args = good;
    shop_set(&args, "weights", "/nonexistent.pt");
    refuse(VG_ERR_IO, "cannot read");
}

static void delete_a_picture(void *ctx, const vg_train_epoch *e)
{
    (void)ctx;
    if (e->epoch == 1)
        assert_int_equal(unlink(shop_folder(&s, "images/train/003.png")), 0);
}

static void a_deleted_picture_is_an_error_and_the_checkpoint_stays(void **state)
{
    (void)state;
    train_run *r;
    vg_error gone = {0};
    shop_set(&args, "epochs", "3");
    OK(train_run_create(&r, &args, shop_folder(&s, "run"), &s.accounts, err));
    assert_int_equal(train_run_go(r, &(train_listener){.epoch = delete_a_picture}, &gone),
                     VG_ERR_IO);
    assert_non_null(strstr(gone.where, "003.png"));
    train_run_destroy(&r);
    train_checkpoint *c;
    OK(train_checkpoint_open(&c, shop_folder(&s, "run/weights/last.safetensors"), &s.mem, err));
    assert_int_equal(train_checkpoint_position(c)->epoch, 1);
    train_checkpoint_close(&c);
    assert_int_equal(train_run_resume(&r, shop_folder(&s, "run"), &s.accounts, &gone),
                     VG_ERR_FORMAT);
    assert_non_null(strstr(gone.what, "had 3 batches an epoch"));
}

static void every_allocation_of_create_may_fail(void **state)
{
    (void)state;
    train_run *r;
    const uint64_t before = s.mem.n_allocs;
    OK(train_run_create(&r, &args, shop_folder(&s, "run"), &s.accounts, err));
    train_run_destroy(&r);
    const int64_t n = (int64_t)(s.mem.n_allocs - before), held = (int64_t)s.mem.in_use_bytes;
    int n_refused = 0;
    for (int64_t k = 1; k <= n; k += 1 + n / 40) {
        s.mem.fail_in = k;
        const vg_status st = train_run_create(&r, &args, shop_folder(&s, "run"), &s.accounts, NULL);
        s.mem.fail_in = 0;
        n_refused += st == VG_ERR_MEMORY;
        assert_true(st == VG_ERR_MEMORY ||
                    st == VG_OK); /* the label cache is made without, when it must be */
        train_run_destroy(&r);
        assert_int_equal(s.mem.in_use_bytes, held);
    }
    print_message("%d of %lld allocations refused\n", n_refused, (long long)n);
    assert_true(n_refused > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(time_ends_the_run_within_its_epoch),
        TEST(multi_scale_varies_the_size_of_batches),
        TEST(the_last_epochs_are_without_mosaic_and_each_has_its_own_samples),
        TEST(single_cls_and_classes_make_models_of_their_counts),
        TEST(another_models_weights_give_what_fits),
        TEST(what_is_not_there_is_said),
        TEST(a_deleted_picture_is_an_error_and_the_checkpoint_stays),
        TEST(every_allocation_of_create_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
