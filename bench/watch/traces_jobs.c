/* traces_jobs.c: the third family, on which nothing was tuned: whole jobs. Beside the series stand
 * the job's work (epochs, requests, reconnects, runs, bytes read) and other resources. Caches fill
 * in a straight line to their bound; leaks come per reconnect, after a warm-up, on a saw-tooth,
 * with the day, in stairs by the epoch, and in several resources at once. Readings every 5 to 60 s,
 * machines of 2 to 128 GB. */
#include "traces.h"

#include <math.h>
#include <string.h>

static const double hour = 3600, turn = 6.283185307179586;

static double flat(uint64_t *s, double a, double b)
{
    return a + (b - a) * trace_uniform(s);
}

static double steep(uint64_t *s, double a, double b)
{
    return a * pow(b / a, trace_uniform(s));
}

static double waits(uint64_t *s, double mean)
{
    return -mean * log(1 - trace_uniform(s));
}

/* An idle job: a level of pages, and what comes and goes by each reading. */
static void open_job(trace *t, uint64_t *s)
{
    static const double intervals[] = {5, 10, 20, 30, 60};
    const double every = intervals[(int)flat(s, 0, 5)], late = flat(s, 0, 0.1) * every;
    t->limit = steep(s, 2e9, 128e9);
    t->headroom = t->limit * flat(s, 0.3, 0.8);
    t->onset_s = 0;
    t->end_s = INFINITY;
    t->first_s = t->slope_per_s = NAN;
    t->counts = false;
    t->expect_rss = 0;
    memset(t->has, 0, sizeof t->has);
    const double size = steep(s, 0.0005, 0.01) * t->headroom, keep = flat(s, 0, 0.9);
    double e = 0;
    t->n = 0;
    for (double x = 0; x < 48 * hour && t->n < TRACE_MOST; x += every, t->n++) {
        e = keep * e + (1 - keep) * (trace_uniform(s) + trace_uniform(s) - 1);
        t->time_s[t->n] = x + flat(s, 0, late);
        t->value[t->n] = t->limit - t->headroom + 2 * size * e;
        t->leaked[t->n] = 0;
    }
}

/* Ends the trace where the limit kills, and finds when the leak alone would have. */
static void close_job(trace *t)
{
    for (int i = 0; i < t->n; i++) {
        t->value[i] = 4096 * floor((t->value[i] + t->leaked[i]) / 4096);
        if (t->value[i] >= t->limit) {
            t->first_s = t->time_s[i];
            t->n = i;
        }
    }
    if (isinf(t->end_s) && isfinite(t->first_s) && t->leaked[t->n - 1] > 0)
        t->end_s = t->first_s;
}

static void add(trace *t, int i, double part)
{
    t->value[i] += part * t->headroom;
}

/* A count that moves at a pace by the day: pace(x) = 1 + swing sin(x). Its sum, in hours. */
typedef struct load {
    double per_h, swing, phase;
} load;

static load load_of(uint64_t *s, double least_swing, double most_swing)
{
    return (load){steep(s, 200, 2e5), flat(s, least_swing, most_swing), flat(s, 0, turn)};
}

static double pace_at(const load *l, double time_s)
{
    return 1 + l->swing * sin(turn * time_s / (24 * hour) + l->phase);
}

static double hours_at(const load *l, double time_s)
{
    const double w = turn / 24, x = time_s / hour;
    return x + l->swing / w * (cos(l->phase) - cos(w * x + l->phase));
}

static void serve(trace *t, const load *l)
{
    t->has[TRACE_REQUESTS] = true;
    for (int i = 0; i < t->n; i++)
        t->beside[TRACE_REQUESTS][i] = floor(l->per_h * hours_at(l, t->time_s[i]));
}

static void train(trace *t, double epoch_s)
{
    t->has[TRACE_EPOCHS] = true;
    for (int i = 0; i < t->n; i++)
        t->beside[TRACE_EPOCHS][i] = floor(t->time_s[i] / epoch_s);
}

/* Evaluation at each epoch's end takes more, and gives it back. */
static void evaluate(trace *t, uint64_t *s, double epoch_s)
{
    const double part = flat(s, 0.05, 0.2), high = flat(s, 0, 0.1);
    for (int i = 0; i < t->n; i++)
        if (fmod(t->time_s[i], epoch_s) > (1 - part) * epoch_s)
            add(t, i, high);
}

/* ---- what ends ---- */

static void fill(trace *t, double full_s, double part)
{
    for (int i = 0; i < t->n; i++)
        add(t, i, part * fmin(t->time_s[i] / full_s, 1));
}

static double part_that_fills(uint64_t *s)
{
    return flat(s, 0.15, 0.5);
}

/* The dataset is kept as it is read, in the first epoch. */
static void cached_data(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double full = steep(s, 0.7 * hour, 15 * hour), part = part_that_fills(s),
                 unpacked = steep(s, 0.8, 40);
    fill(t, full, part);
    train(t, full);
    t->has[TRACE_INPUT] = true;
    for (int i = 0; i < t->n; i++)
        t->beside[TRACE_INPUT][i] =
            3e8 + part * t->headroom / unpacked * fmin(t->time_s[i] / full, 1);
    close_job(t);
}

/* The disk is what is slow: as more is found in the cache, more requests are answered. */
static void cold_cache(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double full = steep(s, 0.7 * hour, 15 * hour), part = part_that_fills(s),
                 per_h = steep(s, 500, 5e4);
    fill(t, full, part);
    t->has[TRACE_INPUT] = t->has[TRACE_REQUESTS] = true;
    double answered = 0, was = 0;
    for (int i = 0; i < t->n; i++) {
        const double x = t->time_s[i], held = fmin(x / full, 1);
        answered += per_h * (x - was) / hour / (1 - 0.95 * held);
        was = x;
        t->beside[TRACE_INPUT][i] = part * t->headroom * held + 10 * answered;
        t->beside[TRACE_REQUESTS][i] = floor(answered);
    }
    close_job(t);
}

static void told_cache(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double part = part_that_fills(s);
    fill(t, steep(s, 0.7 * hour, 15 * hour), part);
    t->expect_rss = t->limit - t->headroom * (1 - part * flat(s, 1.02, 1.3));
    close_job(t);
}

static void bare_cache(trace *t, uint64_t *s)
{
    open_job(t, s);
    fill(t, steep(s, 0.7 * hour, 15 * hour), part_that_fills(s));
    const load l = load_of(s, 0, 0);
    serve(t, &l);
    close_job(t);
}

static void small_cache(trace *t, uint64_t *s)
{
    open_job(t, s);
    const load l = load_of(s, 0, 0.5);
    const double full = steep(s, 0.3, 15), part = flat(s, 0.02, 0.12);
    serve(t, &l);
    for (int i = 0; i < t->n; i++)
        add(t, i, part * fmin(hours_at(&l, t->time_s[i]) / full, 1));
    close_job(t);
}

static void loaded(trace *t, uint64_t *s)
{
    open_job(t, s);
    const load l = load_of(s, 0.3, 0.9);
    const double part = flat(s, 0.03, 0.2);
    serve(t, &l);
    for (int i = 0; i < t->n; i++)
        add(t, i, part * pace_at(&l, t->time_s[i]) / 2);
    close_job(t);
}

/* An allocator that settles: each epoch adds a part of what the one before did. */
static void settles(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double epoch = steep(s, 300, 2 * hour), first = flat(s, 0.02, 0.12),
                 less = flat(s, 0.3, 0.75);
    train(t, epoch);
    evaluate(t, s, epoch);
    for (int i = 0; i < t->n; i++)
        add(t, i, first * (1 - pow(less, floor(t->time_s[i] / epoch))) / (1 - less));
    close_job(t);
}

/* Written when it is full, by size or by the clock. */
static void buffer(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double high = flat(s, 0.02, 0.15), mean = steep(s, 120, 4 * hour);
    double from = 0, length = waits(s, mean);
    for (int i = 0; i < t->n; i++) {
        if (t->time_s[i] - from > length) {
            from = t->time_s[i];
            length = fmin(waits(s, mean), 2 * mean);
        }
        add(t, i, high * (t->time_s[i] - from) / (2 * mean));
    }
    close_job(t);
}

static void nightly(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double at = flat(s, 0, 24), lasts = flat(s, 0.5, 4), high = flat(s, 0.05, 0.4),
                 loads = steep(s, 5, 150) / hour;
    for (int i = 0; i < t->n; i++) {
        const double x = fmod(t->time_s[i] / hour + at, 24);
        add(t, i, x < lasts ? high * fmin(fmin(x, lasts - x) / loads, 1) : 0);
    }
    close_job(t);
}

/* The same, and takes long to load: until it has, nobody can tell. */
static void slow_batch(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double at = flat(s, 0, 24), loads = steep(s, 5, 60) / 60, lasts = flat(s, 3, 6) * loads,
                 high = flat(s, 0.15, 0.5);
    for (int i = 0; i < t->n; i++) {
        const double x = fmod(t->time_s[i] / hour + at, 24);
        add(t, i, x < lasts ? high * fmin(fmin(x, lasts - x) / loads, 1) : 0);
    }
    close_job(t);
}

/* Work comes faster than it is done, and then it does not. */
static void backlog(trace *t, uint64_t *s)
{
    open_job(t, s);
    double until = 0, slope = 0, held = 0, was = 0;
    const double most = flat(s, 0.03, 0.12);
    for (int i = 0; i < t->n; i++) {
        const double x = t->time_s[i];
        if (x > until) {
            until = x + waits(s, steep(s, 0.2, 3) * hour);
            slope = (trace_uniform(s) < 0.4 ? 1 : -1.5) * most / steep(s, 0.3 * hour, 3 * hour);
        }
        held = fmin(fmax(held + slope * (x - was), 0), most);
        was = x;
        add(t, i, held);
    }
    close_job(t);
}

/* Connections are opened as they are wanted, up to the pool's bound. */
static void pool(trace *t, uint64_t *s)
{
    open_job(t, s);
    const load l = load_of(s, 0.2, 0.8);
    const double most = flat(s, 10, 120), settled = steep(s, 0.2 * hour, 6 * hour);
    double held = 0;
    serve(t, &l);
    t->has[TRACE_FDS] = t->has[TRACE_THREADS] = true;
    for (int i = 0; i < t->n; i++) {
        const double wanted =
            most * (1 - exp(-t->time_s[i] / settled)) * flat(s, 0.7, 1) * pace_at(&l, t->time_s[i]);
        held = fmax(held, floor(fmin(wanted, most)));
        t->beside[TRACE_FDS][i] = 40 + held + floor(flat(s, 0, 5));
        t->beside[TRACE_THREADS][i] = 12 + floor(held / 4);
        add(t, i, 0.05 * held / most);
    }
    close_job(t);
}

/* ---- what does not ---- */

static void leak(trace *t, double onset_s, double lasts_s)
{
    t->onset_s = onset_s;
    t->end_s = onset_s + lasts_s;
    t->slope_per_s = t->headroom / lasts_s;
    for (int i = 0; i < t->n; i++)
        t->leaked[i] = t->slope_per_s * fmax(t->time_s[i] - onset_s, 0);
}

static void plain(trace *t, uint64_t *s)
{
    open_job(t, s);
    const load l = load_of(s, 0, 0);
    serve(t, &l);
    leak(t, trace_uniform(s) < 0.5 ? 0 : flat(s, 0, 20) * hour, steep(s, 1, 80) * hour);
    close_job(t);
}

/* A camera drops out at random; each connection keeps its buffers, sockets and a thread. */
static void by_reconnect(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double lasts = steep(s, 4, 80) * hour, all = steep(s, 60, 2000), each = t->headroom / all,
                 fds = floor(flat(s, 0, fmin(3, 900 / all)));
    double next = 0, n = 0;
    t->has[TRACE_RECONNECTS] = t->has[TRACE_FDS] = true;
    for (int i = 0; i < t->n; i++) {
        while (t->time_s[i] > next) {
            n++;
            next += waits(s, lasts / all);
        }
        t->leaked[i] = each * n;
        t->end_s = lasts; /* as expected */
        t->beside[TRACE_RECONNECTS][i] = n;
        t->beside[TRACE_FDS][i] = fmin(60 + fds * n + floor(flat(s, 0, 4)), 1023);
    }
    close_job(t);
}

static void after_warm_up(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double tau = steep(s, 0.1, 4) * hour, high = flat(s, 0.05, 0.3);
    for (int i = 0; i < t->n; i++)
        add(t, i, high * (1 - exp(-t->time_s[i] / tau)));
    leak(t, flat(s, 0, 3) * tau, steep(s, 6, 70) * hour);
    t->end_s -= high * t->headroom / t->slope_per_s;
    close_job(t);
}

static void on_teeth(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double period = steep(s, 300, 3 * hour), high = flat(s, 0.03, 0.15);
    double from = 0, length = period;
    for (int i = 0; i < t->n; i++) {
        if (t->time_s[i] - from > length) {
            from += length;
            length = period * flat(s, 0.6, 1.2);
        }
        add(t, i, high * (t->time_s[i] - from) / period);
    }
    leak(t, 0, steep(s, 12, 80) * hour);
    close_job(t);
}

/* Each request keeps a little; their buffers rise and fall with the load. */
static void by_the_day(trace *t, uint64_t *s)
{
    open_job(t, s);
    const load l = load_of(s, 0.3, 0.9);
    const double lasts = steep(s, 12, 80), high = flat(s, 0, 0.06);
    serve(t, &l);
    for (t->end_s = 0; hours_at(&l, t->end_s) < lasts; t->end_s += 60)
        ;
    for (int i = 0; i < t->n; i++) {
        t->leaked[i] = t->headroom * hours_at(&l, t->time_s[i]) / lasts;
        add(t, i, high * pace_at(&l, t->time_s[i]) / 2);
    }
    close_job(t);
}

static void by_epoch(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double lasts = steep(s, 6, 80) * hour, epoch = lasts / flat(s, 25, 150);
    train(t, epoch);
    evaluate(t, s, epoch);
    leak(t, 0, lasts);
    for (int i = 0; i < t->n; i++)
        t->leaked[i] = t->slope_per_s * epoch * t->beside[TRACE_EPOCHS][i];
    close_job(t);
}

/* Sockets, threads and memory together; the memory ends first. */
static void several(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double lasts = steep(s, 4, 80) * hour, first = steep(s, 0.2, 0.9);
    t->has[TRACE_FDS] = t->has[TRACE_THREADS] = true;
    leak(t, 0, lasts);
    for (int i = 0; i < t->n; i++) {
        const double n = floor(900 * first * t->time_s[i] / lasts);
        t->beside[TRACE_FDS][i] = fmin(80 + n, 1023) + floor(flat(s, 0, 3));
        t->beside[TRACE_THREADS][i] = 20 + floor(n / 4);
    }
    close_job(t);
}

/* Work comes in batches, with pauses; each request keeps its part. */
static void in_batches(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double lasts = steep(s, 6, 60) * hour, batch = steep(s, 300, 2 * hour),
                 per_s = steep(s, 1, 50);
    double until = 0, done = 0, was = 0;
    bool works = true;
    t->has[TRACE_REQUESTS] = true;
    for (int i = 0; i < t->n; i++) {
        const double x = t->time_s[i];
        if (x > until) {
            works = !works;
            until = x + fmin(waits(s, batch), 3 * batch);
        }
        done += works ? per_s * (x - was) : 0;
        was = x;
        t->beside[TRACE_REQUESTS][i] = floor(done);
        t->leaked[i] = t->headroom * 2 * done / per_s / lasts;
    }
    close_job(t);
}

/* Trainings one after another in a process, each of which leaves something behind. */
static void by_run(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double lasts = steep(s, 8, 80) * hour, run = lasts / flat(s, 30, 120),
                 high = flat(s, 0.02, 0.25);
    t->has[TRACE_RUNS] = true;
    leak(t, 0, lasts);
    for (int i = 0; i < t->n; i++) {
        const double n = floor(t->time_s[i] / run), x = t->time_s[i] / run - n;
        t->beside[TRACE_RUNS][i] = n + 1;
        t->leaked[i] = t->slope_per_s * run * n;
        add(t, i, high * fmin(8 * x, 1) * (x < 0.95));
    }
    close_job(t);
}

/* Looks as the cache of the data does, and goes on with every further epoch. */
static void keeps_data(trace *t, uint64_t *s)
{
    open_job(t, s);
    const double lasts = steep(s, 8, 80) * hour, epoch = lasts / flat(s, 15, 100),
                 unpacked = steep(s, 0.8, 40);
    train(t, epoch);
    leak(t, 0, lasts);
    t->has[TRACE_INPUT] = true;
    for (int i = 0; i < t->n; i++)
        t->beside[TRACE_INPUT][i] = 3e8 + t->leaked[i] / unpacked;
    close_job(t);
}

const trace_class trace_jobs[] = {
    {"cache of the data, by the first epoch", TRACE_BENIGN, cached_data},
    {"cache on a slow disk", TRACE_BENIGN, cold_cache},
    {"cache, told by --expect-rss", TRACE_BENIGN, told_cache},
    {"cache to 2-12 %, by requests", TRACE_BENIGN, small_cache},
    {"buffers by the day's load", TRACE_BENIGN, loaded},
    {"settles by epochs", TRACE_BENIGN, settles},
    {"buffer that is written", TRACE_BENIGN, buffer},
    {"nightly job", TRACE_BENIGN, nightly},
    {"backlog", TRACE_BENIGN, backlog},
    {"pool of connections", TRACE_BENIGN, pool},
    {"cache to 15-50 %, nothing beside it", TRACE_OPEN, bare_cache},
    {"batch that loads 15-50 % for 5-60 min", TRACE_OPEN, slow_batch},
    {"leak, 1-80 h", TRACE_LEAK, plain},
    {"leak per reconnect", TRACE_LEAK, by_reconnect},
    {"leak after a warm-up", TRACE_LEAK, after_warm_up},
    {"leak on a saw-tooth", TRACE_LEAK, on_teeth},
    {"leak with the day", TRACE_LEAK, by_the_day},
    {"leak in stairs by epoch", TRACE_LEAK, by_epoch},
    {"leak of several resources", TRACE_LEAK, several},
    {"leak in batches of requests", TRACE_LEAK, in_batches},
    {"leak per training", TRACE_LEAK, by_run},
    {"leak of data kept by every epoch", TRACE_LEAK, keeps_data},
};
const size_t trace_n_jobs = sizeof trace_jobs / sizeof trace_jobs[0];
