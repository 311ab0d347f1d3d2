/* What a --source means. */
#include "support/test.h"

#include "stream/scenes.h"

#include "stream/stream.h"

typedef struct bench {
    char folder[256];
    base_mem mem;
    image_decoder *decoder;
    picture_list l;
    vg_error err;
} bench;

static int set_up(void **state)
{
    bench *t = scene_alloc(sizeof *t);
    base_mem_init(&t->mem, "test", NULL, 0);
    *state = t;
    if (image_decoder_create(&t->decoder, NULL, &t->mem, &t->err) != VG_OK)
        return -1;
    return folder_make(t->folder, sizeof t->folder);
}

static int tear_down(void **state)
{
    bench *t = *state;
    picture_list_close(&t->l);
    image_decoder_destroy(&t->decoder);
    int left = t->mem.in_use_bytes != 0;
    folder_remove(t->folder);
    free(t);
    return left ? -1 : 0;
}

static vg_status list(bench *t, const char *source)
{
    picture_list_close(&t->l);
    return picture_list_open(&t->l, source, t->decoder, &t->mem, &t->err);
}

static const char *in(const bench *t, const char *name)
{
    return scene_path(t->folder, name);
}

static void draw(const bench *t, const char *name, int w, int h)
{
    assert_int_equal(scene_write_bmp(in(t, name), w, h, 1), 0);
}

/* The names in the list, in order, with their twins: "a.bmp b.bmp b.png-2". */
static const char *names(const bench *t)
{
    static char text[1024];
    text[0] = 0;
    for (size_t i = 0; i < t->l.n; i++) {
        size_t used = strlen(text);
        char twin[16] = "";
        if (t->l.entries[i].twin)
            snprintf(twin, sizeof twin, "+%d", t->l.entries[i].twin);
        snprintf(text + used, sizeof text - used, "%s%s%s", used ? " " : "",
                 base_path_name(t->l.entries[i].path), twin);
    }
    return text;
}

static void a_folder_means_its_pictures_sorted(void **state)
{
    bench *t = *state;
    draw(t, "b.bmp", 10, 20);
    draw(t, "a.BMP", 30, 5);
    draw(t, ".hidden.bmp", 99, 99);
    draw(t, "c.txt", 99, 99);
    draw(t, "d.gif", 3, 3); /* its bytes say what it is */
    mkdir(in(t, "deeper"), 0777);
    draw(t, "deeper/d.bmp", 99, 99);
    assert_int_equal(list(t, t->folder), VG_OK);
    assert_string_equal(names(t), "a.BMP b.bmp d.gif");
    assert_int_equal(t->l.entries[0].w, 30);
    assert_int_equal(t->l.entries[0].h, 5);
    assert_true(t->l.all_probed);
    assert_int_equal(t->l.largest_pixels_bytes, 600);
    assert_int_equal(t->l.largest_bytes, 54 + 32 * 20);
    char slash[300];
    snprintf(slash, sizeof slash, "%s/", t->folder);
    assert_int_equal(list(t, slash), VG_OK);
    assert_null(strstr(t->l.entries[0].path, "//"));
}

static void a_file_and_a_glob_mean_what_they_match(void **state)
{
    bench *t = *state;
    draw(t, "a1.bmp", 4, 4);
    draw(t, "a2.bmp", 4, 4);
    draw(t, "b1.bmp", 4, 4);
    draw(t, "[x].bmp", 4, 4);
    assert_int_equal(list(t, in(t, "b1.bmp")), VG_OK);
    assert_string_equal(names(t), "b1.bmp");
    assert_int_equal(list(t, in(t, "a*.bmp")), VG_OK);
    assert_string_equal(names(t), "a1.bmp a2.bmp");
    assert_int_equal(list(t, in(t, "?1.*")), VG_OK);
    assert_string_equal(names(t), "a1.bmp b1.bmp");
    assert_int_equal(list(t, in(t, "[x].bmp")), VG_OK); /* it is there: no pattern */
    assert_string_equal(names(t), "[x].bmp");
    assert_int_equal(list(t, in(t, "z*.bmp")), VG_ERR_IO);
    assert_non_null(strstr(t->err.where, "z*.bmp"));
}

static void two_stars_go_through_folders_of_any_depth(void **state)
{
    bench *t = *state;
    char text[1000];
    mkdir(in(t, "a"), 0777);
    mkdir(in(t, "a/b"), 0777);
    draw(t, "top.bmp", 4, 4);
    draw(t, "a/one.bmp", 4, 4);
    draw(t, "a/b/deep.bmp", 4, 4);
    assert_int_equal(symlink("..", in(t, "a/b/up")), 0); /* leads back */
    assert_int_equal(list(t, in(t, "**/*.bmp")), VG_OK);
    assert_string_equal(names(t), "deep.bmp one.bmp top.bmp");
    assert_int_equal(list(t, in(t, "a/**/*.bmp")), VG_OK);
    assert_string_equal(names(t), "deep.bmp one.bmp");
    /* In a list, too, beside it and from anywhere. */
    snprintf(text, sizeof text, "./a/**/d*.bmp\n%s\n", in(t, "*.bmp"));
    scene_write_text(in(t, "l.txt"), text);
    assert_int_equal(list(t, in(t, "l.txt")), VG_OK);
    assert_string_equal(names(t), "deep.bmp top.bmp");
    scene_write_text(in(t, "l.txt"), "./top.bmp\n./**/none*.bmp\n");
    assert_int_equal(list(t, in(t, "l.txt")), VG_ERR_IO);
    assert_non_null(strstr(t->err.where, "none"));
}

static void a_list_has_one_path_a_line(void **state)
{
    bench *t = *state;
    char text[2000];
    draw(t, "a b.bmp", 4, 4);
    draw(t, "c.bmp", 4, 4);
    draw(t, "d.bmp", 4, 4);
    snprintf(text, sizeof text,
             "# pictures\n\n./c.bmp\r\n  \t./a b.bmp  \n   # indented\n%s\nmissing.bmp",
             in(t, "d.bmp"));
    scene_write_text(in(t, "l.TXT"), text);
    assert_int_equal(list(t, in(t, "l.TXT")), VG_OK);
    assert_int_equal(t->l.n, 4);
    assert_string_equal(t->l.entries[0].path, in(t, "a b.bmp"));
    assert_string_equal(t->l.entries[1].path, in(t, "c.bmp"));
    assert_string_equal(t->l.entries[2].path, in(t, "d.bmp"));
    assert_string_equal(t->l.entries[3].path, "missing.bmp"); /* fails when its turn comes */
    assert_int_equal(t->l.entries[3].w, 0);
    /* The mark that some editors put before the first line is no part of a path. */
    scene_write_text(in(t, "l.TXT"), "\xef\xbb\xbf./c.bmp\n");
    assert_int_equal(list(t, in(t, "l.TXT")), VG_OK);
    assert_string_equal(t->l.entries[0].path, in(t, "c.bmp"));
    scene_write_text(in(t, "l.TXT"), "# nothing\n\n");
    assert_int_equal(list(t, in(t, "l.TXT")), VG_ERR_IO);
    scene_write_text(in(t, "l.TXT"), "");
    assert_int_equal(list(t, in(t, "l.TXT")), VG_ERR_IO);
    scene_write_text(in(t, "l.TXT"), "./c.bmp");
    char here[1024];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(t->folder), 0);
    vg_status st = list(t, "l.TXT");
    assert_int_equal(chdir(here), 0);
    assert_int_equal(st, VG_OK);
    assert_string_equal(t->l.entries[0].path, "c.bmp");
}

static void what_is_no_picture_source_is_refused(void **state)
{
    bench *t = *state;
    static const struct {
        const char *source;
        vg_status status;
    } wrong[] = {
        {"rtsp://camera/1", VG_ERR_UNSUPPORTED},
        {"http://x/y.jpg", VG_ERR_UNSUPPORTED},
        {"0", VG_ERR_UNSUPPORTED},
        {"12", VG_ERR_UNSUPPORTED},
        {"film.mp4", VG_ERR_UNSUPPORTED},
        {"film.MKV", VG_ERR_UNSUPPORTED},
        {"list.streams", VG_ERR_UNSUPPORTED},
        {"/nowhere", VG_ERR_IO},
        {"/nowhere/a.jpg", VG_ERR_IO},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        vg_status st = list(t, wrong[i].source);
        if (st != wrong[i].status)
            fail_msg("%s: %s", wrong[i].source, vg_status_name(st));
        assert_non_null(strstr(t->err.where, wrong[i].source));
        assert_true(t->err.what[0] && t->err.mend[0]);
    }
    assert_int_equal(list(t, t->folder), VG_ERR_IO); /* empty */
    scene_write_text(in(t, "a.txt.bak"), "");
    assert_int_equal(list(t, t->folder), VG_ERR_IO);
    if (geteuid() != 0) {
        chmod(t->folder, 0);
        assert_int_equal(list(t, t->folder), VG_ERR_IO);
        chmod(t->folder, 0700);
    }
}

static void standard_input_is_one_picture_of_unknown_size(void **state)
{
    bench *t = *state;
    assert_int_equal(list(t, "-"), VG_OK);
    assert_int_equal(t->l.n, 1);
    assert_string_equal(t->l.entries[0].path, "-");
    assert_false(t->l.all_probed);
}

static void a_pipe_keeps_its_bytes_for_the_reader(void **state)
{
    bench *t = *state;
    draw(t, "a.bmp", 4, 4);
    assert_int_equal(mkfifo(in(t, "b.bmp"), 0600), 0);
    assert_int_equal(list(t, t->folder), VG_OK); /* and does not wait for a writer */
    assert_int_equal(t->l.n, 2);
    assert_int_equal(t->l.entries[1].w, 0);
    assert_false(t->l.all_probed);
}

static void a_line_that_the_working_folder_has_not_is_looked_for_beside_the_list(void **state)
{
    bench *t = *state;
    mkdir(in(t, "x"), 0777);
    draw(t, "a.bmp", 4, 4);
    draw(t, "x/b.bmp", 4, 4);
    scene_write_text(in(t, "l.txt"), "a.bmp\r\nx/b.bmp\r\nnowhere.bmp\n");
    assert_int_equal(list(t, in(t, "l.txt")), VG_OK);
    assert_string_equal(names(t), "a.bmp b.bmp nowhere.bmp"); /* by path: the last has no folder */
}

static void write_bytes(const bench *t, const char *name, const char *bytes, size_t n)
{
    FILE *f = fopen(in(t, name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void what_is_no_text_is_no_list(void **state)
{
    bench *t = *state;
    write_bytes(t, "l.txt", "\xff\xfe\x61\0.\0", 6);
    assert_int_equal(list(t, in(t, "l.txt")), VG_ERR_FORMAT);
    assert_non_null(strstr(t->err.what, "UTF-16"));
    write_bytes(t, "l.txt", "\xff\xd8*\0\n", 5);
    assert_int_equal(list(t, in(t, "l.txt")), VG_ERR_FORMAT);
    assert_non_null(strstr(t->err.what, "not a list of pictures"));
}

static void pictures_of_unread_kinds_are_told(void **state)
{
    bench *t = *state;
    scene_write_text(in(t, "IMG_1.HEIC"), "x");
    assert_int_equal(list(t, t->folder), VG_ERR_IO);
    assert_non_null(strstr(t->err.what, "does not read, such as IMG_1.HEIC"));
    draw(t, "a.bmp", 4, 4);
    assert_int_equal(list(t, t->folder), VG_OK); /* and the log has them */
    assert_string_equal(names(t), "a.bmp");
}

static void equal_stems_get_numbers_that_nobody_has(void **state)
{
    bench *t = *state;
    char text[4000];
    static const char *const files[] = {"x/a.bmp",   "y/a.bmp", "z/a.png",
                                        "z/a-2.bmp", "y/b.bmp", "y/a-2.bmp"};
    mkdir(in(t, "x"), 0777);
    mkdir(in(t, "y"), 0777);
    mkdir(in(t, "z"), 0777);
    text[0] = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        draw(t, files[i], 4, 4);
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "./%s\n", files[i]);
    }
    scene_write_text(in(t, "l.txt"), text);
    assert_int_equal(list(t, in(t, "l.txt")), VG_OK);
    /* x/a y/a-2 y/a y/b z/a-2 z/a: the second a may not be a-2, which is there. */
    assert_string_equal(names(t), "a.bmp a-2.bmp a.bmp+3 b.bmp a-2.bmp+2 a.png+4");
}

static void broken_pictures_are_listed_without_a_size(void **state)
{
    bench *t = *state;
    draw(t, "a.bmp", 8, 8);
    scene_write_text(in(t, "b.bmp"), "no picture");
    scene_write_text(in(t, "c.bmp"), "");
    mkdir(in(t, "d.bmp"), 0777);
    assert_int_equal(symlink("/nowhere", in(t, "e.bmp")), 0);
    assert_int_equal(list(t, t->folder), VG_OK);
    assert_string_equal(names(t), "a.bmp b.bmp c.bmp d.bmp e.bmp");
    for (size_t i = 1; i < 5; i++)
        assert_int_equal(t->l.entries[i].w, 0);
    assert_int_equal(t->l.largest_pixels_bytes, 192);
}

/* A file whose size stands behind more than the head: read on. */
static void a_long_head_is_read_to_the_size(void **state)
{
    bench *t = *state;
    size_t n;
    char *jpeg = scene_read(TEST_FIXTURES_DIR "/image/baseline.jpg", &n);
    assert_non_null(jpeg);
    FILE *f = fopen(in(t, "a.jpg"), "wb");
    assert_non_null(f);
    fwrite(jpeg, 2, 1, f);
    static const uint8_t app2[4] = {0xff, 0xe2, 0xff, 0xff}; /* 65,533 bytes of profile, twice */
    static const char nothing[65533];
    for (int i = 0; i < 2; i++) {
        fwrite(app2, sizeof app2, 1, f);
        fwrite(nothing, sizeof nothing, 1, f);
    }
    fwrite(jpeg + 2, n - 2, 1, f);
    fclose(f);
    free(jpeg);
    assert_int_equal(list(t, in(t, "a.jpg")), VG_OK);
    assert_int_equal(t->l.entries[0].w, 32);
    assert_int_equal(t->l.entries[0].h, 24);
}

static void no_memory_at_any_point_is_an_error_or_nothing(void **state)
{
    bench *t = *state;
    draw(t, "a.bmp", 8, 8);
    draw(t, "b.bmp", 8, 8);
    vg_status st = VG_ERR_MEMORY;
    picture_list_close(&t->l);
    size_t held = t->mem.in_use_bytes;
    int n_failed = 0;
    for (int64_t i = 1; st != VG_OK || t->mem.fail_in == 0; i++) {
        t->mem.fail_in = i;
        st = list(t, t->folder);
        assert_true(st == VG_OK || st == VG_ERR_MEMORY);
        n_failed += st != VG_OK;
        picture_list_close(&t->l);
        assert_int_equal(t->mem.in_use_bytes, held);
    }
    t->mem.fail_in = 0;
    assert_true(n_failed >= 4);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_folder_means_its_pictures_sorted),
        TEST(a_file_and_a_glob_mean_what_they_match),
        TEST(two_stars_go_through_folders_of_any_depth),
        TEST(a_list_has_one_path_a_line),
        TEST(what_is_no_picture_source_is_refused),
        TEST(standard_input_is_one_picture_of_unknown_size),
        TEST(a_pipe_keeps_its_bytes_for_the_reader),
        TEST(a_line_that_the_working_folder_has_not_is_looked_for_beside_the_list),
        TEST(what_is_no_text_is_no_list),
        TEST(pictures_of_unread_kinds_are_told),
        TEST(equal_stems_get_numbers_that_nobody_has),
        TEST(broken_pictures_are_listed_without_a_size),
        TEST(a_long_head_is_read_to_the_size),
        TEST(no_memory_at_any_point_is_an_error_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
