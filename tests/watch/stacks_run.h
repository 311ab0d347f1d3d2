/* stacks_run.h: a program with the sampler preloaded, which stops after each phase. Included by the
 * tests of it, after support/test.h. */
#ifndef TEST_STACKS_RUN_H
#define TEST_STACKS_RUN_H

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch/stacks/stacks_named.h"

enum { MOST_ENV = 8 };

#define test_near(a, b, by) assert_true(fabs((a) - (b)) <= (by))

typedef struct job {
    char folder[256];
    watch_stacks *stacks;
    pid_t pid;
    int to, from;
    base_mem mem;
    double t;
} job;

static inline void start(job *j, const char *program, const char *argument, size_t rate)
{
    char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)argument, NULL};
    watch_options o;
    const char *env[MOST_ENV] = {NULL};
    static watch_stacks_env room;
    vg_error err;
    int down[2], up[2];
    *j = (job){.t = 0};
    base_mem_init(&j->mem, "test", NULL, SIZE_MAX);
    base_format(j->folder, sizeof j->folder, "/tmp/vigil-stacks-XXXXXX");
    assert_non_null(mkdtemp(j->folder));
    assert_int_equal(watch_stacks_create(&j->stacks, j->folder, &j->mem, &err), VG_OK);
    watch_options_default(&o);
    o.stacks = true;
    o.stacks_rate_bytes = rate;
    assert_int_equal(watch_stacks_env_add(&room, env, MOST_ENV, &o, j->folder, &err), VG_OK);
    assert_int_equal(pipe(down) | pipe(up), 0);
    j->pid = fork();
    if (j->pid == 0) {
        dup2(down[0], 0);
        dup2(up[1], 1);
        for (int fd = 3; fd < 64; fd++)
            close(fd);
        for (size_t i = 0; i < MOST_ENV && env[i] != NULL; i++)
            putenv((char *)(uintptr_t)env[i]);
        execv(program, argv);
        _exit(127);
    }
    close(down[0]);
    close(up[1]);
    j->to = down[1];
    j->from = up[0];
}

static inline void await(job *j)
{
    char c;
    assert_int_equal(read(j->from, &c, 1), 1);
}

static inline void look(job *j)
{
    watch_stacks_look(j->stacks, j->t);
    j->t += 10;
}

static inline void go_on(job *j)
{
    assert_int_equal(write(j->to, ".", 1), 1);
}

static inline int finish(job *j)
{
    char path[512];
    int status;
    close(j->to);
    waitpid(j->pid, &status, 0);
    close(j->from);
    watch_stacks_destroy(&j->stacks);
    base_format(path, sizeof path, "%s/libvigil-stacks.so", j->folder);
    unlink(path);
    assert_int_equal(rmdir(j->folder), 0); /* nothing of it is left */
    assert_int_equal(j->mem.in_use_bytes, 0);
    return status;
}

/* Live bytes of one function's stacks. */
static inline double live_of(job *j, const char *function, size_t *n_blocks)
{
    watch_named n;
    vg_error err;
    double bytes = 0, count = 0;
    assert_int_equal(watch_named_make(&n, j->stacks, &j->mem, &err), VG_OK);
    for (size_t g = 0; g < n.n_groups; g++)
        if (n.groups[g].who != NULL &&
            strcmp(watch_named_text(&n, n.groups[g].who->function), function) == 0) {
            bytes += n.groups[g].bytes;
            count += n.groups[g].count;
        }
    watch_named_fini(&n);
    *n_blocks = (size_t)(count + 0.5);
    return bytes;
}

#endif
