/* test_recorder.c: recordings as ffprobe sees them: after good ends, kills, full disks, changes. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/folder.h"
#include "support/ok.h"
#include "video/probe.h"

#include "video/recorder.h"

enum { W = 96, H = 64, MOST_SIDE = 1300 };
static const int64_t S = INT64_C(1000000000);

typedef struct bed {
    char folder[256];
    base_mem mem;
    video_recorder_options o;
    video_recorder *r;
    uint8_t *pixels;
} bed;

static bed b; /* one test at a time */

static int set_up(void **state)
{
    (void)state;
    static uint8_t pixels[MOST_SIDE * MOST_SIDE * 3];
    b = (bed){.pixels = pixels};
    base_mem_init(&b.mem, "test", NULL, 0);
    b.o = (video_recorder_options){.folder = b.folder, .stem = "cam", .frames_per_s = 25};
    return folder_make(b.folder, sizeof b.folder);
}

static int tear_down(void **state)
{
    (void)state;
    const vg_status st = video_recorder_close(&b.r, NULL);
    folder_remove(b.folder);
    return st == VG_OK && b.mem.in_use_bytes == 0 ? 0 : -1;
}

static uint32_t seed = 1; /* of the grain */

/* Smooth colours that move with t, or grain that cannot be pressed together. */
static image_view draw(int w, int h, int t, bool grain)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t *p = b.pixels + ((size_t)y * (size_t)w + (size_t)x) * 3;
            p[0] = (uint8_t)(40 + (w > 8 ? 160 * x / w : 0));
            p[1] = (uint8_t)(200 - (h > 8 ? 120 * y / h : 0));
            p[2] = (uint8_t)(60 + (t * 3) % 100);
            for (int c = 0; c < 3 && grain; c++)
                p[c] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
        }
    return (image_view){.data = b.pixels, .w = w, .h = h, .stride = (size_t)w * 3};
}

static vg_status put(int t, int64_t time_ns)
{
    const image_view v = draw(W, H, t, false);
    return video_recorder_write(b.r, &v, time_ns, 0, NULL);
}

static void put_many(int n, int64_t from_ns, int64_t step_ns)
{
    for (int i = 0; i < n; i++) {
        const image_view v = draw(W, H, i, false);
        OK(video_recorder_write(b.r, &v, from_ns + i * step_ns, 0, err));
    }
}

static const char *in(const char *name)
{
    static char paths[4][600];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", b.folder, name);
    return path;
}

/* The one recording of the stem. */
static const char *only_file(void)
{
    static char path[512];
    probe_list *l = probe_files(b.folder, "cam", ".mp4");
    assert_int_equal(1, l->n);
    snprintf(path, sizeof path, "%s", l->paths[0]);
    free(l);
    return path;
}

/* ---- one recording ---- */

static void times_are_those_of_the_frames(void **state)
{
    (void)state;
    static const int64_t ms[] = {0, 40, 80, 81, 300, 1000, 1040, 2500, 2533, 7000};
    enum { N = sizeof ms / sizeof *ms };
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    assert_string_equal("", video_recorder_path(b.r));
    for (int i = 0; i < N; i++)
        assert_int_equal(VG_OK, put(i, 5 * S + ms[i] * 1000000));
    char path[512];
    snprintf(path, sizeof path, "%s", video_recorder_path(b.r));
    OK(video_recorder_close(&b.r, err));
    assert_string_equal(path, only_file());
    probe *p = probe_open(path);
    assert_int_equal(N, p->n);
    assert_int_equal(N, p->n_frames);
    assert_string_equal("h264", p->codec);
    for (int i = 0; i < N; i++)
        assert_float_equal(p->times[i], (double)ms[i] / 1000, 1.0 / 60000);
    assert_float_equal(p->duration_s, 7.04, 0.001); /* the last frame's time is the nominal one */
    free(p);
}

static void clocks_that_step_are_smoothed(void **state)
{
    (void)state;
    static const int64_t at_ms[] = {10000, 10040, 3000, 3040, 9000000, 9000040, 9000040};
    static const double seen[] = {0, 0.04, 0.08, 0.12, 0.16, 0.20, 0.24};
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    for (size_t i = 0; i < sizeof at_ms / sizeof *at_ms; i++)
        assert_int_equal(VG_OK, put((int)i, at_ms[i] * 1000000));
    OK(video_recorder_close(&b.r, err));
    probe *p = probe_open(only_file());
    assert_int_equal(sizeof seen / sizeof *seen, p->n);
    for (int i = 0; i < p->n; i++)
        assert_float_equal(p->times[i], seen[i], 2.0 / 60000);
    free(p);
}

static void pixels_come_back_in_odd_and_large_sizes(void **state)
{
    (void)state;
    static const int sizes[][2] = {{96, 64}, {97, 65}, {641, 33}, {2, 2}, {1, 1}, {1280, 721}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int w = sizes[i][0], h = sizes[i][1], even_w = (w + 1) & ~1, even_h = (h + 1) & ~1;
        char stem[16];
        snprintf(stem, sizeof stem, "cam%zu", i);
        b.o.stem = stem;
        b.o.one_file = true;
        OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
        for (int t = 0; t < 3; t++) {
            const image_view v = draw(w, h, 0, false);
            OK(video_recorder_write(b.r, &v, t * S / 25, 0, err));
        }
        OK(video_recorder_close(&b.r, err));
        char name[64];
        snprintf(name, sizeof name, "cam%zu.mp4", i);
        probe *p = probe_open(in(name));
        assert_int_equal(even_w, p->w);
        assert_int_equal(even_h, p->h);
        free(p);
        uint8_t *rgb = probe_pixels(in(name), 1, even_w, even_h);
        double sum = 0, edges = 0;
        for (int y = 0; y < even_h; y++)
            for (int x = 0; x < even_w; x++)
                for (int c = 0; c < 3; c++) {
                    const int from_x = x < w ? x : w - 1, from_y = y < h ? y : h - 1;
                    const int d =
                        rgb[(y * even_w + x) * 3 + c] -
                        b.pixels[((size_t)from_y * (size_t)w + (size_t)from_x) * 3 + (size_t)c];
                    sum += abs(d);
                    if (x >= w - 1 || y >= h - 1)
                        edges = abs(d) > edges ? abs(d) : edges;
                }
        /* A wrong matrix or range is off by 6 and more on the average. */
        assert_true(sum / (even_w * even_h * 3) < 3);
        assert_true(edges < 12);
        free(rgb);
    }
}

/* Nothing beyond the last pixel is read: behind it is a page that must not be. */
static void pictures_may_end_where_memory_does(void **state)
{
    (void)state;
    static const int sizes[][2] = {{96, 64}, {97, 65}, {1281, 33}, {5, 3}, {1, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int w = sizes[i][0], h = sizes[i][1];
        const size_t page = 4096, bytes = (size_t)w * (size_t)h * 3,
                     whole = (bytes + page - 1) / page * page;
        uint8_t *map =
            mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(map != MAP_FAILED);
        assert_int_equal(0, mprotect(map + whole, page, PROT_NONE));
        image_view v = draw(w, h, 0, false);
        v.data = memcpy(map + whole - bytes, v.data, bytes);
        OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
        for (int t = 0; t < 3; t++)
            OK(video_recorder_write(b.r, &v, t * S / 25, 0, err));
        OK(video_recorder_close(&b.r, err));
        munmap(map, whole + page);
    }
}

static void nothing_of_ours_is_allocated_by_writes(void **state)
{
    (void)state;
    b.o.segment_s = 0.2;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    const uint64_t before = b.mem.n_allocs;
    put_many(20, 0, S / 25);
    assert_int_equal(before, b.mem.n_allocs);
}

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

/* ---- segments ---- */

static void segments_end_by_time_before_a_key_frame(void **state)
{
    (void)state;
    b.o.segment_s = 1;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(85, 0, S / 25);
    OK(video_recorder_close(&b.r, err));
    probe_list *l = probe_files(b.folder, "cam-", ".mp4");
    assert_int_equal(4, l->n);
    int sum = 0, n_short = 0;
    for (int i = 0; i < l->n; i++) {
        const int n = probe_whole(l->paths[i]); /* begins with a key frame at 0 */
        n_short += n != 25;
        sum += n;
    }
    assert_int_equal(85, sum);
    assert_int_equal(1, n_short);
    free(l);
}

static void segments_end_by_size(void **state)
{
    (void)state;
    b.o.segment_bytes = 50000;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    for (int i = 0; i < 60; i++) {
        const image_view v = draw(W, H, i, true);
        OK(video_recorder_write(b.r, &v, i * S / 25, 0, err));
    }
    OK(video_recorder_close(&b.r, err));
    probe_list *l = probe_files(b.folder, "cam-", ".mp4");
    assert_true(l->n >= 4);
    int sum = 0;
    for (int i = 0; i < l->n; i++) {
        sum += probe_whole(l->paths[i]);
        assert_true(probe_bytes(l->paths[i]) < 50000 + 20000); /* one frame and the boxes more */
    }
    assert_int_equal(60, sum);
    free(l);
}

static void another_size_is_another_segment(void **state)
{
    (void)state;
    static const int sizes[][2] = {{96, 64}, {64, 64}, {64, 31}, {97, 31}};
    b.o.one_file = true;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    for (int i = 0; i < 40; i++) {
        const image_view v = draw(sizes[i / 10][0], sizes[i / 10][1], i, false);
        OK(video_recorder_write(b.r, &v, i * S / 25, 0, err));
    }
    OK(video_recorder_close(&b.r, err));
    static const char *const names[] = {"cam.mp4", "cam-2.mp4", "cam-3.mp4", "cam-4.mp4"};
    for (int i = 0; i < 4; i++) {
        probe *p = probe_open(in(names[i]));
        assert_int_equal(10, p->n_frames);
        assert_int_equal((sizes[i][0] + 1) & ~1, p->w);
        assert_int_equal((sizes[i][1] + 1) & ~1, p->h);
        free(p);
    }
}

static void a_file_that_is_there_is_not_written_over(void **state)
{
    (void)state;
    FILE *f = fopen(in("cam.mp4"), "w");
    fputs("mine", f);
    fclose(f);
    b.o.one_file = true;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(5, 0, S / 25);
    OK(video_recorder_close(&b.r, err));
    assert_int_equal(4, probe_bytes(in("cam.mp4")));
    assert_int_equal(5, probe_whole(in("cam-2.mp4")));
}

static void an_ended_segment_is_followed_by_another(void **state)
{
    (void)state;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    OK(video_recorder_end_segment(b.r, err));
    put_many(5, 0, S / 25);
    OK(video_recorder_end_segment(b.r, err));
    assert_string_equal("", video_recorder_path(b.r));
    assert_int_equal(5, probe_whole(only_file()));
    put_many(7, S, S / 25);
    OK(video_recorder_close(&b.r, err));
    probe_list *l = probe_files(b.folder, "cam-", ".mp4");
    assert_int_equal(2, l->n);
    assert_int_equal(12, probe_whole(l->paths[0]) + probe_whole(l->paths[1]));
    free(l);
}

/* ---- retention ---- */

static void copy_file(const char *to, const char *from)
{
    char command[2048];
    snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
    assert_int_equal(0, system(command));
}

static void only_the_oldest_of_this_stem_are_removed(void **state)
{
    (void)state;
    static const char *const others[] = {
        "cam-20200101-000000.mp4",   /* named like ours, but not by a recorder */
        "cam-20200101-000001-2.mp4", /* another stem's recording under such a name */
        "cam2-20200101-000000.mp4",
        "cam-20200101-000000.txt",
        "cam-front-20200101-000000.mp4",
        "cam-20200101-0000.mp4",
        "cam.mp4"};
    b.o.stem = "cam2";
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(3, 0, S / 25);
    char of_cam2[512];
    snprintf(of_cam2, sizeof of_cam2, "%s", video_recorder_path(b.r));
    OK(video_recorder_close(&b.r, err));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        copy_file(in(others[i]), i == 1 ? of_cam2 : "/dev/null");

    b.o.stem = "cam";
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(3, 0, S / 25);
    char of_cam[512];
    snprintf(of_cam, sizeof of_cam, "%s", video_recorder_path(b.r));
    OK(video_recorder_close(&b.r, err));
    copy_file(in("cam-20210101-000000.mp4"), of_cam); /* of an earlier run */
    copy_file(in("cam-20210101-000000-2.mp4"), of_cam);
    copy_file(in("cam-20210101-000000-10.mp4"), of_cam);
    assert_int_equal(0, mkdir(in("cam-20200102-000000.mp4"), 0777));

    /* Two and the foreign two that are named alike are over a limit of six, with the new one. */
    b.o.keep_n = 6;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(3, 0, S / 25);
    OK(video_recorder_close(&b.r, err));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(0, access(in(others[i]), F_OK));
    assert_int_equal(0, access(of_cam2, F_OK));
    assert_int_equal(0, access(in("cam-20200102-000000.mp4"), F_OK));

    b.o.keep_n = 3;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(3, 0, S / 25);
    OK(video_recorder_close(&b.r, err));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(0, access(in(others[i]), F_OK));
    assert_int_not_equal(0, access(in("cam-20210101-000000.mp4"), F_OK));
    assert_int_not_equal(0, access(in("cam-20210101-000000-2.mp4"), F_OK));
    assert_int_not_equal(0, access(in("cam-20210101-000000-10.mp4"), F_OK));
    assert_int_equal(0, access(of_cam, F_OK));
}

static void many_old_ones_go_at_once(void **state)
{
    (void)state;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(3, 0, S / 25);
    char first[512], name[64];
    snprintf(first, sizeof first, "%s", video_recorder_path(b.r));
    OK(video_recorder_close(&b.r, err));
    for (int i = 0; i < 200; i++) { /* more than are looked at at a time */
        snprintf(name, sizeof name, "cam-20210101-%06d.mp4", (i * 37) % 200);
        copy_file(in(name), first);
    }
    b.o.keep_n = 10;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(3, 0, S / 25);
    OK(video_recorder_close(&b.r, err));
    probe_list *l = probe_files(b.folder, "cam-", ".mp4");
    assert_int_equal(10, l->n);
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "cam-20210101-%06d.mp4", 192 + i);
        assert_string_equal(in(name), l->paths[i]);
    }
    free(l);
}

static void bytes_of_all_segments_stay_below_their_limit(void **state)
{
    (void)state;
    b.o.keep_bytes = 300000;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    for (int i = 0; i < 200; i++) {
        const image_view v = draw(W, H, i, true);
        OK(video_recorder_write(b.r, &v, i * S / 25, 0, err));
        probe_list *l = probe_files(b.folder, "cam-", ".mp4");
        long sum = 0;
        for (int k = 0; k < l->n; k++)
            sum += probe_bytes(l->paths[k]);
        assert_true(sum < 300000 + 10000);
        assert_true(i < 100 || sum > 150000); /* and is used */
        free(l);
    }
}

static void segments_without_end_take_nothing(void **state)
{
    (void)state;
    b.o.segment_s = 0.01;
    b.o.keep_n = 3;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(40, 0, S / 25);
    const size_t library = base_mem_library_bytes();
    const int n_open = folder_count_entries("/proc/self/fd");
    put_many(300, 10 * S, S / 25);
    assert_true(base_mem_library_bytes() <= library + 65536);
    assert_int_equal(n_open, folder_count_entries("/proc/self/fd"));
    probe_list *l = probe_files(b.folder, "cam-", ".mp4");
    assert_int_equal(3, l->n);
    free(l);
}

/* ---- what cannot be ---- */

static void encoders_by_name(void **state)
{
    (void)state;
    vg_error e = {0};
    b.o.codec = "h265000";
    assert_int_equal(VG_ERR_UNSUPPORTED, video_recorder_create(&b.r, &b.o, &b.mem, &e));
    assert_non_null(strstr(e.what, "h265000"));
    b.o.codec = "aac";
    assert_int_equal(VG_ERR_UNSUPPORTED, video_recorder_create(&b.r, &b.o, &b.mem, &e));
    b.o.codec = "gif"; /* an encoder, but not of yuv420p */
    assert_int_equal(VG_ERR_UNSUPPORTED, video_recorder_create(&b.r, &b.o, &b.mem, &e));
    b.o.codec = "mpeg4";
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    assert_string_equal("mpeg4", video_recorder_encoder(b.r));
    put_many(30, 0, S / 25);
    OK(video_recorder_close(&b.r, err));
    assert_int_equal(30, probe_whole(only_file()));
}

static void a_stream_that_mp4_does_not_hold_is_told(void **state)
{
    (void)state;
    vg_error e = {0};
    b.o.codec = "ffv1"; /* not in this muxer's table, whatever its version */
    if (video_recorder_create(&b.r, &b.o, &b.mem, &e) != VG_OK)
        skip();
    const image_view v = draw(W, H, 0, false);
    assert_int_equal(VG_ERR_UNSUPPORTED, video_recorder_write(b.r, &v, 0, 0, &e));
    assert_int_equal(0, folder_count_entries(b.folder));
}

static void a_folder_that_cannot_be_is_told(void **state)
{
    (void)state;
    vg_error e = {0};
    b.o.folder = "/proc/no-such-place";
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    const image_view v = draw(W, H, 0, false);
    assert_int_equal(VG_ERR_IO, video_recorder_write(b.r, &v, 0, 0, &e));
    assert_int_equal(VG_ERR_IO, video_recorder_write(b.r, &v, S, 0, &e));
    OK(video_recorder_close(&b.r, err));
    const image_view none = {.data = b.pixels};
    b.o.folder = b.folder;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    assert_int_equal(VG_ERR_ARGUMENT, video_recorder_write(b.r, &none, 0, 0, &e));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

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
        TEST(times_are_those_of_the_frames),
        TEST(clocks_that_step_are_smoothed),
        TEST(pixels_come_back_in_odd_and_large_sizes),
        TEST(pictures_may_end_where_memory_does),
        TEST(nothing_of_ours_is_allocated_by_writes),
        TEST(a_killed_recording_plays_but_for_its_last_second),
        TEST(a_full_disk_ends_a_segment_well_and_the_next_goes_on),
        TEST(a_disk_of_200_kb_says_that_it_is_full),
        TEST(a_recording_that_ends_on_a_full_disk_is_whole),
        TEST(segments_end_by_time_before_a_key_frame),
        TEST(segments_end_by_size),
        TEST(another_size_is_another_segment),
        TEST(a_file_that_is_there_is_not_written_over),
        TEST(an_ended_segment_is_followed_by_another),
        TEST(only_the_oldest_of_this_stem_are_removed),
        TEST(many_old_ones_go_at_once),
        TEST(bytes_of_all_segments_stay_below_their_limit),
        TEST(segments_without_end_take_nothing),
        TEST(closed_segments_are_brought_to_the_disk),
        TEST(a_slow_disk_holds_nobody),
        TEST(encoders_by_name),
        TEST(a_stream_that_mp4_does_not_hold_is_told),
        TEST(a_folder_that_cannot_be_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
