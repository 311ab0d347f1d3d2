/* Who reads a camera: by its name alone, the same for all, and few move when N changes. */
#include "support/test.h"

#include <unistd.h>

#include "stream/scenes.h"
#include "support/ok.h"

#include "stream/fleet/shard.h"
#include "stream/stream.h"

enum { N_NAMES = 10000 };

static uint64_t key_of(int i)
{
    char name[64];
    snprintf(name, sizeof name, "rtsp://10.0.%d.%d/stream", i / 250, i % 250);
    return stream_shard_key(name);
}

/* ---- the hash ---- */

static void every_shard_has_about_its_share(void **state)
{
    (void)state;
    for (int of = 1; of <= 64; of += 7) {
        int n[64] = {0};
        for (int i = 0; i < N_NAMES; i++)
            n[stream_shard_owner(key_of(i), of)]++;
        const double share = (double)N_NAMES / of;
        for (int k = 0; k < of; k++) /* five standard deviations */
            assert_true((n[k] - share) * (n[k] - share) <= 25 * share);
    }
}

static void one_shard_more_moves_its_own_share_and_to_itself_alone(void **state)
{
    (void)state;
    for (int of = 1; of < 40; of += 6) {
        int n_moved = 0;
        for (int i = 0; i < N_NAMES; i++) {
            const int before = stream_shard_owner(key_of(i), of),
                      after = stream_shard_owner(key_of(i), of + 1);
            assert_true(after == before || after == of);
            n_moved += after != before;
        }
        const double share = (double)N_NAMES / (of + 1);
        assert_true((n_moved - share) * (n_moved - share) <= 25 * share);
    }
}

/* Written down, so that machines of different versions agree. */
static void scores_are_the_same_in_every_version(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int of, owner;
    } cases[] = {{"door", 20, 3}, {"rtsp://gate:8554/live", 20, 6}, {"", 20, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(stream_shard_owner(stream_shard_key(cases[i].name), cases[i].of),
                         cases[i].owner);
}

/* ---- its text ---- */

static void a_shard_is_written_as_i_of_n(void **state)
{
    (void)state;
    static const char *const wrong[] = {"3",   "3/",    "/3",    "3/3",  "-1/3",  "a/3",  "3/x",
                                        "0/0", "0/201", "1/2/3", "auto", "auto/", "0/2 x"};
    stream_shard s;
    vg_error e;
    OK(stream_shard_parse(&s, "", err));
    assert_int_equal(s.of, 0);
    OK(stream_shard_parse(&s, "0/1", err));
    assert_true(s.index == 0 && s.of == 1);
    OK(stream_shard_parse(&s, "19/20", err));
    assert_true(s.index == 19 && s.of == 20);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(stream_shard_parse(&s, wrong[i], &e), VG_ERR_ARGUMENT);
        assert_string_equal(e.where, "option shard");
    }
}

static void auto_is_the_number_that_ends_the_pods_name(void **state)
{
    (void)state;
    stream_shard s;
    vg_error e;
    setenv("POD_NAME", "vigil-cameras-7", 1);
    OK(stream_shard_parse(&s, "auto/8", err));
    assert_true(s.index == 7 && s.of == 8);
    assert_int_equal(stream_shard_parse(&s, "auto/7", &e), VG_ERR_ARGUMENT);
    assert_non_null(strstr(e.mend, "8"));
    setenv("POD_NAME", "vigil-7d4b", 1);
    assert_int_equal(stream_shard_parse(&s, "auto/7", &e), VG_ERR_ARGUMENT);
    unsetenv("POD_NAME");
}

/* ---- lists ---- */

typedef struct bench {
    char folder[256];
    base_mem mem;
    stream_options o;
    stream_sources s;
} bench;

static int set_up(void **state)
{
    bench *t = scene_alloc(sizeof *t);
    base_mem_init(&t->mem, "test", NULL, 0);
    stream_options_default(&t->o);
    *state = t;
    return folder_make(t->folder, sizeof t->folder);
}

static int tear_down(void **state)
{
    bench *t = *state;
    stream_sources_close(&t->s);
    const int left = t->mem.in_use_bytes != 0;
    folder_remove(t->folder);
    free(t);
    return left ? -1 : 0;
}

static void write_list(bench *t, int n)
{
    snprintf(t->o.source, sizeof t->o.source, "%s", scene_path(t->folder, "c.streams"));
    FILE *f = fopen(t->o.source, "w");
    assert_non_null(f);
    for (int i = 0; i < n; i++)
        fprintf(f, "rtsp://user:secret%d@10.0.0.%d/live\n", i, i % 200); /* some are twice there */
    fclose(f);
}

static vg_status list(bench *t, const char *shard, vg_error *err)
{
    stream_sources_close(&t->s);
    snprintf(t->o.shard, sizeof t->o.shard, "%s", shard);
    return stream_sources_open(&t->s, &t->o, &t->mem, err);
}

static void the_shards_share_a_list_out_whole_under_the_names_it_has_as_a_whole(void **state)
{
    enum { N = 600, OF = 20 };
    bench *t = *state;
    int n = 0;
    bool seen[N] = {false};
    write_list(t, N);
    for (int k = 0; k < OF; k++) {
        char shard[16];
        snprintf(shard, sizeof shard, "%d/%d", k, OF);
        OK(list(t, shard, err));
        assert_int_equal(t->s.n_listed, N);
        for (size_t i = 0; i < t->s.n; i++) {
            const stream_source *one = &t->s.items[i];
            int host, copy = 1;
            assert_true(sscanf(one->name, "rtsp://10.0.0.%d/live#%d", &host, &copy) >= 1);
            assert_int_equal(stream_shard_owner(stream_shard_key(one->name), OF), k);
            assert_false(seen[host + 200 * (copy - 1)]);
            seen[host + 200 * (copy - 1)] = true;
            assert_true(one->waits);
            n++;
        }
    }
    assert_int_equal(n, N);
}

static void a_shard_may_have_no_camera_and_not_more_than_there_are_places(void **state)
{
    bench *t = *state;
    vg_error e;
    write_list(t, 1);
    const int owner = stream_shard_owner(stream_shard_key("rtsp://10.0.0.0/live"), 2);
    OK(list(t, owner == 0 ? "1/2" : "0/2", err));
    assert_int_equal(t->s.n, 0);
    assert_int_equal(t->s.n_listed, 1);
    assert_false(stream_sources_are_files(&t->s));
    write_list(t, 200);
    assert_int_equal(list(t, "0/1", &e), VG_ERR_LIMIT);
    assert_string_equal(e.where, "option shard");
    assert_int_equal(list(t, "", &e), VG_ERR_LIMIT);
}

static void a_reload_finds_a_shards_sources_by_name(void **state)
{
    bench *t = *state;
    stream_sources before;
    const stream_source *running[STREAM_MOST_CHANNELS] = {NULL};
    int place[STREAM_MOST_CHANNELS];
    write_list(t, 100);
    OK(list(t, "0/2", err));
    before = t->s;
    t->s = (stream_sources){0};
    for (size_t i = 0; i < before.n; i++)
        running[before.n - i] = &before.items[i];
    OK(list(t, "0/3", err));
    stream_sources_find_running(&t->s, running, STREAM_MOST_CHANNELS, place);
    assert_in_range(t->s.n, 1, before.n);
    for (size_t i = 0; i < t->s.n; i++)
        assert_string_equal(running[place[i]]->name, t->s.items[i].name);
    stream_sources_close(&before);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shard_has_about_its_share),
        cmocka_unit_test(one_shard_more_moves_its_own_share_and_to_itself_alone),
        cmocka_unit_test(scores_are_the_same_in_every_version),
        cmocka_unit_test(a_shard_is_written_as_i_of_n),
        cmocka_unit_test(auto_is_the_number_that_ends_the_pods_name),
        T(the_shards_share_a_list_out_whole_under_the_names_it_has_as_a_whole),
        T(a_shard_may_have_no_camera_and_not_more_than_there_are_places),
        T(a_reload_finds_a_shards_sources_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
