/* clock.h: monotonic time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t base_now_ns(void);
/* The same, but it goes on while the machine sleeps. */
int64_t base_boot_ns(void);
/* CPU time of the whole process, and of the calling thread. */
int64_t base_process_cpu_ns(void);
int64_t base_thread_cpu_ns(void);
static inline double base_ms(int64_t ns)
{
    return (double)ns / 1e6;
}

#endif
