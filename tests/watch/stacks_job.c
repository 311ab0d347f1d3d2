/* stacks_job.c: what the sampler's tests preload it into. After each phase it writes a byte and
 * waits for one, so that the test looks between phases.  stacks_job MODE */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define APART __attribute__((noinline))

static void *volatile kept[1 << 16];
static size_t n_kept;

static void pause_here(void)
{
    char c = '.';
    if (write(1, &c, 1) != 1 || read(0, &c, 1) != 1)
        _exit(3);
}

static void keep(void *p)
{
    if (p == NULL)
        _exit(4);
    memset(p, 1, 8);
    kept[n_kept++ % (1 << 16)] = p;
}

/* ---- kinds: 100 blocks of 1000 bytes and more, by each function ---- */

static APART void keep_kinds(void)
{
    for (int i = 0; i < 100; i++) {
        void *p = NULL;
        keep(malloc(1000));
        keep(calloc(10, 100));
        keep(realloc(NULL, 1000));
        keep(realloc(malloc(10), 1000));
        keep(realloc(malloc(200000), 1000));
        keep(reallocarray(NULL, 10, 100));
        keep(posix_memalign(&p, 256, 1000) == 0 ? p : NULL);
        keep(aligned_alloc(64, 1024));
        keep(memalign(32, 1000));
        keep(valloc(1000));
    }
    if (malloc_usable_size(kept[0]) < 1000 || realloc(malloc(8), SIZE_MAX / 4) != NULL)
        _exit(5);
}

static APART void free_all(void)
{
    while (n_kept > 0)
        free(kept[--n_kept]);
}

static void kinds(void)
{
    keep_kinds();
    pause_here();
    free_all();
    pause_here();
}

/* ---- leaks ---- */

static APART void leak_fast(void)
{
    for (int i = 0; i < 3; i++)
        keep(malloc(4000));
}

static APART void leak_slow(void)
{
    keep(malloc(4000));
}

static APART void noise(void)
{
    void *p[64];
    for (int i = 0; i < 64; i++)
        p[i] = calloc(1, (size_t)(16 << i % 12));
    for (int i = 0; i < 64; i++)
        p[i] = realloc(p[i], (size_t)(16 << (i + 5) % 12));
    for (int i = 0; i < 64; i++)
        free(p[i]);
}

static void leak_phases(int n)
{
    for (int phase = 0; phase < n; phase++) {
        for (int i = 0; i < 400; i++) {
            leak_fast();
            leak_slow();
            noise();
        }
        pause_here();
    }
}

static void leaks(void)
{
    leak_phases(12);
}

static void leaks_long(void)
{
    leak_phases(36);
}

/* ---- forks: the child frees its parent's blocks and keeps half as many of its own ---- */

static APART void keep_parents(void)
{
    for (int i = 0; i < 1000; i++)
        keep(malloc(1000));
}

static APART void keep_childs(void)
{
    for (int i = 0; i < 500; i++)
        keep(malloc(1000));
}

static void forks(void)
{
    int down[2];
    keep_parents();
    if (pipe(down) != 0)
        _exit(6);
    const pid_t child = fork();
    if (child == 0) {
        char c;
        close(down[1]);
        free_all();
        keep_childs();
        if (write(1, ".", 1) != 1)
            _exit(3);
        _exit(read(down[0], &c, 1) < 0); /* until its parent ends */
    }
    close(down[0]);
    char c;
    if (read(0, &c, 1) != 1)
        _exit(3);
    close(down[1]);
    waitpid(child, NULL, 0);
}

/* ---- threads ---- */

static APART void *hammer(void *seed)
{
    unsigned r = (unsigned)(uintptr_t)seed;
    void *mine[64] = {NULL};
    for (int i = 0; i < 20000; i++) {
        void **p = &mine[(r = r * 1664525u + 1013904223u) >> 8 & 63];
        if (i % 3 == 0) {
            *p = realloc(*p, 1 + (r >> 16) % 3000);
        } else {
            free(*p);
            *p = malloc(1 + (r >> 16) % 300);
        }
        if (i % 5000 == 0) { /* forks while others allocate */
            const pid_t child = fork();
            if (child == 0) {
                free(malloc(100000));
                _exit(0);
            }
            waitpid(child, NULL, 0);
        }
    }
    for (int i = 0; i < 64; i++)
        free(mine[i]);
    return NULL;
}

static void threads(void)
{
    pthread_t t[8];
    for (uintptr_t i = 0; i < 8; i++)
        if (pthread_create(&t[i], NULL, hammer, (void *)(i + 1)) != 0)
            _exit(7);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    pause_here();
}

/* ---- a library that is loaded and goes ---- */

static APART void plugin(void)
{
    for (int i = 0; i < 20; i++) {
        void *library = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
        void *(*open_file)(const char *, const char *);
        void *f = library != NULL ? dlsym(library, "gzopen") : NULL;
        if (f == NULL)
            _exit(8);
        memcpy(&open_file, &f, sizeof f);
        keep(open_file("/dev/null", "rb"));
        dlclose(library);
    }
    pause_here();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"kinds", kinds}, {"leaks", leaks},     {"leaks_long", leaks_long},
                 {"forks", forks}, {"threads", threads}, {"plugin", plugin}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (argc == 2 && strcmp(argv[1], modes[i].name) == 0) {
            modes[i].run();
            return 0;
        }
    return 2;
}
