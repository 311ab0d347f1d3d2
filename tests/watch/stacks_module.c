/* stacks_module.c: what a Python job calls through ctypes, which gives the interpreter's lock away
 * meanwhile, as torch does: blocks that stay, from deep within and from a thread of its own. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define APART __attribute__((noinline))

static void *volatile kept[4096];
static size_t n_kept;

static APART void keep_block(size_t n)
{
    void *p = malloc(n);
    if (p == NULL)
        abort();
    memset(p, 1, 8);
    kept[n_kept++ % 4096] = p;
}

APART int module_deep(int depth, size_t n)
{
    if (depth == 0) {
        keep_block(n);
        return 0;
    }
    return module_deep(depth - 1, n) + 1;
}

static APART void *module_worker(void *n)
{
    keep_block(*(size_t *)n);
    return NULL;
}

APART int module_thread(size_t n)
{
    pthread_t t;
    if (pthread_create(&t, NULL, module_worker, &n) != 0)
        return 1;
    return pthread_join(t, NULL);
}
