/* R14: each session is served by another thread of a large pool, whose arena stays as large as that
 * session made it, though all but one small block at its top is free again. */
#include <malloc.h>
#include <pthread.h>

#include "job.h"

enum { THREADS = 96, PIECES = 96, PIECE_BYTES = 32 << 10 }; /* 3 MB a session */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static size_t n_turns;

static void serve(void)
{
    char *pieces[PIECES];
    for (int i = 0; i < PIECES; i++)
        pieces[i] = job_touched(PIECE_BYTES);
    char *volatile top = job_touched(64); /* kept: a name in a registry */
    (void)top;
    for (int i = 0; i < PIECES; i++)
        free(pieces[i]);
}

static void *wait_and_serve(void *number)
{
    pthread_mutex_lock(&lock);
    while (n_turns <= (size_t)number)
        pthread_cond_wait(&turn, &lock);
    pthread_mutex_unlock(&lock);
    serve();
    pthread_mutex_lock(&lock);
    while (n_turns < 1000000) /* it waits for its next session */
        pthread_cond_wait(&turn, &lock);
    return NULL;
}

int main(int argc, char **argv)
{
    job j = job_begin(argc, argv);
    mallopt(M_ARENA_MAX, 1000); /* a machine of 125 cores */
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 1 << 16);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_t t;
        if (pthread_create(&t, &small, wait_and_serve, (void *)i) != 0)
            return 1;
        pthread_detach(t);
    }
    while (job_tick(&j, 150 / j.rate)) {
        pthread_mutex_lock(&lock);
        n_turns++;
        pthread_cond_broadcast(&turn);
        pthread_mutex_unlock(&lock);
    }
    return 0;
}
