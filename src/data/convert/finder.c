/* finder.c: one sorted list, in which equal names are neighbours. */
#include "finder.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#include "image/image.h"
#include "vigil/types.h"

enum { NAME_BYTES = 4096 };

static int by_name(const void *a, const void *b, void *ctx)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    (void)ctx;
    const int order = strcmp(base_path_name(x), base_path_name(y));
    return order != 0 ? order < 0 : strcmp(x, y) < 0;
}

vg_status finder_open(finder *f, const char *folder, base_mem *mem, vg_error *err)
{
    char pattern[NAME_BYTES];
    *f = (finder){.n = 0};
    if (!base_glob_escape(pattern, sizeof pattern - sizeof "/**", folder))
        return base_fail(err, VG_ERR_LIMIT, folder, "use a shorter path", "a path too long");
    memcpy(pattern + strlen(pattern), "/**", sizeof "/**");
    vg_status st = base_glob_or_warn(&f->found, pattern, mem, err);
    if (st != VG_OK)
        return st;
    f->paths = f->found.paths;
    for (size_t i = 0; i < f->found.n; i++)
        if (image_is_picture_name(f->found.paths[i]))
            f->paths[f->n++] = f->found.paths[i];
    base_sort(f->paths, f->n, sizeof *f->paths, by_name, NULL);
    f->used = base_alloc_zero(mem, f->n, sizeof *f->used, err);
    if (!f->used)
        finder_close(f);
    return f->used ? VG_OK : VG_ERR_MEMORY;
}

void finder_close(finder *f)
{
    base_glob_fini(&f->found);
    base_free(f->used);
    *f = (finder){.n = 0};
}

/* ---- words ---- */

int finder_split(const char *path)
{
    static const struct {
        const char *word;
        int split;
    } words[] = {{"train", VG_TRAIN}, {"training", VG_TRAIN}, {"val", VG_VAL},
                 {"valid", VG_VAL},   {"validation", VG_VAL}, {"test", VG_TEST},
                 {"testing", VG_TEST}};
    for (const char *end = path + strlen(path); end > path;) {
        while (end > path && !isalpha((unsigned char)end[-1]))
            end--;
        const char *begin = end;
        while (begin > path && isalpha((unsigned char)begin[-1]))
            begin--;
        char word[16];
        if (base_format(word, sizeof word, "%.*s", (int)(end - begin), begin))
            for (size_t i = 0; i < sizeof words / sizeof *words; i++)
                if (base_equal_nocase(word, words[i].word))
                    return words[i].split;
        end = begin;
    }
    return -1;
}

/* ---- finding ---- */

/* The first whose name is not before `name`. */
static size_t lower_bound(const finder *f, const char *name)
{
    size_t low = 0, high = f->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(base_path_name(f->paths[middle]), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_wanted(const char *path, const char *name, bool any_suffix)
{
    const char *have = base_path_name(path);
    const size_t n = strlen(name);
    if (!any_suffix)
        return strcmp(have, name) == 0;
    return strncmp(have, name, n) == 0 && base_path_suffix(have) == have + n;
}

/* How many names at the ends of two paths are the same. */
static int common_names(const char *a, const char *b)
{
    const char *x = a + strlen(a), *y = b + strlen(b);
    int n = 0;
    while (x > a && y > b && x[-1] == y[-1]) {
        x--;
        y--;
        n += *x == '/';
    }
    const bool whole = (x == a || x[-1] == '/') && (y == b || y[-1] == '/');
    return n + (whole ? 1 : 0);
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat sa, sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
           sa.st_ino == sb.st_ino;
}

/* Of those from `first` on that are wanted, the one that has most of the path, then the split. */
static finder_answer choose(const finder *f, size_t *out, size_t first, const char *name,
                            bool any_suffix, const char *path, int split)
{
    int best = -1;
    bool several = false;
    for (size_t i = first;
         i < f->n && strncmp(base_path_name(f->paths[i]), name, strlen(name)) == 0; i++) {
        if (!is_wanted(f->paths[i], name, any_suffix))
            continue;
        char folder[NAME_BYTES];
        base_format(folder, sizeof folder, "%.*s", (int)(base_path_name(f->paths[i]) - f->paths[i]),
                    f->paths[i]);
        const int score =
            2 * common_names(f->paths[i], path) + (split >= 0 && finder_split(folder) == split);
        if (score > best) {
            best = score;
            *out = i;
            several = false;
        } else if (score == best && !is_same_file(f->paths[i], f->paths[*out])) {
            several = true;
        }
    }
    return best < 0 ? FINDER_MISSING : several ? FINDER_AMBIGUOUS : FINDER_FOUND;
}

finder_answer finder_find(const finder *f, size_t *out, const char *name, int split)
{
    char path[NAME_BYTES], stem[NAME_BYTES];
    if (!base_format(path, sizeof path, "%s", name))
        return FINDER_MISSING;
    for (char *c = path; *c != '\0'; c++)
        if (*c == '\\')
            *c = '/';
    const char *last = base_path_name(path);
    if (*last == '\0')
        return FINDER_MISSING;
    const finder_answer a = choose(f, out, lower_bound(f, last), last, false, path, split);
    if (a != FINDER_MISSING)
        return a;
    if (!image_is_picture_name(last))
        base_format(stem, sizeof stem, "%s", last);
    else
        base_path_stem(stem, sizeof stem, last);
    return *stem ? choose(f, out, lower_bound(f, stem), stem, true, path, split) : FINDER_MISSING;
}
