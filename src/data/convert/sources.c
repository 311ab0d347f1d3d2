/* sources.c: the table of formats, and what they share. */
#include "sources.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "finder.h"

const convert_source *const convert_sources[] = {
    &convert_source_coco, &convert_source_voc,  &convert_source_labelme,
    &convert_source_dota, &convert_source_yolo, NULL,
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

/* The first bytes of a file from `from` on. Pipes and devices have none. */
static size_t read_piece(char *buf, size_t n, int fd, off_t from)
{
    const ssize_t got = pread(fd, buf, n, from);
    return got > 0 ? (size_t)got : 0;
}

/* Bits of the words that are in a piece. */
static unsigned words_in(const convert_source *source, const char *piece, size_t n)
{
    unsigned found = 0;
    for (size_t i = 0; i < sizeof source->words / sizeof *source->words && source->words[i]; i++)
        if (memmem(piece, n, source->words[i], strlen(source->words[i])))
            found |= 1U << i;
    return found;
}

bool source_is_own(const convert_source *source, const char *path)
{
    enum { PIECE_BYTES = 1 << 16 };
    char piece[PIECE_BYTES];
    struct stat info;
    if (!source->suffix || !source_has_suffix(path, source->suffix))
        return false;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    unsigned found = words_in(source, piece, read_piece(piece, sizeof piece, fd, 0));
    if (fstat(fd, &info) == 0 && info.st_size > PIECE_BYTES)
        found |= words_in(source, piece,
                          read_piece(piece, sizeof piece, fd, info.st_size - PIECE_BYTES));
    close(fd);
    return __builtin_popcount(found) >= source->least_words;
}

int source_knows(const convert_source *source, const source_files *s)
{
    bool is_there = source->is_there && source->is_there(s);
    for (size_t i = 0; i < s->n && !is_there; i++)
        is_there = source_is_own(source, s->paths[i]);
    return is_there ? source->sureness : 0;
}

bool source_has_suffix(const char *path, const char *suffix)
{
    return base_equal_nocase(base_path_suffix(path), suffix);
}
