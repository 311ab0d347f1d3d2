/* clock.c: the kernel's clocks in nanoseconds. */
#include "clock.h"

#include <time.h>

static int64_t read_ns(clockid_t clock)
{
    struct timespec t = {0};
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t base_now_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t base_boot_ns(void)
{
    return read_ns(CLOCK_BOOTTIME);
}

int64_t base_process_cpu_ns(void)
{
    return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t base_thread_cpu_ns(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}
