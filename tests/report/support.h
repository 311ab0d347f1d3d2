/* support.h: a folder of the test's own, an account, and a disk that can be full. */
#ifndef TESTS_REPORT_SUPPORT_H
#define TESTS_REPORT_SUPPORT_H

#include "support/test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/folder.h"
#include "report/report.h"

typedef struct bench {
    char folder[256];
    base_mem mem;
    vg_error err;
} bench;

/* Fontconfig finds its own blocks by offsets, which a leak checker does not follow. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}

static inline int setup(void **state)
{
    static bench b;
    b = (bench){.mem = {.tag = "test"}};
    *state = &b;
    return folder_make(b.folder, sizeof b.folder);
}

static inline int teardown(void **state)
{
    bench *b = *state;
    assert_int_equal(b->mem.in_use_bytes, 0);
    return folder_remove(b->folder);
}

/* A path in the test's folder; good for the last four calls. */
static inline const char *in_folder(const bench *b, const char *name)
{
    static char paths[4][512];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    assert_true(base_path_join(path, sizeof paths[0], b->folder, name));
    return path;
}

static inline char *read_text(bench *b, const char *path, size_t *n)
{
    char *text;
    size_t length;
    assert_int_equal(
        base_file_read(&text, n != NULL ? n : &length, path, 1 << 26, &b->mem, &b->err), VG_OK);
    return text;
}

static inline void assert_file_is(bench *b, const char *path, const char *wanted)
{
    char *text = read_text(b, path, NULL);
    assert_string_equal(text, wanted);
    base_free(text);
}

/* Not synced: a test writes hundreds. */
static inline void write_bytes(const char *path, const char *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static inline void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

static inline size_t file_bytes(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (size_t)info.st_size;
}

/* From now on no file grows past so many bytes, as on a full disk: also for root. 0: ends that. */
static inline void disk_full_at(size_t n_bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = n_bytes != 0 ? n_bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* No file of the folder is one that was not finished. */
static inline void assert_no_leftovers(const bench *b)
{
    char command[512];
    snprintf(command, sizeof command, "ls -A '%s' | grep -q '\\.tmp-'", b->folder);
    assert_int_not_equal(system(command), 0);
}

#endif
