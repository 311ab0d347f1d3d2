/* test_beacon.c: a run tells its guard once a second, and nobody else, and never minds. */
#include "support/test.h"

#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/net.h"

static const vg_memory MEMORY = {.items = {{.n_allocations = 7}, {.n_allocations = 5}},
                                 .n_items = 2,
                                 .planned_bytes = 1000,
                                 .in_use_bytes = 900};

static int listen_at(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path + 1, name + 1, strlen(name) - 1);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    return fd;
}

static void tells_the_named_guard_and_keeps_the_pace(void **state)
{
    char name[64], text[512] = "";
    net_beacon b = {0};
    (void)state;
    snprintf(name, sizeof name, "@vigil-beacon-test-%d", (int)getpid());
    setenv("VIGIL_WATCH_SOCKET", name, 1);
    const int fd = listen_at(name);
    assert_true(net_beacon_is_due(&b));
    net_beacon_tell(&b, &MEMORY, 3, 40, -1);
    assert_true(recv(fd, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, "{\"planned_bytes\":1000,\"in_use_bytes\":900,\"allocations\":12,"
                              "\"epoch\":3,\"step\":40}");
    assert_false(net_beacon_is_due(&b));
    poll(NULL, 0, 1050);
    assert_true(net_beacon_is_due(&b));
    close(fd);
    net_beacon_tell(&b, &MEMORY, -1, -1, 9); /* the guard is gone */
    net_beacon_close(&b);
    assert_false(net_beacon_is_due(&b));
}

static void a_process_without_the_name_is_found_by_its_number(void **state)
{
    char name[64], text[512] = "";
    net_beacon b = {0};
    (void)state;
    unsetenv("VIGIL_WATCH_SOCKET");
    snprintf(name, sizeof name, "@vigil-watch-%d", (int)getpid());
    const int fd = listen_at(name);
    assert_true(net_beacon_is_due(&b));
    net_beacon_tell(&b, &MEMORY, -1, -1, 81200);
    assert_true(recv(fd, text, sizeof text - 1, 0) > 0);
    assert_non_null(strstr(text, "\"frames\":81200}"));
    close(fd);
    net_beacon_close(&b);
}

static void a_full_socket_is_not_waited_for(void **state)
{
    char name[64];
    net_beacon b = {0};
    (void)state;
    snprintf(name, sizeof name, "@vigil-beacon-full-%d", (int)getpid());
    setenv("VIGIL_WATCH_SOCKET", name, 1);
    const int fd = listen_at(name);
    assert_true(net_beacon_is_due(&b));
    const int64_t began_ns = base_now_ns();
    for (int i = 0; i < 5000; i++)
        net_beacon_tell(&b, &MEMORY, i, i, i);
    assert_true(base_now_ns() - began_ns < INT64_C(5000000000));
    close(fd);
    net_beacon_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_named_guard_and_keeps_the_pace),
        cmocka_unit_test(a_process_without_the_name_is_found_by_its_number),
        cmocka_unit_test(a_full_socket_is_not_waited_for)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
