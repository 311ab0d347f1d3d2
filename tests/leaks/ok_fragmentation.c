/* No leak: blocks of all sizes come and go, as many as before; the heap's holes grow to what that
 * makes of it, and no further. */
#include "job.h"

enum { BLOCKS = 6000 };

int main(int argc, char **argv)
{
    job j = job_begin(argc, argv);
    static char *blocks[BLOCKS];
    while (job_tick(&j, 10))
        for (int i = 0; i < 60 * j.rate; i++) {
            const int at = (int)(job_random(&j) * BLOCKS);
            const double size = job_random(&j);
            free(blocks[at]);
            blocks[at] = job_touched((size_t)(16 + 60000 * size * size * size));
        }
    return 0;
}
