/* scenes.h: pictures that tests draw themselves, as 24-bit BMP, and a few words on files. The C
 * library alone, so that tests of the installed library can use it, too. Include it before base,
 * which poisons what it needs. */
#ifndef TESTS_STREAM_SCENES_H
#define TESTS_STREAM_SCENES_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/folder.h"

/* Zeros. For tests that see base, too, where the C library's own are poisoned: include this first.
 */
static inline void *scene_alloc(size_t bytes)
{
    return calloc(1, bytes);
}

/* Blocks of colour with noise: random weights find plenty in it. RGB, rows of 3 * w. */
static inline uint8_t *scene_make(int w, int h, uint32_t seed)
{
    uint8_t *rgb = malloc((size_t)w * (size_t)h * 3);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++) {
                uint32_t block = ((uint32_t)(x / 23) * 2654435761u + (uint32_t)(y / 17) * 40503u +
                                  seed * 97u + (uint32_t)c * 31u) *
                                 2246822519u;
                uint32_t grain = ((uint32_t)(x * 7 + y * 13 + c) + seed) * 2654435761u;
                rgb[((size_t)y * (size_t)w + (size_t)x) * 3 + (size_t)c] =
                    (uint8_t)(((block >> 24) * 3 + (grain >> 24)) / 4);
            }
    return rgb;
}

static inline void scene_put_le(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

static inline int scene_write_bmp(const char *path, int w, int h, uint32_t seed)
{
    uint8_t head[54] = {'B', 'M'}, *rgb = scene_make(w, h, seed);
    size_t row = ((size_t)w * 3 + 3) / 4 * 4;
    uint8_t *line = calloc(1, row);
    scene_put_le(head + 2, (uint32_t)(54 + row * (size_t)h));
    scene_put_le(head + 10, 54);
    scene_put_le(head + 14, 40);
    scene_put_le(head + 18, (uint32_t)w);
    scene_put_le(head + 22, (uint32_t)h);
    head[26] = 1;
    head[28] = 24;
    FILE *f = fopen(path, "wb");
    int failed = f == NULL || fwrite(head, sizeof head, 1, f) != 1;
    for (int y = h - 1; y >= 0 && !failed; y--) {
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++)
                line[3 * x + c] = rgb[((size_t)y * (size_t)w + (size_t)x) * 3 + 2 - (size_t)c];
        failed = fwrite(line, row, 1, f) != 1;
    }
    if (f && fclose(f) != 0)
        failed = 1;
    free(line);
    free(rgb);
    return failed ? -1 : 0;
}

/* "folder/name" in one of eight buffers that go round. */
static inline const char *scene_path(const char *folder, const char *name)
{
    static char paths[8][1024];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline void scene_write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (f) {
        fputs(text, f);
        fclose(f);
    }
}

/* The whole file with a 0 behind it, or NULL; the caller's to free. */
static inline char *scene_read(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (n)
        *n = 0;
    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    char *text = calloc(1, (size_t)size + 1);
    size_t got = fread(text, 1, (size_t)size, f);
    fclose(f);
    if (n)
        *n = got;
    return text;
}

#if defined(__SANITIZE_THREAD__)
#define SCENE_UNDER_TSAN 1
#elif defined(__SANITIZE_ADDRESS__)
#define SCENE_UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SCENE_UNDER_TSAN 1
#elif __has_feature(address_sanitizer)
#define SCENE_UNDER_ASAN 1
#endif
#endif
#ifndef SCENE_UNDER_TSAN
#define SCENE_UNDER_TSAN 0
#endif
#ifndef SCENE_UNDER_ASAN
#define SCENE_UNDER_ASAN 0
#endif

/* A forward takes ten to a hundred times as long under the sanitizers and valgrind (which is seen
 * by what it has loaded before us): there tests go the same ways with smaller pictures and counts.
 */
static inline int scene_is_slow(void)
{
    const char *loaded = getenv("LD_PRELOAD");
    return SCENE_UNDER_TSAN || SCENE_UNDER_ASAN ||
           (loaded != NULL && strstr(loaded, "vgpreload") != NULL);
}

static inline int scene_fewer(int n, int n_when_slow)
{
    return scene_is_slow() ? n_when_slow : n;
}

static inline void *scene_do_nothing(void *self)
{
    return self;
}

/* The threads of this process, `want` as soon as they are that many: the kernel lists a thread a
 * moment longer than a join takes. The thread sanitizer's own, which comes with the first of ours,
 * is not counted. */
static inline int scene_count_threads(int want)
{
    static int started;
    pthread_t thread;
    int n = 0;
    if (!started && pthread_create(&thread, NULL, scene_do_nothing, NULL) == 0)
        pthread_join(thread, NULL);
    started = 1;
    for (int i = 0; i < 2000; i++) {
        n = folder_count_entries("/proc/self/task") - SCENE_UNDER_TSAN;
        if (n == want)
            break;
        usleep(1000);
    }
    return n;
}

static inline int scene_count_fds(void)
{
    return folder_count_entries("/proc/self/fd") - 1; /* less the folder's own */
}

#endif
