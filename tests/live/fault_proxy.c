/* fault_proxy: a TCP proxy that can do to a connection what networks do.
 *
 *     fault_proxy TARGET_PORT [PORT]
 *
 * Listens on a port of 127.0.0.1 (which it prints: "port N") and forwards to 127.0.0.1:TARGET_PORT.
 * Lines on standard input are commands; each is answered by a line "done COMMAND connections=N":
 *     cut            resets all connections; new ones are taken
 *     refuse         cuts, and listens no more;     listen: listens again, on the same port
 *     stall          connections stay, nothing is forwarded any more;     go: forwards again
 *     delay MS       what comes from the target is forwarded so much later
 *     corrupt SHARE  of the bytes from the target this share (0..1) is changed, at random
 *     count          nothing but the answer
 * The end of standard input ends it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 32, PIECES = 64, PIECE_BYTES = 16384 };

typedef struct piece {
    int64_t due_ms;
    size_t n, sent;
    char bytes[PIECE_BYTES];
} piece;

typedef struct flow { /* one direction: a ring of pieces */
    int from, to;
    int first, n;
    bool has_ended;
    piece pieces[PIECES];
} flow;

typedef struct connection {
    bool is_used;
    flow up, down; /* to the target, from it */
} connection;

static connection connections[MOST];
static struct sockaddr_in own, target;
static int listener = -1;
static bool is_stalled;
static int delay_ms;
static double share;
static uint64_t random_state = 88172645463325252u;

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static double unit(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

static void corrupt(char *bytes, size_t n)
{
    for (size_t i = 0; share > 0 && i < n; i++)
        if (unit() < share)
            bytes[i] = (char)(bytes[i] ^ (1 + (int)(unit() * 254)));
}

static void drop(connection *c, bool by_reset)
{
    const struct linger now = {.l_onoff = 1};
    if (by_reset) {
        setsockopt(c->up.from, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        setsockopt(c->up.to, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(c->up.from);
    close(c->up.to);
    c->is_used = false;
}

static void cut_all(void)
{
    for (int i = 0; i < MOST; i++)
        if (connections[i].is_used)
            drop(&connections[i], true);
}

static void start_listening(void)
{
    socklen_t n = sizeof own;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&own, n) != 0 || listen(listener, MOST) != 0 ||
        getsockname(listener, (struct sockaddr *)&own, &n) != 0) {
        perror("fault_proxy");
        exit(1);
    }
}

static void accept_one(void)
{
    const int client = accept(listener, NULL, NULL);
    if (client < 0)
        return;
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int i = 0;
    while (i < MOST && connections[i].is_used)
        i++;
    if (i == MOST || connect(server, (struct sockaddr *)&target, sizeof target) != 0) {
        close(client);
        close(server);
        return;
    }
    connection *c = &connections[i];
    c->is_used = true;
    c->up.from = c->down.to = client;
    c->up.to = c->down.from = server;
    c->up.first = c->up.n = c->down.first = c->down.n = 0;
    c->up.has_ended = c->down.has_ended = false;
}

/* False: the connection is over. */
static bool read_piece(flow *f, bool is_down)
{
    piece *p = &f->pieces[(f->first + f->n) % PIECES];
    const ssize_t got = recv(f->from, p->bytes, sizeof p->bytes, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0) {
        f->has_ended = true;
        return true;
    }
    p->n = (size_t)got;
    p->sent = 0;
    p->due_ms = now_ms() + (is_down ? delay_ms : 0);
    if (is_down)
        corrupt(p->bytes, p->n);
    f->n++;
    return true;
}

static bool write_pieces(flow *f)
{
    while (f->n > 0 && f->pieces[f->first].due_ms <= now_ms()) {
        piece *p = &f->pieces[f->first];
        const ssize_t sent =
            send(f->to, p->bytes + p->sent, p->n - p->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        p->sent += (size_t)sent;
        if (p->sent < p->n)
            return true;
        f->first = (f->first + 1) % PIECES;
        f->n--;
    }
    return !(f->has_ended && f->n == 0);
}

static void obey(char *line)
{
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, "cut") == 0) {
        cut_all();
    } else if (strcmp(line, "refuse") == 0) {
        cut_all();
        close(listener);
        listener = -1;
    } else if (strcmp(line, "listen") == 0) {
        if (listener < 0)
            start_listening();
    } else if (strcmp(line, "stall") == 0) {
        is_stalled = true;
    } else if (strcmp(line, "go") == 0) {
        is_stalled = false;
    } else if (strncmp(line, "delay ", 6) == 0) {
        delay_ms = (int)strtol(line + 6, NULL, 10);
    } else if (strncmp(line, "corrupt ", 8) == 0) {
        share = strtod(line + 8, NULL);
    } else if (strcmp(line, "count") != 0) {
        printf("unknown %s\n", line);
        return;
    }
    int n = 0;
    for (int i = 0; i < MOST; i++)
        n += connections[i].is_used;
    printf("done %s connections=%d\n", line, n);
}

static void step_connection(connection *c, const struct pollfd *client, const struct pollfd *server)
{
    bool lives = true;
    if (c->up.n < PIECES && !c->up.has_ended && (client->revents & (POLLIN | POLLHUP | POLLERR)))
        lives = read_piece(&c->up, false);
    if (lives && c->down.n < PIECES && !c->down.has_ended &&
        (server->revents & (POLLIN | POLLHUP | POLLERR)))
        lives = read_piece(&c->down, true);
    if (lives)
        lives = write_pieces(&c->up) && write_pieces(&c->down);
    if (!lives)
        drop(c, false);
}

static void step(void)
{
    static struct pollfd fds[2 + 2 * MOST];
    connection *of[MOST];
    nfds_t n = 2;
    fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = listener, .events = POLLIN};
    int n_used = 0;
    for (int i = 0; i < MOST && !is_stalled; i++) {
        connection *c = &connections[i];
        if (!c->is_used)
            continue;
        of[n_used++] = c;
        const bool may_up = c->up.n < PIECES && !c->up.has_ended,
                   may_down = c->down.n < PIECES && !c->down.has_ended;
        fds[n++] = (struct pollfd){.fd = may_up ? c->up.from : -1, .events = POLLIN};
        fds[n++] = (struct pollfd){.fd = may_down ? c->down.from : -1, .events = POLLIN};
    }
    poll(fds, n, 5);
    if (fds[0].revents != 0) {
        char line[256];
        if (fgets(line, sizeof line, stdin) == NULL)
            exit(0);
        obey(line);
        return; /* what was polled may be gone */
    }
    for (int i = 0; i < n_used; i++)
        step_connection(of[i], &fds[2 + 2 * i], &fds[3 + 2 * i]);
    if (fds[1].revents != 0)
        accept_one();
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: fault_proxy TARGET_PORT [PORT]\n");
        return 2;
    }
    target = own = (struct sockaddr_in){.sin_family = AF_INET};
    target.sin_addr.s_addr = own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    target.sin_port = htons((uint16_t)strtol(argv[1], NULL, 10));
    own.sin_port = htons((uint16_t)(argc > 2 ? strtol(argv[2], NULL, 10) : 0));
    setvbuf(stdin, NULL, _IONBF, 0); /* so that poll sees what fgets has not taken */
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    start_listening();
    printf("port %d\n", ntohs(own.sin_port));
    for (;;)
        step();
}
