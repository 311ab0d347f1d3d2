/* Leases in a shared folder: of many who claim a camera one gets it, and what is no such folder is
 * told. */
#include "support/test.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream/scenes.h"
#include "support/ok.h"

#include "stream/fleet/store.h"

typedef struct bench {
    char folder[256];
    base_mem mem;
} bench;

static int set_up(void **state)
{
    bench *t = scene_alloc(sizeof *t);
    base_mem_init(&t->mem, "test", NULL, 0);
    *state = t;
    return folder_make(t->folder, sizeof t->folder);
}

static int tear_down(void **state)
{
    bench *t = *state;
    folder_remove(t->folder);
    const int left = t->mem.in_use_bytes != 0;
    free(t);
    return left ? -1 : 0;
}

static void see_last(void *ctx, const stream_claim *c)
{
    *(stream_claim *)ctx = *c;
}

static void of_many_who_claim_one_gets_it(void **state)
{
    bench *t = *state;
    stream_store store;
    bool is_done;
    OK(stream_store_dir_open(&store, t->folder, &t->mem, err));
    stream_claim a = {.key = 42}, b = a, c;
    OK(store.functions->claim(store.self, &a, "x", "1-a", &is_done, err));
    assert_true(is_done);
    OK(store.functions->claim(store.self, &b, "x", "2-b", &is_done, err));
    assert_false(is_done); /* it was held first by another */
    OK(store.functions->claims(store.self, see_last, NULL, &b, err));
    assert_string_equal(b.holder, "1-a");
    c = b;
    OK(store.functions->claim(store.self, &b, "x", "2-b", &is_done, err));
    assert_true(is_done);
    OK(store.functions->claim(store.self, &c, "x", "3-c", &is_done, err));
    assert_false(is_done); /* it is not 1-a's any more */
    OK(store.functions->claim(store.self, &b, "x", "", &is_done, err));
    assert_true(is_done);
    c = b;
    OK(store.functions->claim(store.self, &b, "x", "4-d", &is_done, err));
    assert_true(is_done);
    OK(store.functions->claim(store.self, &c, "x", "5-e", &is_done, err));
    assert_false(is_done);
    stream_store_close(&store);
}

/* ---- the same at once ---- */

enum { N_RACERS = 4, N_RACES = 150 };

typedef struct racer {
    pthread_t thread;
    pthread_barrier_t *start;
    stream_store store;
    int k, n_won;
    bool has_won[N_RACES];
} racer;

/* The first race for a camera makes it, the second is for one that is held. */
static void *race(void *self)
{
    racer *r = self;
    char me[8];
    snprintf(me, sizeof me, "%d-me", r->k);
    for (int i = 0; i < N_RACES; i++) {
        stream_claim c = {.key = (uint64_t)(i / 2)};
        if (i % 2 == 1) {
            snprintf(c.holder, sizeof c.holder, "before");
            snprintf(c.version, sizeof c.version, "1");
        }
        pthread_barrier_wait(r->start);
        r->store.functions->claim(r->store.self, &c, "x", i % 2 == 0 ? "before" : me,
                                  &r->has_won[i], NULL);
        r->n_won += r->has_won[i];
    }
    return NULL;
}

static void of_many_at_the_same_time_one_gets_it(void **state)
{
    bench *t = *state;
    racer racers[N_RACERS] = {0};
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, N_RACERS);
    for (int k = 0; k < N_RACERS; k++) {
        racers[k].k = k;
        racers[k].start = &barrier;
        OK(stream_store_dir_open(&racers[k].store, t->folder, &t->mem, err));
        OK(base_thread_start(&racers[k].thread, "racer", 0, race, &racers[k], err));
    }
    for (int k = 0; k < N_RACERS; k++) {
        pthread_join(racers[k].thread, NULL);
        stream_store_close(&racers[k].store);
    }
    pthread_barrier_destroy(&barrier);
    for (int i = 1; i < N_RACES; i += 2) {
        int n = 0;
        for (int k = 0; k < N_RACERS; k++)
            n += racers[k].has_won[i];
        assert_int_equal(n, 1);
    }
}

/* Who died between making its file and linking it holds nothing. */
static void a_file_of_one_name_is_nobodys(void **state)
{
    bench *t = *state;
    stream_store store;
    bool is_done;
    char command[600];
    OK(stream_store_dir_open(&store, t->folder, &t->mem, err));
    snprintf(command, sizeof command, "touch %s/cameras/000000000000002a.9-dead", t->folder);
    assert_int_equal(system(command), 0);
    stream_claim c;
    OK(store.functions->claims(store.self, see_last, NULL, &c, err));
    assert_string_equal(c.holder, "9-dead");
    OK(store.functions->claim(store.self, &c, "x", "1-a", &is_done, err));
    assert_true(is_done);
    stream_claim again = {.key = 42, .holder = "9-dead", .version = "1"};
    OK(store.functions->claim(store.self, &again, "x", "2-b", &is_done, err));
    assert_false(is_done); /* another is the first, and this one is nobody's still */
    OK(store.functions->claims(store.self, see_last, NULL, &c, err)); /* and is there no more */
    assert_string_equal(c.holder, "1-a");
    snprintf(command, sizeof command, "test ! -e %s/cameras/000000000000002a.9-dead", t->folder);
    assert_int_equal(system(command), 0);
    OK(store.functions->claim(store.self, &c, "x", "2-b", &is_done, err));
    assert_true(is_done);
    stream_store_close(&store);
}

static void see_none(void *ctx, const stream_session *s)
{
    (void)s;
    ++*(int *)ctx;
}

/* With no file descriptor left, the folder is opened and the files in it are not. */
static void who_cannot_be_read_has_not_left(void **state)
{
    bench *t = *state;
    stream_store store;
    stream_session me = {.id = "1-a", .shard = 1};
    struct rlimit before, few;
    bool is_gone;
    int n = 0;
    vg_error e = {0};
    OK(stream_store_dir_open(&store, t->folder, &t->mem, err));
    OK(store.functions->beat(store.self, &me, 1, &is_gone, err));
    OK(store.functions->sessions(store.self, see_none, &n, err));
    assert_int_equal(n, 1);
    const int first = dup(0);
    close(first);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = (rlim_t)first + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    const vg_status st = store.functions->sessions(store.self, see_none, &n, &e);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(st, VG_ERR_IO);
    assert_non_null(strstr(e.where, "1-a"));
    assert_int_equal(n, 1);
    stream_store_close(&store);
}

static void a_folder_that_is_none_is_told(void **state)
{
    bench *t = *state;
    stream_store store;
    char path[600];
    vg_error e;
    snprintf(path, sizeof path, "%s/file", t->folder);
    fclose(fopen(path, "w"));
    assert_int_equal(stream_store_dir_open(&store, path, &t->mem, &e), VG_ERR_IO);
    assert_non_null(strstr(e.where, "file"));
}

static void a_folder_that_may_not_be_written_to_is_told(void **state)
{
    bench *t = *state;
    stream_store store;
    char path[600];
    vg_error e = {0};
    OK(stream_store_dir_open(&store, t->folder, &t->mem, err));
    stream_store_close(&store);
    snprintf(path, sizeof path, "%s/cameras", t->folder);
    assert_int_equal(chmod(t->folder, 0755), 0);
    assert_int_equal(chmod(path, 0555), 0);
    snprintf(path, sizeof path, "%s/shards", t->folder);
    assert_int_equal(chmod(path, 0777), 0);
    const uid_t me = geteuid();
    if (me == 0) /* to whom nothing is forbidden */
        assert_int_equal(seteuid(65534), 0);
    const vg_status st = stream_store_dir_open(&store, t->folder, &t->mem, &e);
    if (me == 0)
        assert_int_equal(seteuid(me), 0);
    assert_int_equal(st, VG_ERR_IO);
    assert_non_null(strstr(e.where, "cameras"));
    assert_string_not_equal(e.mend, "");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(of_many_who_claim_one_gets_it), T(of_many_at_the_same_time_one_gets_it),
        T(a_file_of_one_name_is_nobodys), T(who_cannot_be_read_has_not_left),
        T(a_folder_that_is_none_is_told), T(a_folder_that_may_not_be_written_to_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
