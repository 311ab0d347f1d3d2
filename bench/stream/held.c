/* held.c: readings of the process, and what all programs here need. */
#include "held.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const double MB = 1 << 20;

static int n_entries(const char *path)
{
    int n = 0;
    DIR *dir = opendir(path);
    if (dir == NULL)
        return 0;
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

held held_take(const stream_accounts *mem)
{
    return (held){.resident = base_mem_resident_bytes(),
                  .in_use = mem->root.in_use_bytes,
                  .n_allocs = mem->root.n_allocs,
                  .library = base_mem_library_bytes(),
                  .n_descriptors = n_entries("/proc/self/fd") - 3, /* ., .., and the list's own */
                  .n_threads = n_entries("/proc/self/task") - 2,
                  .now_ns = base_now_ns(),
                  .cpu_ns = base_process_cpu_ns()};
}

void held_head(FILE *to, const char *of)
{
    fprintf(to, "%9s   resident       ours  libraries  our allocs   fds  threads\n", of);
}

void held_print(FILE *to, uint64_t at, const held *h)
{
    fprintf(to, "%9llu  %9.2f  %9.2f  %9.2f  %9llu  %4d  %4d\n", (unsigned long long)at,
            (double)h->resident / MB, (double)h->in_use / MB, (double)h->library / MB,
            (unsigned long long)h->n_allocs, h->n_descriptors, h->n_threads);
    fflush(to);
}

bool held_is_flat(const held *first, const held *last)
{
    return (double)last->resident - (double)first->resident < MB &&
           last->n_allocs == first->n_allocs && last->n_descriptors == first->n_descriptors &&
           last->n_threads == first->n_threads;
}

void held_check(vg_status st, const vg_error *err)
{
    if (st == VG_OK)
        return;
    fprintf(stderr, "error: %s\n  at:  %s\n  try: %s\n", err->what, err->where, err->mend);
    exit(1);
}

void held_set(stream_options *o, const char *text)
{
    vg_error err;
    char name[64];
    const char *sign = strchr(text, '=');
    base_format(name, sizeof name, "%.*s", (int)(sign != NULL ? sign - text : 0), text);
    held_check(stream_options_set(o, name, sign != NULL ? sign + 1 : "", &err), &err);
}

void held_run(const char *const *command)
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(command[0], (char *const *)(uintptr_t)command);
        perror(command[0]);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "%s failed\n", command[0]);
        exit(1);
    }
}
