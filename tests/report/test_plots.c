/* test_plots.c: every plot is drawn whatever the numbers, shows what it should where it should, and
 * gives back what it took. How it looks, only eyes can say: report_gallery. */
#include "support.h"

#include <math.h>

#include "report/plot.h"
#include "scene.h"

/* What plots are made from. */
static const char *names[SCENE_MOST_CLASSES];
static char texts[SCENE_MOST_CLASSES][128];
static vg_train_epoch epochs[300];
#define COLUMNS ((report_columns[]){scene_columns()}[0])
static report_label labels[3000];

/* A picture that was written. */
static void read_picture(bench *b, image_buffer *out, const char *path)
{
    image_decoder *d;
    size_t n;
    char *bytes = read_text(b, path, &n);
    assert_int_equal(image_decoder_create(&d, NULL, &b->mem, &b->err), VG_OK);
    if (image_decode(d, out, (const uint8_t *)bytes, n, path, &b->mem, &b->err) != VG_OK)
        fail_msg("%s: %s", path, b->err.what);
    image_decoder_destroy(&d);
    base_free(bytes);
}

/* Pixels near the colour in a part of the picture. */
static size_t count_near(const image_view *v, int x1, int y1, int x2, int y2, plot_color c)
{
    size_t n = 0;
    for (int y = y1; y < y2; y++)
        for (int x = x1; x < x2; x++) {
            const uint8_t *p = v->data + (size_t)y * v->stride + 3 * (size_t)x;
            n += fabs(p[0] - 255 * c.r) < 12 && fabs(p[1] - 255 * c.g) < 12 &&
                 fabs(p[2] - 255 * c.b) < 12;
        }
    return n;
}

static void ticks_are_round_and_few(void **state)
{
    (void)state;
    static const double RANGES[][2] = {{0, 1},      {1, 300}, {0, 0.01},    {-3, 17},
                                       {0.9, 0.91}, {0, 1e9}, {1e-7, 2e-7}, {99, 101}};
    for (size_t i = 0; i < sizeof RANGES / sizeof RANGES[0]; i++) {
        double span = RANGES[i][1] - RANGES[i][0],
               step = plot_tick_step(RANGES[i][0], RANGES[i][1], 5, false);
        assert_true(span / step >= 1.9 && span / step <= 5.01);
        double lead = step / pow(10, floor(log10(step) + 1e-9));
        assert_true(fabs(lead - 1) < 1e-6 || fabs(lead - 2) < 1e-6 || fabs(lead - 5) < 1e-6);
    }
    assert_true(plot_tick_step(0, 2, 5, true) == 1);
}

static void any_range_can_be_shown(void **state)
{
    (void)state;
    static const double ODD[] = {NAN,    -INFINITY, INFINITY, 0,      1, -1,
                                 1e-300, 1e300,     1e12,     -1e300, 3};
    enum { N = sizeof ODD / sizeof ODD[0] };
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < N; k++) {
            double lo = ODD[i], hi = ODD[k];
            plot_range_mend(&lo, &hi);
            assert_true(isfinite(lo) && isfinite(hi) && hi > lo && hi - lo > fabs(hi) * 1e-9);
            double step = plot_tick_step(lo, hi, 5, false);
            assert_true(isfinite(step) && step > 0 && (hi - lo) / step < 6);
        }
}

static void a_line_has_a_gap_where_a_number_is_none(void **state)
{
    bench *b = *state;
    const plot_axes a = {.x = 10, .y = 10, .w = 100, .h = 100, .x1 = 4, .y1 = 1, .font_px = 10};
    const double xs[] = {0, 1, 2, 3, 4}, ys[] = {0.5, 0.5, NAN, 0.5, 0.5};
    plot_page p;
    assert_int_equal(plot_page_init(&p, 120, 120, &b->mem, &b->err), VG_OK);
    plot_axes_line(&p, &a, xs, ys, 5, (plot_color){0}, 4, 1);
    cairo_surface_flush(p.surface);
    /* On the line, in the gap, and above its ends, where a number taken for a large one would lead.
     */
    static const struct {
        size_t x, y;
        uint8_t red;
    } PLACES[] = {{22, 60, 0}, {47, 60, 255}, {60, 60, 255}, {72, 60, 255},
                  {98, 60, 0}, {35, 20, 255}, {85, 20, 255}, {35, 100, 255}};
    for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++)
        assert_int_equal(p.pixels[PLACES[i].y * p.stride + 4 * PLACES[i].x], PLACES[i].red);
    plot_page_fini(&p);
}

static void results_show_both_lines_of_each_panel(void **state)
{
    bench *b = *state;
    image_buffer picture = {0};
    const char *path = in_folder(b, "results.png");
    scene_epochs(epochs, 100, false);
    assert_int_equal(report_plot_results(path, epochs, 100, &COLUMNS, &b->mem, &b->err), VG_OK);
    read_picture(b, &picture, path);
    const image_view *v = &picture.view;
    assert_int_equal(v->w, 1500);
    for (int i = 0; i < 5; i++) {
        int x = i % 3 * 500, y = i / 3 * 480 + 60; /* below titles and legends */
        assert_true(count_near(v, x, y, x + 500, y + 400, plot_class_color(1)) > 300);
        assert_true(count_near(v, x, y, x + 500, y + 400, plot_class_color(0)) > 300);
    }
    image_buffer_fini(&picture);
}

static void results_of_any_numbers_are_drawn(void **state)
{
    bench *b = *state;
    static const int SIZES[] = {0, 1, 2, 31, 300};
    static const double ODD[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 1e-300, 0};
    const char *path = in_folder(b, "results.png");
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        scene_epochs(epochs, SIZES[i], true);
        assert_int_equal(
            report_plot_results(path, epochs, (size_t)SIZES[i], &COLUMNS, &b->mem, &b->err), VG_OK);
    }
    for (size_t i = 0; i < sizeof ODD / sizeof ODD[0]; i++) {
        double v = ODD[i];
        for (int e = 0; e < 3; e++)
            epochs[e] = (vg_train_epoch){.epoch = e + 1,
                                         .train_loss = {v, e == 1 ? v : 0, 1},
                                         .map = v,
                                         .map50 = e == 2 ? v : 0,
                                         .lr = {v, v, 0}};
        assert_int_equal(report_plot_results(path, epochs, 3, &COLUMNS, &b->mem, &b->err), VG_OK);
    }
}

/* All plots of a validation with nc classes. */
static vg_status draw_validation(bench *b, int nc, bool is_long)
{
    static const char *const FILES[] = {"PR_curve.png", "P_curve.png", "R_curve.png",
                                        "F1_curve.png"};
    detect_metrics *m = NULL;
    detect_metrics_result r;
    scene_names(names, texts, nc, is_long);
    vg_status st = scene_metrics(&m, &r, nc, &b->mem, &b->err);
    for (int i = 0; i < 4 && st == VG_OK; i++)
        st = report_plot_curve(in_folder(b, FILES[i]), (report_curve)i, &r, 0, names, &b->mem,
                               &b->err);
    for (int i = 0; i < 2 && st == VG_OK; i++)
        st = report_plot_confusion(
            in_folder(b, i ? "confusion_matrix_normalized.png" : "confusion_matrix.png"),
            r.confusion, r.n_confused, names, nc, i == 1, &b->mem, &b->err);
    detect_metrics_destroy(&m);
    return st;
}

static void curves_and_matrices_of_any_number_of_classes_are_drawn(void **state)
{
    bench *b = *state;
    static const int COUNTS[] = {1, 3, 21, 80, 250};
    for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++)
        assert_int_equal(draw_validation(b, COUNTS[i], i % 2 == 0), VG_OK);
}

static void a_class_has_its_color_in_the_curves(void **state)
{
    bench *b = *state;
    image_buffer picture = {0};
    assert_int_equal(draw_validation(b, 3, false), VG_OK);
    read_picture(b, &picture, in_folder(b, "F1_curve.png"));
    for (int c = 0; c < 3; c++) {
        assert_true(count_near(&picture.view, 112, 80, 1078, 900, plot_class_color(c)) > 100);
        assert_true(count_near(&picture.view, 1100, 80, 1500, 300, plot_class_color(c)) > 40);
    }
    image_buffer_fini(&picture);
}

static void a_model_that_found_nothing_has_plots_too(void **state)
{
    bench *b = *state;
    const detect_metrics_result r = {.n_pictures = 3};
    static const uint64_t NONE[9] = {0};
    scene_names(names, texts, 2, false);
    for (int i = 0; i < 4; i++)
        assert_int_equal(report_plot_curve(in_folder(b, "x.png"), (report_curve)i, &r, 0, names,
                                           &b->mem, &b->err),
                         VG_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(report_plot_confusion(in_folder(b, "x.png"), NONE, 3, names, 2, i == 1,
                                               &b->mem, &b->err),
                         VG_OK);
}

/* The colour in the middle of a cell's upper left quarter, where no number stands. */
static const uint8_t *cell_color(const image_view *v, int n, int predicted, int actual)
{
    /* The matrix's frame: found by its darkest neighbours would be guessing; names are short, so it
     * lies where the layout puts it, and a quarter of a cell is room for a few pixels more. */
    int side = 0, left = 0, top = 90;
    for (int x = 0; x < v->w && left == 0; x++) {
        const uint8_t *p = v->data + (size_t)(top + 40) * v->stride + 3 * (size_t)x;
        if (p[0] == 0xb8 && p[1] == 0xc2 && p[2] == 0xcc)
            left = x;
    }
    for (int x = left + 1; x < v->w; x++) {
        const uint8_t *p = v->data + (size_t)(top + 40) * v->stride + 3 * (size_t)x;
        if (p[0] == 0xb8 && p[1] == 0xc2 && p[2] == 0xcc)
            side = x - left;
    }
    assert_true(left > 0 && side > 300);
    int x = left + side * actual / n + side / n / 6, y = top + side * predicted / n + side / n / 6;
    return v->data + (size_t)y * v->stride + 3 * (size_t)x;
}

static void cells_are_predicted_by_true_and_columns_sum_to_one(void **state)
{
    bench *b = *state;
    /* [predicted][true]: of 200 objects of class 1, one is found as class 0 (blank: 0.005 - 1e-12),
     * 100 as class 1; class 0 is always found. */
    static const uint64_t COUNTS[9] = {10, 1, 0, 0, 150, 5, 0, 149, 0};
    image_buffer picture = {0};
    const char *path = in_folder(b, "m.png");
    scene_names(names, texts, 2, false);
    names[0] = "a";
    names[1] = "b";
    assert_int_equal(report_plot_confusion(path, COUNTS, 3, names, 2, true, &b->mem, &b->err),
                     VG_OK);
    read_picture(b, &picture, path);
    const image_view *v = &picture.view;
    plot_color full = plot_ramp_color(1), half = plot_ramp_color(0.5);
    const uint8_t *p = cell_color(v, 3, 0, 0); /* 10 of 10 */
    assert_int_equal(p[0], (int)(full.r * 255 + 0.5));
    p = cell_color(v, 3, 1, 2); /* 5 of 5 background */
    assert_int_equal(p[0], (int)(full.r * 255 + 0.5));
    p = cell_color(v, 3, 1, 1); /* 150 of 300 */
    assert_in_range(p[0], (int)(half.r * 255) - 1, (int)(half.r * 255) + 2);
    p = cell_color(v, 3, 0, 1); /* 1 of 300: blank */
    assert_int_equal(p[0] + p[1] + p[2], 3 * 255);
    p = cell_color(v, 3, 1, 0); /* none */
    assert_int_equal(p[0] + p[1] + p[2], 3 * 255);
    image_buffer_fini(&picture);
}

static void labels_of_any_numbers_are_drawn(void **state)
{
    bench *b = *state;
    static const int COUNTS[] = {1, 3, 80, SCENE_MOST_CLASSES};
    for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++) {
        int nc = COUNTS[i];
        size_t n = i == 0 ? 0 : 3000;
        scene_names(names, texts, nc, true);
        scene_labels(labels, n, nc);
        if (n > 0) {
            labels[0].xywh_norm[0] = NAN;
            labels[1].xywh_norm[2] = 1e30f;
            labels[2].xywh_norm[1] = -5;
            labels[3].class_index = nc;
            labels[4].class_index = -1;
        }
        assert_int_equal(
            report_plot_labels(in_folder(b, "labels.jpg"), labels, n, names, nc, &b->mem, &b->err),
            VG_OK);
        assert_int_equal(report_plot_correlogram(in_folder(b, "labels_correlogram.jpg"), labels, n,
                                                 &b->mem, &b->err),
                         VG_OK);
    }
}

static void boxes_lie_where_the_density_says(void **state)
{
    bench *b = *state;
    image_buffer picture = {0};
    const char *path = in_folder(b, "labels.png");
    scene_names(names, texts, 1, false);
    for (size_t i = 0; i < 100; i++)
        labels[i] = (report_label){0, {0.25f, 0.75f, 0.9f, 0.1f}};
    assert_int_equal(report_plot_labels(path, labels, 100, names, 1, &b->mem, &b->err), VG_OK);
    read_picture(b, &picture, path);
    /* Panels of 610 x 590 at (105, 837) and (855, 837); y of centres downwards, height upwards. */
    plot_color full = plot_ramp_color(1);
    int x = 105 + 610 / 4, y = 837 + 590 * 3 / 4;
    assert_true(count_near(&picture.view, x - 1, y - 1, x + 12, y + 12, full) > 60);
    x = 855 + 610 * 9 / 10;
    y = 837 + 590 * 9 / 10;
    assert_true(count_near(&picture.view, x - 10, y - 10, x + 10, y + 10, full) > 60);
    assert_int_equal(count_near(&picture.view, 855, 837, 855 + 500, 837 + 500, full), 0);
    image_buffer_fini(&picture);
}

static void a_mosaic_puts_each_picture_and_box_in_its_place(void **state)
{
    bench *b = *state;
    image_buffer red = {0}, out = {0};
    const char *path = in_folder(b, "mosaic.png");
    assert_int_equal(image_buffer_reserve(&red, 1000, 500, &b->mem, &b->err), VG_OK);
    for (size_t i = 0; i < 1000 * 500; i++)
        memcpy(red.view.data + 3 * i, "\xc8\x20\x20", 3);
    const image_box box = {.x1 = 400, .y1 = 200, .x2 = 800, .y2 = 400, .class_index = 1};
    report_tile tiles[5];
    for (int i = 0; i < 5; i++)
        tiles[i] = (report_tile){.picture = red.view};
    tiles[4].boxes = &box;
    tiles[4].n_boxes = 1;
    assert_int_equal(scene_mosaic(path, tiles, 5, &b->mem, &b->err), VG_OK);
    read_picture(b, &out, path);
    /* 3 columns and 2 rows; a cell is 634 x 317, and 20 for a caption above it. */
    assert_int_equal(out.view.w, 4 + 3 * 638);
    assert_int_equal(out.view.h, 4 + 2 * 341);
    plot_color c = {0xc8 / 255.0, 0x20 / 255.0, 0x20 / 255.0}, blue = plot_class_color(1);
    assert_int_equal(count_near(&out.view, 4, 24, 638, 341, c), 634 * 317);
    assert_int_equal(count_near(&out.view, 1280, 345, 1914, 682, c), 0); /* the sixth is empty */
    int left = 642 + 634 * 4 / 10, top = 365 + 317 * 4 / 10;
    assert_true(count_near(&out.view, left - 3, top + 5, left + 3, top + 105, blue) >=
                2 * 100 - 10);
    assert_int_equal(count_near(&out.view, 4, 4, 638, 686, blue), 0);
    image_buffer_fini(&red);
    image_buffer_fini(&out);
}

static void mosaics_of_any_sizes_are_drawn(void **state)
{
    bench *b = *state;
    static const int SIZES[][2] = {{1, 1}, {3000, 2}, {7, 2500}, {640, 480}};
    image_buffer pictures[4] = {0};
    report_tile tiles[20];
    image_box box = {.x1 = -1e9f, .y1 = NAN, .x2 = 1e9f, .y2 = 5, .label = "\xff"};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(
            image_buffer_reserve(&pictures[i], SIZES[i][0], SIZES[i][1], &b->mem, &b->err), VG_OK);
        scene_picture(&pictures[i].view, i);
    }
    for (int i = 0; i < 20; i++)
        tiles[i] = (report_tile){.picture = pictures[i % 4].view,
                                 .boxes = &box,
                                 .n_boxes = 1,
                                 .caption = "caption \xfe of any length"};
    for (size_t n = 1; n <= 20; n += 3)
        assert_int_equal(scene_mosaic(in_folder(b, "m.jpg"), tiles, n, &b->mem, &b->err), VG_OK);
    assert_int_equal(scene_mosaic(in_folder(b, "m.jpg"), tiles, 0, &b->mem, &b->err),
                     VG_ERR_ARGUMENT);
    tiles[2].picture.w = 0;
    assert_int_equal(scene_mosaic(in_folder(b, "m.jpg"), tiles, 4, &b->mem, &b->err),
                     VG_ERR_ARGUMENT);
    for (int i = 0; i < 4; i++)
        image_buffer_fini(&pictures[i]);
}

/* Pages of any number and aspect, after create. */
static void a_mosaic_made_once_draws_pages_without_allocating(void **state)
{
    bench *b = *state;
    image_buffer picture = {0};
    report_mosaic *m;
    const image_box box = {.x2 = 50, .y2 = 30, .label = "a name that is long for its picture"};
    assert_int_equal(report_mosaic_create(&m, 2, 640, 672, 1, &b->mem, &b->err), VG_OK);
    assert_int_equal(image_buffer_reserve(&picture, 640, 672, &b->mem, &b->err), VG_OK);
    const uint64_t n_allocs = b->mem.n_allocs;
    for (size_t n = 1; n <= 17; n++) {
        const int w = n % 3 == 0 ? 640 : 200, h = n % 3 == 1 ? 672 : 64;
        assert_int_equal(image_buffer_reserve(&picture, w, h, &b->mem, &b->err), VG_OK);
        scene_picture(&picture.view, (int)n);
        const report_tile tile = {
            .picture = picture.view, .boxes = &box, .n_boxes = 1, .caption = "caption.jpg"};
        assert_int_equal(report_mosaic_begin(m, n, w, h, &b->mem, &b->err), VG_OK);
        for (size_t i = 0; i < n; i++)
            for (int page = 0; page < 2; page++)
                assert_int_equal(report_mosaic_add(m, page, &tile, &b->mem, &b->err), VG_OK);
        assert_int_equal(report_mosaic_write(m, 1, in_folder(b, "m.jpg"), &b->mem, &b->err), VG_OK);
    }
    assert_int_equal(b->mem.n_allocs, n_allocs);
    assert_int_equal(report_mosaic_begin(m, 1, 641, 10, &b->mem, &b->err), VG_ERR_ARGUMENT);
    assert_int_equal(report_mosaic_write(m, 0, in_folder(b, "m.jpg"), &b->mem, &b->err),
                     VG_ERR_ARGUMENT);
    report_mosaic_destroy(&m);
    image_buffer_fini(&picture);
}

static void the_same_numbers_give_the_same_bytes(void **state)
{
    bench *b = *state;
    scene_epochs(epochs, 20, false);
    const char *first = in_folder(b, "1.png"), *second = in_folder(b, "2.png");
    assert_int_equal(report_plot_results(first, epochs, 20, &COLUMNS, &b->mem, &b->err), VG_OK);
    assert_int_equal(report_plot_results(second, epochs, 20, &COLUMNS, &b->mem, &b->err), VG_OK);
    size_t n, m;
    char *one = read_text(b, first, &n), *two = read_text(b, second, &m);
    assert_int_equal(n, m);
    assert_memory_equal(one, two, n);
    base_free(one);
    base_free(two);
}

enum { N_PLOTS = 6 };

/* Each plot, small. */
static vg_status draw_small(bench *b, int which)
{
    static const uint64_t COUNTS[4] = {3, 1, 2, 0};
    uint8_t pixels[12] = {0};
    const image_box box = {.x2 = 2, .y2 = 2, .label = "a"};
    const report_tile tile = {
        .picture = {pixels, 2, 2, 6}, .boxes = &box, .n_boxes = 1, .caption = "a.jpg"};
    const detect_metrics_result r = {0};
    base_mem *mem = &b->mem;
    switch (which) {
    case 0:
        return report_plot_results(in_folder(b, "r.png"), epochs, 2, &COLUMNS, mem, &b->err);
    case 1:
        return report_plot_curve(in_folder(b, "c.png"), REPORT_CURVE_P, &r, 0, names, mem, &b->err);
    case 2:
        return report_plot_confusion(in_folder(b, "m.png"), COUNTS, 2, names, 1, true, mem,
                                     &b->err);
    case 3:
        return report_plot_labels(in_folder(b, "l.jpg"), labels, 5, names, 1, mem, &b->err);
    case 4:
        return report_plot_correlogram(in_folder(b, "k.jpg"), labels, 5, mem, &b->err);
    default:
        return scene_mosaic(in_folder(b, "t.jpg"), &tile, 1, mem, &b->err);
    }
}

static void every_failed_allocation_is_an_error_and_no_leak(void **state)
{
    bench *b = *state;
    scene_names(names, texts, 1, false);
    scene_epochs(epochs, 2, false);
    scene_labels(labels, 5, 1);
    for (int which = 0; which < N_PLOTS; which++)
        for (int64_t k = 1;; k++) {
            b->mem.fail_in = k;
            vg_status st = draw_small(b, which);
            bool was_reached = b->mem.fail_in == 0;
            b->mem.fail_in = 0;
            assert_int_equal(b->mem.in_use_bytes, 0);
            assert_int_equal(st, was_reached ? VG_ERR_MEMORY : VG_OK);
            if (!was_reached) {
                assert_true(k >= 4); /* page, encoder, what it needs */
                break;
            }
        }
    assert_no_leftovers(b);
}

static void what_cannot_be_written_is_an_error_and_the_old_file_stays(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "results.png");
    scene_epochs(epochs, 9, false);
    write_text(path, "old");
    disk_full_at(1000);
    vg_status st = report_plot_results(path, epochs, 9, &COLUMNS, &b->mem, &b->err);
    disk_full_at(0);
    assert_int_equal(st, VG_ERR_IO);
    assert_file_is(b, path, "old");
    assert_no_leftovers(b);
    assert_int_equal(
        report_plot_results(in_folder(b, "no/x.png"), epochs, 9, &COLUMNS, &b->mem, &b->err),
        VG_ERR_IO);
    assert_int_equal(
        report_plot_results(in_folder(b, "x.gif"), epochs, 9, &COLUMNS, &b->mem, &b->err),
        VG_ERR_UNSUPPORTED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(ticks_are_round_and_few),
        TEST(any_range_can_be_shown),
        TEST(a_line_has_a_gap_where_a_number_is_none),
        TEST(results_show_both_lines_of_each_panel),
        TEST(results_of_any_numbers_are_drawn),
        TEST(curves_and_matrices_of_any_number_of_classes_are_drawn),
        TEST(a_class_has_its_color_in_the_curves),
        TEST(a_model_that_found_nothing_has_plots_too),
        TEST(cells_are_predicted_by_true_and_columns_sum_to_one),
        TEST(labels_of_any_numbers_are_drawn),
        TEST(boxes_lie_where_the_density_says),
        TEST(a_mosaic_puts_each_picture_and_box_in_its_place),
        TEST(mosaics_of_any_sizes_are_drawn),
        TEST(a_mosaic_made_once_draws_pages_without_allocating),
        TEST(the_same_numbers_give_the_same_bytes),
        TEST(every_failed_allocation_is_an_error_and_no_leak),
        TEST(what_cannot_be_written_is_an_error_and_the_old_file_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
