/* disk_cache.c: a resized picture in a file beside its source.
 *
 * Layout: header, then rows without gaps. The header names the source by size and time, so a
 * picture that was replaced is decoded anew; the sum tells a damaged file. */
#include "disk_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sum.h"

#define DISK_MAGIC UINT64_C(0x3250586c69676976) /* "vigilXP2" */

typedef struct disk_header {
    uint64_t magic;
    int32_t w, h, imgsz, unused;
    int64_t source_bytes, source_s, source_ns;
    uint64_t sum;
    uint64_t spare;
} disk_header;
_Static_assert(sizeof(disk_header) == DISK_CACHE_HEADER_BYTES, "layout of the cache file");

/* What the file beside the picture must say but for the sum. False when the picture is gone. */
static bool expect_header(disk_header *out, const image_view *v, const char *path, int imgsz)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return false;
    *out = (disk_header){.magic = DISK_MAGIC,
                         .w = v->w,
                         .h = v->h,
                         .imgsz = imgsz,
                         .source_bytes = info.st_size,
                         .source_s = info.st_mtim.tv_sec,
                         .source_ns = info.st_mtim.tv_nsec};
    return true;
}

static bool read_exactly(int fd, void *to, size_t n)
{
    uint8_t *p = to;
    while (n > 0) {
        ssize_t got = read(fd, p, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

static bool disk_path(char *out, size_t n, const char *path, int imgsz)
{
    return base_format(out, n, "%s.%d.vigil-bin", path, imgsz);
}

bool disk_cache_read(const image_view *dst, const char *path, int imgsz)
{
    char file[4096];
    disk_header want, is;
    size_t n = dst->stride * (size_t)dst->h;
    if (!disk_path(file, sizeof file, path, imgsz) || !expect_header(&want, dst, path, imgsz))
        return false;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool good = read_exactly(fd, &is, sizeof is) && read_exactly(fd, dst->data, n);
    close(fd);
    want.sum = good ? data_sum(BASE_HASH_START, dst->data, n) : 0;
    return good && memcmp(&want, &is, sizeof is) == 0;
}

/* Not brought to the disk at once: 100,000 waits for it, for a file that its sum protects. */
vg_status disk_cache_write(const image_view *v, const char *path, int imgsz, vg_error *err)
{
    char file[4096];
    disk_header h;
    size_t n = v->stride * (size_t)v->h;
    if (!disk_path(file, sizeof file, path, imgsz) || !expect_header(&h, v, path, imgsz))
        return base_fail(err, VG_ERR_IO, path, NULL, "no name for its cache file");
    h.sum = data_sum(BASE_HASH_START, v->data, n);
    base_file tmp = BASE_FILE_NONE;
    vg_status st = base_file_create_beside(&tmp, file, err);
    if (st != VG_OK)
        goto done;
    st = base_file_write(&tmp, &h, sizeof h, err);
    if (st == VG_OK)
        st = base_file_write(&tmp, v->data, n, err);
    if (st != VG_OK)
        goto done;
    if (rename(tmp.tmp_path, file) != 0) {
        st = base_fail_errno(err, VG_ERR_IO, file, NULL, "cannot put the file in its place");
        goto done;
    }
    close(tmp.fd);
    tmp = BASE_FILE_NONE;
done:
    base_file_discard(&tmp);
    return st;
}
