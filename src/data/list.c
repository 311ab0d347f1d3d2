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
    const char *root;  /* the dataset's */
    const char *list;  /* under way */
    size_t n_others;   /* lines that name no picture */
    base_text other;   /* the first: "list.txt:3" */
    size_t n_unread;   /* pictures of kinds that are not read */
    base_text unread;  /* the first */
    base_text outside; /* where "../x" was missing, and x beside the YAML was taken */
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

/* A picture that is none of a dataset's. */
static bool is_unread(const char *path)
{
    return image_is_unread_name(path) || base_equal_nocase(base_path_suffix(path), ".gif");
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
        else if (is_unread(found.paths[i]) && b->n_unread++ == 0)
            b->unread = base_text_make("%s", found.paths[i]);
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

/* folder (bytes n) and name with '/' for '\' where `turned`, as a path that is there. */
static bool is_there(char path[DATA_PATH_BYTES], const char *folder, size_t n, const char *name,
                     bool turned)
{
    const bool slash = n > 0 && folder[n - 1] != '/';
    if (!base_format(path, DATA_PATH_BYTES, "%.*s%s%s", (int)n, folder, slash ? "/" : "", name))
        return false;
    for (char *c = path + n; turned && *c; c++)
        if (*c == '\\')
            *c = '/';
    return base_path_exists(path);
}

/* One line of a .txt list: absolute; or ./ beside the list; or relative to the working folder, as
 * the reference reads it. Tools write lists for a folder that is not where vigil was started, so
 * what is missing there is looked for beside the list and under the dataset's root; and lists of
 * Windows have backslashes. What is nowhere keeps the path of the first place. */
static vg_status add_line(builder *b, const char *line, vg_error *err)
{
    char path[DATA_PATH_BYTES], cwd[DATA_PATH_BYTES];
    const size_t n_beside = (size_t)(base_path_name(b->list) - b->list);
    const bool beside = line[0] == '.' && (line[1] == '/' || line[1] == '\\');
    if (!getcwd(cwd, sizeof cwd - 1))
        return base_fail_errno(err, VG_ERR_IO, b->list, NULL, "the working folder has no path");
    const struct {
        const char *folder;
        size_t n;
    } places[] = {{b->list, n_beside}, {b->root, strlen(b->root)}, {cwd, strlen(cwd)}};
    static const int order[2][3] = {{2, 0, 1}, {0, 1, 2}}; /* plain; ./ */
    const char *name = beside ? line + 2 : line;
    const bool is_absolute = line[0] == '/';
    /* CVAT's "YOLO 1.1" says data/obj_train_data/x.jpg for what lies beside the list. */
    const bool is_below_data = base_starts_with(name, "data/");
    for (int shorter = 0; shorter < (is_below_data ? 2 : 1); shorter++)
        for (int turned = 0; turned < (strchr(line, '\\') ? 2 : 1); turned++)
            for (int i = 0; i < (is_absolute ? 1 : 3); i++) {
                const int at = order[beside][i];
                if (is_there(path, is_absolute ? "" : places[at].folder,
                             is_absolute ? 0 : places[at].n, name + (shorter ? strlen("data/") : 0),
                             turned == 1))
                    return add_path(b, path, err);
            }
    const int first = order[beside][0];
    const bool slash =
        !is_absolute && places[first].n > 0 && places[first].folder[places[first].n - 1] != '/';
    if (!base_format(path, sizeof path, "%.*s%s%s", is_absolute ? 0 : (int)places[first].n,
                     places[first].folder, slash ? "/" : "", name))
        return too_long(line, err);
    if (is_absolute)
        return add_file(b, path, "", path, err);
    char folder[DATA_PATH_BYTES];
    if (!base_format(folder, sizeof folder, "%.*s", (int)places[first].n, places[first].folder))
        return too_long(line, err);
    return add_file(b, path, folder, name, err);
}

static vg_status from_list(builder *b, const char *path, vg_error *err)
{
    char *text = NULL;
    size_t n;
    int number = 0;
    b->list = path;
    vg_status st = base_file_read(&text, &n, path, MOST_LIST_BYTES, b->mem, err);
    if (st == VG_OK && base_is_utf16(text, n))
        st = base_fail(err, VG_ERR_FORMAT, base_where("%s:1", path), "save the file as UTF-8",
                       "a list of pictures in UTF-16");
    char *line = st == VG_OK ? text + base_bom_bytes(text, n) : NULL;
    for (char *end; st == VG_OK && line < text + n; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + n - line));
        if (!end)
            end = text + n;
        *end = '\0';
        number++;
        size_t length = strlen(line);
        while (length > 0 && strchr(" \t\r", line[length - 1]))
            line[--length] = '\0';
        line += strspn(line, " \t");
        if (image_is_picture_name(line) || base_is_glob(line))
            st = add_line(b, line, err);
        else if (*line != '\0' && *line != '#' && b->n_others++ == 0)
            b->other = base_text_make("%s:%d, \"%.60s\"", path, number, line);
    }
    base_free(text);
    return st;
}

/* A place of the YAML as a path. One that is not there is tried with / for \, and without its ../:
 * exports of Roboflow say ../train/images for what lies beside the YAML (the reference does so,
 * too). *outside: that is how it was found. */
static vg_status find_place(char path[DATA_PATH_BYTES], const char *root, const char *place,
                            bool *outside, vg_error *err)
{
    *outside = false;
    if (place[0] == '/') {
        if (!base_format(path, DATA_PATH_BYTES, "%s", place))
            return too_long(place, err);
        return VG_OK;
    }
    const size_t n = strlen(root);
    for (int turned = 0; turned < (strchr(place, '\\') ? 2 : 1); turned++) {
        const bool is_up = place[0] == '.' && place[1] == '.' && place[2] == (turned ? '\\' : '/');
        if (is_there(path, root, n, place, turned == 1))
            return VG_OK;
        *outside = is_up && is_there(path, root, n, place + 3, turned == 1);
        if (*outside)
            return VG_OK;
    }
    return base_path_join(path, DATA_PATH_BYTES, root, place) ? VG_OK : too_long(place, err);
}

static vg_status no_place(const data_spec *spec, const char *path, const char *place, vg_error *err)
{
    const bool is_windows = strchr(place, '\\') || (place[0] && place[1] == ':');
    return base_fail(
        err, VG_ERR_IO, path,
        is_windows ? base_mend("write the path as it is on this machine, with /, in %s",
                               data_spec_source(spec))
                   : base_mend("correct path or the split's folder in %s", data_spec_source(spec)),
        "no such folder or list of pictures");
}

static vg_status from_place(builder *b, const data_spec *spec, const char *place, vg_error *err)
{
    char path[DATA_PATH_BYTES];
    bool outside;
    vg_status st = find_place(path, data_spec_root(spec), place, &outside, err);
    if (st != VG_OK)
        return st;
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
        path[n - 1] = '\0';
    if (outside)
        b->outside = base_text_make("%s is not there: %s is taken", place, path);
    if (base_path_is_dir(path))
        return from_folder(b, path, err);
    if (base_path_exists(path))
        return from_list(b, path, err);
    if (base_is_glob(place))
        return place[0] == '/' ? from_glob(b, place, err)
                               : add_file(b, path, data_spec_root(spec), place, err);
    return no_place(spec, path, place, err);
}

static int by_path(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return strcmp(*(const char *const *)a, *(const char *const *)b) < 0;
}

/* ---- folders of classes: T 4.5 ---- */

/* Folder by folder, as a walk through sorted folders meets them: the files of one by name before
 * those of the next. ctx: the bytes of the path of the split's folder, which all have. */
static int by_folder(const void *a, const void *b, void *ctx)
{
    const char *p = *(const char *const *)a, *q = *(const char *const *)b;
    const size_t n = *(const size_t *)ctx, p_folder = (size_t)(base_path_name(p) - p) - 1,
                 q_folder = (size_t)(base_path_name(q) - q) - 1;
    /* The class first: "a b/" is behind "a/" however blank and stroke compare. */
    const size_t p_class = strcspn(p + n, "/"), q_class = strcspn(q + n, "/"),
                 least = p_class < q_class ? p_class : q_class;
    int order = memcmp(p + n, q + n, least);
    if (order == 0 && p_class != q_class)
        order = p_class < q_class ? -1 : 1;
    if (order == 0 && p_folder != q_folder)
        order = memcmp(p, q, p_folder < q_folder ? p_folder : q_folder);
    if (order == 0 && p_folder != q_folder)
        order = p_folder < q_folder ? -1 : 1;
    return (order != 0 ? order : strcmp(p, q)) < 0;
}

/* The class of the folder that path's picture is in, in the split's folder of n bytes; -1: in none.
 * Names are sorted. */
static int32_t class_of(const data_spec *spec, const char *path, size_t n)
{
    const size_t length = strcspn(path + n, "/");
    int low = 0, high = data_spec_nc(spec);
    if (path[n + length] == '\0')
        return -1;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        const char *name = data_spec_class_name(spec, middle);
        const int order = strncmp(name, path + n, length);
        if (order == 0 && name[length] == '\0')
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* Sorts the list by class and folder and numbers the classes; pictures of no class go. */
static vg_status find_classes(data_list *l, const data_spec *spec, data_split split, base_mem *mem,
                              vg_error *err)
{
    char folder[DATA_PATH_BYTES];
    if (!base_path_join(folder, sizeof folder, data_spec_root(spec),
                        data_spec_place(spec, split, 0)))
        return too_long(data_spec_root(spec), err);
    size_t n_prefix = strlen(folder) + 1, n = 0;
    base_sort(l->paths, l->n, sizeof *l->paths, by_folder, &n_prefix);
    l->classes = base_alloc_zero(mem, l->n, sizeof *l->classes, err);
    if (!l->classes)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < l->n; i++) {
        l->paths[n] = l->paths[i];
        l->classes[n] = class_of(spec, l->paths[i], n_prefix);
        if (l->classes[n] >= 0)
            n++;
        else if (l->n_classless++ == 0)
            l->classless = base_text_make("%s", l->paths[i]);
    }
    l->n = n;
    return n > 0 ? VG_OK
                 : base_fail(err, VG_ERR_FORMAT, folder, "put them into a folder for each class",
                             "no picture is in a folder of a class");
}

vg_status data_list_open(data_list *out, const data_spec *spec, data_split split, base_mem *mem,
                         vg_error *err)
{
    *out = (data_list){0};
    builder b = {.mem = mem, .root = data_spec_root(spec)};
    vg_status st = VG_OK;
    const char *place;
    for (size_t i = 0; st == VG_OK && (place = data_spec_place(spec, split, i)) != NULL; i++)
        st = from_place(&b, spec, place, err);
    if (st == VG_OK && b.n == 0 && b.n_others > 0)
        st = base_fail(err, VG_ERR_FORMAT, b.other.text,
                       "give a list with the path of a picture on each line",
                       "no picture is named in the list of the %s split", data_split_name(split));
    else if (st == VG_OK && b.n == 0)
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
    *out = (data_list){.paths = paths,
                       .n = b.n,
                       .text = b.text,
                       .n_others = b.n_others,
                       .other = b.other,
                       .n_unread = b.n_unread,
                       .unread = b.unread,
                       .outside = b.outside};
    if (data_spec_is_folder(spec))
        st = find_classes(out, spec, split, mem, err);
    if (st != VG_OK)
        data_list_close(out);
    return st;
}

void data_list_close(data_list *l)
{
    base_free(l->paths);
    base_free(l->classes);
    base_str_fini(&l->text);
    *l = (data_list){0};
}
