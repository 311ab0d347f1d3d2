/* R8, in C: a decoded frame's buffer is let go but not freed, every few frames (opencv #21696). */
#include "job.h"

int main(int argc, char **argv)
{
    job j = job_begin(argc, argv);
    while (job_tick(&j, 10)) {
        char *volatile frame = job_touched(640 * 480 * 3 / 2);
        if (job_random(&j) > 0.4 * j.rate)
            free(frame);
    }
    return 0;
}
