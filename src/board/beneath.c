/* beneath.c: openat with O_NOFOLLOW, a component at a time. */
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int board_open_folder(int fd, const char *path)
{
    /* Not dup: two descriptors of one opening would share the place where a folder is read. */
    int at = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (at >= 0 && *path != '\0') {
        char name[256];
        const size_t n = strcspn(path, "/");
        if (n == 0 || !base_format(name, sizeof name, "%.*s", (int)n, path) ||
            strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            close(at);
            return -1;
        }
        const int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(at);
        at = next;
        path += n + (path[n] == '/');
    }
    return at;
}

int board_open_file(int fd, const char *name)
{
    struct stat info;
    if (strchr(name, '/') != NULL)
        return -1;
    const int file = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 || (fstat(file, &info) == 0 && S_ISREG(info.st_mode)))
        return file;
    close(file);
    return -1;
}

const char *board_fd_path(char buf[BOARD_FD_PATH_BYTES], int fd)
{
    base_format(buf, BOARD_FD_PATH_BYTES, "/proc/self/fd/%d", fd);
    return buf;
}

uint64_t board_stamp(int folder, const char *name)
{
    struct stat info;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    const int64_t facts[] = {info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_size,
                             (int64_t)info.st_ino};
    return base_hash(BASE_HASH_START, facts, sizeof facts);
}
