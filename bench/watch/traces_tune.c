/* traces_tune.c: the family that the detector was tuned on. A reading every 10 s, 4 to 10 GB of
 * limit, parts added to a base. */
#include "traces.h"

#include <math.h>

static const double hour = 3600, pi = 3.14159265358979;

double trace_uniform(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

double trace_normal(uint64_t *seed)
{
    const double u = 1 - trace_uniform(seed);
    return sqrt(-2 * log(u)) * cos(2 * pi * trace_uniform(seed));
}

static double between(uint64_t *s, double low, double high)
{
    return low + (high - low) * trace_uniform(s);
}

static double log_between(uint64_t *s, double low, double high)
{
    return low * pow(high / low, trace_uniform(s));
}

/* A base and a limit, no noise yet. */
static void start(trace *t, uint64_t *s, double interval_s, double base)
{
    t->limit = between(s, 4e9, 10e9);
    const double level = base * t->limit;
    t->n = (int)(48 * hour / interval_s);
    for (int i = 0; i < t->n; i++) {
        t->time_s[i] = i * interval_s;
        t->value[i] = level;
        t->leaked[i] = 0;
    }
    t->headroom = t->limit - level;
    t->onset_s = 0;
    t->end_s = INFINITY;
    t->first_s = NAN;
    t->counts = false;
    t->slope_per_s = NAN;
}

static void usual(trace *t, uint64_t *s)
{
    start(t, s, 10, between(s, 0.3, 0.6));
}

/* Noise of sigma, part of the headroom; correlated with its neighbour by rho. */
static void noise(trace *t, uint64_t *s, double sigma, double rho)
{
    double e = 0;
    for (int i = 0; i < t->n; i++) {
        e = rho * e + sqrt(1 - rho * rho) * trace_normal(s);
        t->value[i] += sigma * t->headroom * e;
    }
}

static void usual_noise(trace *t, uint64_t *s)
{
    noise(t, s, log_between(s, 0.001, 0.01), trace_uniform(s) < 0.5 ? 0 : between(s, 0.5, 0.95));
}

/* A leak that ends lasts_s after onset_s when speed is constant (power 1). */
static void leak(trace *t, double onset_s, double lasts_s, double power)
{
    t->onset_s = onset_s;
    t->end_s = onset_s + lasts_s;
    t->slope_per_s = power == 1 ? t->headroom / lasts_s : NAN;
    for (int i = 0; i < t->n; i++)
        if (t->time_s[i] > onset_s)
            t->leaked[i] = t->headroom * pow((t->time_s[i] - onset_s) / lasts_s, power);
}

/* Adds the leak, and ends the trace where it kills. */
static void finish(trace *t)
{
    for (int i = 0; i < t->n; i++) {
        t->value[i] += t->leaked[i];
        if (t->value[i] >= t->limit) {
            t->first_s = t->time_s[i];
            t->n = i;
            break;
        }
    }
}

static void saw(trace *t, uint64_t *s, double period_s, double high)
{
    double at = -trace_uniform(s) * period_s, length = period_s, top = high * t->headroom;
    for (int i = 0; i < t->n; i++) {
        if (t->time_s[i] >= at + length) {
            at += length;
            length = period_s * between(s, 0.8, 1.2);
            top = high * t->headroom * between(s, 0.8, 1.1);
        }
        t->value[i] += top * (t->time_s[i] - at) / length;
    }
}

static void peaks(trace *t, uint64_t *s, double period_s, double lasts_s, double high)
{
    for (int i = 0; i < t->n; i++)
        if (fmod(t->time_s[i], period_s) < lasts_s)
            t->value[i] += high * t->headroom * between(s, 0.9, 1);
}

/* Requests at a pace of 1 + swing sin(omega t + phase), 3600 an hour on average. */
static void requests(trace *t, double swing, double phase)
{
    const double omega = 2 * pi / (24 * hour);
    t->has[TRACE_REQUESTS] = true;
    for (int i = 0; i < t->n; i++) {
        const double x = t->time_s[i];
        t->beside[TRACE_REQUESTS][i] =
            floor(x + swing / omega * (cos(phase) - cos(omega * x + phase)));
    }
}

static void epochs_of(trace *t, double epoch_s)
{
    t->has[TRACE_EPOCHS] = true;
    for (int i = 0; i < t->n; i++)
        t->beside[TRACE_EPOCHS][i] = floor(t->time_s[i] / epoch_s);
}

static void day(trace *t, uint64_t *s, double from_top_to_foot)
{
    const double phase = trace_uniform(s) * 2 * pi;
    double size = 1;
    for (int i = 0; i < t->n; i++) {
        if (i % 8640 == 0)
            size = between(s, 0.93, 1.07);
        t->value[i] += size * 0.5 * from_top_to_foot * t->headroom *
                       sin(2 * pi * t->time_s[i] / (24 * hour) + phase);
    }
    requests(t, 0.5, phase);
}

static void settle(trace *t, double tau_s, double part)
{
    for (int i = 0; i < t->n; i++)
        t->value[i] += part * t->headroom * (1 - exp(-t->time_s[i] / tau_s));
}

static void flat(trace *t, uint64_t *s)
{
    usual(t, s);
    noise(t, s, log_between(s, 0.0005, 0.03), 0);
}
static void flat_correlated(trace *t, uint64_t *s)
{
    usual(t, s);
    noise(t, s, log_between(s, 0.002, 0.03), 1 - log_between(s, 0.001, 0.2));
}
static void flat_spikes(trace *t, uint64_t *s)
{
    usual(t, s);
    usual_noise(t, s);
    for (int i = 0; i < t->n; i++)
        if (trace_uniform(s) < 0.01)
            t->value[i] += t->headroom * fmin(0.01 / pow(1 - trace_uniform(s), 1 / 1.5), 0.4);
}
static void warm_up(trace *t, uint64_t *s)
{
    usual(t, s);
    const double tau = log_between(s, 0.05 * hour, 8 * hour);
    settle(t, tau, between(s, 0.1, 0.6));
    epochs_of(t, tau / 10);
    usual_noise(t, s);
}
static void warm_up_log(trace *t, uint64_t *s)
{
    usual(t, s);
    const double tau = log_between(s, 60, 2 * hour), part = between(s, 0.1, 0.5);
    for (int i = 0; i < t->n; i++)
        t->value[i] += part * t->headroom * log1p(t->time_s[i] / tau) / log1p(48 * hour / tau);
    usual_noise(t, s);
}
static void cache(trace *t, uint64_t *s)
{
    usual(t, s);
    const double full = log_between(s, 0.2 * hour, 20 * hour), part = between(s, 0.03, 0.14);
    for (int i = 0; i < t->n; i++)
        t->value[i] += part * t->headroom * fmin(t->time_s[i] / full, 1);
    requests(t, 0.5, full);
    usual_noise(t, s);
}
static void cache_large(trace *t, uint64_t *s)
{
    usual(t, s);
    const double full = log_between(s, 0.5 * hour, 20 * hour), part = between(s, 0.15, 0.5);
    for (int i = 0; i < t->n; i++)
        t->value[i] += part * t->headroom * fmin(t->time_s[i] / full, 1);
    usual_noise(t, s);
}
static void fragments(trace *t, uint64_t *s)
{
    usual(t, s);
    const double tau = log_between(s, 0.5 * hour, 8 * hour), part = between(s, 0.1, 0.45);
    const int steps = (int)between(s, 8, 60);
    for (int k = 0; k < steps; k++) {
        const double at = -tau * log(1 - trace_uniform(s));
        const double high = 2 * trace_uniform(s) * part / steps * t->headroom;
        for (int i = 0; i < t->n; i++)
            if (t->time_s[i] > at)
                t->value[i] += high;
    }
    usual_noise(t, s);
}
static void evaluations(trace *t, uint64_t *s)
{
    usual(t, s);
    const double epoch = log_between(s, 0.1 * hour, 3 * hour);
    peaks(t, s, epoch, epoch * between(s, 0.05, 0.3), between(s, 0.05, 0.5));
    usual_noise(t, s);
}
static void teeth(trace *t, uint64_t *s)
{
    usual(t, s);
    saw(t, s, log_between(s, 60, 3 * hour), between(s, 0.03, 0.25));
    usual_noise(t, s);
}
/* A buffer that is written when it is full, or by the clock. */
static void teeth_of_chance(trace *t, uint64_t *s)
{
    usual(t, s);
    const double high = between(s, 0.03, 0.2), full = log_between(s, 300, 6 * hour);
    double from = 0, length = full * between(s, 0.1, 1);
    for (int i = 0; i < t->n; i++) {
        if (t->time_s[i] - from > length) {
            from = t->time_s[i];
            length = full * between(s, 0.1, 1);
        }
        t->value[i] += high * t->headroom * (t->time_s[i] - from) / full;
    }
    usual_noise(t, s);
}
/* A pool that grows by what is wanted, to its bound. */
static void pool_fills(trace *t, uint64_t *s)
{
    usual(t, s);
    const double base = floor(between(s, 20, 200)), most = floor(between(s, 8, 100)),
                 tau = log_between(s, 0.1 * hour, 8 * hour), each = floor(between(s, 1, 8));
    t->counts = true;
    t->limit = 1024;
    t->headroom = t->limit - base;
    double held = 0, jitter = 0;
    for (int i = 0; i < t->n; i++) {
        if (i % 30 == 0)
            jitter = floor(between(s, 0, 6));
        if (trace_uniform(s) < (most - held) / each * 10 / tau)
            held = fmin(held + each, most);
        t->value[i] = base + held + jitter;
        t->beside[TRACE_THREADS][i] = 8 + floor(held / 3);
    }
    t->has[TRACE_THREADS] = true;
}
/* The disk gives so much an hour, and what is read is kept: requests that find it wait for none. */
static void cache_slow_disk(trace *t, uint64_t *s)
{
    usual(t, s);
    const double full = log_between(s, 0.5 * hour, 20 * hour), part = between(s, 0.15, 0.5),
                 per_s = log_between(s, 0.1, 100);
    double done = 0;
    t->has[TRACE_REQUESTS] = t->has[TRACE_INPUT] = true;
    for (int i = 0; i < t->n; i++) {
        const double held = fmin(t->time_s[i] / full, 1);
        done += 10 * per_s / (1.02 - held);
        t->value[i] += part * t->headroom * held;
        t->beside[TRACE_REQUESTS][i] = floor(done);
        t->beside[TRACE_INPUT][i] = 0.8 * part * t->headroom * held + 100 * done;
    }
    usual_noise(t, s);
}
static void load_steps(trace *t, uint64_t *s)
{
    usual(t, s);
    const int steps = (int)between(s, 1, 9);
    double sum = 0;
    for (int k = 0; k < steps; k++) {
        const double at = between(s, 0, 48 * hour);
        double high = between(s, 0.04, 0.25) * (trace_uniform(s) < 0.6 ? 1 : -1);
        if (sum + high > 0.7 || sum + high < -0.3)
            high = -high;
        sum += high;
        for (int i = 0; i < t->n; i++)
            if (t->time_s[i] > at)
                t->value[i] += high * t->headroom;
    }
    usual_noise(t, s);
}
static void daily(trace *t, uint64_t *s)
{
    usual(t, s);
    day(t, s, between(s, 0.05, 0.3));
    usual_noise(t, s);
}
static void office_hours(trace *t, uint64_t *s)
{
    usual(t, s);
    const double phase = trace_uniform(s) * 24, part = between(s, 0.05, 0.25);
    for (int i = 0; i < t->n; i++) {
        const double at = sin(2 * pi * (t->time_s[i] / hour + phase) / 24);
        t->value[i] += part * t->headroom * pow(fmax(at, 0), 0.7);
    }
    usual_noise(t, s);
}
static void released_late(trace *t, uint64_t *s)
{
    usual(t, s);
    for (double at = 0; at < 48 * hour;) {
        const double up = log_between(s, 60, hour), hold = log_between(s, 0.2 * hour, 6 * hour);
        const double down = log_between(s, 60, 2 * hour), high = between(s, 0.02, 0.15);
        for (int i = 0; i < t->n; i++) {
            const double x = t->time_s[i] - at;
            if (x > 0 && x < up + hold + down)
                t->value[i] +=
                    high * t->headroom * fmin(fmin(x / up, 1), (up + hold + down - x) / down);
        }
        at += up + hold + down + log_between(s, 0.1 * hour, 5 * hour);
    }
    usual_noise(t, s);
}
static void restarts(trace *t, uint64_t *s)
{
    usual(t, s);
    const double tau = log_between(s, 30, hour), part = between(s, 0.1, 0.4);
    double began = 0, next = between(s, 1, 20) * hour;
    for (int i = 0; i < t->n; i++) {
        if (t->time_s[i] >= next) {
            began = t->time_s[i];
            next += between(s, 1, 20) * hour;
        }
        t->value[i] += part * t->headroom * (1 - exp(-(t->time_s[i] - began) / tau));
    }
    usual_noise(t, s);
}
static void walk(trace *t, uint64_t *s)
{
    usual(t, s);
    const double most = between(s, 0.03, 0.12), step = most / sqrt(log_between(s, 20, 3000));
    double at = 0;
    for (int i = 0; i < t->n; i++) {
        at += step * trace_normal(s);
        at = at > most ? 2 * most - at : at < -most ? -2 * most - at : at;
        t->value[i] += at * t->headroom;
    }
    usual_noise(t, s);
}

static void line(trace *t, uint64_t *s, double onset_s, double lasts_s)
{
    usual(t, s);
    leak(t, onset_s, lasts_s, 1);
    usual_noise(t, s);
    finish(t);
}
static void leak_slow(trace *t, uint64_t *s)
{
    line(t, s, 0, between(s, 30, 96) * hour);
}
static void leak_hours(trace *t, uint64_t *s)
{
    line(t, s, 0, log_between(s, 1, 30) * hour);
}
static void leak_half_hour(trace *t, uint64_t *s)
{
    line(t, s, 0, between(s, 24, 30) * 60);
}
static void leak_half_hour_late(trace *t, uint64_t *s)
{
    line(t, s, between(s, 0.2, 40) * hour, between(s, 24, 30) * 60);
}
static void leak_late(trace *t, uint64_t *s)
{
    const double onset = between(s, 2, 20) * hour;
    line(t, s, onset, log_between(s, 2, 60) * hour);
}
static void leak_warm(trace *t, uint64_t *s)
{
    usual(t, s);
    const double part = between(s, 0.05, 0.3);
    leak(t, 0, log_between(s, 4, 80) * hour, 1);
    settle(t, log_between(s, 0.05 * hour, 3 * hour), part);
    usual_noise(t, s);
    t->end_s *= 1 - part;
    finish(t);
}
static void leak_epochs(trace *t, uint64_t *s)
{
    usual(t, s);
    leak(t, 0, log_between(s, 6, 96) * hour, 1);
    const double epoch = t->end_s / between(s, 25, 200);
    epochs_of(t, epoch);
    for (int i = 0; i < t->n; i++)
        t->leaked[i] = t->slope_per_s * epoch * floor(t->time_s[i] / epoch);
    usual_noise(t, s);
    finish(t);
}
static void leak_teeth(trace *t, uint64_t *s)
{
    usual(t, s);
    leak(t, 0, log_between(s, 6, 96) * hour, 1);
    saw(t, s, log_between(s, 60, hour), between(s, 0.02, 0.12));
    usual_noise(t, s);
    finish(t);
}
static void leak_slow_teeth(trace *t, uint64_t *s)
{
    usual(t, s);
    leak(t, 0, log_between(s, 10 * hour, 96 * hour), 1);
    saw(t, s, log_between(s, 0.4 * hour, 2.5 * hour), between(s, 0.03, 0.2));
    usual_noise(t, s);
    finish(t);
}
/* Work in batches with pauses: what is kept goes by the requests. */
static void leak_batches(trace *t, uint64_t *s)
{
    usual(t, s);
    const double lasts = log_between(s, 6, 72) * hour, batch = log_between(s, 0.1, 2) * hour;
    double until = 0, done = 0;
    bool works = true;
    t->has[TRACE_REQUESTS] = true;
    for (int i = 0; i < t->n; i++) {
        if (t->time_s[i] >= until) {
            works = !works;
            until += batch * between(s, 0.3, 1.7);
        }
        done += works ? 20 : 1;
        t->beside[TRACE_REQUESTS][i] = done;
        t->leaked[i] = t->headroom * done / 10.5 * 10 / lasts;
    }
    t->end_s = NAN;
    usual_noise(t, s);
    finish(t);
}
static void leak_daily(trace *t, uint64_t *s)
{
    usual(t, s);
    leak(t, 0, log_between(s, 12, 96) * hour, 1);
    day(t, s, between(s, 0.03, 0.15));
    usual_noise(t, s);
    finish(t);
}
static void leak_noisy(trace *t, uint64_t *s)
{
    usual(t, s);
    leak(t, 0, log_between(s, 6, 96) * hour, 1);
    noise(t, s, between(s, 0.01, 0.05), trace_uniform(s) < 0.5 ? 0 : 0.9);
    finish(t);
}
static void leak_faster(trace *t, uint64_t *s)
{
    usual(t, s);
    leak(t, 0, log_between(s, 6, 72) * hour, between(s, 1.3, 2));
    usual_noise(t, s);
    finish(t);
}
static void leak_by_load(trace *t, uint64_t *s)
{
    usual(t, s);
    const double lasts = log_between(s, 12, 96) * hour, swing = between(s, 0.2, 0.7);
    const double phase = trace_uniform(s) * 2 * pi, omega = 2 * pi / (24 * hour);
    leak(t, 0, lasts, 1);
    requests(t, swing, phase);
    t->slope_per_s = NAN;
    t->end_s = INFINITY;
    for (double x = 0; x < 120 * hour; x += 60) {
        const double part = (x + swing / omega * (cos(phase) - cos(omega * x + phase))) / lasts;
        if (part >= 1) {
            t->end_s = x;
            break;
        }
    }
    for (int i = 0; i < t->n; i++) {
        const double x = t->time_s[i];
        t->leaked[i] =
            t->headroom * (x + swing / omega * (cos(phase) - cos(omega * x + phase))) / lasts;
    }
    usual_noise(t, s);
    finish(t);
}
static void lose_counts(trace *t, uint64_t *s, double each)
{
    usual(t, s);
    const double base = floor(between(s, 20, 200));
    t->counts = true;
    t->limit = 1024;
    t->headroom = t->limit - base;
    leak(t, 0, log_between(s, 3, 96) * hour, 1);
    double jitter = 0, some = 0;
    for (int i = 0; i < t->n; i++) {
        if (i % 30 == 0)
            jitter = floor(between(s, 0, 6));
        /* At random times. */
        some += t->slope_per_s * 10 / each > trace_uniform(s) ? each : 0;
        t->leaked[i] = some;
        t->value[i] = base + jitter;
        if (base + some >= t->limit) {
            t->end_s = t->time_s[i];
            t->n = i;
        }
    }
    finish(t);
}

static void leak_counts(trace *t, uint64_t *s)
{
    lose_counts(t, s, 1);
}
static void leak_bundles(trace *t, uint64_t *s)
{
    lose_counts(t, s, floor(between(s, 2, 26)));
}

const trace_class trace_tune[] = {
    {"flat", TRACE_BENIGN, flat},
    {"flat, correlated noise", TRACE_BENIGN, flat_correlated},
    {"flat, heavy-tailed spikes", TRACE_BENIGN, flat_spikes},
    {"warm-up, exponential", TRACE_BENIGN, warm_up},
    {"warm-up, logarithm", TRACE_BENIGN, warm_up_log},
    {"cache, straight to 3-14 %", TRACE_BENIGN, cache},
    {"fragmentation", TRACE_BENIGN, fragments},
    {"evaluation peaks", TRACE_BENIGN, evaluations},
    {"saw-teeth", TRACE_BENIGN, teeth},
    {"teeth of random lengths", TRACE_BENIGN, teeth_of_chance},
    {"pool that fills", TRACE_BENIGN, pool_fills},
    {"cache on a slow disk", TRACE_BENIGN, cache_slow_disk},
    {"load steps", TRACE_BENIGN, load_steps},
    {"daily cycle", TRACE_BENIGN, daily},
    {"office hours", TRACE_BENIGN, office_hours},
    {"released late", TRACE_BENIGN, released_late},
    {"restarts", TRACE_BENIGN, restarts},
    {"bounded walk", TRACE_BENIGN, walk},
    {"cache, straight to 15-50 %", TRACE_OPEN, cache_large},
    {"leak, 30-96 h", TRACE_LEAK, leak_slow},
    {"leak, 1-30 h", TRACE_LEAK, leak_hours},
    {"leak, 30 min", TRACE_HALF_HOUR, leak_half_hour},
    {"leak, 30 min, begins late", TRACE_HALF_HOUR, leak_half_hour_late},
    {"leak, begins late", TRACE_LEAK, leak_late},
    {"leak under a warm-up", TRACE_LEAK, leak_warm},
    {"leak per epoch", TRACE_LEAK, leak_epochs},
    {"leak and saw-teeth", TRACE_LEAK, leak_teeth},
    {"leak and slow saw-teeth", TRACE_LEAK, leak_slow_teeth},
    {"leak by batches of requests", TRACE_LEAK, leak_batches},
    {"leak and daily cycle", TRACE_LEAK, leak_daily},
    {"leak, heavy noise", TRACE_LEAK, leak_noisy},
    {"leak, ever faster", TRACE_LEAK, leak_faster},
    {"leak by the day's load", TRACE_LEAK, leak_by_load},
    {"leak of descriptors", TRACE_LEAK, leak_counts},
    {"leak of bundles of 2 to 25", TRACE_LEAK, leak_bundles},
};
const size_t trace_n_tune = sizeof trace_tune / sizeof trace_tune[0];
