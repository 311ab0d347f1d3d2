/* test_recorder_ends.c: recordings after good ends, kills and full disks, and on their way to one.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "video/recorder_bed.h"

/* ---- ends ---- */

static void a_killed_recording_plays_but_for_its_last_second(void **state)
{
    (void)state;
    enum { N = 250, FPS = 25 };
    const pid_t child = fork();
    if (child == 0) {
        if (video_recorder_create(&b.r, &b.o, &b.mem, NULL) != VG_OK)
            _exit(1);
        for (int i = 0; i < N; i++)
            if (put(i, i * S / FPS) != VG_OK)
                _exit(1);
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(child, waitpid(child, &status, 0));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_in_range(probe_whole(only_file()), N - FPS, N - 1);
}

/* In a process of its own, for the limit is the process's. */
static int fill_disk(void)
{
    vg_error e = {0};
    struct rlimit limit = {.rlim_cur = 60000, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    if (video_recorder_create(&b.r, &b.o, &b.mem, NULL) != VG_OK ||
        setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    vg_status st = VG_OK;
    int i = 0;
    for (; i < 500 && st == VG_OK; i++) {
        const image_view v = draw(W, H, i, true);
        st = video_recorder_write(b.r, &v, i * S / 25, 0, &e);
    }
    if (st != VG_ERR_IO || strstr(e.where, "cam-") == NULL || e.mend[0] == '\0')
        return 2;
    if (video_recorder_path(b.r)[0] != '\0')
        return 3;
    limit.rlim_cur = 0; /* not even a head */
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int k = 0; k < 5; k++, i++)
        if (put(i, i * S / 25) != VG_ERR_IO)
            return 4;
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int k = 0; k < 30; k++, i++)
        if (put(i, i * S / 25) != VG_OK)
            return 5;
    return video_recorder_close(&b.r, NULL) == VG_OK ? 0 : 6;
}

static void a_full_disk_ends_a_segment_well_and_the_next_goes_on(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0)
        _exit(fill_disk());
    int status;
    assert_int_equal(child, waitpid(child, &status, 0));
    assert_int_equal(0, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    probe_list *l = probe_files(b.folder, "cam", ".mp4");
    assert_int_equal(2, l->n); /* of those that had no room for a head nothing is left */
    const bool first_is_full = probe_bytes(l->paths[0]) > probe_bytes(l->paths[1]);
    const char *full = l->paths[first_is_full ? 0 : 1], *next = l->paths[first_is_full ? 1 : 0];
    assert_in_range(probe_bytes(full), 10000, 60000);
    assert_true(probe_whole(full) >= 10);
    assert_int_equal(30, probe_whole(next));
    free(l);
}

static int fill_small_disk(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return 77;
    if (mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", folder, "tmpfs", 0, "size=200k") != 0)
        return 77;
    vg_error e = {0};
    if (video_recorder_create(&b.r, &b.o, &b.mem, NULL) != VG_OK)
        return 1;
    vg_status st = VG_OK;
    for (int i = 0; i < 500 && st == VG_OK; i++) {
        const image_view v = draw(W, H, i, true);
        st = video_recorder_write(b.r, &v, i * S / 25, 0, &e);
    }
    if (st != VG_ERR_IO || strstr(e.what, "No space left") == NULL ||
        strstr(e.mend, "room") == NULL)
        return 2;
    probe_list *l = probe_files(folder, "cam", ".mp4");
    const int n_frames = l->n == 1 ? probe_whole(l->paths[0]) : 0;
    free(l);
    return n_frames >= 10 ? 0 : 3;
}

static void a_disk_of_200_kb_says_that_it_is_full(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0)
        _exit(fill_small_disk(b.folder));
    int status;
    assert_int_equal(child, waitpid(child, &status, 0));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip(); /* this machine does not let us mount */
    assert_int_equal(0, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

/* A recording of n pictures that ends on a disk of so much room: whole up to where it ends, and its
 * counters say what is in it. Returns its frames, 0: there is no file, -1: it is not so. */
static int end_on_full_disk(rlim_t room, int n, long *bytes)
{
    struct rlimit limit = {.rlim_cur = room, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    if (video_recorder_create(&b.r, &b.o, &b.mem, NULL) != VG_OK ||
        setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return -1;
    vg_status st = VG_OK;
    seed = 1;
    for (int i = 0; i < n && st == VG_OK; i++) {
        const image_view v = draw(W, H, i, true);
        st = video_recorder_write(b.r, &v, i * S / 25, 0, NULL);
    }
    const vg_status ended = video_recorder_end_segment(b.r, NULL);
    const video_recorder_counts c = video_recorder_count(b.r);
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    probe_list *l = probe_files(b.folder, "cam", ".mp4");
    const int n_frames = l->n == 1 ? probe_whole(l->paths[0]) : 0;
    *bytes = l->n == 1 ? probe_bytes(l->paths[0]) : 0;
    if (l->n == 1)
        unlink(l->paths[0]);
    const bool is_good = l->n <= 1 && c.n_kept == (uint64_t)n_frames &&
                         (st != VG_OK || c.n_kept + c.n_lost == (uint64_t)n) &&
                         (st != VG_OK || ended != VG_OK || n_frames == n);
    free(l);
    return is_good && video_recorder_close(&b.r, NULL) == VG_OK ? n_frames : -1;
}

/* Its end may be within the head, a fragment or the index behind the last one. */
static int end_on_full_disks(void)
{
    enum { FEW = 8, MANY = 24, HALF_SECOND = 13, N = 16 }; /* pictures: FEW are one fragment */
    static const int all[] = {FEW, MANY};
    for (int i = 0; i < 2; i++) {
        const int n = all[i];
        long bytes, left;
        int n_none = 0, n_part = 0;
        if (end_on_full_disk(RLIM_INFINITY, n, &bytes) != n)
            return 1;
        for (int k = 1; k < N; k++) {
            const int got = end_on_full_disk((rlim_t)(bytes * k / N), n, &left);
            n_none += got == 0;
            n_part += got >= HALF_SECOND - 1 && got <= HALF_SECOND;
        }
        if (n_none + n_part != N - 1 || n_none < 4 || (n_part >= 4) != (n == MANY))
            return 10 + n;
        /* All but some of the index. */
        if (end_on_full_disk((rlim_t)bytes - 20, n, &left) != n || left > bytes - 20)
            return 40 + n;
    }
    return 0;
}

static void a_recording_that_ends_on_a_full_disk_is_whole(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0)
        _exit(end_on_full_disks());
    int status;
    assert_int_equal(child, waitpid(child, &status, 0));
    assert_int_equal(0, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

/* ---- to the disk ---- */

int __wrap_fsync(int fd);
int __real_fsync(int fd);

static atomic_int n_synced, n_by_us;
static atomic_bool is_slow;
static pthread_t us;

int __wrap_fsync(int fd)
{
    n_by_us += pthread_equal(pthread_self(), us) != 0;
    while (is_slow)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    const int code = __real_fsync(fd);
    n_synced++;
    return code;
}

static void record_segments(int n)
{
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    for (int i = 0; i < n; i++) {
        put_many(5, i * S, S / 25);
        OK(video_recorder_end_segment(b.r, err));
    }
    OK(video_recorder_close(&b.r, err));
}

static void closed_segments_are_brought_to_the_disk(void **state)
{
    (void)state;
    us = pthread_self();
    n_synced = n_by_us = 0;
    OK(video_syncer_create(&b.o.syncer, err));
    record_segments(3);
    assert_true(video_syncer_destroy(&b.o.syncer, 60));
    assert_int_equal(n_synced, 3);
    assert_int_equal(n_by_us, 0);
    probe_list *l = probe_files(b.folder, "cam", ".mp4");
    assert_int_equal(3, l->n);
    free(l);
}

/* Recording goes on, more than wait are closed without, and the end is not waited for. */
static void a_slow_disk_holds_nobody(void **state)
{
    enum { MOST_WAITING = 64 };
    (void)state;
    us = pthread_self();
    n_synced = n_by_us = 0;
    is_slow = true;
    OK(video_syncer_create(&b.o.syncer, err));
    record_segments(MOST_WAITING + 6);
    assert_int_equal(n_synced, 0);
    assert_false(video_syncer_destroy(&b.o.syncer, 0.01));
    is_slow = false;
    for (int i = 0; i < 60000 && n_synced < MOST_WAITING; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(n_synced, MOST_WAITING);
    assert_int_equal(n_by_us, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_killed_recording_plays_but_for_its_last_second),
        TEST(a_full_disk_ends_a_segment_well_and_the_next_goes_on),
        TEST(a_disk_of_200_kb_says_that_it_is_full),
        TEST(a_recording_that_ends_on_a_full_disk_is_whole),
        TEST(closed_segments_are_brought_to_the_disk),
        TEST(a_slow_disk_holds_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
