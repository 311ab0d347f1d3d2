/* recorder_sync.c: a thread that brings closed files to the disk while others go on writing.
 *
 * It cannot be called off while the disk takes its time, so who no longer waits leaves it to
 * itself: it and its list are then given back when it is done. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
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
    pthread_attr_t how;
    pthread_condattr_t clock;
    sigset_t all, before;
    video_syncer *s = base_handle_alloc(sizeof *s, err);
    *out = NULL;
    if (s == NULL)
        return VG_ERR_MEMORY;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &clock);
    pthread_condattr_destroy(&clock);
    pthread_mutex_init(&s->lock, NULL);
    pthread_attr_init(&how);
    pthread_attr_setstacksize(&how, STACK_BYTES);
    sigfillset(&all); /* signals are for those who wait for them */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&s->thread, &how, work, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&how);
    if (errno != 0) {
        const vg_status st = base_fail_errno(err, VG_ERR_SYSTEM, "recording",
                                             "raise the limit of processes, or stop others",
                                             "a thread cannot be started");
        free_syncer(s);
        return st;
    }
    pthread_setname_np(s->thread, "vigil-sync");
    *out = s;
    return VG_OK;
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
    struct timespec until;
    if (s == NULL)
        return true;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const int64_t at_ns = until.tv_nsec + (int64_t)(patience_s * 1e9);
    until.tv_sec += (time_t)(at_ns / 1000000000);
    until.tv_nsec = (long)(at_ns % 1000000000);
    pthread_mutex_lock(&s->lock);
    s->is_ending = true;
    pthread_cond_broadcast(&s->changed);
    for (int late = 0; !s->is_over && late == 0;)
        late = pthread_cond_timedwait(&s->changed, &s->lock, &until);
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
