/* test_mqtt.c: messages reach a real broker, through its ends and beginnings, in bounded memory. */
#include "broker.h"

#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "net/net.h"
#include "support/ok.h"

typedef struct bench {
    base_mem mem;
    broker broker;
    net_mqtt *client;
    net_mqtt_options o;
    char url[200];
} bench;

static bench b;

static int set_up(void **state)
{
    b = (bench){.mem = {.tag = "test"}};
    b.o = (net_mqtt_options){.url = b.url,
                             .qos = 1,
                             .most_messages = 100,
                             .most_bytes = 20000,
                             .retry_first_s = 0.05,
                             .retry_most_s = 0.2};
    return programs_set_up(state);
}

static int tear_down(void **state)
{
    net_mqtt_close(&b.client, 0);
    return programs_tear_down(state) != 0 || b.mem.in_use_bytes != 0;
}

static void start_broker(void)
{
    if (!has_mosquitto())
        skip();
    broker_start(&b.broker);
    broker_listen(&b.broker, "heard");
}

static void open_client(const char *scheme, const char *user, const char *topic)
{
    snprintf(b.url, sizeof b.url, "%s://%s127.0.0.1:%d/%s", scheme, user, b.broker.port, topic);
    OK(net_mqtt_open(&b.client, &b.o, &b.mem, err));
}

static net_mqtt_counts counts(void)
{
    net_mqtt_counts c;
    net_mqtt_get_counts(b.client, &c);
    return c;
}

static void say(const char *topic, const char *text)
{
    OK(net_mqtt_send(b.client, topic, text, strlen(text), false, err));
}

/* ---- */

static void messages_arrive_with_every_qos(void **state)
{
    (void)state;
    start_broker();
    for (b.o.qos = 0; b.o.qos <= 2; b.o.qos++) {
        char text[32], want[64];
        open_client("mqtt", "", "site/vigil");
        for (int i = 0; i < 50; i++) {
            snprintf(text, sizeof text, "qos%d-%02d.", b.o.qos, i);
            say("cam/results", text);
        }
        UNTIL(counts().sent == 50);
        snprintf(want, sizeof want, "site/vigil/cam/results 0 qos%d-", b.o.qos);
        UNTIL(count_in_file("heard", want) == 50);
        assert_int_equal(counts().dropped, 0);
        assert_int_equal(counts().waiting, 0);
        assert_int_equal(net_mqtt_close(&b.client, 5), 0);
    }
}

static void messages_keep_their_order(void **state)
{
    (void)state;
    start_broker();
    open_client("mqtt", "", "t");
    for (int i = 0; i < 90; i++) {
        char text[32];
        snprintf(text, sizeof text, "n%02d.", i);
        say("", text);
    }
    UNTIL(count_in_file("heard", "t 0 n") == 90);
    const char *text = text_of("heard");
    for (int i = 0; i < 90; i++) {
        char want[32];
        snprintf(want, sizeof want, "n%02d.", i);
        const char *at = strstr(text, want);
        assert_non_null(at);
        text = at;
    }
}

/* What was said while the broker was gone is there when it is back, as far as there was room; what
 * gave way are the oldest. */
static void a_broker_that_is_killed_and_comes_back_hears_the_newest(void **state)
{
    (void)state;
    start_broker();
    b.o.most_messages = 10;
    open_client("mqtt", "", "v");
    say("", "before.");
    UNTIL(file_has("heard", "v 0 before.") && counts().sent == 1);
    const int fds = count_folder("fd");
    const size_t bytes = b.mem.in_use_bytes;
    const uint64_t n_allocs = b.mem.n_allocs;
    for (int round = 1; round <= 5; round++) {
        program_end(&b.broker.pid, SIGKILL);
        UNTIL(!counts().is_connected);
        vg_error err;
        assert_int_equal(net_mqtt_problem(b.client, &err), VG_ERR_IO);
        assert_non_null(strstr(err.where, "127.0.0.1"));
        char text[64], output[32];
        for (int i = 0; i < 40; i++) {
            snprintf(text, sizeof text, "gone%d-%02d.", round, i);
            say("", text);
        }
        snprintf(output, sizeof output, "heard%d", round);
        program_end(&b.broker.subscriber, SIGKILL);
        /* The subscriber is to be there first: the client finds the broker when it likes. */
        broker_start(&b.broker);
        broker_listen(&b.broker, output);
        UNTIL(counts().is_connected);
        assert_int_equal(net_mqtt_problem(b.client, NULL), VG_OK);
        snprintf(text, sizeof text, "back%d.", round);
        say("", text);
        UNTIL(file_has(output, text));
        UNTIL(counts().waiting == 0);
        assert_int_equal(counts().dropped, (uint64_t)round * 30);
        UNTIL(counts().sent == 1 + (uint64_t)round * 11);
    }
    assert_int_equal(counts().connects, 6);
    assert_int_equal(count_folder("fd"), fds); /* five connections ended */
    assert_int_equal(b.mem.in_use_bytes, bytes);
    assert_int_equal(b.mem.n_allocs, n_allocs);
}

static void without_a_broker_memory_stays_and_the_end_is_quick(void **state)
{
    (void)state;
    b.broker.port = free_port();
    open_client("mqtt", "", "v");
    const size_t bytes = b.mem.in_use_bytes;
    char text[1000] = {0};
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 20000; i++)
        say("results", text);
    assert_int_equal(b.mem.in_use_bytes, bytes);
    UNTIL(net_mqtt_problem(b.client, NULL) == VG_ERR_IO);
    const net_mqtt_counts c = counts();
    assert_int_equal(c.dropped + c.waiting, 20000);
    assert_true(c.waiting * 999 <= 20000);
    assert_true(net_mqtt_close(&b.client, 0.2) > 0);
}

/* Nobody answers: a listener that accepts nothing. */
static void a_broker_that_says_nothing_keeps_nobody(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    (void)state;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4), 0);
    getsockname(fd, (struct sockaddr *)&a, &n);
    b.broker.port = ntohs(a.sin_port);
    open_client("mqtt", "", "v");
    for (int i = 0; i < 1000; i++)
        say("", "anyone?");
    nap_ms(200);
    assert_false(counts().is_connected);
    assert_int_equal(net_mqtt_close(&b.client, 0.1), 100);
    close(fd);
}

static void a_message_too_large_is_refused(void **state)
{
    static char large[20001];
    (void)state;
    b.broker.port = free_port();
    open_client("mqtt", "", "v");
    memset(large, 'x', sizeof large);
    assert_int_equal(net_mqtt_send(b.client, "", large, sizeof large, false, NULL), VG_ERR_LIMIT);
    char topic[600] = {0};
    memset(topic, 't', sizeof topic - 1);
    assert_int_equal(net_mqtt_send(b.client, topic, "x", 1, false, NULL), VG_ERR_LIMIT);
    assert_int_equal(counts().waiting, 0);
}

static void the_status_is_online_and_offline_at_a_clean_end(void **state)
{
    (void)state;
    start_broker();
    b.o.status = "status";
    open_client("mqtt", "", "v");
    UNTIL(file_has("heard", "v/status 0 online"));
    broker_listen(&b.broker, "late"); /* retained */
    UNTIL(file_has("late", "v/status 1 online"));
    for (int i = 0; i < 20; i++)
        say("", "last.");
    assert_int_equal(net_mqtt_close(&b.client, 60), 0);
    UNTIL(file_has("heard", "v/status 0 offline"));
    assert_int_equal(count_in_file("heard", "v 0 last."), 20);
}

static void the_will_is_told_after_a_kill(void **state)
{
    (void)state;
    start_broker();
    snprintf(b.url, sizeof b.url, "mqtt://127.0.0.1:%d/killed", b.broker.port);
    pid_t pid = program_start((const char *[]){MQTT_CLIENT, b.url, NULL}, "client.log");
    UNTIL(file_has("heard", "killed/status 0 online"));
    assert_false(file_has("heard", "offline"));
    program_end(&pid, SIGKILL);
    UNTIL(file_has("heard", "killed/status 0 offline"));
    broker_listen(&b.broker, "late");
    UNTIL(file_has("late", "killed/status 1 offline"));
}

static void user_and_password_are_asked_for(void **state)
{
    (void)state;
    if (!has_mosquitto() || !is_installed("mosquitto_passwd"))
        skip();
    char command[400], settings[300];
    snprintf(command, sizeof command, "mosquitto_passwd -b -c %s camera 'p@ss/w:rd' 2>/dev/null",
             in_folder("passwords"));
    assert_int_equal(system(command), 0);
    snprintf(settings, sizeof settings, "allow_anonymous false\npassword_file %s\n",
             in_folder("passwords"));
    b.broker.settings = settings;
    b.broker.options = "-u camera -P p@ss/w:rd";
    broker_start(&b.broker);
    broker_listen(&b.broker, "heard");
    open_client("mqtt", "camera:wrong@", "v");
    vg_error err;
    UNTIL(net_mqtt_problem(b.client, &err) == VG_ERR_IO);
    assert_non_null(strstr(err.what, "efused")); /* connection refused: not authorised */
    assert_null(strstr(err.what, "wrong"));
    net_mqtt_close(&b.client, 0);
    open_client("mqtt", "camera:p%40ss%2Fw%3Ard@", "v");
    say("", "known.");
    UNTIL(file_has("heard", "v 0 known."));
}

/* ---- TLS ---- */

static void make_certificates(void)
{
    char command[2000];
    snprintf(command, sizeof command,
             "cd %s && exec >openssl.log 2>&1 && set -e\n"
             "for ca in ca other; do openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "
             "$ca.key -out "
             "$ca.pem -subj /CN=$ca; done\n"
             "printf 'subjectAltName=IP:127.0.0.1' >names\n"
             "for who in server client; do\n"
             "openssl req -newkey rsa:2048 -nodes -keyout $who.key -out $who.csr -subj /CN=$who\n"
             "openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "
             "$who.pem "
             "-extfile names\ndone",
             programs_folder);
    if (system(command) != 0)
        fail_msg("openssl: %s", text_of("openssl.log"));
}

static void tls_takes_certificates_of_a_known_authority_alone(void **state)
{
    (void)state;
    if (!has_mosquitto() || !is_installed("openssl"))
        skip();
    char settings[700], options[600], ca[160], cert[160], key[160], other[160];
    make_certificates();
    snprintf(ca, sizeof ca, "%s", in_folder("ca.pem"));
    snprintf(other, sizeof other, "%s", in_folder("other.pem"));
    snprintf(cert, sizeof cert, "%s", in_folder("client.pem"));
    snprintf(key, sizeof key, "%s", in_folder("client.key"));
    snprintf(settings, sizeof settings,
             "cafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\nallow_anonymous true\n",
             ca, in_folder("server.pem"), in_folder("server.key"));
    snprintf(options, sizeof options, "--cafile %s --cert %s --key %s", ca, cert, key);
    b.broker.settings = settings;
    b.broker.options = options;
    broker_start(&b.broker);
    broker_listen(&b.broker, "heard");

    b.o.ca = other;
    b.o.cert = cert;
    b.o.key = key;
    open_client("mqtts", "", "tls");
    UNTIL(net_mqtt_problem(b.client, NULL) == VG_ERR_IO);
    net_mqtt_close(&b.client, 0);
    b.o.ca = ""; /* the system's authorities do not know it either */
    open_client("mqtts", "", "tls");
    UNTIL(net_mqtt_problem(b.client, NULL) == VG_ERR_IO);
    assert_int_equal(counts().connects, 0);
    net_mqtt_close(&b.client, 0);

    b.o.ca = ca;
    b.o.status = "status";
    open_client("mqtts", "", "tls");
    for (int i = 0; i < 60; i++)
        say("", "secret.");
    UNTIL(count_in_file("heard", "tls 0 secret.") == 60);
    assert_true(file_has("heard", "tls/status 0 online"));
    program_end(&b.broker.pid, SIGKILL);
    UNTIL(!counts().is_connected);
    program_end(&b.broker.subscriber, SIGKILL);
    broker_start(&b.broker);
    broker_listen(&b.broker, "again");
    UNTIL(counts().is_connected);
    say("", "still.");
    UNTIL(file_has("again", "tls 0 still."));
    net_mqtt_close(&b.client, 5);

    b.o.ca = in_folder("missing.pem");
    vg_error err;
    assert_int_equal(net_mqtt_open(&b.client, &b.o, &b.mem, &err), VG_ERR_IO);
    b.o.ca = ca;
    b.o.key = "";
    assert_int_equal(net_mqtt_open(&b.client, &b.o, &b.mem, &err), VG_ERR_ARGUMENT);
    b.o.url = "mqtt://127.0.0.1/plain";
    b.o.key = key;
    assert_int_equal(net_mqtt_open(&b.client, &b.o, &b.mem, &err), VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.mend, "mqtts://"));
}

/* ---- one message; addresses ---- */

static void one_message_is_told_and_failures_say_why(void **state)
{
    bool again;
    (void)state;
    snprintf(b.url, sizeof b.url, "mqtt://127.0.0.1:%d/once", free_port());
    assert_int_equal(net_mqtt_tell(b.url, "{}", &again, &b.mem, NULL), VG_ERR_IO);
    assert_true(again);
    assert_int_equal(net_mqtt_check("mqtt://127.0.0.1", NULL), VG_ERR_ARGUMENT);
    OK(net_mqtt_check(b.url, err));
    start_broker();
    snprintf(b.url, sizeof b.url, "mqtt://127.0.0.1:%d/once", b.broker.port);
    OK(net_mqtt_tell(b.url, "{\"a\":1}", &again, &b.mem, err));
    UNTIL(file_has("heard", "once 0 {\"a\":1}"));
    assert_int_equal(b.mem.in_use_bytes, 0);
}

static void addresses_are_read(void **state)
{
    net_mqtt_address a;
    (void)state;
    OK(net_mqtt_parse(&a, "mqtt://host/a/b", err));
    assert_string_equal(a.host, "host");
    assert_string_equal(a.topic, "a/b");
    assert_int_equal(a.port, 1883);
    assert_false(a.has_tls);
    OK(net_mqtt_parse(&a, "mqtts://u%3a:p%40%2F%zz@[::1]:99", err));
    assert_string_equal(a.host, "::1");
    assert_string_equal(a.user, "u:");
    assert_string_equal(a.password, "p@/%zz");
    assert_string_equal(a.topic, "");
    assert_int_equal(a.port, 99);
    assert_true(a.has_tls);
    OK(net_mqtt_parse(&a, "mqtts://h", err));
    assert_int_equal(a.port, 8883);
    static const char *const wrong[] = {"",
                                        "http://h/t",
                                        "mqtt://",
                                        "mqtt:///t",
                                        "mqtt://h:0/t",
                                        "mqtt://h:65536/t",
                                        "mqtt://h:x/t",
                                        "mqtt://h:/t",
                                        "mqtt://h/",
                                        "mqtt://h/a+b",
                                        "mqtt://h/#",
                                        "mqtt://[::1/t",
                                        "mqtt://[::1]9/t",
                                        "mqtt://@h/t",
                                        "mqtt://:p@h/t",
                                        "mqtt://a%00b@h/t"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (net_mqtt_parse(&a, wrong[i], NULL) != VG_ERR_ARGUMENT)
            fail_msg("was read: %s", wrong[i]);
}

/* ---- a name server that never answers ---- */

static atomic_int n_stuck, n_unstuck;

static void note_unstuck(void *ctx)
{
    (void)ctx;
    n_unstuck++;
}

/* What the C library does for as long as it has patience: it waits for packets. */
__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **out)
{
    if (node != NULL && strcmp(node, "stuck.example") == 0) {
        pthread_cleanup_push(note_unstuck, NULL);
        n_stuck++;
        poll(NULL, 0, -1);
        pthread_cleanup_pop(1);
        return EAI_AGAIN;
    }
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, out);
}

/* The end comes all the same, what waited is counted, and a client after it works. */
static void a_silent_name_server_does_not_hold_the_end(void **state)
{
    (void)state;
    start_broker(); /* or leave the test: the library may not be there */
    n_stuck = n_unstuck = 0;
    for (int i = 1; i <= 20; i++) {
        snprintf(b.url, sizeof b.url, "mqtt://stuck.example/t");
        OK(net_mqtt_open(&b.client, &b.o, &b.mem, err));
        say("x", "never heard");
        UNTIL(n_stuck == i);
        assert_int_equal(net_mqtt_close(&b.client, 0.01), 1);
        assert_int_equal(n_unstuck, i);
        assert_int_equal(b.mem.in_use_bytes, 0);
    }
    open_client("mqtt", "", "site/vigil");
    say("x", "heard");
    UNTIL(counts().sent == 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(addresses_are_read),
        TEST(messages_arrive_with_every_qos),
        TEST(messages_keep_their_order),
        TEST(a_broker_that_is_killed_and_comes_back_hears_the_newest),
        TEST(without_a_broker_memory_stays_and_the_end_is_quick),
        TEST(a_broker_that_says_nothing_keeps_nobody),
        TEST(a_silent_name_server_does_not_hold_the_end),
        TEST(a_message_too_large_is_refused),
        TEST(the_status_is_online_and_offline_at_a_clean_end),
        TEST(the_will_is_told_after_a_kill),
        TEST(user_and_password_are_asked_for),
        TEST(tls_takes_certificates_of_a_known_authority_alone),
        TEST(one_message_is_told_and_failures_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
