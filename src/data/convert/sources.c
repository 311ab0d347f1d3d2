/* sources.c: the table of formats, and what they share. */
#include "sources.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "finder.h"

const convert_source *const convert_sources[] = {
    &convert_source_coco, &convert_source_voc, &convert_source_labelme, &convert_source_yolo, NULL,
};

const char *data_convert_format(size_t index)
{
    const size_t n = sizeof convert_sources / sizeof *convert_sources - 1;
    return index < n ? convert_sources[index]->name : NULL;
}

const char *source_below(const source_files *s, const char *path)
{
    const size_t n = strlen(s->root);
    return strncmp(path, s->root, n) == 0 ? path + n : path;
}

int source_split(const source_files *s, const char *path)
{
    char folder[VG_DATASET_PATH_BYTES];
    const char *below = source_below(s, path);
    if (!base_format(folder, sizeof folder, "%.*s", (int)(base_path_name(below) - below), below))
        return CATALOGUE_NO_SPLIT;
    return finder_split(folder);
}

size_t source_peek(char *buf, size_t n, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t got = fd >= 0 ? read(fd, buf, n - 1) : -1;
    if (fd >= 0)
        close(fd);
    buf[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

bool source_has_suffix(const char *path, const char *suffix)
{
    return base_equal_nocase(base_path_suffix(path), suffix);
}
