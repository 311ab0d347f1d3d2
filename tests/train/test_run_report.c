/* What a run's folder gets beside what train writes: pictures of batches show what is in them, and
 * the disk's troubles end no run. */
#include "api/set.h" /* first: it allocates, which base.h forbids who comes after it */

#include "report/support.h"
#include "task/task.h"
#include "train/train.h"

#include <math.h>

enum { SIDE = 64, GAP = 4, CAPTION = 20 };

static char root[256];

static int set_up(void **state)
{
    if (folder_make(root, sizeof root) != 0)
        return -1;
    set_make(root);
    return setup(state);
}

static int tear_down(void **state)
{
    folder_remove(root);
    return teardown(state);
}

/* ---- pictures ---- */

/* The set's pictures are only named here; what is drawn is the batch. */
typedef struct scene {
    data_spec *spec;
    data_set *set;
    train_gallery *gallery;
    data_batch batch;
    data_item items[2];
    float input[2 * SIDE * SIDE * 3];
} scene;

static const char *const names[] = {"red", "blue"};

static scene *make_scene_of(bench *b, const task *of)
{
    static scene s;
    const data_set_options val = {.split = DATA_VAL, .no_cache = true};
    const train_gallery_options o = {.folder = b->folder,
                                     .names = names,
                                     .imgsz = SIDE,
                                     .stride = 32,
                                     .most_labels = 1,
                                     .most_found = 5,
                                     .task = of,
                                     .nc = 2,
                                     .n_keypoints = of == &task_pose ? 1 : 0,
                                     .conf = 0.001f};
    s = (scene){.batch = {.n = 2, .h = SIDE, .w = SIDE, .input = s.input, .items = s.items},
                .items = {{.picture = 0, .w0 = 100, .h0 = 80, .gain = 0.5f, .left = 8, .top = 12},
                          {.picture = 1, .w0 = 100, .h0 = 80, .gain = 0.5f, .left = 8, .top = 12}}};
    for (size_t i = 0; i < sizeof s.input / sizeof *s.input; i++)
        s.input[i] = i < SIDE * SIDE * 3 ? 0.25f : 0.5f;
    assert_int_equal(data_spec_open(&s.spec, scene_path(root, "data.yaml"), &b->mem, &b->err),
                     VG_OK);
    assert_int_equal(data_set_open(&s.set, s.spec, &val, NULL, &b->mem, &b->err), VG_OK);
    assert_int_equal(train_gallery_create(&s.gallery, &o, &b->mem, &b->err), VG_OK);
    return &s;
}

static scene *make_scene(bench *b)
{
    return make_scene_of(b, NULL);
}

static void end_scene(scene *s)
{
    train_gallery_destroy(&s->gallery);
    data_set_destroy(&s->set);
    data_spec_destroy(&s->spec);
}

static void read_page(bench *b, image_buffer *out, const char *name)
{
    image_decoder *d;
    size_t n;
    char *bytes = read_text(b, in_folder(b, name), &n);
    assert_int_equal(image_decoder_create(&d, NULL, &b->mem, &b->err), VG_OK);
    assert_int_equal(image_decode(d, out, (const uint8_t *)bytes, n, name, &b->mem, &b->err),
                     VG_OK);
    image_decoder_destroy(&d);
    base_free(bytes);
    assert_int_equal(out->view.w, GAP + 2 * (SIDE + GAP));
    assert_int_equal(out->view.h, GAP + SIDE + CAPTION + GAP);
}

/* Mean of red less mean of blue in a part of picture `tile`. */
static double redness(const image_buffer *page, int tile, int x1, int y1, int x2, int y2)
{
    double sum = 0;
    const int left = GAP + tile * (SIDE + GAP), top = GAP + CAPTION;
    for (int y = y1; y < y2; y++)
        for (int x = x1; x < x2; x++) {
            const uint8_t *p =
                page->view.data + (size_t)(top + y) * page->view.stride + 3 * (size_t)(left + x);
            sum += p[0] - p[2];
        }
    return sum / ((x2 - x1) * (y2 - y1));
}

/* Lines run on the box, one pixel wide on tiles as small as these, so half of two pixels; class 0
 * is red, class 1 blue. */
static void a_batch_of_training_shows_its_pixels_and_labels(void **state)
{
    bench *b = *state;
    scene *s = make_scene(b);
    image_buffer page = {0};
    const detect_label labels[] = {{.picture = 1, .class_index = 0, {0.5f, 0.5f, 0.5f, 0.25f}}};
    s->batch.labels = labels;
    s->batch.n_labels = 1;
    const uint64_t n_allocs = b->mem.n_allocs;
    assert_int_equal(train_gallery_train(s->gallery, 12, &s->batch, s->set, 1, &b->mem, &b->err),
                     VG_OK);
    assert_int_equal(b->mem.n_allocs, n_allocs); /* all of it was taken at create */
    read_page(b, &page, "train_batch12.jpg");
    const uint8_t *dark = page.view.data + (GAP + CAPTION + 40) * page.view.stride + 3 * (GAP + 40);
    assert_in_range(dark[0], 60, 68);
    assert_true(redness(&page, 1, 15, 30, 17, 38) > 40); /* the box's left side, at 0.25 * 64 */
    assert_true(redness(&page, 1, 47, 30, 49, 38) > 40);
    assert_true(redness(&page, 1, 25, 28, 40, 36) < 20); /* in the box */
    assert_true(redness(&page, 0, 0, 0, SIDE, SIDE) < 5);
    image_buffer_fini(&page);
    end_scene(s);
}

/* Six parts of the class's colour and four of the picture; of two objects the upper one's. */
static void masks_are_blended_into_pictures(void **state)
{
    enum { M = SIDE / 4 };
    bench *b = *state;
    scene *s = make_scene_of(b, &task_segment);
    image_buffer page = {0};
    const detect_label labels[] = {{.picture = 0, .class_index = 1, {0.5f, 0.5f, 1, 1}},
                                   {.picture = 0, .class_index = 0, {0.25f, 0.5f, 0.5f, 1}}};
    static int32_t maps[2 * M * M];
    for (int i = 0; i < M * M; i++)
        maps[i] = i % M < M / 2 ? 2 : 1;
    s->batch.labels = labels;
    s->batch.n_labels = 2;
    s->batch.index_maps = maps;
    s->batch.mask_h = s->batch.mask_w = M;
    const uint64_t n_allocs = b->mem.n_allocs;
    assert_int_equal(train_gallery_train(s->gallery, 0, &s->batch, s->set, 1, &b->mem, &b->err),
                     VG_OK);
    assert_int_equal(b->mem.n_allocs, n_allocs);
    read_page(b, &page, "train_batch0.jpg");
    const image_color red = image_class_color(0), blue = image_class_color(1);
    assert_float_equal(redness(&page, 0, 8, 40, 24, 56), 0.6 * (red.r - red.b), 12);
    assert_float_equal(redness(&page, 0, 40, 40, 56, 56), 0.6 * (blue.r - blue.b), 12);
    assert_true(fabs(redness(&page, 1, 0, 0, SIDE, SIDE)) < 5); /* the other picture has none */
    image_buffer_fini(&page);
    end_scene(s);
}

/* A square that stands on its corner: nothing at the corners of the upright box around it. */
static void turned_boxes_are_drawn_turned(void **state)
{
    bench *b = *state;
    scene *s = make_scene_of(b, &task_obb);
    image_buffer page = {0};
    const detect_label label = {
        .picture = 0, .class_index = 0, .xywh_norm = {0.5f, 0.6f, 0.4f, 0.4f}, .angle = 0.7854f};
    s->batch.labels = &label;
    s->batch.n_labels = 1;
    assert_int_equal(train_gallery_train(s->gallery, 0, &s->batch, s->set, 1, &b->mem, &b->err),
                     VG_OK);
    read_page(b, &page, "train_batch0.jpg");
    assert_true(redness(&page, 0, 14, 36, 18, 40) > 20); /* its left corner: 32 - 18.1 */
    assert_true(redness(&page, 0, 40, 50, 48, 54) < 40);
    assert_true(redness(&page, 0, 46, 52, 52, 57) < 10); /* the corner of the one around */
    image_buffer_fini(&page);
    end_scene(s);
}

/* A point is a dot of its colour, and one that nobody labelled is none. */
static void points_are_drawn_where_they_are(void **state)
{
    bench *b = *state;
    scene *s = make_scene_of(b, &task_pose);
    image_buffer page = {0};
    const detect_label labels[] = {{.picture = 0, .class_index = 0, {0.5f, 0.5f, 0.9f, 0.9f}},
                                   {.picture = 1, .class_index = 0, {0.5f, 0.5f, 0.9f, 0.9f}}};
    const float points[] = {0.5f, 0.5f, 2, 0.5f, 0.5f, 0};
    s->batch.labels = labels;
    s->batch.n_labels = 2;
    s->batch.keypoints = points;
    s->batch.n_keypoints = 1;
    assert_int_equal(train_gallery_train(s->gallery, 0, &s->batch, s->set, 1, &b->mem, &b->err),
                     VG_OK);
    read_page(b, &page, "train_batch0.jpg");
    assert_true(redness(&page, 0, 31, 31, 33, 33) > 40);
    assert_true(redness(&page, 1, 31, 31, 33, 33) < 10);
    image_buffer_fini(&page);
    end_scene(s);
}

static void a_validation_shows_truths_and_what_was_found(void **state)
{
    bench *b = *state;
    scene *s = make_scene(b);
    image_buffer page = {0};
    const detect_truth truth = {.class_index = 0, .xyxy = {20, 20, 60, 60}};
    const vg_detection boxes[] = {{.x1 = 20, .y1 = 20, .x2 = 60, .y2 = 60, .confidence = 0.9f},
                                  {.x1 = 70, .y1 = 20, .x2 = 90, .y2 = 60, .confidence = 0.2f}};
    for (int i = 0; i < 2; i++) {
        const train_validated p = {.batch = &s->batch,
                                   .i = i,
                                   .item = &s->items[i],
                                   .boxes = boxes,
                                   .n_boxes = i == 0 ? 2 : 0,
                                   .truths = &truth,
                                   .n_truths = i == 0 ? 0 : 1};
        assert_false(set_has(b->folder, "val_batch0_pred.jpg"));
        assert_int_equal(train_gallery_validated(s->gallery, &p, s->set, 1, &b->mem, &b->err),
                         VG_OK);
    }
    /* x 20 of the file is 20 / 2 + 8 of the batch. */
    read_page(b, &page, "val_batch0_labels.jpg");
    assert_true(redness(&page, 1, 17, 30, 19, 40) > 40);
    assert_true(redness(&page, 1, 37, 30, 39, 40) > 40);
    assert_true(redness(&page, 0, 0, 0, SIDE, SIDE) < 5);
    read_page(b, &page, "val_batch0_pred.jpg");
    assert_true(redness(&page, 0, 17, 30, 19, 40) > 40);
    assert_true(redness(&page, 0, 42, 24, 58, 44) < 5); /* below a confidence of 0.25 */
    assert_true(redness(&page, 1, 0, 0, SIDE, SIDE) < 5);
    s->batch.index = TRAIN_GALLERY_BATCHES;
    const train_validated late = {.batch = &s->batch, .item = &s->items[0]};
    assert_int_equal(train_gallery_validated(s->gallery, &late, s->set, 1, &b->mem, &b->err),
                     VG_OK);
    assert_false(set_has(b->folder, "val_batch3_labels.jpg"));
    image_buffer_fini(&page);
    end_scene(s);
}

/* ---- the disk's troubles ---- */

static size_t count_text(bench *b, const char *path, const char *text)
{
    size_t n, found = 0;
    char *bytes = read_text(b, path, &n);
    for (size_t i = 0; i + strlen(text) <= n; i++)
        found += memcmp(bytes + i, text, strlen(text)) == 0;
    base_free(bytes);
    return found;
}

static void find_events(bench *b, char *path, size_t n)
{
    DIR *dir = opendir(b->folder);
    path[0] = '\0';
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
        if (base_starts_with(e->d_name, "events.out"))
            assert_true(base_path_join(path, n, b->folder, e->d_name));
    if (dir)
        closedir(dir);
    assert_true(path[0] != '\0');
}

static void events_go_on_after_a_full_disk_and_the_error_is_told(void **state)
{
    bench *b = *state;
    static train_args args;
    static const char *const set[][2] = {
        {"model", "yolo11n.yaml"}, {"imgsz", "64"},  {"batch", "4"},
        {"plots", "false"},        {"threads", "1"}, {"workers", "0"}};
    const train_accounts mem = {
        .data = &b->mem, .model = &b->mem, .activations = &b->mem, .work = &b->mem};
    train_run *run;
    train_report *r;
    char events[4096];
    train_args_default(&args);
    assert_int_equal(train_args_set(&args, "data", scene_path(root, "data.yaml"), &b->err), VG_OK);
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        assert_int_equal(train_args_set(&args, set[i][0], set[i][1], &b->err), VG_OK);
    if (train_run_create(&run, &args, b->folder, &mem, &b->err) != VG_OK)
        fail_msg("%s (%s)", b->err.what, b->err.where);
    const train_report_options o = {.run = run,
                                    .folder = b->folder,
                                    .names = names,
                                    .nc = 2,
                                    .stride = 32,
                                    .root = &b->mem,
                                    .work = &b->mem};
    assert_int_equal(train_report_create(&r, &o, &b->err), VG_OK);
    find_events(b, events, sizeof events);
    for (int epoch = 1; epoch <= 4; epoch++) {
        const vg_train_epoch row = {.epoch = epoch};
        const bool is_full = epoch == 2 || epoch == 3;
        if (is_full)
            disk_full_at(file_bytes(events) + 100);
        train_report_epoch(r, &row);
        disk_full_at(0);
        const vg_error *trouble = train_report_trouble(r);
        assert_int_equal(trouble != NULL, is_full);
        if (trouble)
            assert_int_equal(trouble->status, VG_ERR_IO);
        assert_null(train_report_trouble(r)); /* once */
    }
    assert_int_equal(count_text(b, events, "metrics/mAP50-95(B)"), 2); /* of epochs 1 and 4 */
    assert_int_equal(train_report_told(r, &b->err), VG_ERR_IO);
    assert_non_null(strstr(b->err.what, "and 1 more "));
    assert_non_null(strstr(b->err.where, "events.out"));
    train_report_destroy(&r);
    train_run_destroy(&run);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_batch_of_training_shows_its_pixels_and_labels),
        TEST(masks_are_blended_into_pictures),
        TEST(turned_boxes_are_drawn_turned),
        TEST(points_are_drawn_where_they_are),
        TEST(a_validation_shows_truths_and_what_was_found),
        TEST(events_go_on_after_a_full_disk_and_the_error_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
