/* Threads with a name and without signals; waits with a deadline. */
#include "support/test.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"

typedef struct seen {
    sigset_t mask;
    char name[32];
    pthread_mutex_t lock;
    pthread_cond_t go;
    bool may_look;
} seen;

static void *look(void *of)
{
    seen *s = of;
    pthread_mutex_lock(&s->lock);
    while (!s->may_look) /* the name is set after the start */
        base_cond_wait(&s->go, &s->lock, INT64_MAX);
    pthread_mutex_unlock(&s->lock);
    pthread_sigmask(SIG_SETMASK, NULL, &s->mask);
    pthread_getname_np(pthread_self(), s->name, sizeof s->name);
    return NULL;
}

static void a_thread_has_its_name_and_takes_no_signal(void **state)
{
    (void)state;
    pthread_t thread;
    vg_error err = {0};
    seen s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    base_cond_init(&s.go);
    assert_int_equal(base_thread_start(&thread, "vigil-a-long-name", 0, look, &s, &err), VG_OK);
    pthread_mutex_lock(&s.lock);
    s.may_look = true;
    pthread_cond_signal(&s.go);
    pthread_mutex_unlock(&s.lock);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&s.go);
    assert_string_equal(s.name, "vigil-a-long-na"); /* 15 bytes: the kernel's limit */
    assert_true(sigismember(&s.mask, SIGTERM));
    assert_true(sigismember(&s.mask, SIGPIPE));
}

static void the_starter_keeps_its_own_mask(void **state)
{
    (void)state;
    pthread_t thread;
    sigset_t mask;
    seen s = {.lock = PTHREAD_MUTEX_INITIALIZER, .may_look = true};
    base_cond_init(&s.go);
    assert_int_equal(base_thread_start(&thread, "vigil-test", 0, look, &s, NULL), VG_OK);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&s.go);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_false(sigismember(&mask, SIGTERM));
}

static void *nothing(void *of)
{
    return of;
}

static void a_thread_that_cannot_be_started_is_named(void **state)
{
    (void)state;
    pthread_t thread;
    vg_error err = {0};
    const size_t too_much = SIZE_MAX / 2 / 4096 * 4096; /* no address space has room for it */
    assert_int_equal(base_thread_start(&thread, "vigil-huge", too_much, nothing, NULL, &err),
                     VG_ERR_SYSTEM);
    assert_non_null(strstr(err.what, "vigil-huge"));
    assert_true(err.mend[0] != '\0');
}

static void a_wait_ends_at_its_deadline(void **state)
{
    (void)state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t c;
    base_cond_init(&c);
    pthread_mutex_lock(&lock);
    const int64_t deadline_ns = base_now_ns() + 1000000;
    while (base_cond_wait(&c, &lock, deadline_ns))
        ;
    assert_true(base_now_ns() >= deadline_ns);
    assert_false(base_cond_wait(&c, &lock, 0)); /* long past */
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_has_its_name_and_takes_no_signal),
        cmocka_unit_test(the_starter_keeps_its_own_mask),
        cmocka_unit_test(a_thread_that_cannot_be_started_is_named),
        cmocka_unit_test(a_wait_ends_at_its_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
