/* thresholds.h: every number that the detector decides by, and where it comes from.
 *
 *   [tune]    chosen on the made-up traces for tuning (bench/watch/traces_tune.c), none on those
 * for scoring; the class that it was chosen for stands behind it [stat]    follows from the
 * statistics of noise [system]  from what systems and people do
 *
 * A change of one is proved by `bench/watch/score tune 100`: docs/leaks.md has the scores, and
 * docs/detector.md walks one trace through them. For this folder. */
#ifndef WATCH_THRESHOLDS_H
#define WATCH_THRESHOLDS_H

/* ---- noise ---- */

/* Median of absolute values to standard deviation, of normal noise. [stat] */
static const double MAD_TO_SIGMA = 1.4826;
/* A detector believes no less: steps of one, and a millionth of the level. [system] */
static const double LEAST_NOISE_COUNT = 0.3, LEAST_NOISE_BYTES_0_1 = 1e-6;

/* ---- trend.c: is one window a leak's? In the order of the questions ---- */

/* Growth of the window's ends, before anything is fitted: a part of the headroom [tune: flat], and
 * so many standard deviations of neighbours, which only saves the fit [tune: heavy noise]. */
static const double ROUGH_PART = 0.02, ROUGH_SIGMAS = 2.5;
/* From here on much of the headroom is gone: too late for fine distinctions, and two of the
 * questions below ask for less. [tune: bundles of descriptors] */
static const double MUCH_GONE = 0.4;
/* Standard errors that the slope must be worth, by how much is gone at least. 8: fragmentation was
 * called in 6 of 100 at 5, in 2 at 8. 6: heavy noise. 2.5 and 3.5: of bundles of descriptors that
 * are lost at random 84 of 100 were called before them, 98 after. [tune] */
static const double SLOPE_ERRORS[][2] = {{0.5, 2.5}, {0.4, 3.5}, {0.3, 5}, {0.2, 6}, {0, 8}};
/* Growth of the line in standard deviations around it. [tune: flat, correlated noise; heavy noise]
 */
static const double GROWTH_SIGMAS = 3, GROWTH_SIGMAS_MUCH = 3;
/* Less of the headroom is no rise at all. [tune: flat, correlated noise] */
static const double LEAST_GONE = 0.03;
/* This part of the growth must be where the floor never was, and more than it has fallen before.
 * [tune: daily cycle, saw-teeth] */
static const double NEW_PART = 0.5;
/* Noise alone makes ceilings and falls of a few standard deviations. [stat] */
static const double CEILING_SIGMAS = 2, FALL_SIGMAS = 3.5;
/* Of N_PARTS equal times, in how many the growth must be spread, by how much is gone. 4: at 3, load
 * steps were called in 2 of 100. [tune: load steps, restarts] */
enum { N_PARTS = 16 };
static const double LEAST_PARTS = 6, LEAST_PARTS_MORE = 5, LEAST_PARTS_MUCH = 4, MORE_GONE = 0.3;
/* An exponential warm-up that would come to rest below this part of the headroom is none of ours;
 * its slope's ratio is taken so many errors lower; of a ratchet (below), which has no noise, fewer.
 * [tune: warm-up, exponential and logarithm; bundles of descriptors, pool that fills] */
static const double REST_BELOW = 0.7, REST_ERRORS = 0.7, REST_ERRORS_MUCH = 0.2,
                    REST_ERRORS_RATCHET = 0.5;
/* A ratio that stands for "it has come to rest already". [tune: warm-up, exponential] */
static const double RESTS_RATIO = 0.05;
/* A slope that ends so many times as steep as it began: the window begins before the rise.
 * [tune: leak, begins late] */
static const double BEND_RATIO = 3;
/* The part of the headroom that must be gone, by the hours in which all of it would go. The faster,
 * the more: what fills a tenth in a minute is often a batch. 0.14: the largest of the small caches.
 * 0.1 h: a cache of the corpus (ok_file_pages) that fills in two minutes. What needs months is
 * known by its straightness over weeks. [tune: cache, saw-teeth, leaks of 30 min to 96 h] */
static const double GONE_BY_HOURS[][2] = {{0.1, 0.32}, {0.25, 0.2}, {0.5, 0.14},
                                          {300, 0.14}, {1000, 0.1}, {5000, 0.05}};
/* The same while a day's cycle cannot be ruled out. [tune: daily cycle, office hours] */
static const double GONE_BY_HOURS_OF_DAY[][2] = {{14, 0.14}, {18, 0.19}, {40, 0.19}, {75, 0.14}};
/* Descriptors, threads, children that are only ever taken: so many steps, of which at most so much
 * was given back, are a leak's by fewer errors. [tune: bundles of descriptors] */
enum { RATCHET_STEPS = 7 };
static const double RATCHET_BACK = 0.1, RATCHET_ERRORS = 2.5;
/* A growth in fewer equal parts than this needs more, by so much a part, up to twice: the more
 * chance may have had a hand in it. [tune: bounded walk] */
static const double EVEN_PARTS = 12.5, MORE_PER_PART = 0.2, MOST_MORE = 2;
/* A longer window has seen most of a day's cycle. [system] */
static const double DAY_WINDOW_H = 16;

/* Teeth: falls of at least this part of the largest that is remembered, larger than so many times
 * the noise; and how many troughs are a series. [tune: leak and saw-teeth, leak and slow saw-teeth]
 */
static const double TROUGH_DEEP = 0.5, TROUGH_SIGMAS = 8;
enum { LEAST_TROUGHS = 6 };

/* ---- cycle.c: the rhythm of a day ---- */

/* A hump that leaves less than so many times what a line leaves may be one. [tune: daily cycle] */
static const double HUMP_AS_WELL = 1.6;
/* Harmonics are taken off when they leave less than this part of what a line leaves. [tune: leak
 * and daily cycle] */
static const double HARMONICS_LEAVE = 0.3;
/* So long a stretch shows a day, and so long that its blocks are still short enough. [system] */
static const double CYCLE_LEAST_H = 26, CYCLE_MOST_DAYS = 12;

/* ---- detector.c: when a window's answer counts, and how a rise is followed ---- */

/* Blocks in a row that must agree. [tune: leak, 30 min; leak, heavy noise] */
enum { AGREE = 2 };
/* Blocks of the shortest window that is asked: of the finest level, of others. [tune: leak, 30 min]
 */
enum { LEAST_WINDOW = 9, LEAST_WINDOW_COARSE = 20 };
/* Descriptors and threads: so many times, or so many more than, what the job has is as bad as the
 * limit. Without a limit it is as if it were dangerous to double. [system] */
static const double COUNT_TIMES = 8, COUNT_MORE = 256, UNKNOWN_TIMES = 2, COUNT_LEAST = 64;
/* What is only supposed to be many needs so much more of it. [tune: pool that fills] */
static const double SUPPOSED_MORE = 1.5;
/* SUSPECT lasts for this part of its window's length unless it is renewed. [system] */
static const double QUIET_PART = 0.5;
/* A rise has ended when less than this part of its growth is left, or when over its newest part the
 * slope, two errors up, is below this part of the first one. [tune: released late, warm-up] */
static const double ENDED_GROWTH = 0.4, ENDED_NEWEST = 0.4, ENDED_SLOPE = 0.25, ENDED_ERRORS = 2;
/* Bends of a followed rise that are believed, as the slope's ratio of end and beginning. [tune:
 * leak, ever faster; leak under a warm-up] */
static const double FASTER_RATIO = 1.1, FASTER_ERRORS = 2, SLOWER_RATIO = 0.95, SLOWEST_RATIO = 0.2,
                    BENT_BY = 0.1, BENT_ERRORS = 2;
/* Standard deviations either side of a date: the interval's ends are those of two truths
 * (forecast), of which each must lie inside in 90 % of cases. And the ends of a date that may be a
 * day's flank. [tune: the 90 % interval of all classes] */
static const double DATE_SIGMAS = 1.3, DAY_SOONER = 0.75, DAY_LATER = 1.6, FASTER_SOONER = 0.9;
/* Two-sided 90 % of a normal. [stat] */
static const double NORMAL_90 = 1.645;
/* CRITICAL below the horizon; where nothing says how long a checkpoint takes, not before so much is
 * gone: what is left lasts as long as what has passed. [system] */
static const double CRITICAL_GONE = 0.5;
/* CRITICAL below the horizon, LEAKING again this many times above it. [system] */
static const double HORIZON_S = 600, LEAVE_CRITICAL = 1.5;
/* Blocks that a call must have held before it is CRITICAL: two minutes at the usual interval.
 * Bursts of the family score showed that one is too few. [system] */
enum { HELD = 6 };
/* A series moved when its ends are so many standard deviations of neighbours apart. [stat] */
static const double MOVED_SIGMAS = 3;

/* ---- vouch.c: what else speaks for a leak ---- */

/* The part of the headroom that must be gone when each epoch, reconnect or run takes as much, of at
 * least so many; when growth follows the requests, frames or steps done and not their pace; when
 * another resource rises in step. [tune: leak per epoch, leak by the day's load] */
static const double VOUCH_RARE_GONE = 0.1, VOUCH_RARE_UNITS = 8, VOUCH_COMMON_GONE = 0.14,
                    VOUCH_COMMON_UNITS = 100, VOUCH_TOGETHER_GONE = 0.1;
/* 1 - (what proportional growth leaves) / (what none would leave). [stat] */
static const double VOUCH_FIT = 0.97, VOUCH_FIT_COMMON = 0.99;
/* Growth per unit in the two halves, the lesser by the larger. [tune: warm-up] */
static const double VOUCH_EVEN = 0.85;
/* The pace must have changed by so much, and by itself must leave so many times as much.
 * [tune: daily cycle] */
static const double VOUCH_PACE = 1.2, VOUCH_PACE_ALONE = 8;
/* Two rises began together when they did within this part of their time. [system] */
static const double VOUCH_SINCE = 0.25;
enum { VOUCH_TOGETHER_PARTS = 8 };

/* ---- ends.c: may it end short of its limit? ---- */

/* A cache that is full to the brim holds a little more than was said or seen. [system] */
static const double END_SLACK = 1.02;
/* What is resident beyond the bytes that a job's own settings let it keep: gaps between what its
 * allocator has given out, and its code, stacks and buffers. [system: Redis calls a ratio above 1.5
 * fragmented; a small JVM has 40 to 60 MB beside its heap] */
static const double BOUND_SLACK = 1.25, BOUND_BESIDE = 64e6;
/* A heap that is nearly full of what is held: in the newest part of its rise the job takes so many
 * times the CPU that it took in the first half. [system] */
static const double COLLECTS_NEWEST = 0.1, COLLECTS_MORE = 2;
/* A rise keeps what is read when it follows the bytes read so well, by at least and at most so many
 * bytes of each: packed pictures are unpacked (a JPEG to floats: 20 to 60), texts become objects,
 * and what is skipped, such as headers, is read and not kept. [system] */
static const double KEPT_FIT = 0.98, KEPT_LEAST = 0.3, KEPT_MOST = 256;
/* A first pass over the data is no excuse any more when so much of the headroom is gone. [system]
 */
static const double PASS_MOST_GONE = 0.5;
/* After the first pass, so much of its time is waited before growth that goes on is held against
 * it. [system] */
static const double PASS_PATIENCE = 0.1;
/* The later half of a rise reads below this part of what the earlier one read, per work. [system]
 */
static const double READS_FALL = 0.9;
/* As a cache fills up, what requests themselves read hides its misses: what was seen is believed
 * for so long, as a part of the rise. [tune: cache on a slow disk] */
static const double READS_PATIENCE = 0.3;
/* The newest part of a rise that has stalled; its slope is held against ENDED_SLOPE. [system] */
static const double STALLED_NEWEST = 0.1;
/* GROWING turns CRITICAL when no more of the horizon is left than this part: the horizon is two
 * checkpoints' time, and one and a restart are needed. [system] */
static const double GROWING_NEEDS = 0.5;

/* ---- shape.c: the word for a curve that is no leak ---- */

/* Less is flat; a fall of as much is a tooth. [stat] */
static const double FLAT_SIGMAS = 8;
/* Parts of the range between the least and the highest floor. [tune: by the class's own name] */
static const double FALLS_BACK = 0.5, ONE_STEP = 0.6, PLATEAU_RISE = 0.1, WARM_UP_RISE = 0.4;

#endif
