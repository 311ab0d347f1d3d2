/* test_vault.c: the last good checkpoints are kept, and a torn one is put right before a restart.
 */
#include "archive.h"
#include "support/ok.h"
#include "temp.h"

#include <math.h>

#include "watch/guard/vault.h"

static base_mem mem = {.tag = "test"};
static double clock_s = 100;

static watch_vault *open_vault(int keep)
{
    watch_vault *v = NULL;
    char folder[512], given[512];
    snprintf(folder, sizeof folder, "%s", temp_path("guard"));
    snprintf(given, sizeof given, "%s", temp_path("run"));
    mkdir(folder, 0755);
    mkdir(given, 0755);
    const watch_vault_options o = {
        .folder = folder, .given = given, .run = "", .keep = keep, .interval_s = 0.2};
    OK(watch_vault_create(&v, &o, &mem, err));
    return v;
}

/* Looks until everything has rested. */
static void rest(watch_vault *v, char *said, size_t n)
{
    char text[1024];
    said[0] = '\0';
    for (int i = 0; i < 8; i++, clock_s += 0.6)
        if (watch_vault_look(v, 0, "", clock_s, text, sizeof text))
            snprintf(said, n, "%s", text);
}

static int n_kept(void)
{
    char command[600];
    snprintf(command, sizeof command, "ls %s | grep -c '^0'", temp_path("guard/vault"));
    FILE *p = popen(command, "r");
    int n = -1;
    assert_int_equal(fscanf(p, "%d", &n), 1);
    pclose(p);
    return n;
}

static int clean(void **state)
{
    char command[600];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s/*", temp_folder);
    return system(command);
}

static void a_torn_checkpoint_gets_its_last_good_bytes_back(void **state)
{
    char path[600], said[1024];
    (void)state;
    watch_vault *v = open_vault(3);
    const archive a = archive_zip('1', false), b = archive_zip('2', false);
    temp_write("run/last.pt", a.bytes, a.n);
    rest(v, said, sizeof said);
    assert_true(watch_vault_good_s(v) > 0);
    assert_string_equal(watch_vault_newest(v), temp_path("run/last.pt"));
    assert_true(watch_vault_settle(v, path, sizeof path, said, sizeof said));
    assert_string_equal(path, temp_path("run/last.pt"));
    assert_string_equal(said, "");
    temp_write("run/last.pt", b.bytes, b.n / 2); /* killed while it overwrote its only one */
    assert_true(watch_vault_settle(v, path, sizeof path, said, sizeof said));
    assert_string_equal(path, temp_path("run/last.pt"));
    assert_non_null(strstr(said, "the vault's 000000-last.pt is in its place"));
    unsigned char back[ARCHIVE_BYTES];
    const int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, back, sizeof back), a.n);
    close(fd);
    assert_memory_equal(back, a.bytes, a.n);
    watch_vault_destroy(&v);
}

static void a_torn_one_is_told_once_and_never_kept(void **state)
{
    char said[1024];
    (void)state;
    watch_vault *v = open_vault(3);
    const archive a = archive_zip('1', false);
    temp_write("run/last.pt", a.bytes, a.n - 1);
    rest(v, said, sizeof said);
    assert_non_null(strstr(said, "not whole"));
    assert_true(watch_vault_good_s(v) < 0);
    assert_false(base_path_exists(temp_path("guard/vault")));
    watch_vault_destroy(&v);
}

static void the_last_n_are_kept_and_what_is_overwritten_is_copied(void **state)
{
    char said[1024];
    struct stat own, copy;
    (void)state;
    watch_vault *v = open_vault(2);
    for (char c = '1'; c <= '4'; c++) {
        const archive a = archive_zip(c, false);
        temp_write("run/last.pt", a.bytes, a.n);
        rest(v, said, sizeof said);
    }
    assert_int_equal(n_kept(), 2);
    assert_true(base_path_exists(temp_path("guard/vault/000003-last.pt")));
    assert_int_equal(stat(temp_path("run/last.pt"), &own), 0);
    assert_int_equal(stat(temp_path("guard/vault/000003-last.pt"), &copy), 0);
    assert_true(own.st_ino != copy.st_ino);
    assert_true(watch_vault_interval_s(v) > 1);
    watch_vault_destroy(&v);
}

static void what_is_replaced_by_a_new_file_is_linked(void **state)
{
    char said[1024];
    struct stat own, copy;
    (void)state;
    watch_vault *v = open_vault(3);
    for (char c = '1'; c <= '3'; c++) {
        const archive a = archive_zip(c, false);
        temp_write("run/new", a.bytes, a.n);
        assert_int_equal(rename(temp_path("run/new"), temp_path("run/last.pt")), 0);
        rest(v, said, sizeof said);
    }
    assert_int_equal(stat(temp_path("run/last.pt"), &own), 0);
    assert_int_equal(stat(temp_path("guard/vault/000002-last.pt"), &copy), 0);
    assert_true(own.st_ino == copy.st_ino);
    assert_int_equal(stat(temp_path("guard/vault/000000-last.pt"), &copy), 0);
    assert_true(own.st_ino != copy.st_ino);
    watch_vault_destroy(&v);
}

static void a_new_guard_knows_the_old_ones_copies(void **state)
{
    char said[1024], path[600];
    (void)state;
    watch_vault *v = open_vault(3);
    const archive a = archive_zip('1', false);
    temp_write("run/last.pt", a.bytes, a.n);
    rest(v, said, sizeof said);
    watch_vault_destroy(&v);
    unlink(temp_path("run/last.pt"));
    v = open_vault(3);
    assert_true(watch_vault_settle(v, path, sizeof path, said, sizeof said));
    assert_string_equal(path, temp_path("run/last.pt"));
    assert_true(base_path_exists(path));
    watch_vault_destroy(&v);
}

static void the_last_one_is_gone_on_from_and_not_the_best(void **state)
{
    char said[1024], path[600];
    (void)state;
    watch_vault *v = open_vault(3);
    const archive a = archive_zip('1', false);
    mkdir(temp_path("run/weights"), 0755);
    temp_write("run/weights/last.pt", a.bytes, a.n);
    rest(v, said, sizeof said);
    temp_write("run/weights/best.pt", a.bytes, a.n);
    rest(v, said, sizeof said);
    assert_true(watch_vault_settle(v, path, sizeof path, said, sizeof said));
    assert_string_equal(path, temp_path("run/weights/last.pt"));
    assert_int_equal(n_kept(), 1);
    watch_vault_destroy(&v);
}

static void of_many_files_the_newest_whole_one_is_gone_on_from(void **state)
{
    char said[1024], path[600];
    (void)state;
    watch_vault *v = open_vault(0);
    const archive a = archive_zip('1', false);
    temp_write("run/epoch1.pt", a.bytes, a.n);
    rest(v, said, sizeof said);
    usleep(20000);
    temp_write("run/epoch2.pt", a.bytes, a.n / 2);
    rest(v, said, sizeof said);
    assert_true(watch_vault_settle(v, path, sizeof path, said, sizeof said));
    assert_string_equal(path, temp_path("run/epoch1.pt"));
    assert_non_null(strstr(said, "epoch2.pt is not whole"));
    assert_false(base_path_exists(temp_path("guard/vault")));
    watch_vault_destroy(&v);
}

static void kinds_without_a_length_must_rest_longer(void **state)
{
    char said[1024], path[600], text[1024];
    (void)state;
    watch_vault *v = open_vault(3);
    temp_write("run/model.pkl", "\x80\x04KLMN", 6);
    for (int i = 0; i < 3; i++, clock_s += 0.6) {
        watch_vault_look(v, 0, "", clock_s, text, sizeof text);
        assert_true(watch_vault_good_s(v) < 0);
    }
    rest(v, said, sizeof said);
    assert_true(watch_vault_good_s(v) > 0);
    usleep(20000);
    temp_write("run/model.pkl", "\x80\x04KLM", 5); /* changed since: it may be torn */
    assert_true(watch_vault_settle(v, path, sizeof path, said, sizeof said));
    assert_non_null(strstr(said, "is in its place"));
    watch_vault_destroy(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_torn_checkpoint_gets_its_last_good_bytes_back, clean),
        cmocka_unit_test_setup(a_torn_one_is_told_once_and_never_kept, clean),
        cmocka_unit_test_setup(the_last_n_are_kept_and_what_is_overwritten_is_copied, clean),
        cmocka_unit_test_setup(what_is_replaced_by_a_new_file_is_linked, clean),
        cmocka_unit_test_setup(a_new_guard_knows_the_old_ones_copies, clean),
        cmocka_unit_test_setup(the_last_one_is_gone_on_from_and_not_the_best, clean),
        cmocka_unit_test_setup(of_many_files_the_newest_whole_one_is_gone_on_from, clean),
        cmocka_unit_test_setup(kinds_without_a_length_must_rest_longer, clean)};
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}
