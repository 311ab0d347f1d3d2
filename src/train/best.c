/* best.c: the best epoch and early stopping. Two bests, as in the recipe: the file's is renewed
 * when its fitness is passed (or still 0), the stopper's epoch also by an equal fitness. */
#include "best.h"

#include <math.h>

double train_fitness(double map50, double map50_95)
{
    return 0.1 * map50 + 0.9 * map50_95;
}

train_verdict train_best_push(train_best *b, int64_t epoch, double fitness, int patience)
{
    train_verdict v = {0};
    if (!isnan(fitness)) {
        if (b->fitness == 0 || b->fitness < fitness)
            b->fitness = fitness;
        v.is_best = fitness == b->fitness;
        if (fitness >= b->stop_fitness) {
            b->stop_fitness = fitness;
            b->stop_epoch = epoch;
        }
    }
    v.stop = patience > 0 && epoch - b->stop_epoch >= patience;
    return v;
}
