/* guard_bed.h: shell commands in the guard's hands, and what it said of them. Include it first:
 * base poisons what it needs. */
#ifndef TESTS_WATCH_GUARD_BED_H
#define TESTS_WATCH_GUARD_BED_H

#include "archive.h"
#include "support/ok.h"
#include "temp.h"

#include <signal.h>
#include <sys/wait.h>

#include "watch/guard/acts.h" /* and job.h, which the tests have one of their own of */
#include "watch/watch.h"

static base_mem mem = {.tag = "test"};

typedef struct told {
    char notes[16384];
    int n_samples;
    int stop_after;        /* samples; 0: never */
    const char *end_when;  /* a note; then the job is shown the file `end`. NULL: never */
    const char *stop_when; /* a note; then the guard is told to stop */
    bool wants_stop;
    uint64_t allocs_at_10, allocs;
} told;

static inline void hear_note(void *ctx, const char *what, const watch_moment *m)
{
    told *t = ctx;
    const size_t n = strlen(t->notes);
    (void)m;
    snprintf(t->notes + n, sizeof t->notes - n, "%s\n", what);
    if (t->end_when != NULL && strstr(what, t->end_when) != NULL)
        temp_write("end", "", 0);
    t->wants_stop |= t->stop_when != NULL && strstr(what, t->stop_when) != NULL;
}

static inline void hear_sample(void *ctx, const watch_moment *m)
{
    told *t = ctx;
    (void)m;
    if (++t->n_samples == 10)
        t->allocs_at_10 = mem.n_allocs;
    t->allocs = mem.n_allocs;
}

static inline bool hear_stop(void *ctx)
{
    const told *t = ctx;
    return t->wants_stop || (t->stop_after > 0 && t->n_samples >= t->stop_after);
}

static inline void fresh(told *t)
{
    *t = (told){0};
}

static inline watch_listener listen_to(told *t)
{
    return (watch_listener){
        .ctx = t, .note = hear_note, .sample = hear_sample, .wants_stop = hear_stop};
}

/* options: "name=value" words, ending with NULL. */
static inline void set(watch_options *o, const char *const *words)
{
    watch_options_default(o);
    OK(watch_options_set(o, "interval", "0.1", err));
    OK(watch_options_set(o, "history", "0", err));
    OK(watch_options_set(o, "backoff", "0.1", err));
    for (; *words != NULL; words++) {
        char name[64];
        const char *equal = strchr(*words, '=');
        snprintf(name, sizeof name, "%.*s", (int)(equal - *words), *words);
        OK(watch_options_set(o, name, equal + 1, err));
    }
}

/* Runs sh -c script, with $T the test's folder. */
static inline vg_status guard_sh(told *t, const char *script, const char *const *words, int *status)
{
    static watch_options o;
    char sh[] = "/bin/sh", c[] = "-c", text[4096];
    char *argv[] = {sh, c, text, NULL};
    watch_guard *g = NULL;
    vg_error err = {0};
    snprintf(text, sizeof text, "T=%s; %s", temp_folder, script);
    set(&o, words);
    char folder[512];
    snprintf(folder, sizeof folder, "%s", temp_path("guard"));
    mkdir(folder, 0755);
    *status = -1;
    vg_status st = watch_guard_create(&g, &o, argv, folder, &mem, &err);
    const watch_listener l = listen_to(t);
    if (st == VG_OK)
        st = watch_guard_run(g, &l, status, &err);
    watch_guard_destroy(&g);
    return st;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline void expect_note(const told *t, const char *text)
{
    if (strstr(t->notes, text) == NULL)
        fail_msg("no note \"%s\" in:\n%s", text, t->notes);
}

static inline int count_notes(const told *t, const char *text)
{
    int n = 0;
    for (const char *at = t->notes; (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

static inline int read_int(const char *name)
{
    int v = -1;
    FILE *f = fopen(temp_path(name), "r");
    if (f != NULL) {
        if (fscanf(f, "%d", &v) != 1)
            v = -1;
        fclose(f);
    }
    return v;
}

static inline bool lives(int pid)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return false;
    if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
        state = 'Z';
    fclose(f);
    return state != 'Z';
}

static inline int clean(void **state)
{
    char command[600];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s/*", temp_folder);
    return system(command);
}

#endif
