/* stacks_load.c: nothing but allocation: 20,000 blocks of 16 to 4,100 bytes, each freed when its
 * turn comes by chance, written and read. Prints its CPU time in seconds. For stacks.sh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N = 20000 };
static char *blocks[N];
static unsigned random_state = 1;

static unsigned draw(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

int main(int argc, char **argv)
{
    const long n = argc > 1 ? strtol(argv[1], NULL, 10) : 20000000;
    unsigned sum = 0;
    for (long i = 0; i < n; i++) {
        const unsigned k = draw() % N;
        const size_t size = 16 + draw() % (draw() % 64 == 0 ? 4096 : 256);
        free(blocks[k]);
        blocks[k] = malloc(size);
        if (blocks[k] == NULL)
            return 1;
        memset(blocks[k], (int)i, size);
        sum += (unsigned char)blocks[k][size / 2];
    }
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    printf("%.4f %u\n", (double)t.tv_sec + (double)t.tv_nsec * 1e-9, sum & 1);
    return 0;
}
