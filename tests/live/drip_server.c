/* drip_server: files over TCP at a stated pace, as a camera that streams would send them: for
 * streams that no encoder makes (another resolution or codec in the middle, times that jump), that
 * stop, break off or are refused.
 *
 *     drip_server [port=N] [rate=BYTES_PER_S] [after=close|hold|reset] [loop=N] [http=1]
 * [basic=BASE64] [status="404 Not Found"] FILE...
 *
 * It prints "port N". Each client has a process of its own, and gets all files, `loop` times (0:
 * for ever), then is closed, held open in silence, or reset. http: a head is read and answered
 * before; basic: who does not give these credentials is answered 401; status: all are answered so.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct options {
    int port, loop, http;
    double rate;
    const char *after, *basic, *status;
    char **files;
} options;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void nap(double seconds)
{
    const struct timespec t = {.tv_sec = (time_t)seconds,
                               .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

static void send_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            _exit(0); /* the client left */
        bytes += sent;
        n -= (size_t)sent;
    }
}

/* Ten portions a second or more. */
static void send_file(int fd, const char *path, const options *o, double *sent, double began)
{
    char bytes[1316 * 4];
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        _exit(1);
    }
    size_t n;
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0) {
        send_all(fd, bytes, n);
        *sent += (double)n;
        const double due = began + *sent / o->rate;
        if (o->rate > 0 && due > now())
            nap(due - now());
    }
    fclose(f);
}

static void answer_head(int fd, const options *o)
{
    char head[4096] = "", answer[512];
    size_t n = 0;
    while (strstr(head, "\r\n\r\n") == NULL && n + 1 < sizeof head) {
        const ssize_t got = recv(fd, head + n, sizeof head - 1 - n, 0);
        if (got <= 0)
            _exit(0);
        n += (size_t)got;
        head[n] = '\0';
    }
    const char *status = o->status;
    if (o->basic != NULL && strstr(head, o->basic) == NULL)
        status = "401 Unauthorized";
    snprintf(
        answer, sizeof answer,
        "HTTP/1.0 %s\r\nContent-Type: video/mp2t\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n",
        status != NULL ? status : "200 OK");
    send_all(fd, answer, strlen(answer));
    if (status != NULL) {
        shutdown(fd, SHUT_WR);
        _exit(0);
    }
}

static void serve(int fd, const options *o)
{
    double sent = 0;
    const double began = now();
    if (o->http)
        answer_head(fd, o);
    for (int i = 0; o->loop == 0 || i < o->loop; i++)
        for (char **file = o->files; *file != NULL; file++)
            send_file(fd, *file, o, &sent, began);
    char rest;
    if (strcmp(o->after, "hold") == 0)
        while (recv(fd, &rest, 1, 0) > 0)
            ;
    if (strcmp(o->after, "reset") == 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
                   sizeof(struct linger));
    close(fd);
    _exit(0);
}

static int listen_on(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
    socklen_t n = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
        perror("drip_server");
        exit(1);
    }
    *port = ntohs(a.sin_port);
    return fd;
}

int main(int argc, char **argv)
{
    options o = {.after = "close", .loop = 1};
    int i = 1;
    for (char *value; i < argc && (value = strchr(argv[i], '=')) != NULL; i++) {
        const size_t n = (size_t)(value++ - argv[i]);
        if (strncmp(argv[i], "port", n) == 0)
            o.port = (int)strtol(value, NULL, 10);
        else if (strncmp(argv[i], "rate", n) == 0)
            o.rate = strtod(value, NULL);
        else if (strncmp(argv[i], "loop", n) == 0)
            o.loop = (int)strtol(value, NULL, 10);
        else if (strncmp(argv[i], "http", n) == 0)
            o.http = (int)strtol(value, NULL, 10);
        else if (strncmp(argv[i], "after", n) == 0)
            o.after = value;
        else if (strncmp(argv[i], "basic", n) == 0)
            o.basic = value;
        else if (strncmp(argv[i], "status", n) == 0)
            o.status = value;
    }
    o.files = argv + i;
    signal(SIGCHLD, SIG_IGN);
    const int listener = listen_on(&o.port);
    printf("port %d\n", o.port);
    fflush(stdout);
    const pid_t parent = getpid();
    for (;;) {
        const int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* killed with the server */
            if (getppid() != parent)
                _exit(0);
            close(listener);
            serve(fd, &o);
        }
        close(fd);
    }
}
