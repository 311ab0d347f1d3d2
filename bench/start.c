/* start.c: how long a user waits, and how much memory it takes: from the start of the process to
 * the first line of results.
 *
 *     bench/start RUNS COMMAND [ARGUMENT ...]
 *     bench/start 31 build/vigil predict --weights yolo11n.pt --source street.jpg --no-save
 *
 * Runs the command RUNS times, after one that does not count, and prints median, least and most of:
 * milliseconds from fork to the first byte on its standard output, to its end, its CPU time, and
 * its peak resident memory (wait4). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

enum { MOST_RUNS = 1000 };

typedef struct run {
    double first_ms, end_ms, cpu_ms, peak_mb;
} run;

static double tv_ms(struct timeval t)
{
    return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static bool run_once(run *r, char **command)
{
    int out[2];
    char buf[65536];
    if (pipe(out) != 0)
        return false;
    int64_t start = base_now_ns();
    pid_t child = fork();
    if (child == 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        execvp(command[0], command);
        _exit(127);
    }
    close(out[1]);
    ssize_t n = child > 0 ? read(out[0], buf, sizeof buf) : 0;
    r->first_ms = base_ms(base_now_ns() - start);
    while (n > 0)
        n = read(out[0], buf, sizeof buf);
    close(out[0]);
    int status = 0;
    struct rusage used;
    if (child < 0 || wait4(child, &status, 0, &used) != child)
        return false;
    r->end_ms = base_ms(base_now_ns() - start);
    r->cpu_ms = tv_ms(used.ru_utime) + tv_ms(used.ru_stime);
    r->peak_mb = (double)used.ru_maxrss / 1024;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void print_row(const char *name, const run *runs, size_t n, size_t offset)
{
    double v[MOST_RUNS], least = 1e300, most = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(&v[i], (const char *)&runs[i] + offset, sizeof v[i]);
        least = v[i] < least ? v[i] : least;
        most = v[i] > most ? v[i] : most;
    }
    printf("%-26s median %8.1f   least %8.1f   most %8.1f\n", name, base_median(v, n), least, most);
}

int main(int argc, char **argv)
{
    int64_t n = 0;
    static run runs[MOST_RUNS];
    if (argc < 3 || !base_parse_i64(&n, argv[1], 1, MOST_RUNS)) {
        fprintf(stderr, "usage: start RUNS COMMAND [ARGUMENT ...]\n");
        return 2;
    }
    for (int64_t i = -1; i < n; i++)
        if (!run_once(&runs[i < 0 ? 0 : i], argv + 2)) {
            fprintf(stderr, "error: the command failed: %s\n", argv[2]);
            return 1;
        }
    print_row("first line, ms", runs, (size_t)n, offsetof(run, first_ms));
    print_row("end, ms", runs, (size_t)n, offsetof(run, end_ms));
    print_row("CPU, ms", runs, (size_t)n, offsetof(run, cpu_ms));
    print_row("peak resident, MB", runs, (size_t)n, offsetof(run, peak_mb));
    return 0;
}
