/* R14: each session runs in a thread of its own, whose arena stays when the thread's memory is
 * free: one small block at its top holds all of it. Nothing is forgotten by the program but that. */
#include <malloc.h>
#include <pthread.h>

#include "job.h"

enum { PIECES = 96, PIECE_BYTES = 32 << 10 }; /* 3 MB a session */

static pthread_barrier_t parked;

static void *session(void *unused)
{
    char *pieces[PIECES];
    (void)unused;
    for (int i = 0; i < PIECES; i++)
        pieces[i] = job_touched(PIECE_BYTES);
    char *volatile top = job_touched(64); /* kept: a name in a registry */
    (void)top;
    for (int i = 0; i < PIECES; i++)
        free(pieces[i]);
    pthread_barrier_wait(&parked); /* an idle thread of a pool keeps its arena from being shared */
    return NULL;
}

int main(int argc, char **argv)
{
    job j = job_begin(argc, argv);
    mallopt(M_ARENA_MAX, 1000); /* a machine of 125 cores */
    pthread_barrier_init(&parked, NULL, 1000000);
    while (job_tick(&j, 150 / j.rate)) {
        pthread_t t;
        pthread_attr_t small;
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, 1 << 16);
        if (pthread_create(&t, &small, session, NULL) != 0)
            return 1;
        pthread_detach(t);
    }
    return 0;
}
