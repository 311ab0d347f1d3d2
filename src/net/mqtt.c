/* mqtt.c: libmosquitto's functions for those who have a loop of their own. Its own thread would do,
 * too, but it calls back under its locks, waits between two attempts without end in sight of
 * whoever closes it, and is ended by cancelling it; and nothing bounds what it keeps for a broker
 * that is gone. Here one thread alone touches the library; others reach the outbox and the counts.
 */
#include "mqtt.h"

#include <string.h>

#ifdef VIGIL_HAVE_MOSQUITTO

#include <errno.h>
#include <mosquitto.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    KEEPALIVE_S = 30,
    CONNECT_MS = 15000,            /* for the broker's word that it has us */
    LAST_WORD_MS = 200,            /* for "offline", when all else is said */
    THREAD_STACK_BYTES = 512 << 10 /* name servers are asked on it */
};

#define FUNCTIONS(X)                                                                               \
    X(mosquitto_lib_init)                                                                          \
    X(mosquitto_new)                                                                               \
    X(mosquitto_destroy)                                                                           \
    X(mosquitto_username_pw_set)                                                                   \
    X(mosquitto_tls_set)                                                                           \
    X(mosquitto_int_option)                                                                        \
    X(mosquitto_will_set)                                                                          \
    X(mosquitto_connect_callback_set)                                                              \
    X(mosquitto_publish_callback_set)                                                              \
    X(mosquitto_connect_async)                                                                     \
    X(mosquitto_socket)                                                                            \
    X(mosquitto_want_write)                                                                        \
    X(mosquitto_loop_read)                                                                         \
    X(mosquitto_loop_write)                                                                        \
    X(mosquitto_loop_misc)                                                                         \
    X(mosquitto_publish)                                                                           \
    X(mosquitto_disconnect)                                                                        \
    X(mosquitto_strerror)                                                                          \
    X(mosquitto_connack_string)

typedef struct library {
#define X(name) __typeof__(&name) name;
    FUNCTIONS(X)
#undef X
} library;

struct net_mqtt {
    library l;
    net_mqtt_address address;
    struct mosquitto *c;
    int qos;
    double retry_first_s, retry_most_s;
    char status[NET_TOPIC_BYTES]; /* whole topic; "": none */
    net_outbox *outbox;
    size_t message_bytes;
    char *scratch; /* (message_bytes) the message that is being handed over */
    net_message message;
    int wake_fd;
    pthread_t thread;
    bool has_thread;

    /* The thread's. */
    bool is_up, is_refused; /* the broker has answered: yes, no */
    int refusal;
    int flying[NET_MQTT_FLYING]; /* ids; 0: none */
    size_t n_flying;
    int online_id, offline_id; /* of the words on the status; not counted */
    bool is_offline_said;
    base_rng rng;

    pthread_mutex_t lock; /* of what follows */
    uint64_t n_sent, n_lost, n_connects;
    size_t n_waiting_flying;
    pthread_cond_t ended;
    bool is_connected, is_over;
    int code;        /* the library's word of the last failure, 0: none yet */
    int broker_code; /* the broker's; 0: none */
    int saved_errno; /* with MOSQ_ERR_ERRNO */
    int64_t stop_ns; /* 0: not yet; when patience ends */
};

static vg_status load(library *l, vg_error *err)
{
    void *handle;
    vg_status st = base_library_open(&handle, "libmosquitto.so.1", "--mqtt needs libmosquitto",
                                     "install libmosquitto1", err);
#define X(name)                                                                                    \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&l->name, handle, #name, err);
    FUNCTIONS(X)
#undef X
    /* Counts its calls; never undone, for others in this process may use it by then. */
    if (st == VG_OK && l->mosquitto_lib_init() != MOSQ_ERR_SUCCESS)
        st = base_fail(err, VG_ERR_UNSUPPORTED, "option mqtt", NULL, "libmosquitto does not start");
    return st;
}

/* ---- what the library calls, from the thread ---- */

static void on_connect(struct mosquitto *c, void *ctx, int code)
{
    net_mqtt *m = ctx;
    (void)c;
    m->is_up = code == 0;
    m->is_refused = code != 0;
    m->refusal = code;
}

static void on_publish(struct mosquitto *c, void *ctx, int id)
{
    net_mqtt *m = ctx;
    (void)c;
    if (id == m->offline_id)
        m->is_offline_said = true;
    for (size_t i = 0; i < m->n_flying; i++)
        if (m->flying[i] == id) {
            m->flying[i] = m->flying[--m->n_flying];
            pthread_mutex_lock(&m->lock);
            m->n_sent++;
            m->n_waiting_flying = m->n_flying;
            pthread_mutex_unlock(&m->lock);
            return;
        }
}

/* ---- the thread ---- */

static int64_t stop_ns(net_mqtt *m)
{
    pthread_mutex_lock(&m->lock);
    const int64_t at = m->stop_ns;
    pthread_mutex_unlock(&m->lock);
    return at;
}

static bool is_idle(net_mqtt *m)
{
    return m->n_flying == 0 && net_outbox_length(m->outbox) == 0;
}

/* Patience has ended, or there is nothing to be patient for. */
static bool must_end(net_mqtt *m)
{
    const int64_t at = stop_ns(m);
    return at != 0 && (base_now_ns() >= at || is_idle(m));
}

static void lose(net_mqtt *m, size_t n)
{
    pthread_mutex_lock(&m->lock);
    m->n_lost += n;
    m->n_waiting_flying = m->n_flying;
    pthread_mutex_unlock(&m->lock);
}

static void note_failure(net_mqtt *m, int code, int broker_code)
{
    const int saved = errno;
    pthread_mutex_lock(&m->lock);
    m->is_connected = false;
    m->code = code;
    m->broker_code = broker_code;
    m->saved_errno = saved;
    pthread_mutex_unlock(&m->lock);
    m->is_up = false;
    if (m->qos == 0) { /* the library forgets them, too */
        const size_t n = m->n_flying;
        m->n_flying = 0;
        lose(m, n);
    }
}

static void clear_wake(const net_mqtt *m)
{
    uint64_t n;
    while (read(m->wake_fd, &n, sizeof n) > 0)
        continue;
}

/* Waits for the socket, a new message or the time; then lets the library read and write. */
static int turn(net_mqtt *m, int timeout_ms)
{
    const library *l = &m->l;
    struct pollfd fds[2] = {{.fd = l->mosquitto_socket(m->c), .events = POLLIN},
                            {.fd = m->wake_fd, .events = POLLIN}};
    int code = MOSQ_ERR_SUCCESS;
    if (fds[0].fd < 0)
        return MOSQ_ERR_CONN_LOST;
    if (l->mosquitto_want_write(m->c))
        fds[0].events |= POLLOUT;
    poll(fds, 2, timeout_ms);
    if (fds[1].revents != 0)
        clear_wake(m);
    errno = 0;
    if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
        code = l->mosquitto_loop_read(m->c, NET_MQTT_FLYING);
    if (code == MOSQ_ERR_SUCCESS && l->mosquitto_want_write(m->c))
        code = l->mosquitto_loop_write(m->c, NET_MQTT_FLYING);
    return code == MOSQ_ERR_SUCCESS ? l->mosquitto_loop_misc(m->c) : code;
}

static int publish(net_mqtt *m, int *id, const char *topic, const void *bytes, size_t n, int qos,
                   bool retain)
{
    *id = 0;
    return m->l.mosquitto_publish(m->c, id, topic, (int)n, bytes, qos, retain);
}

/* From the outbox to the library, as many as may fly. A message that it does not take is lost: what
 * is wrong with it (a topic's bytes, the broker's bound on sizes) does not pass. */
static void hand_over(net_mqtt *m)
{
    while (m->n_flying < NET_MQTT_FLYING &&
           net_outbox_take(m->outbox, &m->message, m->scratch, 0)) {
        /* In the list before it is sent: with QoS 0, on_publish is called from within. */
        int *id = &m->flying[m->n_flying++];
        const size_t n_with_it = m->n_flying;
        if (publish(m, id, m->message.topic, m->scratch, m->message.n, m->qos, m->message.retain) !=
                MOSQ_ERR_SUCCESS &&
            m->n_flying == n_with_it) {
            m->n_flying--;
            lose(m, 1);
        }
    }
    pthread_mutex_lock(&m->lock);
    m->n_waiting_flying = m->n_flying;
    pthread_mutex_unlock(&m->lock);
}

/* True: the broker has us. */
static bool connect_once(net_mqtt *m)
{
    const int64_t late_ns = base_now_ns() + CONNECT_MS * INT64_C(1000000);
    m->is_up = m->is_refused = false;
    errno = 0;
    int cancel;
    /* A name server's answer is the one thing here that cannot be left when it is time to end. */
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &cancel);
    int code = m->l.mosquitto_connect_async(m->c, m->address.host, m->address.port, KEEPALIVE_S);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    while (code == MOSQ_ERR_SUCCESS && !m->is_up && !m->is_refused && !must_end(m)) {
        if (base_now_ns() > late_ns)
            code = MOSQ_ERR_KEEPALIVE;
        else
            code = turn(m, 100);
    }
    if (!m->is_up) {
        note_failure(m, code == MOSQ_ERR_SUCCESS ? MOSQ_ERR_CONN_REFUSED : code,
                     m->is_refused ? m->refusal : 0);
        return false;
    }
    pthread_mutex_lock(&m->lock);
    m->is_connected = true;
    m->n_connects++;
    pthread_mutex_unlock(&m->lock);
    if (m->status[0] != '\0')
        publish(m, &m->online_id, m->status, "online", 6, 1, true);
    return true;
}

/* Until the connection breaks or the end is due. */
static void talk(net_mqtt *m)
{
    int code = MOSQ_ERR_SUCCESS;
    while (code == MOSQ_ERR_SUCCESS && !must_end(m)) {
        hand_over(m);
        /* A message for a full flock waits for the broker's word, which wakes us. */
        code = turn(m, stop_ns(m) != 0 ? 20 : 1000);
    }
    if (code != MOSQ_ERR_SUCCESS)
        note_failure(m, code, 0);
}

/* True: the pause was had; false: it is time to end. */
static bool pause_s(net_mqtt *m, double seconds)
{
    const int64_t until_ns = base_now_ns() + (int64_t)(seconds * 1e9);
    while (!must_end(m)) {
        const int64_t left_ns = until_ns - base_now_ns();
        if (left_ns <= 0)
            return true;
        struct pollfd fd = {.fd = m->wake_fd, .events = POLLIN};
        const int64_t ms = left_ns / 1000000 + 1;
        if (poll(&fd, 1, stop_ns(m) != 0 && ms > 20 ? 20 : (int)ms) > 0)
            clear_wake(m);
    }
    return false;
}

/* A clean end takes the will back, so the word is said here. */
static void say_offline(net_mqtt *m)
{
    const int64_t until_ns = base_now_ns() + LAST_WORD_MS * INT64_C(1000000);
    if (m->status[0] != '\0' &&
        publish(m, &m->offline_id, m->status, "offline", 7, 1, true) == MOSQ_ERR_SUCCESS)
        while (!m->is_offline_said && base_now_ns() < until_ns && turn(m, 20) == MOSQ_ERR_SUCCESS)
            continue;
    if (m->l.mosquitto_disconnect(m->c) == MOSQ_ERR_SUCCESS)
        m->l.mosquitto_loop_write(m->c, NET_MQTT_FLYING);
}

static void *work(void *ctx)
{
    net_mqtt *m = ctx;
    double wait_s = m->retry_first_s;
    int cancel;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    while (!must_end(m)) {
        if (connect_once(m)) {
            wait_s = m->retry_first_s;
            talk(m);
            if (m->is_up)
                break;
        }
        if (!pause_s(m, wait_s * (0.75 + 0.5 * base_rng_unit(&m->rng))))
            break;
        wait_s = wait_s * 2 < m->retry_most_s ? wait_s * 2 : m->retry_most_s;
    }
    if (m->is_up)
        say_offline(m);
    pthread_mutex_lock(&m->lock);
    m->is_over = true;
    pthread_cond_signal(&m->ended);
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

/* ---- open ---- */

/* No terminal is asked for a key's password. */
static int no_password(char *buf, int size, int is_writing, void *ctx)
{
    (void)buf, (void)size, (void)is_writing, (void)ctx;
    return 0;
}

static const char *given(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static vg_status set_up_tls(net_mqtt *m, const net_mqtt_options *o, vg_error *err)
{
    const char *ca = given(o->ca), *cert = given(o->cert), *key = given(o->key);
    if (!m->address.has_tls)
        return VG_OK;
    int code = MOSQ_ERR_SUCCESS;
    if (ca == NULL)
        code = m->l.mosquitto_int_option(m->c, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
    if (code == MOSQ_ERR_SUCCESS)
        code = m->l.mosquitto_tls_set(m->c, ca, ca == NULL ? "/etc/ssl/certs" : NULL, cert, key,
                                      no_password);
    return code == MOSQ_ERR_SUCCESS
               ? VG_OK
               : base_fail(err, VG_ERR_UNSUPPORTED, "option mqtt", "give PEM files",
                           "libmosquitto does not take the certificates: %s",
                           m->l.mosquitto_strerror(code));
}

static vg_status set_up(net_mqtt *m, const net_mqtt_options *o, vg_error *err)
{
    m->c = m->l.mosquitto_new(NULL, true, m);
    if (m->c == NULL)
        return base_fail(err, VG_ERR_MEMORY, "MQTT", NULL, "no memory for a connection");
    m->l.mosquitto_connect_callback_set(m->c, on_connect);
    m->l.mosquitto_publish_callback_set(m->c, on_publish);
    int code = MOSQ_ERR_SUCCESS;
    if (m->address.user[0] != '\0')
        code = m->l.mosquitto_username_pw_set(m->c, m->address.user, m->address.password);
    if (code == MOSQ_ERR_SUCCESS && m->status[0] != '\0')
        code = m->l.mosquitto_will_set(m->c, m->status, 7, "offline", 1, true);
    if (code != MOSQ_ERR_SUCCESS)
        return base_fail(err, VG_ERR_ARGUMENT, "option mqtt", NULL,
                         "libmosquitto does not take it: %s", m->l.mosquitto_strerror(code));
    return set_up_tls(m, o, err);
}

static vg_status start(net_mqtt *m, vg_error *err)
{
    /* Its mask blocks SIGPIPE, too: the library writes to sockets that may be closed. */
    const vg_status st =
        base_thread_start(&m->thread, "vigil-mqtt", THREAD_STACK_BYTES, work, m, err);
    m->has_thread = st == VG_OK;
    return st;
}

static size_t largest(const net_mqtt_options *o)
{
    return o->message_bytes > 0 && o->message_bytes < o->most_bytes ? o->message_bytes
                                                                    : o->most_bytes;
}

size_t net_mqtt_bytes(const net_mqtt_options *o)
{
    return sizeof(net_mqtt) + net_outbox_bytes(o->most_messages, o->most_bytes) + largest(o);
}

vg_status net_mqtt_open(net_mqtt **out, const net_mqtt_options *o, base_mem *mem, vg_error *err)
{
    *out = NULL;
    net_mqtt_address address;
    vg_status st = net_mqtt_check_options(o, err);
    if (st == VG_OK)
        st = net_mqtt_parse(&address, o->url, err);
    if (st != VG_OK)
        return st;
    net_mqtt *m = base_alloc_zero(mem, 1, sizeof *m, err);
    if (m == NULL)
        return VG_ERR_MEMORY;
    m->address = address;
    m->qos = o->qos;
    m->message_bytes = largest(o);
    m->retry_first_s = o->retry_first_s > 0 ? o->retry_first_s : 1;
    m->retry_most_s = o->retry_most_s > 0 ? o->retry_most_s : 60;
    m->rng = base_rng_make((uint64_t)base_now_ns());
    base_cond_init(&m->ended);
    pthread_mutex_init(&m->lock, NULL);
    m->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (m->wake_fd < 0)
        st = base_fail_errno(err, VG_ERR_SYSTEM, "MQTT", NULL, "no descriptor for a connection");
    if (given(o->status) != NULL)
        base_format(m->status, sizeof m->status, "%s%s%s", address.topic,
                    address.topic[0] != '\0' ? "/" : "", o->status);
    if (st == VG_OK)
        st = net_outbox_create(&m->outbox, o->most_messages, o->most_bytes, mem, err);
    if (st == VG_OK && (m->scratch = base_alloc(mem, m->message_bytes, err)) == NULL)
        st = VG_ERR_MEMORY;
    if (st == VG_OK)
        st = load(&m->l, err);
    if (st == VG_OK)
        st = set_up(m, o, err);
    if (st == VG_OK)
        st = start(m, err);
    if (st != VG_OK)
        net_mqtt_close(&m, 0);
    *out = m;
    return st;
}

/* ---- what others call ---- */

static void wake(const net_mqtt *m)
{
    const uint64_t one = 1;
    if (write(m->wake_fd, &one, sizeof one) < 0)
        return; /* it is awake: the counter is full */
}

vg_status net_mqtt_send(net_mqtt *m, const char *subtopic, const void *bytes, size_t n, bool retain,
                        vg_error *err)
{
    char topic[NET_TOPIC_BYTES];
    size_t n_gave_way;
    const bool has_both = m->address.topic[0] != '\0' && subtopic[0] != '\0';
    if (!base_format(topic, sizeof topic, "%s%s%s", m->address.topic, has_both ? "/" : "",
                     subtopic))
        return base_fail(err, VG_ERR_LIMIT, "option mqtt", "a shorter one",
                         "a topic that is too long");
    if (n > m->message_bytes)
        return base_fail(err, VG_ERR_LIMIT, "option mqtt", NULL,
                         "a message of %zu bytes, where %zu are the most", n, m->message_bytes);
    const vg_status st = net_outbox_put(m->outbox, topic, bytes, n, retain, &n_gave_way, err);
    wake(m);
    return st;
}

void net_mqtt_get_counts(net_mqtt *m, net_mqtt_counts *out)
{
    const uint64_t dropped = net_outbox_dropped(m->outbox);
    const size_t waiting = net_outbox_length(m->outbox);
    pthread_mutex_lock(&m->lock);
    *out = (net_mqtt_counts){.sent = m->n_sent,
                             .dropped = m->n_lost + dropped,
                             .connects = m->n_connects,
                             .waiting = waiting + m->n_waiting_flying,
                             .is_connected = m->is_connected,
                             .is_refused = m->broker_code != 0};
    pthread_mutex_unlock(&m->lock);
}

vg_status net_mqtt_problem(net_mqtt *m, vg_error *err)
{
    pthread_mutex_lock(&m->lock);
    const bool is_connected = m->is_connected;
    const int code = m->code, broker_code = m->broker_code, saved = m->saved_errno;
    pthread_mutex_unlock(&m->lock);
    if (is_connected || code == 0)
        return VG_OK;
    const char *why = broker_code != 0             ? m->l.mosquitto_connack_string(broker_code)
                      : code == MOSQ_ERR_KEEPALIVE ? "no answer"
                      : code == MOSQ_ERR_ERRNO && saved != 0 ? strerror(saved)
                                                             : m->l.mosquitto_strerror(code);
    return base_fail(err, VG_ERR_IO, base_where("MQTT at %s:%d", m->address.host, m->address.port),
                     NULL, "there is no connection to the broker: %s", why);
}

/* A thread that hangs in a name server's silence is cancelled there. */
static void join(net_mqtt *m, double patience_s)
{
    const int64_t wait_ns = (int64_t)(patience_s * 1e9) + (LAST_WORD_MS + 200) * INT64_C(1000000);
    const int64_t end_ns = base_now_ns() + wait_ns;
    pthread_mutex_lock(&m->lock);
    while (!m->is_over && base_cond_wait(&m->ended, &m->lock, end_ns))
        ;
    const bool is_over = m->is_over;
    pthread_mutex_unlock(&m->lock);
    if (!is_over)
        pthread_cancel(m->thread);
    pthread_join(m->thread, NULL);
}

size_t net_mqtt_close(net_mqtt **mqtt, double patience_s)
{
    net_mqtt *m = *mqtt;
    net_mqtt_counts counts = {.waiting = 0};
    if (m == NULL)
        return 0;
    if (m->has_thread) {
        pthread_mutex_lock(&m->lock);
        m->stop_ns = base_now_ns() + (int64_t)(patience_s * 1e9);
        pthread_mutex_unlock(&m->lock);
        wake(m);
        join(m, patience_s);
        net_mqtt_get_counts(m, &counts);
    }
    if (m->c != NULL)
        m->l.mosquitto_destroy(m->c);
    if (m->wake_fd >= 0)
        close(m->wake_fd);
    net_outbox_destroy(&m->outbox);
    base_free(m->scratch);
    pthread_cond_destroy(&m->ended);
    pthread_mutex_destroy(&m->lock);
    base_free(m);
    *mqtt = NULL;
    return counts.waiting;
}

vg_status net_mqtt_find_library(vg_error *err)
{
    library l;
    return load(&l, err);
}

#endif
