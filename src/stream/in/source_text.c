/* source_text.c: what one text of a source means, and what it is called. */
#include "source_text.h"

#include <ctype.h>
#include <string.h>

#include "image/image.h"

enum { MOST_LIST_BYTES = 64 << 20 };

static bool has_suffix(const char *text, const char *suffix)
{
    return base_equal_nocase(base_path_suffix(text), suffix);
}

static bool is_pattern(const char *text)
{
    return base_is_glob(text) && strstr(text, "://") == NULL;
}

bool stream_source_is_playable_name(const char *name)
{
    return name[0] != '.' &&
           (video_is_video_name(name) || image_is_picture_name(name) || has_suffix(name, ".gif"));
}

stream_meaning stream_source_meaning(const char *text, video_kind *kind)
{
    *kind = VIDEO_NONE;
    if (base_path_is_dir(text))
        return STREAM_MEANS_FOLDER;
    const bool is_there = base_path_exists(text);
    if (strstr(text, "://") == NULL && has_suffix(text, ".streams"))
        return is_there ? STREAM_MEANS_SEVERAL : STREAM_MEANS_NOTHING;
    if (is_there && has_suffix(text, ".txt"))
        return STREAM_MEANS_LIST;
    *kind = video_kind_of(text);
    if (*kind != VIDEO_NONE && (*kind != VIDEO_FILE || is_there))
        return STREAM_MEANS_ONE;
    if (is_there)
        return STREAM_MEANS_PICTURE;
    return is_pattern(text) ? STREAM_MEANS_GLOB : STREAM_MEANS_NOTHING;
}

vg_status stream_list_read(char **out, const char *path, base_mem *mem, vg_error *err)
{
    size_t n;
    int line = 1;
    const vg_status st = base_file_read(out, &n, path, MOST_LIST_BYTES, mem, err);
    if (st != VG_OK || memchr(*out, '\0', n) == NULL)
        return st;
    const bool is_utf16 = base_is_utf16(*out, n);
    for (const char *c = *out; *c != '\0'; c++)
        line += *c == '\n';
    base_free(*out);
    *out = NULL;
    return base_fail(err, VG_ERR_FORMAT, base_where("%.400s:%d", path, is_utf16 ? 1 : line),
                     "save the file as UTF-8",
                     is_utf16 ? "a list in UTF-16" : "a byte 0, which no text has");
}

char *stream_list_line(char **at, int *line)
{
    while (*at != NULL && **at != '\0') {
        char *text = *at, *end = strchr(text, '\n');
        *at = end != NULL ? end + 1 : NULL;
        if (*line == 0 && base_starts_with(text, "\xef\xbb\xbf")) /* some editors' mark */
            text += 3;
        ++*line;
        if (end != NULL)
            *end = '\0';
        size_t n = strlen(text);
        while (n > 0 && isspace((unsigned char)text[n - 1]))
            text[--n] = '\0';
        text += strspn(text, " \t");
        if (*text != '\0' && *text != '#')
            return text;
    }
    return NULL;
}

/* ---- what it is called ---- */

void stream_stem_clean(char out[STREAM_STEM_BYTES], const char *text)
{
    const size_t most = STREAM_STEM_BYTES - 8; /* a number may follow */
    char shown[4 * STREAM_NAME_BYTES]; /* what is beyond ASCII in it is a letter, or harmless */
    size_t n = 0;
    base_line_escape(shown, sizeof shown, text);
    for (const char *at = shown; *at != '\0' && n < most; at++) {
        const unsigned char c = (unsigned char)*at;
        const bool is_fit = isalnum(c) || c >= 0x80 || c == '.' || c == '_' || c == '-';
        const char next = is_fit ? *at : '-';
        if (next == '-' && (n == 0 || out[n - 1] == '-'))
            continue;
        if (next == '.' && n == 0) /* neither hidden nor ".." */
            continue;
        out[n++] = next;
    }
    while (n > 0 && ((n == most && ((unsigned char)out[n - 1] & 0xC0) == 0x80) ||
                     out[n - 1] == '-' || out[n - 1] == '.'))
        n--; /* a letter that was cut in two goes whole */
    if (n > 0 && (unsigned char)out[n - 1] >= 0xC0)
        n--;
    out[n] = '\0';
    if (n == 0)
        base_format(out, STREAM_STEM_BYTES, "source");
}

void stream_stem_of(char out[STREAM_STEM_BYTES], const char *text, stream_meaning meaning,
                    video_kind kind)
{
    char name[STREAM_NAME_BYTES];
    const char *scheme;
    if (meaning == STREAM_MEANS_ONE && kind == VIDEO_PIPE) {
        stream_stem_clean(out, "stdin");
        return;
    }
    if (meaning == STREAM_MEANS_ONE && kind == VIDEO_PUSHED) {
        stream_stem_clean(out, text[5] != '\0' ? text + 5 : "pushed"); /* behind push: */
        return;
    }
    if (meaning == STREAM_MEANS_ONE)
        video_public_name(name, sizeof name, text);
    else
        base_format(name, sizeof name, "%s", text);
    if (meaning == STREAM_MEANS_ONE && kind == VIDEO_DRAWN) {
        char *graph = strchr(name, ':');
        graph = graph != NULL ? graph + 1 : name;
        graph[strcspn(graph, "=,[;:")] = '\0';
        stream_stem_clean(out, graph);
    } else if (meaning == STREAM_MEANS_ONE && kind == VIDEO_CAMERA &&
               isdigit((unsigned char)*name)) {
        stream_stem_clean(out, base_text_make("camera%.40s", name).text);
    } else if (meaning == STREAM_MEANS_ONE && (scheme = strstr(name, "://")) != NULL) {
        name[strcspn(name, "?")] = '\0';
        stream_stem_clean(out, scheme + 3);
    } else {
        size_t n = strlen(name);
        while (n > 1 && name[n - 1] == '/')
            name[--n] = '\0';
        char stem[STREAM_NAME_BYTES];
        const bool fits = meaning != STREAM_MEANS_FOLDER && base_path_stem(stem, sizeof stem, name);
        stream_stem_clean(out, fits ? stem : base_path_name(name));
    }
}
