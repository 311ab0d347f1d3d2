/* vault_copy.c: FICLONE, else copy_file_range, else read and write, an extent at a time. */
#include "vault_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int64_t ns_of(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

bool vault_version_of(vault_version *out, int at, const char *path, int flags)
{
    struct stat info;
    watch_file_id id;
    if (!watch_file_id_of(&id, at, path, flags) || fstatat(at, path, &info, flags) != 0 ||
        info.st_ino != id.inode)
        return false;
    *out = (vault_version){.id = id,
                           .size = info.st_size,
                           .mtime_ns = ns_of(&info.st_mtim),
                           .ctime_ns = ns_of(&info.st_ctim)};
    return true;
}

/* Not by ctime: a rename, a link more or other permissions change no byte. */
bool vault_version_same(const vault_version *a, const vault_version *b)
{
    return watch_file_id_same(&a->id, &b->id) && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

/* ---- bytes ---- */

static bool pump(int to, int from, off_t at, off_t end)
{
    char buf[1 << 16];
    while (at < end) {
        off_t in = at, out = at;
        ssize_t k = copy_file_range(from, &in, to, &out, (size_t)(end - at), 0);
        if (k < 0 && errno != EINTR && errno != ENOSPC && errno != EDQUOT && errno != EIO) {
            const size_t most = end - at < (off_t)sizeof buf ? (size_t)(end - at) : sizeof buf;
            k = pread(from, buf, most, at);
            for (ssize_t done = 0; k > 0 && done < k;) {
                const ssize_t w = pwrite(to, buf + done, (size_t)(k - done), at + done);
                if (w < 0 && errno == EINTR)
                    continue;
                if (w <= 0)
                    return false;
                done += w;
            }
        }
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        at += k;
    }
    return true;
}

static bool copy_extents(int to, int from, off_t size)
{
    for (off_t at = 0; at < size;) {
        off_t data = lseek(from, at, SEEK_DATA), hole = size;
        if (data < 0 && errno == ENXIO)
            break; /* nothing but a hole to its end */
        if (data < 0)
            data = at; /* a file system without holes */
        else
            hole = lseek(from, data, SEEK_HOLE);
        if (hole < 0 || hole > size)
            hole = size;
        if (!pump(to, from, data, hole))
            return false;
        at = hole;
    }
    return ftruncate(to, size) == 0;
}

static bool has_room(int fd, double bytes)
{
    struct statvfs info;
    return fstatvfs(fd, &info) == 0 && (double)info.f_bavail * (double)info.f_frsize > 2 * bytes;
}

static vault_copied copy_into(int to, int from)
{
    struct stat info;
    if (fstat(from, &info) != 0)
        return VAULT_FAILED;
    if (fchmod(to, info.st_mode & 0777) != 0)
        return VAULT_FAILED;
    if (ioctl(to, FICLONE, from) == 0)
        return VAULT_COPIED;
    if (!has_room(to, (double)info.st_blocks * 512))
        return VAULT_NO_ROOM;
    if (copy_extents(to, from, info.st_size))
        return VAULT_COPIED;
    return errno == ENOSPC || errno == EDQUOT ? VAULT_NO_ROOM : VAULT_FAILED;
}

vault_copied vault_copy_file(const char *target, const char *source, const vault_version *is,
                             bool is_new)
{
    base_file tmp = BASE_FILE_NONE;
    vg_error ignored;
    vault_version before, after;
    vault_copied how = VAULT_FAILED;
    /* A pipe would not hold us here, and a device is not opened: its name tells what it is. */
    if (!vault_version_of(&before, AT_FDCWD, source, AT_SYMLINK_NOFOLLOW))
        return VAULT_CHANGED;
    const int from = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (from < 0)
        return VAULT_FAILED;
    if (!vault_version_of(&before, from, "", AT_EMPTY_PATH) ||
        (is != NULL && !vault_version_same(&before, is))) {
        how = VAULT_CHANGED;
        goto done;
    }
    if (base_file_create_beside(&tmp, target, &ignored) != VG_OK)
        goto done;
    how = copy_into(tmp.fd, from);
    if (how != VAULT_COPIED)
        goto done;
    /* Was it written meanwhile? Then the copy is of two versions. */
    if (!vault_version_of(&after, from, "", AT_EMPTY_PATH) || !vault_version_same(&before, &after))
        how = VAULT_CHANGED;
    else if (is_new) /* a link's name must be free, on every file system; the other one goes */
        how = link(tmp.tmp_path, target) == 0 ? VAULT_COPIED : VAULT_FAILED;
    else
        how = base_file_publish(&tmp, target, &ignored) == VG_OK ? VAULT_COPIED : VAULT_FAILED;
done:
    base_file_discard(&tmp);
    close(from);
    return how;
}

/* ---- links ---- */

void vault_relink(const char *link, const char *target)
{
    char to[4096], tmp[4096], is[4096];
    struct stat info;
    const char *name = base_path_name(target);
    const size_t folder = (size_t)(name - target);
    const bool exists = lstat(link, &info) == 0;
    if (exists && !S_ISLNK(info.st_mode))
        return;
    /* Beside it, by its name alone, as trainers do: the folder may be moved. */
    const bool is_beside = strncmp(link, target, folder) == 0 && strchr(link + folder, '/') == NULL;
    base_format(to, sizeof to, "%s", is_beside ? name : target);
    const ssize_t n = exists ? readlink(link, is, sizeof is - 1) : -1;
    if (n > 0) {
        is[n] = '\0';
        if (strcmp(is, to) == 0 || strcmp(is, target) == 0)
            return;
    }
    if (!base_format(tmp, sizeof tmp, "%s.tmp-%ld", link, (long)getpid()) || symlink(to, tmp) != 0)
        return;
    if (rename(tmp, link) != 0)
        unlink(tmp);
}
