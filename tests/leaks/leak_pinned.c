/* R4: a cache of page-locked buffers, in powers of two, that is never given back. */
#include <sys/mman.h>

#include "job.h"

int main(int argc, char **argv)
{
    job j = job_begin(argc, argv);
    while (job_tick(&j, 200 / j.rate)) {
        const size_t n = (size_t)1 << (20 + (int)(3 * job_random(&j)));
        char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED || mlock(p, n) != 0) {
            fprintf(stderr, "skipped: memory cannot be locked here\n");
            return 77;
        }
        memset(p, 1, n);
    }
    return 0;
}
