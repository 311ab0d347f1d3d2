/* cache.c: compiled programs in the user's cache folder. */
#include <stdlib.h>
#include <string.h>

#include "host.h"

enum { MOST_BYTES = 64 << 20, MOST_PATH = 1024 };

/* A file's beginning: another's, or one that was cut, is not taken. */
typedef struct head {
    char magic[8];
    uint64_t key, n_bytes, sum;
} head;
static const char MAGIC[8] = "vglgpu1";

static bool folder(char *out, size_t n)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && cache[0] == '/')
        return base_format(out, n, "%s/vigil/gpu", cache);
    return home && home[0] == '/' && base_format(out, n, "%s/.cache/vigil/gpu", home);
}

static bool path_of(char *out, size_t n, uint64_t key)
{
    char dir[MOST_PATH];
    return folder(dir, sizeof dir) &&
           base_format(out, n, "%s/%016llx.bin", dir, (unsigned long long)key);
}

void gpu_cache_get(char **out, size_t *n_bytes, uint64_t key, base_mem *mem)
{
    char path[MOST_PATH], *text = NULL;
    head h;
    size_t n = 0;
    *out = NULL;
    *n_bytes = 0;
    if (!path_of(path, sizeof path, key) || !base_path_exists(path) ||
        base_file_read(&text, &n, path, MOST_BYTES, mem, NULL) != VG_OK)
        return;
    if (n > sizeof h)
        memcpy(&h, text, sizeof h);
    const bool is_whole = n > sizeof h && memcmp(h.magic, MAGIC, sizeof h.magic) == 0 &&
                          h.key == key && h.n_bytes == n - sizeof h &&
                          h.sum == base_hash(BASE_HASH_START, text + sizeof h, n - sizeof h);
    if (!is_whole) {
        base_free(text);
        return;
    }
    memmove(text, text + sizeof h, n - sizeof h);
    *out = text;
    *n_bytes = n - sizeof h;
}

void gpu_cache_put(uint64_t key, const void *bytes, size_t n_bytes, base_mem *mem)
{
    char dir[MOST_PATH], path[MOST_PATH];
    head h = {.key = key, .n_bytes = n_bytes, .sum = base_hash(BASE_HASH_START, bytes, n_bytes)};
    base_file f = BASE_FILE_NONE;
    memcpy(h.magic, MAGIC, sizeof h.magic);
    if (n_bytes > MOST_BYTES - sizeof h || !folder(dir, sizeof dir) ||
        !path_of(path, sizeof path, key) || base_make_dirs(dir, NULL) != VG_OK)
        return;
    vg_status st = base_file_create_beside(&f, path, NULL);
    if (st == VG_OK)
        st = base_file_write(&f, &h, sizeof h, NULL);
    if (st == VG_OK)
        st = base_file_write(&f, bytes, n_bytes, NULL);
    if (st == VG_OK)
        st = base_file_publish(&f, path, NULL);
    base_file_discard(&f);
    if (st == VG_OK)
        base_keep_newest(dir, ".bin", GPU_CACHE_FILES, mem, NULL);
}
