/* history.h: a series' past in bounded memory: fine of late, coarse long ago.
 *
 * Readings are gathered into blocks of equal time, of which the least, the mean and the most are
 * kept. The least is the floor: what the job holds when it holds least, where peaks and teeth do
 * not show. Level 0 holds the newest 64 blocks; level k + 1 blocks of 4 of level k's; so eight
 * levels of twenty seconds reach back for eight months in 12 KiB, and a window of every length
 * has 20 to 64 blocks of one size.
 *
 * The first block's length follows the interval of the readings: about four of them, at most twenty
 * seconds unless they come more rarely: a leak of half an hour must be known by some minutes. Plain
 * data, no pointers, no allocation. */
#ifndef WATCH_HISTORY_H
#define WATCH_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

enum { WATCH_LEVELS = 8, WATCH_BLOCKS = 64, WATCH_FAN = 4, WATCH_FIRST = 8 };

typedef struct watch_block {
    double time_s; /* mean of its readings' */
    double least;
    float mean_above, most_above; /* above least */
} watch_block;

typedef struct watch_level {
    int n;    /* blocks held, at most WATCH_BLOCKS */
    int next; /* where the next one goes */
    watch_block ring[WATCH_BLOCKS];
    /* The children that will make the next block of this level. */
    int n_children;
    double sum_time_s, sum_mean, least, most;
    /* How far the floor has fallen from a peak, forgotten over a few rings. */
    double peak, drawdown;
    int since_peak;
} watch_level;

typedef struct watch_history {
    watch_level levels[WATCH_LEVELS];
    double block_s; /* 0: not yet known */
    double begin_s; /* of the block that is being filled */
    double last_s, last;
    double sum_time_s, sum, least, most;
    int n;       /* readings in that block */
    int n_first; /* readings kept until block_s is known */
    double first_s[WATCH_FIRST], first[WATCH_FIRST];
} watch_history;

void watch_history_init(watch_history *h);
bool watch_history_valid(const watch_history *h);
/* Returns how many levels closed a block: 0, or 1 for level 0 alone, and so on. Readings that are
 * not numbers and times that do not rise are left out. */
int watch_history_push(watch_history *h, double time_s, double value);
/* i = 0: the newest of a level. */
const watch_block *watch_history_back(const watch_level *l, int i);
/* The finest level whose ring reaches back to since_s, or the coarsest that has blocks. */
int watch_history_level(const watch_history *h, double since_s);
/* The highest floor before a moment, seen with blocks of this level or coarser; -INFINITY: nothing
 * is known of that time. */
double watch_history_ceiling(const watch_history *h, int level, double before_s);

#endif
