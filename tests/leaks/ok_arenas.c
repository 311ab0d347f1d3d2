/* No leak: a pool of threads, each with an arena that grows to what its largest request wanted. */
#include <pthread.h>

#include "job.h"

enum { THREADS = 12, MOST = 64, LEAST_BYTES = 4 << 10, MOST_BYTES = 96 << 10 };

static job shared;

static void *serve(void *arg)
{
    job j = shared;
    j.seed += (unsigned)(size_t)arg * 7919;
    while (job_tick(&j, 40)) {
        char *pieces[MOST];
        const int n = 1 + (int)(job_random(&j) * (MOST - 1));
        for (int i = 0; i < n; i++)
            pieces[i] = job_touched((size_t)(LEAST_BYTES + job_random(&j) * MOST_BYTES * j.rate));
        for (int i = 0; i < n; i++)
            free(pieces[i]);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    shared = job_begin(argc, argv);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, serve, (void *)i) != 0)
            return 1;
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
