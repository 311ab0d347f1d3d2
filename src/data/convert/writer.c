/* writer.c: nothing is overwritten, as every file is made anew or not at all, and nothing is half
 * there, as the folder gets its name last. */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES = 256, STEM_BYTES = 200, MOST_OF_A_NAME = 1000000, COPY_BYTES = 1 << 18 };

static const char *const split_names[] = {"train", "val", "test"};

/* ---- the folder ---- */

vg_status writer_check(const char *output, vg_error *err)
{
    struct stat info;
    if (lstat(output, &info) != 0)
        return errno == ENOENT ? VG_OK
                               : base_fail_errno(err, VG_ERR_IO, output, "choose another folder",
                                                 "no folder can be made here");
    if (S_ISDIR(info.st_mode) && rmdir(output) == 0)
        return VG_OK; /* it was empty */
    return base_fail(err, VG_ERR_IO, output, "name a folder that is not there yet",
                     "something is here already, and nothing is overwritten");
}

static vg_status make_folder(const char *path, vg_error *err)
{
    return mkdir(path, 0777) == 0 ? VG_OK
                                  : base_fail_errno(err, VG_ERR_IO, path, "choose another folder",
                                                    "the folder cannot be made");
}

static vg_status path_in(char path[VG_DATASET_PATH_BYTES], const writer *w, const char *kind,
                         int split, const char *name, vg_error *err)
{
    if (base_format(path, VG_DATASET_PATH_BYTES, "%s/%s/%s%s%s", w->folder, kind,
                    split >= 0 ? split_names[split] : "", *name ? "/" : "", name))
        return VG_OK;
    return base_fail(err, VG_ERR_LIMIT, w->output, "use a shorter path", "a path too long");
}

vg_status writer_open(writer *w, const char *output, vg_dataset_pictures how,
                      vg_dataset_converted *out, base_mem *mem, vg_error *err)
{
    *w = (writer){.output = output, .out = out, .how = how, .mem = mem};
    char parent[VG_DATASET_PATH_BYTES];
    if (!base_format(w->folder, sizeof w->folder, "%s.tmp-%ld", output, (long)getpid()) ||
        !base_format(parent, sizeof parent, "%.*s", (int)(base_path_name(output) - output),
                     output)) {
        w->folder[0] = '\0';
        return base_fail(err, VG_ERR_LIMIT, output, "use a shorter path", "a path too long");
    }
    vg_status st = *parent ? base_make_dirs(parent, err) : VG_OK;
    if (st == VG_OK)
        st = make_folder(w->folder, err);
    if (st != VG_OK) {
        w->folder[0] = '\0'; /* it is not ours */
        return st;
    }
    char path[VG_DATASET_PATH_BYTES];
    static const char *const kinds[] = {"images", "labels"};
    for (int i = 0; i < 2 && st == VG_OK; i++) {
        st = path_in(path, w, kinds[i], -1, "", err);
        if (st == VG_OK)
            st = make_folder(path, err);
    }
    return st;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    remove(path); /* what stays is seen by who looks; there is nobody to tell */
    return 0;
}

void writer_close(writer *w)
{
    enum { OPEN_FOLDERS = 8 };
    base_str_fini(&w->text);
    if (w->folder[0] != '\0')
        nftw(w->folder, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    w->folder[0] = '\0';
}

/* ---- files ---- */

static vg_status write_all(int fd, const char *bytes, size_t n, const char *path, vg_error *err)
{
    while (n > 0) {
        const ssize_t put = write(fd, bytes, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return base_fail_errno(err, VG_ERR_IO, path, NULL, "the file cannot be written");
        bytes += put;
        n -= (size_t)put;
    }
    return VG_OK;
}

static vg_status close_written(int fd, vg_status st, const char *path, vg_error *err)
{
    if (close(fd) != 0 && st == VG_OK)
        return base_fail_errno(err, VG_ERR_IO, path, NULL, "the file cannot be written");
    return st;
}

/* A new file; -1 with errno. */
static int create(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

static vg_status write_new(const char *path, const char *text, size_t n, vg_error *err)
{
    const int fd = create(path);
    if (fd < 0)
        return base_fail_errno(err, VG_ERR_IO, path, NULL, "the file cannot be made");
    return close_written(fd, write_all(fd, text, n, path, err), path, err);
}

static vg_status copy_bytes(int from, int to, const char *source, const char *path, base_mem *mem,
                            vg_error *err)
{
    char *room = base_alloc(mem, COPY_BYTES, err);
    vg_status st = room ? VG_OK : VG_ERR_MEMORY;
    for (ssize_t got = 1; st == VG_OK && got > 0;) {
        got = read(from, room, COPY_BYTES);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got < 0)
            st = base_fail_errno(err, VG_ERR_IO, source, NULL, "the picture cannot be read");
        else
            st = write_all(to, room, (size_t)got, path, err);
    }
    base_free(room);
    return st;
}

static vg_status copy_file(const char *source, const char *path, base_mem *mem, vg_error *err)
{
    const int from = open(source, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return base_fail_errno(err, VG_ERR_IO, source, NULL, "the picture cannot be read");
    const int to = create(path);
    vg_status st = to < 0 ? base_fail_errno(err, VG_ERR_IO, path, NULL, "the file cannot be made")
                          : copy_bytes(from, to, source, path, mem, err);
    if (to >= 0)
        st = close_written(to, st, path, err);
    close(from);
    return st;
}

static vg_status place_picture(writer *w, const char *source, const char *path, vg_error *err)
{
    char real[PATH_MAX];
    if (w->how == VG_PICTURES_SYMLINK) {
        if (!realpath(source, real) || symlink(real, path) != 0)
            return base_fail_errno(err, VG_ERR_IO, path, "copy the pictures",
                                   "no symbolic link can be made");
        w->out->n_symlinked++;
        return VG_OK;
    }
    if (w->how == VG_PICTURES_LINK &&
        linkat(AT_FDCWD, source, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0) {
        w->out->n_linked++;
        return VG_OK;
    }
    if (w->how == VG_PICTURES_LINK && (errno == ENOSPC || errno == EDQUOT || errno == EROFS))
        return base_fail_errno(err, VG_ERR_IO, path, NULL, "no link can be made");
    /* Another file system, or one without links, or a system that links one's own files alone. */
    vg_status st = copy_file(source, path, w->mem, err);
    w->out->n_copied += st == VG_OK;
    return st;
}

static vg_status make_split(writer *w, int split, vg_error *err)
{
    char path[VG_DATASET_PATH_BYTES];
    if (w->has_split[split])
        return VG_OK;
    vg_status st = path_in(path, w, "images", split, "", err);
    if (st == VG_OK)
        st = make_folder(path, err);
    if (st == VG_OK)
        st = path_in(path, w, "labels", split, "", err);
    if (st == VG_OK)
        st = make_folder(path, err);
    w->has_split[split] = st == VG_OK;
    return st;
}

/* The label file decides who has a name: x.jpg and x.png would share one. */
static vg_status reserve_name(writer *w, int split, const char *source, char name[NAME_BYTES],
                              int *fd, char path[VG_DATASET_PATH_BYTES], vg_error *err)
{
    char clean[NAME_BYTES], stem[NAME_BYTES];
    const char *suffix = base_path_suffix(source);
    base_format(stem, sizeof stem, "%.*s", (int)(strlen(base_path_name(source)) - strlen(suffix)),
                base_path_name(source));
    base_name_clean(clean, sizeof clean, stem);
    clean[STEM_BYTES] = '\0';
    base_utf8_trim(clean);
    for (int i = 1; i < MOST_OF_A_NAME; i++) {
        char number[16] = "", label[NAME_BYTES];
        if (i > 1)
            base_format(number, sizeof number, "-%d", i);
        base_format(label, sizeof label, "%s%s.txt", clean, number);
        base_format(name, NAME_BYTES, "%s%s%.16s", clean, number, suffix);
        vg_status st = path_in(path, w, "labels", split, label, err);
        if (st != VG_OK)
            return st;
        *fd = create(path);
        if (*fd >= 0) {
            w->out->n_renamed += i > 1;
            return VG_OK;
        }
        if (errno != EEXIST)
            return base_fail_errno(err, VG_ERR_IO, path, NULL, "the file cannot be made");
    }
    return base_fail(err, VG_ERR_LIMIT, source, NULL, "more than %d pictures of one name",
                     MOST_OF_A_NAME);
}

vg_status writer_add(writer *w, int split, const char *source, vg_error *err)
{
    char name[NAME_BYTES], path[VG_DATASET_PATH_BYTES];
    int fd = -1;
    vg_status st = make_split(w, split, err);
    if (st == VG_OK)
        st = reserve_name(w, split, source, name, &fd, path, err);
    if (st != VG_OK)
        return st;
    st = close_written(
        fd, write_all(fd, w->text.text ? w->text.text : "", w->text.length, path, err), path, err);
    if (st == VG_OK)
        st = path_in(path, w, "images", split, name, err);
    return st == VG_OK ? place_picture(w, source, path, err) : st;
}

/* ---- the end ---- */

/* The first of these splits that has pictures. */
static const char *place_of(const writer *w, int a, int b, int c)
{
    return split_names[w->has_split[a] ? a : w->has_split[b] ? b : c];
}

enum { MOST_YAML_BYTES = 64 << 20 };

static vg_status add_keypoints(base_str *s, const writer *w, const catalogue *c, vg_error *err)
{
    vg_status st = base_str_add(s, MOST_YAML_BYTES, w->mem, err, "kpt_shape: [%d, 3]\nflip_idx: [",
                                c->n_keypoints);
    for (int i = 0; i < c->n_keypoints && st == VG_OK; i++)
        st = base_str_add(s, MOST_YAML_BYTES, w->mem, err, "%s%d", i > 0 ? ", " : "",
                          c->flip_idx[i]);
    return st == VG_OK ? base_str_add(s, MOST_YAML_BYTES, w->mem, err, "]\n") : st;
}

static vg_status write_yaml(const writer *w, const catalogue *c, const char *format, vg_error *err)
{
    enum { MOST_BYTES = MOST_YAML_BYTES, ESCAPED_BYTES = 4096 };
    char path[VG_DATASET_PATH_BYTES], name[ESCAPED_BYTES];
    base_str s = {0};
    vg_status st = base_str_add(&s, MOST_BYTES, w->mem, err,
                                "# made by vigil convert from a dataset of the format %s\n"
                                "train: images/%s\nval: images/%s\n",
                                format, place_of(w, VG_TRAIN, VG_VAL, VG_TEST),
                                place_of(w, VG_VAL, VG_TRAIN, VG_TEST));
    if (st == VG_OK && w->has_split[VG_TEST])
        st = base_str_add(&s, MOST_BYTES, w->mem, err, "test: images/test\n");
    if (st == VG_OK && c->n_keypoints > 0)
        st = add_keypoints(&s, w, c, err);
    if (st == VG_OK)
        st = base_str_add(&s, MOST_BYTES, w->mem, err, "names:\n");
    for (size_t i = 0; i < c->n_classes && st == VG_OK; i++) {
        base_json_escape(name, sizeof name, catalogue_text(c, c->classes[i].name));
        st = base_str_add(&s, MOST_BYTES, w->mem, err, "  %zu: \"%s\"\n", i, name);
    }
    if (st == VG_OK && !base_format(path, sizeof path, "%s/data.yaml", w->folder))
        st = base_fail(err, VG_ERR_LIMIT, w->output, "use a shorter path", "a path too long");
    if (st == VG_OK)
        st = write_new(path, s.text, s.length, err);
    base_str_fini(&s);
    return st;
}

vg_status writer_finish(writer *w, const catalogue *c, const char *format, vg_error *err)
{
    vg_status st = write_yaml(w, c, format, err);
    if (st != VG_OK)
        return st;
    /* Once for all files: what has its name is on the disk. */
    const int fd = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = fd >= 0 && syncfs(fd) == 0;
    if (!is_synced)
        st = base_fail_errno(err, VG_ERR_IO, w->output, NULL, "the dataset cannot be written");
    if (fd >= 0)
        close(fd);
    if (st != VG_OK)
        return st;
    /* Over a folder that is not empty, or a file, it fails. */
    if (rename(w->folder, w->output) != 0)
        return base_fail_errno(err, VG_ERR_IO, w->output, "name a folder that is not there yet",
                               "the dataset cannot get its name");
    w->folder[0] = '\0';
    return VG_OK;
}
