/* vigil_socket.c: a datagram socket that is read without waiting, and its one kind of message. */
#include "vigil_socket.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_MESSAGES = 256, KEY_BYTES = 32, NUMBER_BYTES = 40 };

typedef enum merge { SUM, SUM_OF_COUNTER, MOST } merge;

static const struct {
    const char *key;
    watch_series series;
    merge merge;
} rows[WATCH_N_SAID] = {{"planned_bytes", WATCH_VIGIL_PLANNED_BYTES, SUM},
                        {"in_use_bytes", WATCH_VIGIL_IN_USE_BYTES, SUM},
                        {"allocations", WATCH_VIGIL_ALLOCATIONS, SUM_OF_COUNTER},
                        {"epoch", WATCH_WORK_EPOCH, MOST},
                        {"step", WATCH_WORK_STEP, MOST},
                        {"frames", WATCH_WORK_FRAMES, SUM_OF_COUNTER},
                        {"shapes", WATCH_WORK_SHAPES, SUM_OF_COUNTER},
                        {"requests", WATCH_WORK_REQUESTS, SUM_OF_COUNTER},
                        {"reconnects", WATCH_WORK_RECONNECTS, SUM_OF_COUNTER},
                        {"runs", WATCH_WORK_RUNS, SUM_OF_COUNTER}};

static const watch_said NOTHING = {{NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN}};

/* ---- a message ---- */

static void skip_space(const char **at, const char *end)
{
    while (*at < end && (**at == ' ' || **at == '\t' || **at == '\n' || **at == '\r'))
        ++*at;
}

static bool take(const char **at, const char *end, char c)
{
    skip_space(at, end);
    if (*at == end || **at != c)
        return false;
    ++*at;
    return true;
}

/* "key" without escapes; longer ones are cut, and so are nobody's. */
static bool take_key(char key[KEY_BYTES], const char **at, const char *end)
{
    size_t n = 0;
    if (!take(at, end, '"'))
        return false;
    for (; *at < end && **at != '"'; ++*at) {
        if (**at == '\\' || (unsigned char)**at < ' ')
            return false;
        if (n + 1 < KEY_BYTES)
            key[n++] = **at;
    }
    key[n] = '\0';
    return take(at, end, '"') && take(at, end, ':');
}

static bool take_number(double *out, const char **at, const char *end)
{
    char number[NUMBER_BYTES];
    size_t n = 0;
    skip_space(at, end);
    while (*at < end && n + 1 < sizeof number && **at != '\0' &&
           strchr("+-.0123456789eE", **at) != NULL)
        number[n++] = *(*at)++;
    number[n] = '\0';
    return n > 0 && base_parse_double(out, number) && isfinite(*out) && *out >= 0;
}

bool watch_said_parse(watch_said *out, const char *text, size_t n)
{
    const char *at = text, *end = text + n;
    watch_said said = NOTHING;
    if (!take(&at, end, '{'))
        return false;
    if (!take(&at, end, '}')) {
        do {
            char key[KEY_BYTES];
            double value;
            if (!take_key(key, &at, end) || !take_number(&value, &at, end))
                return false;
            for (size_t i = 0; i < WATCH_N_SAID; i++)
                if (strcmp(key, rows[i].key) == 0)
                    said.value[i] = value;
        } while (take(&at, end, ','));
        if (!take(&at, end, '}'))
            return false;
    }
    skip_space(&at, end);
    if (at != end)
        return false;
    *out = said;
    return true;
}

/* ---- the socket ---- */

void watch_senders_open(watch_senders *s, const char *name)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    const size_t n = strlen(name);
    const int yes = 1;
    *s = (watch_senders){.fd = -1, .gone = NOTHING};
    if (name[0] != '@' || n > sizeof where.sun_path)
        return;
    memcpy(where.sun_path + 1, name + 1, n - 1);
    s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd >= 0 && (setsockopt(s->fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0 ||
                       bind(s->fd, (const struct sockaddr *)&where,
                            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) != 0))
        watch_senders_close(s);
}

void watch_senders_close(watch_senders *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

/* The number of the sender, as the kernel has it; 0: unknown. */
static pid_t sender_of(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        struct ucred who;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
            c->cmsg_len < CMSG_LEN(sizeof who))
            continue;
        memcpy(&who, CMSG_DATA(c), sizeof who);
        return who.pid;
    }
    return 0;
}

static void keep(watch_senders *s, pid_t pid, const watch_said *said)
{
    size_t at = 0;
    while (at < s->n && s->sender[at].pid != pid)
        at++;
    if (at == WATCH_MOST_SENDERS)
        return;
    if (at == s->n) {
        s->n++;
        s->sender[at].pid = pid;
        s->sender[at].said = NOTHING;
    }
    for (size_t i = 0; i < WATCH_N_SAID; i++)
        if (!isnan(said->value[i]))
            s->sender[at].said.value[i] = said->value[i];
}

static void merge_into(watch_said *sum, const watch_said *one, bool counters_only)
{
    for (size_t i = 0; i < WATCH_N_SAID; i++) {
        const double v = one->value[i], was = sum->value[i];
        if (isnan(v) || (counters_only && rows[i].merge != SUM_OF_COUNTER))
            continue;
        sum->value[i] = isnan(was) ? v : rows[i].merge == MOST ? fmax(was, v) : was + v;
    }
}

static void forget_gone(watch_senders *s, const watch_tree *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (watch_tree_has(t, s->sender[i].pid))
            s->sender[kept++] = s->sender[i];
        else
            merge_into(&s->gone, &s->sender[i].said, true);
    }
    s->n = kept;
}

void watch_senders_hear(watch_senders *s, const watch_tree *t, watch_sample *out)
{
    if (s->fd < 0)
        return;
    for (int i = 0; i < MOST_MESSAGES; i++) {
        char text[WATCH_TELL_BYTES];
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
        struct iovec room = {.iov_base = text, .iov_len = sizeof text};
        struct msghdr m = {.msg_iov = &room,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
        watch_said said;
        const ssize_t n = recvmsg(s->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        const pid_t pid = sender_of(&m);
        if (!(m.msg_flags & MSG_TRUNC) && watch_tree_has(t, pid) &&
            watch_said_parse(&said, text, (size_t)n))
            keep(s, pid, &said);
    }
    forget_gone(s, t);
    watch_said all = s->gone;
    for (size_t i = 0; i < s->n; i++)
        merge_into(&all, &s->sender[i].said, false);
    for (size_t i = 0; i < WATCH_N_SAID; i++) {
        double *v = &out->value[rows[i].series];
        if (!isnan(all.value[i])) /* the last epoch may be on disk, and not reported any more */
            *v = rows[i].merge == MOST ? fmax(*v, all.value[i]) : all.value[i];
    }
}
