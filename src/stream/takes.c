/* takes.c: a source's name, a look into its folder or list, the first bytes of standard input. */
#include "takes.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"
#include "stream/in/source_text.h"

enum { HEAD_BYTES = 64 };

static bool folder_has_video(const char *path)
{
    DIR *dir = opendir(path);
    bool found = false;
    for (const struct dirent *e; dir != NULL && !found && (e = readdir(dir)) != NULL;)
        found = e->d_name[0] != '.' && video_is_video_name(e->d_name);
    if (dir != NULL)
        closedir(dir);
    return found;
}

static bool glob_has_video(const char *pattern)
{
    base_mem mem = {.tag = "glob"};
    base_glob_found found;
    bool has = false;
    if (base_glob(&found, pattern, &mem, NULL) != VG_OK)
        return false; /* the pictures' job says what is wrong with it */
    for (size_t i = 0; i < found.n && !has; i++)
        has = video_is_video_name(found.paths[i]);
    base_glob_fini(&found);
    return has;
}

/* By names: a list of a million pictures is not opened one by one. */
static bool list_has_video(const char *path)
{
    base_mem mem = {.tag = "list"};
    char *text = NULL;
    bool found = false;
    int line = 0;
    if (stream_list_read(&text, path, &mem, NULL) != VG_OK)
        return false; /* the pictures' job says what is wrong with it */
    for (char *at = text, *word; !found && (word = stream_list_line(&at, &line)) != NULL;)
        found = video_is_video_name(word) || strstr(word, "://") != NULL ||
                base_starts_with(word, "lavfi:");
    base_free(text);
    return found;
}

/* The first bytes of standard input, which stay there: a pipe's are doubled into another, a file's
 * read without moving on, a socket's looked at. 0: there are none, or it is a terminal. */
static size_t input_head(uint8_t head[HEAD_BYTES])
{
    struct stat info;
    ssize_t n = -1;
    int twin[2];
    if (fstat(STDIN_FILENO, &info) != 0)
        return 0;
    if (S_ISREG(info.st_mode)) {
        n = pread(STDIN_FILENO, head, HEAD_BYTES, lseek(STDIN_FILENO, 0, SEEK_CUR));
    } else if (S_ISSOCK(info.st_mode)) {
        n = recv(STDIN_FILENO, head, HEAD_BYTES, MSG_PEEK);
    } else if (S_ISFIFO(info.st_mode) && pipe(twin) == 0) {
        n = tee(STDIN_FILENO, twin[1], HEAD_BYTES, 0);
        if (n > 0)
            n = read(twin[0], head, HEAD_BYTES);
        close(twin[0]);
        close(twin[1]);
    }
    return n > 0 ? (size_t)n : 0;
}

bool stream_source_is_video(const char *source, const char *input_format)
{
    video_kind kind;
    switch (stream_source_meaning(source, &kind)) {
    case STREAM_MEANS_ONE:
        if (kind == VIDEO_PIPE && (input_format == NULL || input_format[0] == '\0')) {
            uint8_t head[HEAD_BYTES];
            const size_t n = input_head(head);
            return n > 0 && image_format_name(head, n) == NULL;
        }
        return true;
    case STREAM_MEANS_FOLDER:
        return folder_has_video(source);
    case STREAM_MEANS_GLOB:
        return glob_has_video(source);
    case STREAM_MEANS_LIST:
        return list_has_video(source);
    case STREAM_MEANS_SEVERAL:
        return true;
    case STREAM_MEANS_PICTURE:
        return false;
    case STREAM_MEANS_NOTHING: /* whose error is the better one? */
        return base_equal_nocase(base_path_suffix(source), ".streams") ||
               video_is_video_name(source);
    }
    return false;
}
