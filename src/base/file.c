/* file.c: reading whole files, mapping them, and replacing them so that no reader ever sees half of
 * one. */
#define BASE_IMPLEMENTATION
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "status.h"
#include "text.h"

static vg_status fail_reading(vg_error *err, const char *path)
{
    const char *mend = errno == ENOENT   ? "check the path"
                       : errno == EACCES ? "check the file's permissions"
                                         : NULL;
    return base_fail_errno(err, VG_ERR_IO, path, mend, "cannot read the file");
}

/* Not blocking, or a named pipe without a writer would hold us here. It changes nothing for regular
 * files. */
static int open_for_reading(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

vg_status base_map_open(base_map *out, const char *path, vg_error *err)
{
    *out = (base_map){0};
    int fd = open_for_reading(path);
    if (fd < 0)
        return fail_reading(err, path);
    vg_status st = VG_OK;
    struct stat info;
    if (fstat(fd, &info) != 0) {
        st = fail_reading(err, path);
        goto done;
    }
    if (!S_ISREG(info.st_mode)) {
        st = base_fail(err, VG_ERR_IO, path, "give the path of a regular file",
                       "%s, where a file is needed",
                       S_ISDIR(info.st_mode) ? "a folder" : "a device or pipe");
        goto done;
    }
    if (info.st_size == 0)
        goto done;
    void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        st = base_fail_errno(err, VG_ERR_IO, path, NULL, "cannot map the file's %lld bytes",
                             (long long)info.st_size);
        goto done;
    }
    *out = (base_map){.bytes = bytes, .n_bytes = (size_t)info.st_size};
done:
    close(fd);
    return st;
}

void base_map_close(base_map *m)
{
    if (m->bytes)
        munmap((void *)(uintptr_t)m->bytes, m->n_bytes);
    *m = (base_map){0};
}

void base_map_forget(const base_map *m)
{
    if (m->bytes)
        madvise((void *)(uintptr_t)m->bytes, m->n_bytes, MADV_DONTNEED);
}

/* ---- reading ---- */

static vg_status fail_too_long(vg_error *err, const char *where, size_t most_bytes)
{
    return base_fail(err, VG_ERR_LIMIT, where, "check that it is the file you mean",
                     "a file of more than %zu bytes, the most that is read here", most_bytes);
}

/* Reads fd to its end, growing the block from first_capacity on. */
static vg_status read_all(char **out, size_t *n_bytes, int fd, const char *where,
                          size_t first_capacity, size_t most_bytes, base_mem *mem, vg_error *err)
{
    size_t capacity = first_capacity;
    size_t length = 0;
    char *text = base_alloc(mem, capacity, err);
    if (!text)
        return VG_ERR_MEMORY;
    vg_status st = VG_OK;
    for (;;) {
        if (length + 1 == capacity) { /* the last byte is the terminator's */
            size_t wider = capacity < SIZE_MAX / 2 ? 2 * capacity : SIZE_MAX;
            char *grown = base_realloc(mem, text, wider, err);
            if (!grown) {
                st = VG_ERR_MEMORY;
                break;
            }
            text = grown;
            capacity = wider;
        }
        ssize_t got = read(fd, text + length, capacity - 1 - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            st = fail_reading(err, where);
            break;
        }
        if (got == 0)
            break;
        length += (size_t)got;
        if (length > most_bytes) {
            st = fail_too_long(err, where, most_bytes);
            break;
        }
    }
    if (st != VG_OK) {
        base_free(text);
        return st;
    }
    text[length] = '\0';
    *out = text;
    *n_bytes = length;
    return VG_OK;
}

vg_status base_file_read(char **out, size_t *n_bytes, const char *path, size_t most_bytes,
                         base_mem *mem, vg_error *err)
{
    *out = NULL;
    *n_bytes = 0;
    enum { PIPE_BYTES = 64 * 1024 };
    if (strcmp(path, "-") == 0)
        return read_all(out, n_bytes, STDIN_FILENO, "standard input", PIPE_BYTES, most_bytes, mem,
                        err);

    int fd = open_for_reading(path);
    if (fd < 0)
        return fail_reading(err, path);
    vg_status st;
    struct stat info;
    if (fstat(fd, &info) != 0) {
        st = fail_reading(err, path);
        goto done;
    }
    if (S_ISDIR(info.st_mode)) {
        st = base_fail(err, VG_ERR_IO, path, "give the path of a file",
                       "a folder, where a file is needed");
        goto done;
    }
    size_t first_capacity = PIPE_BYTES;
    if (S_ISREG(info.st_mode)) {
        if ((uint64_t)info.st_size > most_bytes) {
            st = fail_too_long(err, path, most_bytes);
            goto done;
        }
        if (info.st_size > 0)
            first_capacity =
                (size_t)info.st_size + 2; /* terminator, and room to see the end without growing */
    } else {
        fcntl(fd, F_SETFL, 0); /* pipes and devices are waited for */
    }
    st = read_all(out, n_bytes, fd, path, first_capacity, most_bytes, mem, err);
done:
    close(fd);
    return st;
}

/* ---- replacing ---- */

/* A name that is legal by itself may leave no room for what is put behind it; then its hash stands
 * for it. */
static bool make_tmp_path(char *path, size_t n_path, const char *target, int n)
{
    char tail[64];
    const char *name = base_path_name(target);
    const size_t n_name = strlen(name);
    base_format(tail, sizeof tail, ".tmp-%ld-%d", (long)getpid(), n);
    if (n_name + strlen(tail) <= NAME_MAX || n_name > NAME_MAX)
        return base_format(path, n_path, "%s%s", target, tail);
    return base_format(path, n_path, "%.*s%016" PRIx64 "%s", (int)(name - target), target,
                       base_hash(BASE_HASH_START, name, n_name), tail);
}

vg_status base_file_create_beside(base_file *out, const char *target, vg_error *err)
{
    *out = BASE_FILE_NONE;
    char path[sizeof out->tmp_path];
    for (int n = 0; n < 1000; n++) {
        if (!make_tmp_path(path, sizeof path, target, n))
            return base_fail(err, VG_ERR_LIMIT, target, "use a shorter path",
                             "a path of %zu bytes, too long for a file", strlen(target));
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            out->fd = fd;
            memcpy(out->tmp_path, path, sizeof path);
            return VG_OK;
        }
        if (errno == ENAMETOOLONG) /* this name's trouble, not the disk's */
            return base_fail_errno(err, VG_ERR_LIMIT, target, "use a shorter name",
                                   "cannot create a file");
        if (errno != EEXIST)
            return base_fail_errno(err, VG_ERR_IO, path,
                                   errno == ENOENT ? "create the folder first"
                                                   : "check the folder's permissions",
                                   "cannot create a file");
    }
    return base_fail(err, VG_ERR_IO, target, "remove old .tmp-* files beside it",
                     "1000 unfinished files already");
}

vg_status base_file_write(base_file *f, const void *bytes, size_t n_bytes, vg_error *err)
{
    const char *p = bytes;
    while (n_bytes > 0) {
        ssize_t wrote = write(f->fd, p, n_bytes);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return base_fail_errno(err, VG_ERR_IO, f->tmp_path,
                                   errno == ENOSPC || errno == EDQUOT ? "free some disk space"
                                                                      : NULL,
                                   "cannot write %zu bytes", n_bytes);
        p += wrote;
        n_bytes -= (size_t)wrote;
    }
    return VG_OK;
}

/* Without it, a power cut may undo the rename. File systems that cannot sync a folder say EINVAL:
 * nothing to do. */
static vg_status sync_folder_of(const char *target, vg_error *err)
{
    char folder[4096] = ".";
    const char *name = base_path_name(target);
    if (name != target && !base_format(folder, sizeof folder, "%.*s", (int)(name - target), target))
        return base_fail(err, VG_ERR_IO, target, "use a shorter path",
                         "a path too long for a file");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return base_fail_errno(err, VG_ERR_IO, folder, NULL,
                               "written, but its folder cannot be synced");
    vg_status st = VG_OK;
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)
        st = base_fail_errno(err, VG_ERR_IO, folder, NULL,
                             "written, but its folder cannot be synced");
    close(fd);
    return st;
}

static const char MEND_DISK[] =
    "check the disk's space and health; the old file, if any, is untouched";

vg_status base_file_publish(base_file *f, const char *target, vg_error *err)
{
    int closed = close(f->fd);
    f->fd = -1;
    if (closed != 0)
        return base_fail_errno(err, VG_ERR_IO, f->tmp_path, MEND_DISK, "cannot finish the file");
    if (rename(f->tmp_path, target) != 0)
        return base_fail_errno(err, VG_ERR_IO, target, "choose another path",
                               "cannot put the new file in its place");
    *f = BASE_FILE_NONE;
    return VG_OK;
}

vg_status base_file_commit(base_file *f, const char *target, vg_error *err)
{
    if (fsync(f->fd) != 0)
        return base_fail_errno(err, VG_ERR_IO, f->tmp_path, MEND_DISK,
                               "cannot sync the file to the disk");
    vg_status st = base_file_publish(f, target, err);
    return st == VG_OK ? sync_folder_of(target, err) : st;
}

void base_file_discard(base_file *f)
{
    if (f->tmp_path[0]) { /* by this, not by fd, so that a zeroed one is harmless too */
        if (f->fd >= 0)
            close(f->fd);
        unlink(f->tmp_path);
    }
    *f = BASE_FILE_NONE;
}

vg_status base_file_replace(const char *target, const void *bytes, size_t n_bytes, vg_error *err)
{
    base_file tmp = BASE_FILE_NONE;
    vg_status st = base_file_create_beside(&tmp, target, err);
    if (st != VG_OK)
        goto done;
    st = base_file_write(&tmp, bytes, n_bytes, err);
    if (st != VG_OK)
        goto done;
    st = base_file_commit(&tmp, target, err);
done:
    base_file_discard(&tmp);
    return st;
}

/* ---- folders ---- */

static vg_status make_dir(const char *path, vg_error *err)
{
    if (mkdir(path, 0777) == 0)
        return VG_OK;
    int why = errno;
    if (base_path_is_dir(
            path)) /* not only after EEXIST: "/" and read-only parents answer otherwise */
        return VG_OK;
    errno = why == EEXIST ? ENOTDIR : why;
    return base_fail_errno(err, VG_ERR_IO, path, "choose another folder, or check permissions",
                           "cannot create the folder");
}

vg_status base_make_dirs(const char *path, vg_error *err)
{
    char part[4096];
    if (!path[0])
        return base_fail(err, VG_ERR_IO, NULL, "give the folder a name",
                         "an empty path for a folder");
    if (!base_format(part, sizeof part, "%s", path))
        return base_fail(err, VG_ERR_IO, path, "use a shorter path",
                         "a path of %zu bytes, too long for a folder", strlen(path));
    for (char *p = part + 1; *p; p++) {
        if (*p != '/' || p[-1] == '/')
            continue;
        *p = '\0';
        vg_status st = make_dir(part, err);
        if (st != VG_OK)
            return st;
        *p = '/';
    }
    return make_dir(part, err);
}

bool base_path_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

bool base_path_is_dir(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}
