/* picture_bytes.c: files read whole into a buffer that is used again. Not mapped: a file that
 * shrinks while it is read is then a truncated picture, not a bus error. A large file that is no
 * picture is read no further than its head, which is enough for the decoder to say so: nobody has
 * planned room for the rest. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pictures.h"

enum { MOST_BYTES = 1 << 30, FIRST_BYTES = 64 << 10, MAGIC_BYTES = 4 << 10 };

vg_status picture_bytes_reserve(picture_bytes *b, size_t capacity, base_mem *mem, vg_error *err)
{
    if (capacity <= b->capacity)
        return VG_OK;
    uint8_t *block = base_realloc(mem, b->block, capacity, err);
    if (!block)
        return VG_ERR_MEMORY;
    b->block = block;
    b->capacity = capacity;
    return VG_OK;
}

/* Room for at least one byte more: the file's size where it is known, else doubling. */
static vg_status make_room(picture_bytes *b, size_t known_bytes, const char *path, base_mem *mem,
                           vg_error *err)
{
    if (b->n < b->capacity)
        return VG_OK;
    if (b->n >= MOST_BYTES)
        return base_fail(err, VG_ERR_LIMIT, path, NULL, "a picture file of more than 1 GiB");
    size_t more = b->capacity * 2 > FIRST_BYTES ? b->capacity * 2 : FIRST_BYTES;
    return picture_bytes_reserve(b, known_bytes > b->n ? known_bytes + 1 : more, mem, err);
}

/* Opening a named pipe without O_NONBLOCK waits for its writer. */
static int open_picture(const char *path, bool may_wait)
{
    if (strcmp(path, "-") == 0)
        return STDIN_FILENO;
    return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (may_wait ? 0 : O_NONBLOCK));
}

/* Who waits for another program must be able to end by a signal. */
static vg_status interrupted(const char *path, vg_error *err)
{
    return base_fail(err, VG_ERR_INTERRUPTED, path, NULL, "a signal came before the picture");
}

vg_status picture_bytes_read(picture_bytes *b, const char *path, bool may_wait, size_t most,
                             base_mem *mem, vg_error *err)
{
    bool standard_input = strcmp(path, "-") == 0;
    int fd = open_picture(path, may_wait);
    struct stat info = {0};
    vg_status st = VG_OK;
    b->n = 0;
    if (fd < 0 && may_wait && errno == EINTR)
        st = interrupted(path, err);
    else if (fd < 0 || fstat(fd, &info) != 0)
        st = base_fail_errno(err, VG_ERR_IO, path, NULL, "the picture cannot be opened");
    else if (S_ISDIR(info.st_mode))
        st = base_fail(err, VG_ERR_IO, path, NULL, "a folder, where a picture was expected");
    else if (!S_ISREG(info.st_mode) && !may_wait)
        st = base_fail(err, VG_ERR_IO, path, "give it as the only source",
                       "a pipe or device among several pictures");
    size_t known = info.st_size > 0 && info.st_size <= MOST_BYTES ? (size_t)info.st_size : 0;
    known = most > 0 && known > most ? most : known;
    bool judged = most > 0;
    for (bool more = true; more && st == VG_OK;) {
        st = make_room(b, judged || known < FIRST_BYTES ? known : FIRST_BYTES - 1, path, mem, err);
        if (st != VG_OK)
            break;
        size_t room = b->capacity - b->n;
        if (most > 0 && room > most - b->n)
            room = most - b->n;
        ssize_t got = room > 0 ? read(fd, b->block + b->n, room) : 0;
        if (got < 0 && errno == EINTR && may_wait)
            st = interrupted(path, err);
        else if (got < 0 && errno != EINTR)
            st = base_fail_errno(err, VG_ERR_IO, path, NULL, "the picture cannot be read");
        b->n += got > 0 ? (size_t)got : 0;
        more = got != 0;
        if (!judged && b->n >= MAGIC_BYTES) {
            judged = true;
            more = more && image_format_name(b->block, b->n);
        }
    }
    if (fd >= 0 && !standard_input)
        close(fd);
    return st;
}

void picture_bytes_fini(picture_bytes *b)
{
    base_free(b->block);
    *b = (picture_bytes){0};
}
