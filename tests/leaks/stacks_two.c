/* stacks_two.c: two leaks, one three times as fast as the other, in the noise of blocks that are
 * freed. stacks_two SECONDS. For vigil watch --stacks, and heaptrack beside it. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *volatile kept[1 << 20]; /* or the compiler sees that nobody reads them */
static size_t n_kept;

static void keep(void *p)
{
    if (n_kept < sizeof kept / sizeof *kept)
        kept[n_kept++] = p;
}

static __attribute__((noinline)) void leak_fast(void)
{
    for (int i = 0; i < 3; i++)
        keep(memset(malloc(4000), 1, 4000));
}

static __attribute__((noinline)) void leak_slow(void)
{
    keep(memset(malloc(4000), 1, 4000));
}

/* As much as the leaks a hundred times over, of all sizes; nothing stays. */
static __attribute__((noinline)) void noise(void)
{
    void *p[64];
    for (int i = 0; i < 64; i++)
        p[i] = calloc(1, (size_t)(16 << i % 12));
    for (int i = 0; i < 64; i++)
        p[i] = realloc(p[i], (size_t)(16 << (i + 5) % 12));
    for (int i = 0; i < 64; i++)
        free(p[i]);
}

static void *stays; /* large, and does not grow */

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *noisy(void *until)
{
    while (now_s() < *(const double *)until) {
        noise();
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    double until = now_s() + (argc > 1 ? strtod(argv[1], NULL) : 10);
    pthread_t thread;
    stays = calloc(1, 100 << 20);
    if (stays == NULL || pthread_create(&thread, NULL, noisy, &until) != 0)
        return 1;
    while (now_s() < until) {
        leak_fast();
        leak_slow();
        noise();
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    }
    pthread_join(thread, NULL);
    printf("%zu blocks kept\n", n_kept);
    return 0;
}
