/* list.c: folders walked, lists read, everything sorted by path (spec 5.1). */
#include "list.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"

enum { MOST_LIST_BYTES = 1 << 30 };

typedef struct builder {
    base_str text; /* paths one behind the other, each ended by a 0 */
    size_t n;
    base_mem *mem;
} builder;

static vg_status add_path(builder *b, const char *path, vg_error *err)
{
    if (b->n == DATA_MOST_PICTURES)
        return base_fail(err, VG_ERR_LIMIT, path, NULL, "more than %d pictures",
                         DATA_MOST_PICTURES);
    vg_status st = base_str_add_bytes(&b->text, SIZE_MAX / 2, path, strlen(path) + 1, b->mem, err);
    b->n += st == VG_OK;
    return st;
}

static vg_status too_long(const char *path, vg_error *err)
{
    return base_fail(err, VG_ERR_LIMIT, path, "use a shorter path", "a path of more than %d bytes",
                     DATA_PATH_BYTES - 1);
}

/* The pictures of a pattern. A dataset that lost some is no dataset, so a folder that may not be
 * opened is an error. */
static vg_status from_glob(builder *b, const char *pattern, vg_error *err)
{
    base_glob_found found;
    vg_status st = base_glob(&found, pattern, b->mem, err);
    if (st != VG_OK)
        return st;
    if (found.n_closed > 0)
        st = base_fail(err, VG_ERR_IO, found.closed, "check the folder's permissions",
                       "the folder cannot be opened");
    for (size_t i = 0; st == VG_OK && i < found.n; i++)
        if (image_is_picture_name(found.paths[i]))
            st = add_path(b, found.paths[i], err);
    base_glob_fini(&found);
    return st;
}

/* All of a folder, and of the folders in it. */
static vg_status from_folder(builder *b, const char *path, vg_error *err)
{
    char pattern[DATA_PATH_BYTES];
    if (!base_glob_escape(pattern, sizeof pattern - sizeof "/**", path))
        return too_long(path, err);
    memcpy(pattern + strlen(pattern), "/**", sizeof "/**");
    return from_glob(b, pattern, err);
}

/* A path of a list, or, where no file has that name, what it finds as a pattern within folder. */
static vg_status add_file(builder *b, const char *path, const char *folder, const char *word,
                          vg_error *err)
{
    char pattern[DATA_PATH_BYTES];
    if (!base_is_glob(word) || base_path_exists(path))
        return add_path(b, path, err);
    const size_t n = strlen(folder);
    const char *between = n > 0 && folder[n - 1] != '/' ? "/" : "";
    if (!base_glob_escape(pattern, sizeof pattern, folder) ||
        !base_format(pattern + strlen(pattern), sizeof pattern - strlen(pattern), "%s%s", between,
                     word))
        return too_long(path, err);
    return from_glob(b, pattern, err);
}

/* One line of a .txt list: absolute, or ./ beside the list, or relative to the working folder. */
static vg_status add_line(builder *b, const char *list, const char *line, vg_error *err)
{
    char path[DATA_PATH_BYTES], folder[DATA_PATH_BYTES];
    if (line[0] == '/')
        return add_file(b, line, "", line, err);
    bool beside = line[0] == '.' && line[1] == '/';
    bool fits = true;
    if (beside)
        fits = base_format(folder, sizeof folder, "%.*s", (int)(base_path_name(list) - list), list);
    else if (!getcwd(folder, sizeof folder - 1))
        return base_fail_errno(err, VG_ERR_IO, list, NULL, "the working folder has no path");
    if (!fits || !base_format(path, sizeof path, "%s%s%s", folder, beside ? "" : "/",
                              beside ? line + 2 : line))
        return too_long(line, err);
    return add_file(b, path, folder, path + strlen(folder) + !beside, err);
}

static vg_status from_list(builder *b, const char *path, vg_error *err)
{
    char *text = NULL;
    size_t n;
    vg_status st = base_file_read(&text, &n, path, MOST_LIST_BYTES, b->mem, err);
    for (char *line = text, *end; st == VG_OK && line < text + n; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + n - line));
        if (!end)
            end = text + n;
        *end = '\0';
        size_t length = strlen(line);
        while (length > 0 && strchr(" \t\r", line[length - 1]))
            line[--length] = '\0';
        line += strspn(line, " \t");
        if (*line != '\0' && (image_is_picture_name(line) || base_is_glob(line)))
            st = add_line(b, path, line, err);
    }
    base_free(text);
    return st;
}

static vg_status from_place(builder *b, const data_spec *spec, const char *place, vg_error *err)
{
    char path[DATA_PATH_BYTES];
    bool fits = place[0] == '/' ? base_format(path, sizeof path, "%s", place)
                                : base_path_join(path, sizeof path, data_spec_root(spec), place);
    if (!fits)
        return too_long(place, err);
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
        path[n - 1] = '\0';
    if (base_path_is_dir(path))
        return from_folder(b, path, err);
    if (base_path_exists(path))
        return from_list(b, path, err);
    if (base_is_glob(place))
        return place[0] == '/' ? from_glob(b, place, err)
                               : add_file(b, path, data_spec_root(spec), place, err);
    return base_fail(err, VG_ERR_IO, path,
                     base_mend("correct path or the split's folder in %s", data_spec_source(spec)),
                     "no such folder or list of pictures");
}

static int by_path(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return strcmp(*(const char *const *)a, *(const char *const *)b) < 0;
}

vg_status data_list_open(data_list *out, const data_spec *spec, data_split split, base_mem *mem,
                         vg_error *err)
{
    *out = (data_list){0};
    builder b = {.mem = mem};
    vg_status st = VG_OK;
    const char *place;
    for (size_t i = 0; st == VG_OK && (place = data_spec_place(spec, split, i)) != NULL; i++)
        st = from_place(&b, spec, place, err);
    if (st == VG_OK && b.n == 0)
        st = base_fail(err, VG_ERR_FORMAT,
                       base_where("%s, %s", data_spec_source(spec), data_split_name(split)),
                       "pictures are files named .jpg .jpeg .png .bmp .webp .tif .tiff",
                       "no pictures in the %s split", data_split_name(split));
    const char **paths = NULL;
    if (st == VG_OK) {
        paths = base_alloc_zero(mem, b.n, sizeof *paths, err);
        st = paths ? VG_OK : VG_ERR_MEMORY;
    }
    if (st != VG_OK) {
        base_str_fini(&b.text);
        return st;
    }
    const char *at = b.text.text;
    for (size_t i = 0; i < b.n; i++, at += strlen(at) + 1)
        paths[i] = at;
    base_sort(paths, b.n, sizeof *paths, by_path, NULL);
    *out = (data_list){.paths = paths, .n = b.n, .text = b.text};
    return VG_OK;
}

void data_list_close(data_list *l)
{
    base_free(l->paths);
    base_str_fini(&l->text);
    *l = (data_list){0};
}

bool data_label_path(char *out, size_t n, const char *picture_path)
{
    static const char images[] = "/images/", labels[] = "/labels/";
    const char *found = NULL;
    for (const char *p = picture_path; (p = strstr(p, images)) != NULL; p++)
        found = p;
    size_t stem = strlen(picture_path) - strlen(base_path_suffix(picture_path));
    if (!base_format(out, n, "%.*s.txt", (int)stem, picture_path))
        return false;
    if (found) /* both words are of one length */
        memcpy(out + (found - picture_path), labels, sizeof labels - 1);
    return true;
}
