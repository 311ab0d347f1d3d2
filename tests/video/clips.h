/* clips.h: video files that tests make with the program ffmpeg (setup.sh --tests brings it), and
 * sources that are read to their end. Include it before base, which poisons what it needs. */
#ifndef TESTS_VIDEO_CLIPS_H
#define TESTS_VIDEO_CLIPS_H

#include "base/folder.h"
#include "support/ok.h"

#include <signal.h>
#include <sys/wait.h>

#include "video/video.h"

static char folder[256];

static inline int clips_setup(void **state)
{
    (void)state;
    return folder_make(folder, sizeof folder);
}

static inline int clips_teardown(void **state)
{
    (void)state;
    return folder_remove(folder);
}

static inline const char *clip_path(const char *name)
{
    static char paths[8][512];
    static int at;
    char *path = paths[at++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* "exec ffmpeg ARGUMENTS" in the folder, in the background; its process id. */
static inline pid_t clip_start(const char *arguments)
{
    char line[2048];
    snprintf(line, sizeof line, "cd %s && exec ffmpeg -nostdin -v fatal -y %s", folder, arguments);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static inline void clip_stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static inline void clip_run(const char *arguments)
{
    int status = 0;
    pid_t pid = clip_start(arguments);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("ffmpeg %s: status %d (is the package ffmpeg there?)", arguments, status);
}

/* Makes it unless an earlier test has. TESTSRC: 25 frames a second of 160x120. */
static inline const char *clip_make(const char *name, const char *arguments)
{
    char line[1024];
    const char *path = clip_path(name);
    if (access(path, F_OK) != 0) {
        snprintf(line, sizeof line, "%s %s", arguments, name);
        clip_run(line);
    }
    return path;
}
#define TESTSRC "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v libx264 -g 10 -pix_fmt yuv420p "
#define MPEG2   "-f lavfi -i testsrc2=s=160x120:r=25:d=8 -c:v mpeg2video -b:v 2M "

typedef struct run {
    base_mem mem;
    atomic_bool stop;
    video_source *source;
    video_frame *frame;
    video_stream_info info;
    video_fault fault;
    vg_error err;
    video_source_counts counts;
    int n;
} run;

static inline void run_open(run *r, const video_source_options *o)
{
    *r = (run){.mem = {.tag = "test"}, .fault = VIDEO_N_FAULTS};
    OK(video_source_create(&r->source, o, &r->stop, &r->mem, err));
    OK(video_frame_create(&r->frame, &r->mem, err));
}

static inline void run_connect(run *r)
{
    if (video_source_connect(r->source, &r->info, &r->fault, &r->err) != VG_OK)
        fail_msg("connect: %s, at %s", r->err.what, r->err.where);
}

/* Reads on until something else than a frame comes, or `most` frames are in. */
static inline video_outcome run_read(run *r, int most)
{
    video_outcome outcome = VIDEO_FRAME;
    while (r->n < most &&
           (outcome = video_source_read(r->source, r->frame, &r->fault, &r->err)) == VIDEO_FRAME)
        r->n++;
    video_source_get_counts(r->source, &r->counts);
    return outcome;
}

static inline void run_close(run *r)
{
    video_frame_destroy(&r->frame);
    video_source_destroy(&r->source);
    assert_int_equal(r->mem.in_use_bytes, 0);
}

#endif
