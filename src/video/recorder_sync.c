/* recorder_sync.c: a thread that brings closed files to the disk while others go on writing.
 *
 * It cannot be called off while the disk takes its time, so who no longer waits leaves it to
 * itself: it and its list are then given back when it is done. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "recorder_parts.h"

enum { MOST_FILES = 64, STACK_BYTES = 128 << 10 };

struct video_syncer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int fds[MOST_FILES]; /* (n) the oldest first */
    int n;
    bool is_ending, is_over; /* no more will come; the thread has seen it */
    bool is_left;            /* nobody waits: the thread frees it */
};

static void free_syncer(video_syncer *s)
{
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    base_handle_free(s);
}

static void sync_file(int fd)
{
    /* EINVAL: a pipe, or a file system that cannot. */
    if (fsync(fd) != 0 && errno != EINVAL && errno != EROFS)
        base_log(BASE_LOG_WARN, "a recording may not be on the disk", "reason=\"%s\"",
                 strerror(errno));
    close(fd);
}

static void *work(void *self)
{
    video_syncer *s = self;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (s->n == 0 && !s->is_ending)
            pthread_cond_wait(&s->changed, &s->lock);
        if (s->n == 0)
            break;
        const int fd = s->fds[0];
        pthread_mutex_unlock(&s->lock);
        sync_file(fd);
        pthread_mutex_lock(&s->lock);
        s->n--;
        memmove(s->fds, s->fds + 1, (size_t)s->n * sizeof *s->fds);
    }
    s->is_over = true;
    const bool is_left = s->is_left;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (is_left)
        free_syncer(s);
    return NULL;
}

vg_status video_syncer_create(video_syncer **out, vg_error *err)
{
    video_syncer *s = base_handle_alloc(sizeof *s, err);
    *out = NULL;
    if (s == NULL)
        return VG_ERR_MEMORY;
    base_cond_init(&s->changed);
    pthread_mutex_init(&s->lock, NULL);
    const vg_status st = base_thread_start(&s->thread, "vigil-sync", STACK_BYTES, work, s, err);
    if (st == VG_OK)
        *out = s;
    else
        free_syncer(s);
    return st;
}

void video_syncer_take(video_syncer *s, int fd)
{
    pthread_mutex_lock(&s->lock);
    const bool has_room = s->n < MOST_FILES;
    if (has_room)
        s->fds[s->n++] = fd;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (!has_room)
        close(fd); /* the disk is behind by hours of segments: the system writes it when it can */
}

bool video_syncer_destroy(video_syncer **syncer, double patience_s)
{
    video_syncer *s = *syncer;
    if (s == NULL)
        return true;
    const int64_t end_ns = base_now_ns() + (int64_t)(patience_s * 1e9);
    pthread_mutex_lock(&s->lock);
    s->is_ending = true;
    pthread_cond_broadcast(&s->changed);
    while (!s->is_over && base_cond_wait(&s->changed, &s->lock, end_ns))
        ;
    const bool is_over = s->is_over;
    s->is_left = !is_over;
    if (s->is_left)
        pthread_detach(s->thread);
    pthread_mutex_unlock(&s->lock);
    if (is_over) {
        pthread_join(s->thread, NULL);
        free_syncer(s);
    }
    *syncer = NULL;
    return is_over;
}
