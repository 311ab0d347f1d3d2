/* camera.c: the clip is FLV whatever is sent: its frames and time stamps are easily found. */
#include "camera.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "camera_rtsp.h"
#include "held.h"

enum {
    HEAD = 9 + 4,
    TAG = 11,
    VIDEO = 9,
    AVC_SETTINGS = 0,
    AVC_FRAME = 1,
    AVC_HEAD = 5,
    MOST_FRAME = 1 << 20
};
static const int64_t LATE_NS = 5000000;

typedef struct clip {
    uint8_t *bytes;
    size_t n;
} clip;

static void give_up(const char *what)
{
    perror(what);
    _exit(1);
}

static clip map_clip(const char *path)
{
    struct stat about;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0 || about.st_size <= HEAD)
        give_up(path);
    clip c = {.n = (size_t)about.st_size};
    c.bytes = mmap(NULL, c.n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (c.bytes == MAP_FAILED)
        give_up(path);
    close(fd);
    return c;
}

/* With the length of the tag that comes after it. */
static size_t tag_bytes(const uint8_t *tag)
{
    return TAG + ((size_t)tag[1] << 16 | (size_t)tag[2] << 8 | tag[3]) + 4;
}

static bool is_packet(const uint8_t *tag, int type)
{
    return tag[0] == VIDEO && tag[TAG + 1] == type;
}

static void stamp(uint8_t *tag, uint64_t n, double fps)
{
    const uint32_t ms = (uint32_t)llround((double)n * 1000 / fps);
    tag[4] = (uint8_t)(ms >> 16);
    tag[5] = (uint8_t)(ms >> 8);
    tag[6] = (uint8_t)ms;
    tag[7] = (uint8_t)(ms >> 24);
}

static void send_all(int fd, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            _exit(0); /* the reader left */
        bytes += sent;
        n -= (size_t)sent;
    }
}

static void sleep_until(int64_t ns)
{
    const struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
        ;
}

/* What goes over the wire for a frame. */
static const uint8_t *pack(camera_kind kind, uint8_t *tag, size_t *n, uint64_t number, double fps)
{
    static uint8_t packets[MOST_FRAME + MOST_FRAME / 16];
    const size_t head = TAG + AVC_HEAD;
    if (kind == CAMERA_FLV) {
        stamp(tag, number, fps);
        return tag;
    }
    *n = camera_rtsp_pack(packets, sizeof packets, tag + head, *n - head - 4,
                          (uint32_t)llround((double)number * 90000 / fps));
    return packets;
}

/* Once through the clip. What is no frame (the codec's settings) goes out with the first pass. */
static void play(int fd, camera_kind kind, const clip *c, camera_log *log, double fps,
                 int64_t began_ns)
{
    const bool is_first = log->n_sent == 0 && kind == CAMERA_FLV;
    size_t whole;
    for (size_t at = HEAD; at + TAG < c->n && log->n_sent < log->most; at += whole) {
        uint8_t *tag = c->bytes + at;
        size_t n = whole = tag_bytes(tag);
        if (at + n > c->n)
            return;
        if (!is_packet(tag, AVC_FRAME)) {
            if (is_first)
                send_all(fd, tag, n);
            continue;
        }
        const uint64_t number = log->n_sent;
        const int64_t due_ns = began_ns + (int64_t)((double)number * 1e9 / fps);
        const uint8_t *bytes = pack(kind, tag, &n, number, fps);
        sleep_until(due_ns);
        const int64_t now_ns = base_now_ns();
        log->sent_ns[number] = now_ns;
        send_all(fd, bytes, n);
        if (now_ns - due_ns > LATE_NS)
            log->n_late++;
        log->n_sent++;
    }
}

static int listen_anywhere(camera_log *log)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)log->port)};
    socklen_t n = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        give_up("camera");
    log->port = ntohs(a.sin_port);
    return fd;
}

static void greet(int fd, camera_kind kind, const clip *c)
{
    size_t at = HEAD;
    if (kind == CAMERA_FLV) {
        send_all(fd, c->bytes, HEAD);
        return;
    }
    while (at + TAG < c->n && !is_packet(c->bytes + at, AVC_SETTINGS))
        at += tag_bytes(c->bytes + at);
    if (at + TAG >= c->n)
        give_up("no settings in the clip");
    const size_t head = TAG + AVC_HEAD;
    camera_rtsp_greet(fd, c->bytes + at + head, tag_bytes(c->bytes + at) - head - 4);
}

void camera_serve(camera_log *log, camera_kind kind, const char *flv, double fps)
{
    const clip c = map_clip(flv);
    const int listener = listen_anywhere(log);
    const int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        give_up("camera");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    greet(fd, kind, &c);
    const int64_t began_ns = base_now_ns();
    while (log->n_sent < log->most)
        play(fd, kind, &c, log, fps, began_ns);
    for (char rest; recv(fd, &rest, 1, 0) > 0;)
        ;
    _exit(0);
}

void camera_url(char *url, size_t n, const camera_log *log, camera_kind kind)
{
    base_format(url, n, "%s://127.0.0.1:%d%s", kind == CAMERA_RTSP ? "rtsp" : "tcp", log->port,
                kind == CAMERA_RTSP ? "/camera" : "");
}

pid_t camera_start(camera_log *log, camera_kind kind, const char *flv, double fps)
{
    const pid_t parent = getpid(), child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(0);
        setsid(); /* where processors are shared out by session, the job takes none of its part */
        camera_serve(log, kind, flv, fps);
    }
    while (child > 0 && log->port == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return child;
}

void camera_draw_clip(const char *flv, int w, int h, double fps, int seconds)
{
    char drawn[128], length[16], group[16];
    base_format(drawn, sizeof drawn, "testsrc2=size=%dx%d:rate=%g", w, h, fps);
    base_format(length, sizeof length, "%d", seconds);
    base_format(group, sizeof group, "%.0f", fps);
    const char *const command[] = {"ffmpeg",
                                   "-v",
                                   "error",
                                   "-y",
                                   "-f",
                                   "lavfi",
                                   "-i",
                                   drawn,
                                   "-t",
                                   length,
                                   "-c:v",
                                   "libx264",
                                   "-preset",
                                   "veryfast",
                                   "-tune",
                                   "zerolatency",
                                   "-x264-params",
                                   "sliced-threads=0:slices=1:scenecut=0",
                                   "-g",
                                   group,
                                   "-pix_fmt",
                                   "yuv420p",
                                   "-f",
                                   "flv",
                                   flv,
                                   NULL};
    held_run(command);
}
