/* traces_score.c: the family that nothing was tuned on. Jobs are acted out: objects are allocated,
 * kept and freed, requests come and go, an allocator rounds. Readings every 5, 10 or 30 s, with
 * jitter or with readings lost; machines of 1 to 64 GB. */
#include "traces.h"

#include <math.h>

typedef struct job {
    trace *t;
    uint64_t *s;
    int i;
    double now;  /* hours */
    double part; /* of the headroom, without leak */
} job;

static double draw(uint64_t *s, double a, double b)
{
    return a + (b - a) * trace_uniform(s);
}

static double draw_scale(uint64_t *s, double a, double b)
{
    return exp(draw(s, log(a), log(b)));
}

/* The clock: a kind of interval for the whole trace. */
static void wind_up(trace *t, uint64_t *s)
{
    static const double intervals[] = {5, 5, 10, 10, 10, 15, 30};
    const double every = intervals[(int)(trace_uniform(s) * 7)];
    const double jitter = trace_uniform(s) < 0.4 ? 0.3 * every : 0.001;
    const double lost = trace_uniform(s) < 0.3 ? 0.05 : 0;
    t->n = 0;
    for (double x = 0; x < 48 * 3600 && t->n < TRACE_MOST; x += every)
        if (trace_uniform(s) >= lost)
            t->time_s[t->n++] = x + draw(s, 0, jitter);
    t->limit = draw_scale(s, 1e9, 64e9);
    const double level = draw(s, 0.15, 0.6) * t->limit;
    t->headroom = t->limit - level;
    t->onset_s = 0;
    t->end_s = t->slope_per_s = INFINITY;
    t->slope_per_s = t->first_s = NAN;
    t->counts = false;
    for (int i = 0; i < t->n; i++) {
        t->value[i] = level;
        t->leaked[i] = 0;
    }
}

static void add(trace *t, int i, double part)
{
    t->value[i] += part * t->headroom;
}

/* Small requests in flight: an Ornstein-Uhlenbeck level with the day's own time constant, Student
 * tails, pages. */
static void hum(trace *t, uint64_t *s, double size)
{
    const double tau = draw_scale(s, 5, 900), tail = draw(s, 3, 8);
    const bool sharp = trace_uniform(s) < 0.4;
    double e = 0, was = t->time_s[0];
    for (int i = 0; i < t->n; i++) {
        const double keep = exp(-(t->time_s[i] - was) / tau);
        was = t->time_s[i];
        double kick = trace_normal(s);
        if (sharp) {
            double chi = 0;
            for (int k = 0; k < (int)tail; k++)
                chi += pow(trace_normal(s), 2);
            kick *= sqrt((int)tail / fmax(chi, 1e-3));
        }
        e = keep * e + sqrt(1 - keep * keep) * kick;
        add(t, i, size * e);
    }
}

static void common_hum(trace *t, uint64_t *s)
{
    hum(t, s, draw_scale(s, 0.0005, 0.008));
}

/* Rounds to pages and ends the trace at the limit. */
static void seal(trace *t)
{
    for (int i = 0; i < t->n; i++) {
        t->value[i] = t->counts ? floor(t->value[i] + t->leaked[i])
                                : 4096 * floor((t->value[i] + t->leaked[i]) / 4096);
        if (t->value[i] >= t->limit) {
            t->first_s = t->time_s[i];
            t->n = i;
        }
    }
}

static void steady_rate(trace *t, double onset_h, double lasts_h)
{
    t->onset_s = 3600 * onset_h;
    t->end_s = t->onset_s + 3600 * lasts_h;
    t->slope_per_s = t->headroom / (3600 * lasts_h);
    for (int i = 0; i < t->n; i++)
        t->leaked[i] = t->slope_per_s * fmax(t->time_s[i] - t->onset_s, 0);
}

static void idle(trace *t, uint64_t *s)
{
    wind_up(t, s);
    hum(t, s, draw_scale(s, 0.0002, 0.025));
    seal(t);
}
/* Bursts of work: gamma-like humps at random times. */
static void bursts(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    double next = 0, high = 0, last = 0;
    const double gap = draw_scale(s, 120, 3600), decay = draw_scale(s, 20, 600);
    const double size = draw(s, 0.02, 0.15);
    for (int i = 0; i < t->n; i++) {
        high *= exp(-(t->time_s[i] - last) / decay);
        last = t->time_s[i];
        if (last > next) {
            high = fmin(high - size * log(1 - trace_uniform(s)), 0.8);
            next = last - gap * log(1 - trace_uniform(s));
        }
        add(t, i, high);
    }
    seal(t);
}
/* A cache of N things asked for by Zipf's law: the k-th comes in at its own rate. */
static void zipf_cache(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const double high = draw(s, 0.05, 0.5), skew = draw(s, 0.3, 1.1);
    const double asked = draw_scale(s, 20, 3000) / 3600; /* for the most popular one, per s */
    double filled[64];
    for (int k = 0; k < 64; k++)
        filled[k] = asked * pow(k + 1, -skew);
    for (int i = 0; i < t->n; i++) {
        double sum = 0;
        if (i % 4 == 0 || i < 64) {
            for (int k = 0; k < 64; k++)
                sum += 1 - exp(-filled[k] * t->time_s[i] / 64);
            t->leaked[i] = sum / 64;
        } else {
            t->leaked[i] = t->leaked[i - 1];
        }
    }
    for (int i = 0; i < t->n; i++) {
        add(t, i, high * t->leaked[i]);
        t->leaked[i] = 0;
    }
    seal(t);
}
/* t / (t + tau), or 1 - exp(-(t / tau)^p). */
static void slow_start(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const double high = draw(s, 0.08, 0.5), tau = draw_scale(s, 120, 6 * 3600);
    const bool hyperbola = trace_uniform(s) < 0.5;
    const double p = draw(s, 0.6, 1.1);
    for (int i = 0; i < t->n; i++) {
        const double x = t->time_s[i] / tau;
        add(t, i, high * (hyperbola ? x / (1 + x) : 1 - exp(-pow(x, p))));
    }
    seal(t);
}
static void slow_root(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const double high = draw(s, 0.05, 0.35), tau = draw_scale(s, 30, 3600);
    for (int i = 0; i < t->n; i++)
        add(t, i, high * log(1 + t->time_s[i] / tau) / log(1 + 48 * 3600 / tau));
    seal(t);
}
/* New maxima of random sizes are kept: a plateau by steps. */
static void high_water(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const double every = draw_scale(s, 30, 1800), size = draw(s, 0.05, 0.12);
    double most = 0, next = 0;
    for (int i = 0; i < t->n; i++) {
        while (t->time_s[i] >= next) {
            most = fmax(most, fmin(-size * log(1 - trace_uniform(s)), 5 * size));
            next += every;
        }
        add(t, i, most);
    }
    seal(t);
}
/* Objects are made at a steady pace and collected when a share of the heap is garbage. */
static void collector(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const double full = draw(s, 0.04, 0.22), pace = full / draw_scale(s, 45, 2.5 * 3600);
    double young = draw(s, 0, full), old = 0, was = 0, trigger = full;
    for (int i = 0; i < t->n; i++) {
        young += pace * draw(s, 0.7, 1.3) * (t->time_s[i] - was);
        was = t->time_s[i];
        if (young > trigger) {
            old = draw(s, 0, 0.15) * full;
            trigger = full * draw(s, 0.85, 1);
            young = 0;
        }
        add(t, i, old + young);
    }
    seal(t);
}
static void epochs(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const double train = draw_scale(s, 300, 7200), check = train * draw(s, 0.05, 0.4);
    const double high = draw(s, 0.05, 0.4), cast = draw(s, 0, 0.05);
    double begin = 0, length = train;
    for (int i = 0; i < t->n; i++) {
        double x = t->time_s[i] - begin;
        if (x > length + check) {
            begin = t->time_s[i];
            length = train * draw(s, 0.9, 1.1);
            x = 0;
        }
        add(t, i, x > length ? high : cast * x / length);
    }
    seal(t);
}
/* Tenants come and go. */
static void tenants(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const int most = 1 + (int)draw(s, 1, 5);
    const double mean_gap = draw_scale(s, 2 * 3600, 16 * 3600), size = draw(s, 0.05, 0.16);
    int here = (int)draw(s, 0, most);
    double next = 0, level = here * size;
    for (int i = 0; i < t->n; i++) {
        if (t->time_s[i] > next) {
            if (next > 0) {
                here += here == 0 ? 1 : here == most ? -1 : trace_uniform(s) < 0.5 ? 1 : -1;
                level = here * size * draw(s, 0.95, 1.05);
            }
            next = t->time_s[i] - mean_gap * log(1 - trace_uniform(s));
        }
        add(t, i, level);
    }
    seal(t);
}
/* Users by the hour: a bell over the day with two humps, another size each day. */
static void users(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const double first = draw(s, 0, 24), high = draw(s, 0.05, 0.25), wide = draw(s, 2.5, 5);
    const double today[3] = {draw(s, 0.9, 1.05), draw(s, 0.9, 1.05), draw(s, 0.9, 1.05)};
    const double evening = draw(s, 0, 0.8);
    for (int i = 0; i < t->n; i++) {
        const double h = t->time_s[i] / 3600 + first;
        double sum = 0;
        for (int d = -1; d < 4; d++) {
            const double a = (h - 24 * d - 11) / wide, b = (h - 24 * d - 19) / 2;
            sum += today[(d + 3) % 3] * (exp(-0.5 * a * a) + evening * exp(-0.5 * b * b));
        }
        add(t, i, high * fmin(sum, 1.1));
    }
    seal(t);
}
static void sinus(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const double phase = draw(s, 0, 6.2832), high = draw(s, 0.02, 0.13);
    const double second = draw(s, -0.3, 0.3), shift = draw(s, 0, 6.2832);
    for (int i = 0; i < t->n; i++) {
        const double x = t->time_s[i] / 86400 * 6.283185;
        add(t, i, high * (sin(x + phase) + second * sin(2 * x + shift)));
    }
    seal(t);
}
static void reborn(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    double born = 0, dies = draw_scale(s, 1, 24) * 3600;
    const double high = draw(s, 0.05, 0.3), load = draw_scale(s, 20, 1200);
    const double empty = t->value[0] * draw(s, 0.3, 0.9) / t->headroom;
    for (int i = 0; i < t->n; i++) {
        if (t->time_s[i] > dies) {
            born = t->time_s[i];
            dies = born + draw_scale(s, 1, 24) * 3600;
        }
        const double x = t->time_s[i] - born;
        add(t, i, -empty * exp(-x / load) + high * (1 - exp(-x / (5 * load))));
    }
    seal(t);
}
static void wanderer(trace *t, uint64_t *s)
{
    wind_up(t, s);
    hum(t, s, 0.002);
    const double tau = draw_scale(s, 1200, 20000), size = draw(s, 0.01, 0.04);
    double e = 0, was = 0;
    for (int i = 0; i < t->n; i++) {
        const double keep = exp(-(t->time_s[i] - was) / tau);
        was = t->time_s[i];
        e = keep * e + sqrt(1 - keep * keep) * trace_normal(s);
        add(t, i, size * e);
    }
    seal(t);
}
/* A list that grows by every request until it is trimmed to its bound. */
static void bounded_list(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const double bound = draw(s, 0.03, 0.13), lasts = draw_scale(s, 0.3, 30) * 3600;
    double held = 0, was = 0;
    for (int i = 0; i < t->n; i++) {
        held = fmin(held + bound * draw(s, 0, 2) * (t->time_s[i] - was) / lasts, bound);
        was = t->time_s[i];
        add(t, i, held);
    }
    seal(t);
}
static void some_fds(trace *t, uint64_t *s)
{
    wind_up(t, s);
    t->counts = true;
    const double base = floor(draw(s, 20, 400));
    t->limit = 1024;
    t->headroom = t->limit - base;
    double clients = draw(s, 0, 20);
    const double mean = draw(s, 5, 60);
    for (int i = 0; i < t->n; i++) {
        clients += trace_uniform(s) < mean / (mean + clients) ? 1 : -1;
        clients = fmax(clients, 0);
        t->value[i] = base + clients;
    }
    seal(t);
}

static void plain(trace *t, uint64_t *s, double onset_h, double lasts_h)
{
    wind_up(t, s);
    common_hum(t, s);
    steady_rate(t, onset_h, lasts_h);
    seal(t);
}
static void in_days(trace *t, uint64_t *s)
{
    plain(t, s, 0, draw(s, 30, 96));
}
static void in_hours(trace *t, uint64_t *s)
{
    plain(t, s, trace_uniform(s) < 0.5 ? 0 : draw(s, 0, 12), draw_scale(s, 1, 30));
}
static void in_half_an_hour(trace *t, uint64_t *s)
{
    plain(t, s, trace_uniform(s) < 0.5 ? 0 : draw(s, 0, 40), 0.5);
}
static void after_hours(trace *t, uint64_t *s)
{
    plain(t, s, draw(s, 4, 24), draw_scale(s, 3, 70));
}
/* Frames kept: jumps of one size at random times. */
static void in_jumps(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    steady_rate(t, 0, draw_scale(s, 5, 90));
    const double jump = draw(s, 0.004, 0.03) * t->headroom;
    const double step_s = jump / t->slope_per_s;
    double kept = 0, next = step_s * draw(s, 0, 1);
    for (int i = 0; i < t->n; i++) {
        while (t->time_s[i] >= next) {
            kept += jump;
            next += step_s * draw(s, 0.7, 1.3);
        }
        t->leaked[i] = kept;
    }
    seal(t);
}
static void with_collector(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const double full = draw(s, 0.02, 0.12), period = draw_scale(s, 45, 5400);
    double x = 0, was = 0, length = period;
    for (int i = 0; i < t->n; i++) {
        x += t->time_s[i] - was;
        was = t->time_s[i];
        if (x > length) {
            x = 0;
            length = period * draw(s, 0.7, 1.1);
        }
        add(t, i, full * x / period);
    }
    steady_rate(t, 0, draw_scale(s, 8, 90));
    seal(t);
}
static void with_users(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const double phase = draw(s, 0, 6.2832), high = draw(s, 0.01, 0.07);
    for (int i = 0; i < t->n; i++)
        add(t, i, high * sin(t->time_s[i] / 86400 * 6.283185 + phase));
    steady_rate(t, 0, draw_scale(s, 10, 90));
    seal(t);
}
static void with_warm_up(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const double high = draw(s, 0.05, 0.25), tau = draw_scale(s, 100, 5000);
    for (int i = 0; i < t->n; i++)
        add(t, i, high * t->time_s[i] / (t->time_s[i] + tau));
    steady_rate(t, 0, draw_scale(s, 8, 90));
    t->end_s *= 1 - high;
    seal(t);
}
static void in_noise(trace *t, uint64_t *s)
{
    wind_up(t, s);
    hum(t, s, draw(s, 0.01, 0.04));
    steady_rate(t, 0, draw_scale(s, 6, 90));
    seal(t);
}
static void with_evaluations(trace *t, uint64_t *s)
{
    wind_up(t, s);
    common_hum(t, s);
    const double epoch = draw_scale(s, 400, 5400), check = epoch * draw(s, 0.05, 0.3);
    const double high = draw(s, 0.03, 0.25);
    for (int i = 0; i < t->n; i++)
        add(t, i, fmod(t->time_s[i], epoch) > epoch - check ? high : 0);
    steady_rate(t, 0, draw_scale(s, 8, 90));
    seal(t);
}
static void of_sockets(trace *t, uint64_t *s)
{
    some_fds(t, s);
    t->n = 0;
    wind_up(t, s);
    t->counts = true;
    const double base = floor(draw(s, 20, 120)), lasts = draw_scale(s, 4, 90) * 3600;
    t->limit = 1024;
    t->headroom = t->limit - base;
    t->slope_per_s = t->headroom / lasts;
    const double each = floor(draw(s, 1, 20));
    double lost = 0, next = 0;
    for (int i = 0; i < t->n; i++) {
        while (t->time_s[i] > next) {
            lost += each;
            next -= each / t->slope_per_s * log(1 - trace_uniform(s));
        }
        t->leaked[i] = lost;
        t->value[i] = base + floor(draw(s, 0, 8));
    }
    t->end_s = lasts;
    seal(t);
}

const trace_class trace_score[] = {
    {"idle", TRACE_BENIGN, idle},
    {"bursts", TRACE_BENIGN, bursts},
    {"cache under Zipf's law", TRACE_BENIGN, zipf_cache},
    {"slow start", TRACE_BENIGN, slow_start},
    {"growth by the logarithm", TRACE_BENIGN, slow_root},
    {"high-water marks", TRACE_BENIGN, high_water},
    {"garbage collector", TRACE_BENIGN, collector},
    {"training with evaluations", TRACE_BENIGN, epochs},
    {"tenants come and go", TRACE_BENIGN, tenants},
    {"users by the hour", TRACE_BENIGN, users},
    {"daily cycle, two harmonics", TRACE_BENIGN, sinus},
    {"restarts", TRACE_BENIGN, reborn},
    {"wandering level", TRACE_BENIGN, wanderer},
    {"bounded list", TRACE_BENIGN, bounded_list},
    {"clients' descriptors", TRACE_BENIGN, some_fds},
    {"leak, 30-96 h", TRACE_LEAK, in_days},
    {"leak, 1-30 h", TRACE_LEAK, in_hours},
    {"leak, 30 min", TRACE_HALF_HOUR, in_half_an_hour},
    {"leak after 4-24 h", TRACE_LEAK, after_hours},
    {"leak in jumps", TRACE_LEAK, in_jumps},
    {"leak and collector", TRACE_LEAK, with_collector},
    {"leak and users", TRACE_LEAK, with_users},
    {"leak and slow start", TRACE_LEAK, with_warm_up},
    {"leak in noise", TRACE_LEAK, in_noise},
    {"leak and evaluations", TRACE_LEAK, with_evaluations},
    {"leak of sockets", TRACE_LEAK, of_sockets},
};
const size_t trace_n_score = sizeof trace_score / sizeof trace_score[0];
