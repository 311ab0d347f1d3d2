/* fake_camera.c: a V4L2 camera where there is none, preloaded into a program (LD_PRELOAD).
 *
 * FAKE_CAMERA names a folder, and /dev/video77 is a camera as long as FAKE_CAMERA/plugged is there:
 * 15 frames a second of a moving grey, YUYV at 320x240 or 640x480, or, when FAKE_CAMERA/frame.jpg
 * is there, that JPEG as MJPEG. Taking `plugged` away unplugs it (ENODEV, as from a USB camera that
 * was pulled); FAKE_CAMERA/still makes it give nothing. Answers what FFmpeg's v4l2 asks: memory
 * mapped streaming, monotonic time stamps. */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { N_BUFFERS = 4, FRAMES_PER_S = 15, SLOT_BYTES = 640 * 480 * 2, S_NS = 1000000000 };
static const char DEVICE[] = "/dev/video77";

static struct {
    int fd; /* -1: not open */
    uint32_t w, h, format;
    bool streams;
    unsigned queue[N_BUFFERS], n_queued; /* the oldest first */
    int64_t next_ns;
    uint32_t sequence;
    char *memory;
} cam = {.fd = -1, .w = 640, .h = 480, .format = V4L2_PIX_FMT_YUYV};

static bool there(const char *name)
{
    char path[4096];
    const char *dir = getenv("FAKE_CAMERA");
    struct stat s;
    snprintf(path, sizeof path, "%s/%s", dir != NULL ? dir : ".", name);
    return stat(path, &s) == 0;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * S_NS + t.tv_nsec;
}

/* ---- open and close ---- */

static int open_camera(void)
{
    if (!there("plugged")) {
        errno = ENOENT;
        return -1;
    }
    cam.fd = memfd_create("camera", MFD_CLOEXEC);
    if (cam.fd < 0 || ftruncate(cam.fd, (off_t)N_BUFFERS * SLOT_BYTES) != 0)
        return -1;
    cam.memory =
        mmap(NULL, (size_t)N_BUFFERS * SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, cam.fd, 0);
    cam.streams = false;
    cam.n_queued = 0;
    return cam.fd;
}

static int open_any(const char *path, int flags, mode_t mode)
{
    if (strcmp(path, DEVICE) == 0)
        return open_camera();
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        const bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;             \
        const mode_t mode = makes ? va_arg(more, mode_t) : 0;                                      \
        va_end(more);                                                                              \
        return open_any(path, flags, mode);                                                        \
    }
OPEN(open)
OPEN(open64)

int close(int fd)
{
    if (fd >= 0 && fd == cam.fd) {
        munmap(cam.memory, (size_t)N_BUFFERS * SLOT_BYTES);
        cam.fd = -1;
    }
    return (int)syscall(SYS_close, fd);
}

/* ---- frames ---- */

static uint32_t draw(char *to)
{
    if (cam.format == V4L2_PIX_FMT_MJPEG) {
        char path[4096];
        snprintf(path, sizeof path, "%s/frame.jpg", getenv("FAKE_CAMERA"));
        FILE *f = fopen(path, "rb");
        const size_t n = f != NULL ? fread(to, 1, SLOT_BYTES, f) : 0;
        if (f != NULL)
            fclose(f);
        return (uint32_t)n;
    }
    for (uint32_t i = 0; i < cam.w * cam.h; i++) {
        to[2 * (size_t)i] = (char)(cam.sequence * 3 + i % cam.w);
        to[2 * (size_t)i + 1] = (char)128;
    }
    return cam.w * cam.h * 2;
}

static int give_frame(struct v4l2_buffer *b)
{
    if (!there("plugged")) {
        errno = ENODEV;
        return -1;
    }
    if (cam.n_queued == 0 || now_ns() < cam.next_ns || there("still")) {
        errno = EAGAIN; /* the camera is opened without blocking */
        return -1;
    }
    const unsigned index = cam.queue[0];
    cam.n_queued--;
    memmove(cam.queue, cam.queue + 1, cam.n_queued * sizeof *cam.queue);
    cam.next_ns = now_ns() + S_NS / FRAMES_PER_S;
    const int64_t now = now_ns();
    *b = (struct v4l2_buffer){
        .index = index,
        .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
        .memory = V4L2_MEMORY_MMAP,
        .flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_DONE | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
        .bytesused = draw(cam.memory + (size_t)index * SLOT_BYTES),
        .length = SLOT_BYTES,
        .sequence = cam.sequence++,
        .timestamp = {.tv_sec = now / S_NS, .tv_usec = now % S_NS / 1000},
        .m.offset = index * SLOT_BYTES,
    };
    return 0;
}

/* ---- what is asked ---- */

static int set_format(struct v4l2_format *f, bool takes)
{
    struct v4l2_pix_format *p = &f->fmt.pix;
    const bool is_jpeg = p->pixelformat == V4L2_PIX_FMT_MJPEG && there("frame.jpg");
    if (takes) {
        cam.w = p->width <= 320 ? 320 : 640;
        cam.h = p->width <= 320 ? 240 : 480;
        cam.format = is_jpeg ? V4L2_PIX_FMT_MJPEG : V4L2_PIX_FMT_YUYV;
    }
    *p = (struct v4l2_pix_format){.width = cam.w,
                                  .height = cam.h,
                                  .pixelformat = cam.format,
                                  .field = V4L2_FIELD_NONE,
                                  .bytesperline = cam.w * 2,
                                  .sizeimage = SLOT_BYTES};
    return 0;
}

static int answer(unsigned long request, void *arg)
{
    struct v4l2_buffer *b = arg;
    switch (request) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *c = arg;
        const uint32_t can = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        *c = (struct v4l2_capability){.driver = "fake",
                                      .card = "fake camera",
                                      .capabilities = can | V4L2_CAP_DEVICE_CAPS,
                                      .device_caps = can};
        return 0;
    }
    case VIDIOC_G_INPUT:
        *(int *)arg = 0;
        return 0;
    case VIDIOC_ENUMINPUT: {
        struct v4l2_input *in = arg;
        *in = (struct v4l2_input){.name = "fake", .type = V4L2_INPUT_TYPE_CAMERA};
        return 0;
    }
    case VIDIOC_G_FMT:
        return set_format(arg, false);
    case VIDIOC_S_FMT:
        return set_format(arg, true);
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: {
        struct v4l2_streamparm *p = arg;
        p->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
        p->parm.capture.timeperframe = (struct v4l2_fract){1, FRAMES_PER_S};
        return 0;
    }
    case VIDIOC_REQBUFS:
        ((struct v4l2_requestbuffers *)arg)->count = N_BUFFERS;
        return 0;
    case VIDIOC_QUERYBUF:
        b->length = SLOT_BYTES;
        b->m.offset = b->index * SLOT_BYTES;
        return 0;
    case VIDIOC_QBUF:
        if (cam.n_queued < N_BUFFERS)
            cam.queue[cam.n_queued++] = b->index;
        return 0;
    case VIDIOC_DQBUF:
        return give_frame(b);
    case VIDIOC_STREAMON:
        cam.streams = true;
        return 0;
    case VIDIOC_STREAMOFF:
        cam.streams = false;
        cam.n_queued = 0;
        return 0;
    default:
        errno = ENOTTY;
        return -1;
    }
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list more;
    va_start(more, request);
    void *arg = va_arg(more, void *);
    va_end(more);
    if (fd < 0 || fd != cam.fd)
        return (int)syscall(SYS_ioctl, fd, request, arg);
    return answer(request & 0xffffffffUL, arg); /* some callers hand a negative int */
}
