/* test_vault.c: the last good checkpoints are kept, and a torn one is put right before a restart.
 */
#include "archive.h"
#include "support/ok.h"
#include "temp.h"

#include <math.h>

#include "watch/guard/vault.h"

static base_mem mem = {.tag = "test"};
static double clock_s = 100;

static int clean(void **state);

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

static bool settle(watch_vault *v, char path[600], char *said, size_t n)
{
    char of[600];
    return watch_vault_settle(v, path, of, 600, said, n);
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
    snprintf(command, sizeof command, "rm -rf %s/*", temp_folder); /* what each test made */
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
    assert_true(settle(v, path, said, sizeof said));
    assert_string_equal(path, temp_path("run/last.pt"));
    assert_string_equal(said, "");
    temp_write("run/last.pt", b.bytes, b.n / 2); /* killed while it overwrote its only one */
    assert_true(settle(v, path, said, sizeof said));
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

static void copies_are_never_a_file_that_the_job_can_write(void **state)
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
    assert_int_equal(own.st_nlink, 1);
    assert_int_equal(stat(temp_path("guard/vault/000002-last.pt"), &copy), 0);
    assert_true(own.st_ino != copy.st_ino);
    watch_vault_destroy(&v);
}

/* How trainers write: `how` puts a version in the place of the one before. */
static void save(int how, const archive *a)
{
    const char *last = temp_path("run/last.pt"), *new = temp_path("run/new");
    if (how == 0) { /* in place, as torch.save does */
        temp_write("run/last.pt", a->bytes, a->n);
        return;
    }
    if (how == 3)
        unlink(last);
    temp_write(how == 3 ? "run/last.pt" : "run/new", a->bytes, a->n);
    if (how == 1)
        assert_int_equal(rename(new, last), 0);
    if (how == 2) { /* by a second name */
        unlink(last);
        assert_int_equal(link(new, last), 0);
    }
}

static void one_copy_survives_two_torn_saves_of_every_writer(void **state)
{
    char path[600], said[1024];
    for (int how = 0; how < 4; how++) {
        clean(state);
        watch_vault *v = open_vault(1);
        const archive a = archive_zip('1', false);
        temp_write("run/last.pt", a.bytes, a.n);
        rest(v, said, sizeof said);
        save(how, &a);
        rest(v, said, sizeof said);
        for (int k = 0; k < 2; k++) { /* the crash is a save in place that is cut short */
            const int fd = open(temp_path("run/last.pt"), O_WRONLY | O_TRUNC);
            assert_int_equal(write(fd, a.bytes, a.n / 2), (ssize_t)(a.n / 2));
            close(fd);
            assert_true(settle(v, path, said, sizeof said));
            assert_string_equal(path, temp_path("run/last.pt"));
            assert_non_null(strstr(said, "is in its place"));
            rest(v, said, sizeof said);
            assert_int_equal(n_kept(), 1);
        }
        watch_vault_destroy(&v);
    }
}

static void a_link_and_its_file_are_one_checkpoint(void **state)
{
    char said[1024], path[600], target[64];
    (void)state;
    watch_vault *v = open_vault(9);
    const archive a = archive_zip('1', false);
    for (int i = 0; i < 3; i++) {
        char name[32], link[64];
        snprintf(name, sizeof name, "run/epoch%d.pt", i);
        snprintf(link, sizeof link, "epoch%d.pt", i);
        temp_write(name, a.bytes, a.n);
        unlink(temp_path("run/latest.pt"));
        assert_int_equal(symlink(link, temp_path("run/latest.pt")), 0);
        rest(v, said, sizeof said);
    }
    assert_int_equal(n_kept(), 3);
    /* The newest one is torn beyond its copies, which are of what the link leads to. */
    temp_write("run/epoch2.pt", a.bytes, 10);
    unlink(temp_path("run/latest.pt"));
    assert_true(settle(v, path, said, sizeof said));
    assert_string_equal(path, temp_path("run/epoch2.pt"));
    const ssize_t n = readlink(temp_path("run/latest.pt"), target, sizeof target);
    assert_int_equal(n, strlen("epoch2.pt"));
    assert_memory_equal(target, "epoch2.pt", (size_t)n);
    watch_vault_destroy(&v);
}

static void what_is_no_file_is_neither_waited_for_nor_kept(void **state)
{
    char said[1024], path[600];
    struct stat info;
    (void)state;
    watch_vault *v = open_vault(3);
    const archive a = archive_zip('1', false);
    temp_write("run/d.pt", a.bytes, a.n);
    rest(v, said, sizeof said);
    unlink(temp_path("run/d.pt"));
    assert_int_equal(mkfifo(temp_path("run/d.pt"), 0600), 0);
    assert_int_equal(mkfifo(temp_path("run/a.pt"), 0600), 0);
    assert_int_equal(symlink("/dev/zero", temp_path("run/b.pt")), 0);
    assert_int_equal(symlink("c.pt", temp_path("run/c.pt")), 0);
    const int fd = open(temp_path("run/sparse.safetensors"), O_WRONLY | O_CREAT, 0600);
    static const char head[] =
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1099511627776]}}";
    const uint64_t n_head = sizeof head - 1;
    assert_int_equal(write(fd, &n_head, 8), 8);
    assert_int_equal(write(fd, head, n_head), (ssize_t)n_head);
    assert_int_equal(ftruncate(fd, (off_t)((UINT64_C(1) << 40) + 8 + n_head)), 0);
    close(fd);
    rest(v, said, sizeof said);
    /* A hole is no bytes: the copy of a terabyte is as small as the file is. */
    assert_int_equal(n_kept(), 2);
    assert_int_equal(stat(temp_path("guard/vault/000001-sparse.safetensors"), &info), 0);
    assert_true(info.st_blocks < 64);
    unlink(temp_path("run/sparse.safetensors"));
    unlink(temp_path("guard/vault/000001-sparse.safetensors"));
    assert_true(settle(v, path, said, sizeof said));
    assert_string_equal(path, temp_path("guard/resume/000000-d.pt")); /* the pipe is left alone */
    assert_non_null(strstr(said, "no file any more"));
    watch_vault_destroy(&v);
}

static void names_of_any_bytes_come_back(void **state)
{
    char said[1024], path[600];
    static const char *const names[] = {"run/x\n000009-evil.pt\twritten.pt",
                                        "run/\x1b]0;o\x07\nline.pt", "run/back\\slash\xff.pt"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        clean(state);
        watch_vault *v = open_vault(3);
        const archive a = archive_zip('1', false);
        temp_write(names[i], a.bytes, a.n);
        rest(v, said, sizeof said);
        watch_vault_destroy(&v);
        unlink(temp_path(names[i]));
        v = open_vault(3);
        assert_true(settle(v, path, said, sizeof said));
        assert_string_equal(path, temp_path(names[i]));
        assert_true(base_path_exists(path));
        watch_vault_destroy(&v);
    }
}

static void another_jobs_copies_are_put_aside(void **state)
{
    char said[1024], path[600], of[600], folder[512], given[512];
    (void)state;
    snprintf(folder, sizeof folder, "%s", temp_path("guard"));
    snprintf(given, sizeof given, "%s", temp_path("run"));
    mkdir(folder, 0755);
    mkdir(given, 0755);
    watch_vault_options o = {.folder = folder, .given = given, .run = "", .keep = 3, .job = 1};
    const archive a = archive_zip('1', false);
    temp_write("run/last.pt", a.bytes, a.n);
    for (uint64_t job = 1; job <= 2; job++) {
        watch_vault *v = NULL;
        o.job = job;
        OK(watch_vault_create(&v, &o, &mem, err));
        if (job == 1)
            rest(v, said, sizeof said);
        unlink(temp_path("run/last.pt"));
        assert_int_equal(watch_vault_settle(v, path, of, sizeof path, said, sizeof said), job == 1);
        unlink(temp_path("run/last.pt"));
        watch_vault_destroy(&v);
    }
    assert_true(base_path_exists(temp_path("guard/vault-of-another-job-1/000000-last.pt")));
}

/* ---- nothing was named: what the job was seen to write ---- */

static watch_vault *open_finding(watch_witness **w, watch_vault_options *o)
{
    watch_vault *v = NULL;
    static char folder[512];
    snprintf(folder, sizeof folder, "%s", temp_path("guard"));
    mkdir(folder, 0755);
    mkdir(temp_path("run"), 0755);
    OK(watch_witness_create(w, &(watch_witness_options){.own = folder}, &mem, err));
    watch_witness_watch(*w, temp_path("run"), 0);
    *o = (watch_vault_options){
        .folder = folder, .given = "", .run = "", .keep = 3, .interval_s = 0.2, .witness = *w};
    OK(watch_vault_create(&v, o, &mem, err));
    return v;
}

static void saw(watch_witness *w, const char *name)
{
    watch_file_id id;
    assert_true(watch_file_id_of(&id, AT_FDCWD, temp_path(name), 0));
    watch_witness_add(w, &id);
}

static void a_file_that_the_job_was_not_seen_to_write_is_nobodys(void **state)
{
    char said[1024], path[600], told[1024] = "";
    watch_witness *w;
    watch_vault_options o;
    (void)state;
    watch_vault *v = open_finding(&w, &o);
    const archive a = archive_zip('1', false);
    temp_write("run/last.pt", a.bytes, a.n);
    for (int i = 0; i < 3; i++) {
        rest(v, said, sizeof said);
        if (said[0] != '\0')
            snprintf(told, sizeof told, "%s", said);
    }
    assert_true(watch_vault_good_s(v) < 0);
    assert_non_null(strstr(told, "--checkpoints"));
    assert_false(settle(v, path, said, sizeof said));
    assert_false(base_path_exists(temp_path("guard/vault")));
    /* Seen under a passing name, and renamed. */
    temp_write("run/new.tmp", a.bytes, a.n);
    saw(w, "run/new.tmp");
    assert_int_equal(rename(temp_path("run/new.tmp"), temp_path("run/last.pt")), 0);
    rest(v, said, sizeof said);
    assert_int_equal(n_kept(), 1);
    assert_true(settle(v, path, said, sizeof said));
    watch_vault_destroy(&v);
    watch_witness_destroy(&w);
}

static void anothers_file_in_the_jobs_place_is_left_alone(void **state)
{
    char said[1024], path[600];
    watch_witness *w;
    watch_vault_options o;
    unsigned char back[ARCHIVE_BYTES];
    (void)state;
    watch_vault *v = open_finding(&w, &o);
    const archive a = archive_zip('1', false), b = archive_zip('2', false);
    temp_write("run/last.pt", a.bytes, a.n);
    saw(w, "run/last.pt");
    rest(v, said, sizeof said);
    for (int is_whole = 0; is_whole < 2; is_whole++) {
        temp_write("run/theirs", b.bytes, is_whole ? b.n : b.n / 2);
        assert_int_equal(rename(temp_path("run/theirs"), temp_path("run/last.pt")), 0);
        rest(v, said, sizeof said);
        assert_true(settle(v, path, said, sizeof said));
        assert_string_equal(path, temp_path("guard/resume/000000-last.pt"));
        assert_non_null(strstr(said, "it is left alone"));
        int fd = open(temp_path("run/last.pt"), O_RDONLY);
        assert_int_equal(read(fd, back, sizeof back), (ssize_t)(is_whole ? b.n : b.n / 2));
        close(fd);
        fd = open(path, O_RDONLY);
        assert_int_equal(read(fd, back, sizeof back), (ssize_t)a.n);
        close(fd);
        assert_memory_equal(back, a.bytes, a.n);
    }
    watch_vault_destroy(&v);
    watch_witness_destroy(&w);
}

static void a_file_that_is_being_written_is_not_replaced(void **state)
{
    char said[1024], path[600];
    (void)state;
    watch_vault *v = open_vault(3);
    const archive a = archive_zip('1', false);
    temp_write("run/last.pt", a.bytes, a.n);
    rest(v, said, sizeof said);
    const int fd = open(temp_path("run/last.pt"), O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, a.bytes, 20), 20);
    assert_true(settle(v, path, said, sizeof said));
    assert_string_equal(path, temp_path("guard/resume/000000-last.pt"));
    assert_non_null(strstr(said, "open for writing"));
    close(fd);
    assert_true(settle(v, path, said, sizeof said));
    assert_string_equal(path, temp_path("run/last.pt"));
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
    assert_true(settle(v, path, said, sizeof said));
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
    assert_true(settle(v, path, said, sizeof said));
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
    assert_true(settle(v, path, said, sizeof said));
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
    assert_true(settle(v, path, said, sizeof said));
    assert_non_null(strstr(said, "is in its place"));
    watch_vault_destroy(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_torn_checkpoint_gets_its_last_good_bytes_back, clean),
        cmocka_unit_test_setup(a_torn_one_is_told_once_and_never_kept, clean),
        cmocka_unit_test_setup(the_last_n_are_kept_and_what_is_overwritten_is_copied, clean),
        cmocka_unit_test_setup(copies_are_never_a_file_that_the_job_can_write, clean),
        cmocka_unit_test_setup(one_copy_survives_two_torn_saves_of_every_writer, clean),
        cmocka_unit_test_setup(a_link_and_its_file_are_one_checkpoint, clean),
        cmocka_unit_test_setup(what_is_no_file_is_neither_waited_for_nor_kept, clean),
        cmocka_unit_test_setup(names_of_any_bytes_come_back, clean),
        cmocka_unit_test_setup(another_jobs_copies_are_put_aside, clean),
        cmocka_unit_test_setup(a_file_that_the_job_was_not_seen_to_write_is_nobodys, clean),
        cmocka_unit_test_setup(anothers_file_in_the_jobs_place_is_left_alone, clean),
        cmocka_unit_test_setup(a_file_that_is_being_written_is_not_replaced, clean),
        cmocka_unit_test_setup(a_new_guard_knows_the_old_ones_copies, clean),
        cmocka_unit_test_setup(the_last_one_is_gone_on_from_and_not_the_best, clean),
        cmocka_unit_test_setup(of_many_files_the_newest_whole_one_is_gone_on_from, clean),
        cmocka_unit_test_setup(kinds_without_a_length_must_rest_longer, clean)};
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}
