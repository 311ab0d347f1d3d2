/* fuzz_trace.c: a trace that somebody sent: what is read is whole, and what is written of it is
 * read back the same. Then the judge hears it, as vigil watch --replay does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "watch/judge/judge.h"
#include "watch/tell/trace.h"

enum { MOST_SAMPLES = 60 }; /* a judge of every series takes a millisecond of each */

static void check_sample(const watch_sample *s)
{
    if (!isfinite(s->time_s))
        __builtin_trap();
    for (int i = 0; i < WATCH_N_SERIES; i++)
        if (isinf(s->value[i]))
            __builtin_trap();
    for (int i = 0; i < WATCH_N_TEXTS; i++) {
        if (memchr(s->text[i], '\0', sizeof s->text[i]) == NULL || !base_is_utf8(s->text[i]))
            __builtin_trap();
        for (const char *c = s->text[i]; *c != '\0'; c++)
            if ((unsigned char)*c < ' ' || *c == 0x7f)
                __builtin_trap();
    }
}

/* Written and read again: the same readings. */
static void check_written(const watch_sample *s, base_mem *mem)
{
    static char path[256]; /* a writer follows no links, so not one of /proc/self/fd */
    const char *folder = getenv("TMPDIR");
    vg_error err;
    watch_trace_writer *w = NULL;
    watch_trace_reader *r = NULL;
    watch_sample back;
    bool end = true, has_reading = false;
    base_format(path, sizeof path, "%.200s/vigil-fuzz-trace-%d.csv",
                folder != NULL ? folder : "/tmp", (int)getpid());
    for (int i = 0; i < WATCH_N_SERIES; i++)
        has_reading |= !isnan(s->value[i]);
    if (watch_trace_create(&w, path, mem, &err) != VG_OK || watch_trace_add(w, s, &err) != VG_OK ||
        watch_trace_finish(&w, &err) != VG_OK || watch_trace_open(&r, path, mem, &err) != VG_OK ||
        watch_trace_next(r, &back, &end, &err) != VG_OK)
        __builtin_trap();
    if (has_reading && (end || back.time_s != s->time_s))
        __builtin_trap();
    for (int i = 0; !end && i < WATCH_N_SERIES; i++)
        if (back.value[i] != s->value[i] && !(isnan(back.value[i]) && isnan(s->value[i])))
            __builtin_trap();
    for (int i = 0; !end && i < WATCH_N_TEXTS; i++)
        if (strcmp(back.text[i], s->text[i]) != 0)
            __builtin_trap();
    watch_trace_close(&r);
    unlink(path);
}

static void hear(watch_trace_reader *r, base_mem *mem)
{
    const watch_judge_options o = {0};
    watch_judge *judge = NULL;
    watch_sample s;
    watch_event e;
    vg_error err;
    bool end = false;
    double before_s = -INFINITY;
    if (watch_judge_create(&judge, &o, mem, &err) != VG_OK)
        return;
    for (int n = 0; n < MOST_SAMPLES && watch_trace_next(r, &s, &end, &err) == VG_OK && !end; n++) {
        check_sample(&s);
        if (!(s.time_s > before_s))
            __builtin_trap();
        before_s = s.time_s;
        if (n == 0)
            check_written(&s, mem);
        watch_judge_push(judge, &s);
        while (watch_judge_next(judge, &e))
            if (memchr(e.cause, '\0', sizeof e.cause) == NULL)
                __builtin_trap();
    }
    watch_judge_destroy(&judge);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    base_mem mem = {.tag = "fuzz"};
    vg_error err;
    char path[64];
    watch_trace_reader *r = NULL;
    const int fd = memfd_create("trace", 0);
    if (fd < 0)
        return 0;
    base_format(path, sizeof path, "/proc/self/fd/%d", fd);
    if (write(fd, bytes, n) == (ssize_t)n && watch_trace_open(&r, path, &mem, &err) == VG_OK)
        hear(r, &mem);
    watch_trace_close(&r);
    close(fd);
    if (mem.in_use_bytes != 0)
        __builtin_trap();
    return 0;
}
