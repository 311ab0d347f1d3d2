/* notify_mqtt.c: MQTT by libmosquitto. Its own thread does the talking while ours waits with a
 * bound: connecting by itself would wait as long as the system does. */
#include "notify.h"

#include <string.h>

typedef struct place {
    char host[256], user[128], password[128], topic[512];
    int port;
} place;

static bool take(char *out, size_t room, const char *text, size_t n)
{
    return n < room && base_format(out, room, "%.*s", (int)n, text);
}

static vg_status parse(place *p, const char *url, vg_error *err)
{
    static const char scheme[] = "mqtt://";
    int64_t port = 1883;
    bool good = base_starts_with(url, scheme);
    *p = (place){0};
    const char *at = url + (good ? sizeof scheme - 1 : 0), *slash = strchr(at, '/');
    good = good && slash != NULL && slash[1] != '\0';
    if (good) {
        const char *sign = memchr(at, '@', (size_t)(slash - at));
        if (sign != NULL) {
            const char *colon = memchr(at, ':', (size_t)(sign - at)),
                       *end = colon != NULL ? colon : sign;
            good = take(p->user, sizeof p->user, at, (size_t)(end - at)) &&
                   (colon == NULL ||
                    take(p->password, sizeof p->password, colon + 1, (size_t)(sign - colon - 1)));
            at = sign + 1;
        }
        const char *colon = memchr(at, ':', (size_t)(slash - at));
        char digits[8];
        good = good &&
               take(p->host, sizeof p->host, at, (size_t)((colon != NULL ? colon : slash) - at)) &&
               p->host[0] != '\0' &&
               take(p->topic, sizeof p->topic, slash + 1, strlen(slash + 1)) &&
               strpbrk(p->topic, "#+") == NULL &&
               (colon == NULL ||
                (take(digits, sizeof digits, colon + 1, (size_t)(slash - colon - 1)) &&
                 base_parse_i64(&port, digits, 1, 65535)));
    }
    p->port = (int)port;
    return good ? VG_OK
                : base_fail(err, VG_ERR_ARGUMENT, "option mqtt",
                            "give mqtt://HOST[:PORT]/TOPIC, with USER:PASSWORD@ if it is asked for",
                            "an MQTT address that cannot be read");
}

#ifdef VIGIL_HAVE_MOSQUITTO

#include <mosquitto.h>
#include <stdatomic.h>
#include <time.h>

struct watch_mqtt {
    place place;
    _Atomic int outcome; /* of the message in hand: PENDING, or the library's code */
    __typeof__(mosquitto_lib_init) *lib_init;
    __typeof__(mosquitto_lib_cleanup) *lib_cleanup;
    __typeof__(mosquitto_new) *make;
    __typeof__(mosquitto_destroy) *destroy;
    __typeof__(mosquitto_username_pw_set) *set_user;
    __typeof__(mosquitto_connect_callback_set) *on_connect;
    __typeof__(mosquitto_publish_callback_set) *on_publish;
    __typeof__(mosquitto_disconnect_callback_set) *on_disconnect;
    __typeof__(mosquitto_connect_async) *connect;
    __typeof__(mosquitto_loop_start) *loop_start;
    __typeof__(mosquitto_loop_stop) *loop_stop;
    __typeof__(mosquitto_publish) *publish;
    __typeof__(mosquitto_disconnect) *disconnect;
    __typeof__(mosquitto_strerror) *explain;
    const char *json;
};

enum { PENDING = -1000, SLICE_MS = 20 };

static vg_status load(watch_mqtt *m, vg_error *err)
{
    void *library;
    const struct {
        void *target;
        const char *name;
    } rows[] = {{&m->lib_init, "mosquitto_lib_init"},
                {&m->lib_cleanup, "mosquitto_lib_cleanup"},
                {&m->make, "mosquitto_new"},
                {&m->destroy, "mosquitto_destroy"},
                {&m->set_user, "mosquitto_username_pw_set"},
                {&m->on_connect, "mosquitto_connect_callback_set"},
                {&m->on_publish, "mosquitto_publish_callback_set"},
                {&m->on_disconnect, "mosquitto_disconnect_callback_set"},
                {&m->connect, "mosquitto_connect_async"},
                {&m->loop_start, "mosquitto_loop_start"},
                {&m->loop_stop, "mosquitto_loop_stop"},
                {&m->publish, "mosquitto_publish"},
                {&m->disconnect, "mosquitto_disconnect"},
                {&m->explain, "mosquitto_strerror"}};
    vg_status st = base_library_open(&library, "libmosquitto.so.1", "--mqtt needs libmosquitto",
                                     "install libmosquitto1", err);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && st == VG_OK; i++)
        st = base_library_find(rows[i].target, library, rows[i].name, err);
    if (st == VG_OK && m->lib_init() != MOSQ_ERR_SUCCESS)
        st = base_fail(err, VG_ERR_UNSUPPORTED, "option mqtt", NULL, "libmosquitto does not start");
    return st;
}

vg_status watch_mqtt_open(watch_mqtt **out, const char *url, base_mem *mem, vg_error *err)
{
    place p;
    *out = NULL;
    const vg_status st = parse(&p, url, err);
    if (st != VG_OK)
        return st;
    watch_mqtt *m = base_alloc_zero(mem, 1, sizeof *m, err);
    if (m == NULL)
        return VG_ERR_MEMORY;
    m->place = p;
    const vg_status loaded = load(m, err);
    if (loaded == VG_OK)
        *out = m;
    else
        base_free(m);
    return loaded;
}

static void connected(struct mosquitto *c, void *ctx, int code)
{
    watch_mqtt *m = ctx;
    if (code == 0)
        code = m->publish(c, NULL, m->place.topic, (int)strlen(m->json), m->json, 1, false);
    else
        code = MOSQ_ERR_CONN_REFUSED;
    if (code != MOSQ_ERR_SUCCESS)
        m->outcome = code;
}

static void published(struct mosquitto *c, void *ctx, int id)
{
    watch_mqtt *m = ctx;
    (void)c, (void)id;
    m->outcome = MOSQ_ERR_SUCCESS;
}

static void disconnected(struct mosquitto *c, void *ctx, int code)
{
    watch_mqtt *m = ctx;
    int pending = PENDING;
    (void)c;
    atomic_compare_exchange_strong(&m->outcome, &pending,
                                   code != 0 ? MOSQ_ERR_CONN_LOST : MOSQ_ERR_SUCCESS);
}

static int talk(watch_mqtt *m, struct mosquitto *c)
{
    const struct timespec slice = {.tv_nsec = SLICE_MS * 1000000};
    int code = MOSQ_ERR_SUCCESS;
    m->on_connect(c, connected);
    m->on_publish(c, published);
    m->on_disconnect(c, disconnected);
    if (m->place.user[0] != '\0')
        code = m->set_user(c, m->place.user, m->place.password);
    if (code == MOSQ_ERR_SUCCESS)
        code = m->connect(c, m->place.host, m->place.port, 60);
    if (code == MOSQ_ERR_SUCCESS)
        code = m->loop_start(c);
    if (code != MOSQ_ERR_SUCCESS)
        return code;
    for (int ms = 0; ms < WATCH_NOTIFY_TIMEOUT_MS && m->outcome == PENDING; ms += SLICE_MS)
        nanosleep(&slice, NULL);
    code = m->outcome == PENDING ? MOSQ_ERR_KEEPALIVE : m->outcome;
    m->disconnect(c);
    m->loop_stop(c, true);
    return code;
}

vg_status watch_mqtt_publish(watch_mqtt *m, const char *json, bool *again, vg_error *err)
{
    *again = true;
    m->json = json;
    m->outcome = PENDING;
    struct mosquitto *c = m->make(NULL, true, m);
    if (c == NULL)
        return base_fail(err, VG_ERR_MEMORY, "MQTT", NULL, "no memory for a connection");
    const int code = talk(m, c);
    m->destroy(c);
    *again = code != MOSQ_ERR_CONN_REFUSED && code != MOSQ_ERR_PAYLOAD_SIZE;
    return code == MOSQ_ERR_SUCCESS
               ? VG_OK
               : base_fail(err, VG_ERR_IO,
                           base_where("MQTT at %s:%d", m->place.host, m->place.port), NULL,
                           "the broker did not take the message: %s",
                           code == MOSQ_ERR_KEEPALIVE ? "no answer" : m->explain(code));
}

void watch_mqtt_close(watch_mqtt **mqtt)
{
    if (*mqtt != NULL)
        (*mqtt)->lib_cleanup();
    base_free(*mqtt);
    *mqtt = NULL;
}

#else

vg_status watch_mqtt_open(watch_mqtt **out, const char *url, base_mem *mem, vg_error *err)
{
    place p;
    (void)mem;
    *out = NULL;
    const vg_status st = parse(&p, url, err);
    if (st != VG_OK)
        return st;
    return base_fail(err, VG_ERR_UNSUPPORTED, "option mqtt",
                     "install libmosquitto-dev and build again, or use --notify-command",
                     "this vigil was built without libmosquitto");
}

vg_status watch_mqtt_publish(watch_mqtt *m, const char *json, bool *again, vg_error *err)
{
    (void)m, (void)json;
    *again = false;
    return base_fail(err, VG_ERR_UNSUPPORTED, NULL, NULL, "no MQTT");
}

void watch_mqtt_close(watch_mqtt **m)
{
    *m = NULL;
}

#endif
