/* port.c: a slot with a lock. The copy is made outside of the lock: the slot is taken first. */
#include "port.h"

#include <math.h>
#include <pthread.h>
#include <time.h>

#include "port_read.h"

enum { LOOK_MS = 50, ROW_ALIGN = 64 };

typedef enum slot_state { SLOT_FREE, SLOT_FILLING, SLOT_FULL } slot_state;

struct video_port {
    const video_ffmpeg *f;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    slot_state state;
    bool has_ended;
    AVFrame *picture;   /* that waits */
    AVBufferPool *pool; /* of pool_bytes; its memory goes with the last frame */
    size_t pool_bytes;
    video_frame_info info;
};

vg_status video_port_create(video_port **out, base_mem *mem, vg_error *err)
{
    const video_ffmpeg *ffmpeg;
    *out = NULL;
    const vg_status st = video_ffmpeg_get(&ffmpeg, err);
    if (st != VG_OK)
        return st;
    video_port *p = base_alloc_zero(mem, 1, sizeof *p, err);
    if (p == NULL)
        return VG_ERR_MEMORY;
    p->f = ffmpeg;
    pthread_mutex_init(&p->lock, NULL);
    base_cond_init(&p->changed);
    p->picture = ffmpeg->av_frame_alloc();
    if (p->picture == NULL) {
        video_port_destroy(&p);
        return base_fail(err, VG_ERR_MEMORY, NULL, NULL, "FFmpeg found no memory for a frame");
    }
    *out = p;
    return VG_OK;
}

void video_port_destroy(video_port **port)
{
    video_port *p = *port;
    if (p == NULL)
        return;
    p->f->av_frame_free(&p->picture);
    p->f->av_buffer_pool_uninit(&p->pool);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    base_free(p);
    *port = NULL;
}

/* ---- who pushes ---- */

/* The slot, to be filled without the lock. */
static vg_status take_slot(video_port *p, int timeout_ms, vg_error *err)
{
    const int64_t end_ns =
        timeout_ms < 0 ? INT64_MAX : base_now_ns() + timeout_ms * INT64_C(1000000);
    bool in_time = timeout_ms != 0;
    pthread_mutex_lock(&p->lock);
    while (p->state != SLOT_FREE && !p->has_ended && in_time)
        in_time = base_cond_wait(&p->changed, &p->lock, end_ns);
    const bool is_over = p->has_ended, is_free = !is_over && p->state == SLOT_FREE;
    if (is_free)
        p->state = SLOT_FILLING;
    pthread_mutex_unlock(&p->lock);
    if (is_free)
        return VG_OK;
    return is_over ? base_fail(err, VG_ERR_INTERRUPTED, NULL, NULL, "the stream has ended")
                   : base_fail(err, VG_ERR_LIMIT, NULL,
                               "wait longer, or set policy=latest, which drops what is late",
                               "no room for a picture within %d ms", timeout_ms);
}

static void set_slot(video_port *p, slot_state state)
{
    pthread_mutex_lock(&p->lock);
    p->state = state;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static bool make_buffer(video_port *p, int w, int h)
{
    const size_t row = base_round_up((size_t)w * 3, ROW_ALIGN);
    size_t bytes;
    if (!base_mul_size(&bytes, row, (size_t)h) ||
        !base_add_size(&bytes, bytes, AV_INPUT_BUFFER_PADDING_SIZE) || bytes > INT32_MAX)
        return false;
    if (p->pool_bytes != bytes) {
        p->f->av_buffer_pool_uninit(&p->pool);
        p->pool = p->f->av_buffer_pool_init(bytes, NULL);
        p->pool_bytes = p->pool != NULL ? bytes : 0;
    }
    AVFrame *to = p->picture;
    to->buf[0] = p->pool != NULL ? p->f->av_buffer_pool_get(p->pool) : NULL;
    if (to->buf[0] == NULL)
        return false;
    to->data[0] = to->buf[0]->data;
    to->linesize[0] = (int)row;
    to->width = w;
    to->height = h;
    to->format = AV_PIX_FMT_RGB24;
    to->color_range = AVCOL_RANGE_JPEG;
    return true;
}

vg_status video_port_push(video_port *p, const image_pixels *pixels, double time_s, int timeout_ms,
                          vg_error *err)
{
    struct timespec wall;
    const int64_t now = base_now_ns();
    const vg_status st = take_slot(p, timeout_ms, err);
    if (st != VG_OK)
        return st;
    if (!make_buffer(p, pixels->w, pixels->h)) {
        set_slot(p, SLOT_FREE);
        return base_fail(err, VG_ERR_MEMORY, NULL, NULL, "no memory for a picture of %d x %d",
                         pixels->w, pixels->h);
    }
    const image_view to = {p->picture->data[0], pixels->w, pixels->h,
                           (size_t)p->picture->linesize[0]};
    image_pixels_to_rgb(&to, pixels);
    clock_gettime(CLOCK_REALTIME, &wall);
    p->info = (video_frame_info){.w = pixels->w,
                                 .h = pixels->h,
                                 .is_live = isnan(time_s),
                                 .pts_ns = isnan(time_s) ? now : (int64_t)(time_s * 1e9),
                                 .arrived_ns = now,
                                 .wall_ns = wall.tv_sec * INT64_C(1000000000) + wall.tv_nsec,
                                 .is_key = true};
    set_slot(p, SLOT_FULL);
    return VG_OK;
}

void video_port_end(video_port *p)
{
    pthread_mutex_lock(&p->lock);
    p->has_ended = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

/* ---- who reads ---- */

video_outcome video_port_take(video_port *p, video_frame *f, const atomic_bool *stop)
{
    video_outcome how = VIDEO_STOPPED;
    video_frame_release(f);
    pthread_mutex_lock(&p->lock);
    while (p->state != SLOT_FULL && (stop == NULL || !atomic_load(stop)) &&
           (!p->has_ended || p->state == SLOT_FILLING))
        base_cond_wait(&p->changed, &p->lock, base_now_ns() + LOOK_MS * INT64_C(1000000));
    if (p->state == SLOT_FULL) {
        p->f->av_frame_move_ref(f->picture, p->picture);
        f->info = p->info;
        p->state = SLOT_FREE;
        how = VIDEO_FRAME;
        pthread_cond_broadcast(&p->changed);
    } else if (p->has_ended) {
        how = VIDEO_END;
    }
    pthread_mutex_unlock(&p->lock);
    return how;
}
