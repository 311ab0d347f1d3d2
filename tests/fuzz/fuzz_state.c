/* fuzz_state.c: a guard's state whose bytes were changed: what is believed can be gone on with.
 *
 * An input is a list of changes, nine bytes each: a place (3 bytes), what to put there (a byte that
 * chooses, then up to 5 raw ones); applied to the state of a judge that has seen a leak. */
#include <math.h>
#include <string.h>

#include "watch/guard/state.h"
#include "watch/judge/judge.h"

static base_mem mem = {.tag = "fuzz"};

/* A few of the series: what is loaded is the same for each, and a judge of all takes a second. */
enum { EVERY = 9 };

static void push(watch_judge *j, double t)
{
    watch_sample s;
    watch_event e;
    watch_sample_clear(&s, t);
    for (int i = 0; i < WATCH_N_SERIES; i += EVERY)
        s.value[i] = 1e6 + 1000 * t + i;
    watch_judge_push(j, &s);
    while (watch_judge_next(j, &e))
        continue;
}

static void change(uint8_t *state, size_t n, const uint8_t *c)
{
    static const int64_t values[] = {-1, INT64_MIN, INT64_MAX, 0, 1, 0x7fffffff, 64, 1 << 20};
    static const double numbers[] = {NAN, INFINITY, -1e300, 1e300, 1e29, -0.0, 1e-300};
    const size_t at = (size_t)(c[0] | c[1] << 8 | c[2] << 16) % n, room = n - at;
    uint8_t put[8];
    memcpy(put, &values[c[3] % 8], 8);
    if (c[3] >= 64 && c[3] < 128)
        memcpy(put, &numbers[c[3] % 7], 8);
    if (c[3] >= 128)
        memcpy(put, c + 4, 5);
    const size_t k = c[3] >= 192 ? 1 + c[3] % 4 : c[3] >= 128 ? 5 : 8;
    memcpy(state + at, put, k < room ? k : room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static watch_judge *seen, *j;
    static uint8_t *saved, *changed;
    static double end_s;
    vg_error err;
    if (seen == NULL) {
        const watch_judge_options o = {0};
        if (watch_judge_create(&seen, &o, &mem, &err) != VG_OK ||
            watch_judge_create(&j, &o, &mem, &err) != VG_OK)
            return 0;
        for (; end_s < 1500; end_s += 5)
            push(seen, end_s);
        saved = base_alloc(&mem, watch_judge_state_bytes(seen), &err);
        changed = base_alloc(&mem, watch_judge_state_bytes(seen), &err);
        watch_judge_save(seen, saved);
    }
    const size_t n_state = watch_judge_state_bytes(seen);
    memcpy(changed, saved, n_state);
    for (size_t at = 0; at + 9 <= n; at += 9)
        change(changed, n_state, data + at);
    watch_state_facts f = {0};
    memcpy(&f, data, n < sizeof f ? n : sizeof f);
    watch_state_check(&f, 1);
    if (watch_judge_load(j, changed, n_state, &err) != VG_OK)
        return 0;
    watch_event e;
    for (int i = 0; i < 8; i++)
        push(j, end_s + 5 * i);
    for (int s = 0; s < WATCH_N_SERIES; s++)
        watch_judge_get(j, (watch_series)s, &e);
    return 0;
}
