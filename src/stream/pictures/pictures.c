/* pictures.c: from what a user typed behind --source to a sorted list of pictures with their sizes.
 */
#include "pictures.h"

#include "video/video.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_LIST_BYTES = 1 << 30, MOST_PICTURES = 100000000, HEAD_BYTES = 32 << 10 };

/* The list in the making: paths one behind the other, each ended by a 0. */
typedef struct builder {
    base_str paths;
    size_t n;
    size_t n_unread;  /* pictures of kinds that are not read */
    base_text unread; /* the first */
    base_mem *mem;
} builder;

static vg_status add_path(builder *b, const char *dir, const char *name, vg_error *err)
{
    vg_status st = VG_OK;
    if (dir && *dir)
        st = base_str_add(&b->paths, MOST_LIST_BYTES, b->mem, err, "%s%s", dir,
                          dir[strlen(dir) - 1] == '/' ? "" : "/");
    if (st == VG_OK)
        st = base_str_add_bytes(&b->paths, MOST_LIST_BYTES, name, strlen(name) + 1, b->mem, err);
    b->n += st == VG_OK;
    return st;
}

/* A GIF is none of a dataset's pictures, but it can be looked at. */
static bool is_source_name(const char *path)
{
    return image_is_picture_name(path) || base_equal_nocase(base_path_suffix(path), ".gif");
}

/* One name of many: taken, left out without a word as no picture, or left out and counted. */
static vg_status add_found(builder *b, const char *dir, const char *name, vg_error *err)
{
    if (is_source_name(name))
        return add_path(b, dir, name, err);
    if (image_is_unread_name(name) && b->n_unread++ == 0)
        b->unread = base_text_make("%s", base_path_name(name));
    return VG_OK;
}

static vg_status from_folder(builder *b, const char *path, vg_error *err)
{
    DIR *dir = opendir(path);
    vg_status st = VG_OK;
    if (!dir)
        return base_fail_errno(err, VG_ERR_IO, path, "check its permissions",
                               "the folder cannot be opened");
    for (struct dirent *e; st == VG_OK && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.')
            st = add_found(b, path, e->d_name, err);
    closedir(dir);
    return st;
}

static vg_status from_glob(builder *b, const char *pattern, vg_error *err)
{
    base_glob_found found;
    vg_status st = base_glob_or_warn(&found, pattern, b->mem, err);
    if (st != VG_OK)
        return st;
    for (size_t i = 0; st == VG_OK && i < found.n; i++)
        st = add_found(b, NULL, found.paths[i], err);
    base_glob_fini(&found);
    return st;
}

/* A line of a list: a path, or a pattern that finds some. folder: of the list, or "". */
static vg_status add_listed(builder *b, const char *folder, const char *word, vg_error *err)
{
    char pattern[4096];
    size_t n_before = b->n;
    if (!base_is_glob(word))
        return add_path(b, folder, word, err);
    if (!base_glob_escape(pattern, sizeof pattern, folder) ||
        !base_format(pattern + strlen(pattern), sizeof pattern - strlen(pattern), "%s", word))
        return base_fail(err, VG_ERR_LIMIT, word, "use a shorter pattern", "a pattern too long");
    char path[4096];
    if (base_format(path, sizeof path, "%s%s", folder, word) && base_path_exists(path))
        return add_path(b, folder, word, err); /* it is its name */
    vg_status st = from_glob(b, pattern, err);
    if (st == VG_OK && b->n == n_before)
        st = base_fail(err, VG_ERR_IO, base_where("%s", word),
                       "correct the pattern; ** goes through folders of any depth",
                       "no pictures of that pattern");
    return st;
}

/* Whether a line of a list is found from the list's folder alone: lists are written for a working
 * folder that is not always this one. */
static bool is_beside(const char *folder, const char *line)
{
    char path[4096];
    return line[0] != '/' && !base_path_exists(line) &&
           base_format(path, sizeof path, "%s%s", folder, line) && base_path_exists(path);
}

/* One path a line; blank lines and those that begin with # are skipped; ./ stands for the list's
 * folder, where also is looked what the working folder has not. */
static vg_status from_list(builder *b, const char *path, vg_error *err)
{
    char *text = NULL;
    size_t n;
    vg_status st = base_file_read(&text, &n, path, MOST_LIST_BYTES, b->mem, err);
    if (st == VG_OK && (base_is_utf16(text, n) || memchr(text, 0, n)))
        st = base_fail(err, VG_ERR_FORMAT, path, "save the list as UTF-8, a path on each line",
                       base_is_utf16(text, n) ? "a list of pictures in UTF-16"
                                              : "not a list of pictures: the file is no text");
    if (st != VG_OK) {
        base_free(text);
        return st;
    }
    size_t folder_bytes = (size_t)(base_path_name(path) - path);
    char *folder = base_strndup(b->mem, path, folder_bytes, err);
    st = folder ? VG_OK : VG_ERR_MEMORY;
    size_t mark = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* some editors' */
    for (char *line = text + mark, *end; st == VG_OK && line < text + n; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + n - line));
        if (!end)
            end = text + n;
        *end = 0;
        size_t length = strlen(line);
        while (length > 0 && strchr(" \t\r", line[length - 1]))
            line[--length] = 0;
        line += strspn(line, " \t");
        if (*line == 0 || *line == '#')
            continue;
        if (line[0] == '.' && line[1] == '/')
            st = add_listed(b, folder, line + 2, err);
        else
            st = add_listed(b, is_beside(folder, line) ? folder : "", line, err);
    }
    base_free(folder);
    base_free(text);
    return st;
}

static bool is_video_name(const char *path)
{
    static const char *const suffixes[] = {".mp4", ".mkv", ".avi",  ".mov", ".webm", ".ts",
                                           ".m4v", ".mpg", ".mpeg", ".wmv", ".asf",  ".flv"};
    const char *suffix = base_path_suffix(path);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (base_equal_nocase(suffix, suffixes[i]))
            return true;
    return false;
}

/* Kinds of source that the field knows and this build has not. */
static vg_status refuse_streams(const char *source, vg_error *err)
{
    char name[512]; /* a slip in a scheme makes a password no less a secret */
    video_public_name(name, sizeof name, source);
    bool camera = *source != 0 && strspn(source, "0123456789") == strlen(source);
    if (strstr(source, "://") || camera || is_video_name(source) ||
        base_equal_nocase(base_path_suffix(source), ".streams"))
        return base_fail(
            err, VG_ERR_UNSUPPORTED, base_where("source %s", name),
            "give a picture, a folder, a glob, a .txt list of pictures, or - for standard input; "
            "videos and streams are for vg_stream",
            "a video, stream or camera, where pictures are read");
    return VG_OK;
}

static vg_status collect(builder *b, const char *source, vg_error *err)
{
    if (strcmp(source, "-") == 0)
        return add_path(b, NULL, source, err);
    if (base_path_is_dir(source))
        return from_folder(b, source, err);
    vg_status st = refuse_streams(source, err);
    if (st != VG_OK)
        return st;
    if (base_path_exists(source))
        return base_equal_nocase(base_path_suffix(source), ".txt") ? from_list(b, source, err)
                                                                   : add_path(b, NULL, source, err);
    if (base_is_glob(source))
        return from_glob(b, source, err);
    return base_fail(
        err, VG_ERR_IO, base_where("source %s", source),
        "give a picture, a folder, a glob, a .txt list of pictures, or - for standard input",
        "no such file or folder");
}

static int by_path(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return strcmp(((const picture_entry *)a)->path, ((const picture_entry *)b)->path) < 0;
}

/* Where the stem of a path is, and its length. */
static const char *stem_of(const char *path, size_t *n)
{
    const char *name = base_path_name(path);
    *n = strlen(name) - strlen(base_path_suffix(path));
    return name;
}

static int compare_stems(const picture_entry *a, const picture_entry *b)
{
    size_t na, nb;
    const char *sa = stem_of(a->path, &na), *sb = stem_of(b->path, &nb);
    int order = memcmp(sa, sb, na < nb ? na : nb);
    return order != 0 ? order : (na > nb) - (na < nb);
}

/* Equal stems stand together, in the order of the list. */
static int by_stem(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const picture_entry *x = *(picture_entry *const *)a, *y = *(picture_entry *const *)b;
    int order = compare_stems(x, y);
    return order != 0 ? order < 0 : x < y;
}

/* Whether the list has the stem `stem` + `-number`, as a file of its own. order: by stem. */
static bool has_numbered(picture_entry *const *order, size_t n, const picture_entry *e, int number)
{
    char digits[16];
    size_t n_stem, n_digits, low = 0;
    const char *stem = stem_of(e->path, &n_stem);
    base_format(digits, sizeof digits, "-%d", number);
    n_digits = strlen(digits);
    while (low < n) { /* the first that is not before it */
        size_t middle = low + (n - low) / 2, n_its;
        const char *its = stem_of(order[middle]->path, &n_its);
        int c = memcmp(its, stem, n_its < n_stem ? n_its : n_stem);
        if (c == 0 && n_its > n_stem) {
            size_t rest = n_its - n_stem;
            c = memcmp(its + n_stem, digits, rest < n_digits ? rest : n_digits);
            if (c == 0 && rest == n_digits)
                return true;
            c = c != 0 ? c : rest < n_digits ? -1 : 1;
        } else if (c == 0) {
            c = -1;
        }
        if (c < 0)
            low = middle + 1;
        else
            n = middle;
    }
    return false;
}

/* Results are named by stem, so two pictures a.jpg of different folders must not write over each
 * other, nor a second a.jpg over a picture that is called a-2.jpg. */
static vg_status number_twins(picture_list *l, base_mem *mem, vg_error *err)
{
    picture_entry **order = base_alloc_zero(mem, l->n, sizeof *order, err);
    if (!order)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < l->n; i++)
        order[i] = &l->entries[i];
    base_sort(order, l->n, sizeof *order, by_stem, NULL);
    for (size_t i = 1, twin = 1; i < l->n; i++) {
        twin = compare_stems(order[i - 1], order[i]) == 0 ? twin + 1 : 1;
        while (twin > 1 && has_numbered(order, l->n, order[i], (int)twin))
            twin++;
        order[i]->twin = twin > 1 ? (int)twin : 0;
    }
    base_free(order);
    return VG_OK;
}

/* ---- heads ---- */

/* The head is enough for nearly all; a WebP or GIF is judged whole, and some cameras write much
 * before the size. */
static vg_status forecast(picture_list *l, picture_entry *e, image_decoder *decoder,
                          picture_bytes *head, size_t file_bytes, base_mem *mem)
{
    vg_status st = picture_bytes_read(head, e->path, false, HEAD_BYTES, mem, NULL);
    if (st == VG_OK)
        st = image_forecast(decoder, &e->w, &e->h, &l->decoder_need, head->block, head->n, e->path,
                            NULL);
    if (st != VG_ERR_FORMAT || file_bytes <= HEAD_BYTES || !image_format_name(head->block, head->n))
        return st;
    st = picture_bytes_read(head, e->path, false, 0, mem, NULL);
    return st == VG_OK ? image_forecast(decoder, &e->w, &e->h, &l->decoder_need, head->block,
                                        head->n, e->path, NULL)
                       : st;
}

/* Sizes, so that buffers are made once, for the largest. */
static vg_status probe(picture_list *l, image_decoder *decoder, base_mem *mem, vg_error *err)
{
    size_t n = l->n < PICTURES_PROBE_MOST ? l->n : PICTURES_PROBE_MOST;
    picture_bytes head = {0};
    vg_status st = picture_bytes_reserve(&head, HEAD_BYTES + 1, mem, err);
    l->all_probed = n == l->n;
    for (size_t i = 0; i < n && st == VG_OK; i++) {
        picture_entry *e = &l->entries[i];
        struct stat info;
        bool is_there = strcmp(e->path, "-") == 0 || stat(e->path, &info) == 0;
        if (is_there && (strcmp(e->path, "-") == 0 || !S_ISREG(info.st_mode))) {
            l->all_probed = false;
            continue;
        }
        size_t bytes = is_there ? (size_t)info.st_size : 0;
        vg_status known = is_there ? forecast(l, e, decoder, &head, bytes, mem) : VG_ERR_IO;
        if (known != VG_OK) {
            l->all_probed = l->all_probed && known != VG_ERR_MEMORY;
            e->w = e->h = 0;
            continue;
        }
        size_t pixels = (size_t)e->w * (size_t)e->h * 3;
        l->largest_pixels_bytes =
            pixels > l->largest_pixels_bytes ? pixels : l->largest_pixels_bytes;
        l->largest_bytes = bytes > l->largest_bytes ? bytes : l->largest_bytes;
    }
    picture_bytes_fini(&head);
    return st;
}

vg_status picture_list_open(picture_list *out, const char *source, image_decoder *decoder,
                            base_mem *mem, vg_error *err)
{
    builder b = {.mem = mem};
    *out = (picture_list){0};
    vg_status st = collect(&b, source, err);
    if (b.n_unread > 0)
        base_log(BASE_LOG_WARN, "pictures left out",
                 "n=%zu first=\"%s\" reason=\"kinds that vigil does not read\"", b.n_unread,
                 b.unread.text);
    if (st == VG_OK && b.n == 0 && b.n_unread > 0)
        st = base_fail(
            err, VG_ERR_IO, base_where("source %s", source), "convert them to JPEG or PNG first",
            "only pictures of kinds that vigil does not read, such as %s", b.unread.text);
    if (st == VG_OK && b.n == 0)
        st = base_fail(err, VG_ERR_IO, base_where("source %s", source),
                       "name a folder that holds files .jpg .jpeg .png .bmp .webp .tif .tiff .gif "
                       "(folders in it are not entered), or a pattern such as 'photos/**/*.jpg'",
                       "no pictures there");
    if (st == VG_OK && b.n > MOST_PICTURES)
        st = base_fail(err, VG_ERR_LIMIT, base_where("source %s", source), NULL,
                       "more than %d pictures", MOST_PICTURES);
    if (st == VG_OK) {
        out->entries = base_alloc_zero(mem, b.n, sizeof *out->entries, err);
        st = out->entries ? VG_OK : VG_ERR_MEMORY;
    }
    if (st != VG_OK) {
        base_str_fini(&b.paths);
        return st;
    }
    out->paths = b.paths.text;
    out->n = b.n;
    const char *at = out->paths;
    for (size_t i = 0; i < b.n; i++, at += strlen(at) + 1)
        out->entries[i].path = at;
    base_sort(out->entries, out->n, sizeof *out->entries, by_path, NULL);
    st = number_twins(out, mem, err);
    if (st == VG_OK)
        st = probe(out, decoder, mem, err);
    if (st != VG_OK)
        picture_list_close(out);
    return st;
}

void picture_list_close(picture_list *l)
{
    base_free(l->entries);
    base_free(l->paths);
    *l = (picture_list){0};
}
