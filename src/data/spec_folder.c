/* spec_folder.c: a dataset whose classes are folders: root/train/<class>/..., and the same in val
 * and test (T 4.5). Classes are numbered by the folders of train; a split with other folders would
 * have other numbers, so it is refused. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "spec.h"

typedef struct folders {
    base_str text;
    const char **names; /* (n) sorted; into text */
    size_t n;
} folders;

static void folders_fini(folders *f)
{
    base_free(f->names);
    base_str_fini(&f->text);
}

static int by_name(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return strcmp(*(const char *const *)a, *(const char *const *)b) < 0;
}

/* Of the opened folder `path`. Hidden ones are none. */
static vg_status collect(folders *f, DIR *dir, const char *path, base_mem *mem, vg_error *err)
{
    vg_status st = VG_OK;
    char below[DATA_PATH_BYTES];
    const struct dirent *e;
    while (st == VG_OK && (errno = 0, e = readdir(dir)) != NULL) {
        if (e->d_name[0] == '.' || !base_path_join(below, sizeof below, path, e->d_name) ||
            !base_path_is_dir(below))
            continue;
        if (f->n == SPEC_MOST_CLASSES)
            return base_fail(err, VG_ERR_LIMIT, path, NULL, "more than %d folders of classes",
                             SPEC_MOST_CLASSES);
        st = base_str_add_bytes(&f->text, SIZE_MAX / 2, e->d_name, strlen(e->d_name) + 1, mem, err);
        f->n += st == VG_OK;
    }
    if (st == VG_OK && errno != 0)
        st = base_fail_errno(err, VG_ERR_IO, path, NULL, "the folder cannot be read");
    return st;
}

/* The folders in `path`, sorted. On failure *f is to be ended, too. */
static vg_status list_folders(folders *f, const char *path, base_mem *mem, vg_error *err)
{
    *f = (folders){0};
    DIR *dir = opendir(path);
    if (!dir)
        return base_fail_errno(err, VG_ERR_IO, path, "check the folder's permissions",
                               "the folder cannot be opened");
    vg_status st = collect(f, dir, path, mem, err);
    closedir(dir);
    if (st != VG_OK || f->n == 0)
        return st;
    f->names = base_alloc_zero(mem, f->n, sizeof *f->names, err);
    if (!f->names)
        return VG_ERR_MEMORY;
    const char *at = f->text.text;
    for (size_t i = 0; i < f->n; i++, at += strlen(at) + 1)
        f->names[i] = at;
    base_sort(f->names, f->n, sizeof *f->names, by_name, NULL);
    return VG_OK;
}

static vg_status keep_names(data_spec *s, const folders *f, base_mem *mem, vg_error *err)
{
    size_t n_text = 0;
    for (size_t i = 0; i < f->n; i++)
        n_text += strlen(f->names[i]) + 1;
    s->names = base_alloc(mem, f->n * sizeof *s->names + n_text, err);
    if (!s->names)
        return VG_ERR_MEMORY;
    char *text = (char *)(s->names + f->n);
    for (size_t i = 0; i < f->n; i++) {
        const size_t n = strlen(f->names[i]) + 1;
        memcpy(text, f->names[i], n);
        s->names[i] = text;
        text += n;
    }
    s->nc = (int)f->n;
    return VG_OK;
}

/* Sorted both: the first that one has and the other has not. */
static vg_status compare_classes(const data_spec *s, const folders *f, const char *path,
                                 vg_error *err)
{
    size_t i = 0;
    while (i < f->n && i < (size_t)s->nc && strcmp(f->names[i], s->names[i]) == 0)
        i++;
    if (i == f->n && i == (size_t)s->nc)
        return VG_OK;
    const bool lacks = i == f->n || (i < (size_t)s->nc && strcmp(s->names[i], f->names[i]) < 0);
    return base_fail(err, VG_ERR_FORMAT, path,
                     lacks ? "make a folder for it, maybe an empty one: classes are numbered by "
                             "their folders"
                           : "move it away, or give train such a folder",
                     lacks ? "no folder for class \"%.200s\" of train"
                           : "a folder \"%.200s\", which train has not",
                     lacks ? s->names[i] : f->names[i]);
}

static vg_status read_classes(data_spec *s, data_split split, base_mem *mem, vg_error *err)
{
    char path[DATA_PATH_BYTES];
    folders f;
    if (!base_path_join(path, sizeof path, s->root, s->splits[split]))
        return base_fail(err, VG_ERR_LIMIT, s->root, "use a shorter path", "path is too long");
    vg_status st = list_folders(&f, path, mem, err);
    if (st == VG_OK && split == DATA_TRAIN && f.n == 0)
        st = base_fail(err, VG_ERR_FORMAT, path, "make a folder for each class, with its pictures",
                       "no folders of classes");
    else if (st == VG_OK)
        st = split == DATA_TRAIN ? keep_names(s, &f, mem, err) : compare_classes(s, &f, path, err);
    folders_fini(&f);
    return st;
}

/* The first of the names that is a folder of the root. */
static const char *find_split(const data_spec *s, const char *const *names, size_t n)
{
    char path[DATA_PATH_BYTES];
    for (size_t i = 0; i < n; i++)
        if (base_path_join(path, sizeof path, s->root, names[i]) && base_path_is_dir(path))
            return names[i];
    return NULL;
}

vg_status data_spec_read_folder(data_spec *s, base_mem *mem, vg_error *err)
{
    static const char *const train[] = {"train"},
                             *const val[] = {"val", "validation", "valid", "test"},
                             *const test[] = {"test"};
    s->splits[DATA_TRAIN] = find_split(s, train, 1);
    s->splits[DATA_VAL] = find_split(s, val, 4);
    s->splits[DATA_TEST] = find_split(s, test, 1);
    static const char mend[] = "give the YAML of the dataset; or, to classify, a folder with "
                               "train/<class>/... and val/<class>/...";
    if (!s->splits[DATA_TRAIN] || !s->splits[DATA_VAL])
        return base_fail(err, VG_ERR_FORMAT, s->root, mend, "a folder without %s",
                         s->splits[DATA_TRAIN] ? "val or test in it" : "train in it");
    vg_status st = VG_OK;
    for (int i = 0; i < DATA_N_SPLITS && st == VG_OK; i++)
        if (s->splits[i])
            st = read_classes(s, (data_split)i, mem, err);
    return st;
}
