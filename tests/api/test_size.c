/* Sizes of public structs by name, held against the headers: a struct that is missing in the table
 * would be unchecked in every binding. */
#include "support/test.h"

#include <dirent.h>

#include "vigil/bench.h"
#include "vigil/vigil.h"

static char text[1 << 17];

static size_t read_text(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(text, 1, sizeof text - 1, f);
    assert_true(n < sizeof text - 1);
    fclose(f);
    text[n] = '\0';
    return n;
}

static int check_header(const char *name)
{
    static const char lead[] = "typedef struct ";
    int n = 0;
    read_text(TEST_HEADERS_DIR, name);
    for (const char *at = text; (at = strstr(at, lead)) != NULL;) {
        char type[64];
        at += sizeof lead - 1;
        const size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
        assert_true(length > 0 && length < sizeof type); /* each has a name to be asked by */
        memcpy(type, at, length);
        type[length] = '\0';
        at += length;
        if (strncmp(at, " {", 2) != 0) { /* a handle: its size is nobody's business */
            assert_int_equal(vg_size_of(type), 0);
            continue;
        }
        if (vg_size_of(type) == 0)
            fail_msg("%s of %s has no row in src/api/size.c", type, name);
        n++;
    }
    return n;
}

static void every_struct_of_the_headers_has_a_size(void **state)
{
    (void)state;
    int n = 0;
    static const char *const folders[] = {"", "types/"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", TEST_HEADERS_DIR, folders[i]);
        DIR *dir = opendir(path);
        assert_non_null(dir);
        for (const struct dirent *e; (e = readdir(dir)) != NULL;)
            if (strstr(e->d_name, ".h") != NULL) {
                snprintf(path, sizeof path, "%s%s", folders[i], e->d_name);
                n += check_header(path);
            }
        closedir(dir);
    }
    assert_true(n > 50);
}

static void a_size_is_the_compilers(void **state)
{
    (void)state;
    assert_int_equal(vg_size_of("vg_detection"), sizeof(vg_detection));
    assert_int_equal(vg_size_of("vg_error"), sizeof(vg_error));
    assert_int_equal(vg_size_of("vg_memory"), sizeof(vg_memory));
    assert_int_equal(vg_size_of("vg_bench_step"), sizeof(vg_bench_step));
    assert_int_equal(vg_size_of("vg_option"), sizeof(vg_option));
}

static void what_is_no_struct_has_none(void **state)
{
    (void)state;
    assert_int_equal(vg_size_of(NULL), 0);
    assert_int_equal(vg_size_of(""), 0);
    assert_int_equal(vg_size_of("vg_detectio"), 0);
    assert_int_equal(vg_size_of("vg_detections"), 0);
    assert_int_equal(vg_size_of("vg_detector"), 0);
}

static void the_librarys_number_is_the_headers(void **state)
{
    (void)state;
    assert_int_equal(vg_abi(), VG_ABI);
    assert_true(vg_abi() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_struct_of_the_headers_has_a_size),
        cmocka_unit_test(a_size_is_the_compilers),
        cmocka_unit_test(what_is_no_struct_has_none),
        cmocka_unit_test(the_librarys_number_is_the_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
