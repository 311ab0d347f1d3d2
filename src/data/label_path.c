/* label_path.c: from a picture to its labels (spec 5.2), and where else they are when they are not
 * there: on systems that do not tell Images from images nobody notices how a folder is spelt. */
#include <string.h>
#include <sys/stat.h>

#include "list.h"

enum { N_WORD = 8 }; /* of "/images/", and of "/labels/" */

/* The last /images/ of path, in any case of letters if told so; NULL: none. */
static const char *find_images(const char *path, bool any_case)
{
    const char *found = NULL;
    char word[N_WORD + 1];
    for (const char *p = path; (p = strchr(p, '/')) != NULL; p++) {
        if (!base_format(word, sizeof word, "%.*s", N_WORD, p))
            continue;
        if (any_case ? base_equal_nocase(word, "/images/") : strcmp(word, "/images/") == 0)
            found = p;
    }
    return found;
}

/* The picture's path with `word` in the place of /images/ (at; NULL: none) and another suffix. */
static bool make_path(char *out, size_t n, const char *picture_path, const char *at,
                      const char *word, const char *suffix)
{
    const size_t stem = strlen(picture_path) - strlen(base_path_suffix(picture_path));
    if (!base_format(out, n, "%.*s%s", (int)stem, picture_path, suffix))
        return false;
    if (at)
        memcpy(out + (at - picture_path), word, N_WORD);
    return true;
}

bool data_label_path(char *out, size_t n, const char *picture_path)
{
    return make_path(out, n, picture_path, find_images(picture_path, false), "/labels/", ".txt");
}

static bool folder_is_there(const char *path)
{
    char folder[DATA_PATH_BYTES];
    return base_format(folder, sizeof folder, "%.*s", (int)(base_path_name(path) - path), path) &&
           base_path_is_dir(folder);
}

bool data_label_find(char *out, size_t n, const char *picture_path)
{
    static const char *const words[] = {"/labels/", "/Labels/", "/LABELS/"};
    static const char *const suffixes[] = {".txt", ".TXT"};
    if (!data_label_path(out, n, picture_path))
        return false;
    if (base_path_exists(out))
        return true;
    const char *at = find_images(picture_path, true);
    bool has_folder = folder_is_there(out);
    for (size_t w = 0; w < (at ? sizeof words / sizeof *words : 1); w++)
        for (size_t s = 0; s < sizeof suffixes / sizeof *suffixes; s++) {
            if (!make_path(out, n, picture_path, at, words[w], suffixes[s]))
                return false;
            if (base_path_exists(out))
                return true;
            has_folder |= s == 0 && folder_is_there(out);
        }
    for (size_t s = 0; s < sizeof suffixes / sizeof *suffixes && !has_folder; s++)
        if (make_path(out, n, picture_path, NULL, NULL, suffixes[s]) && base_path_exists(out))
            return true;
    return data_label_path(out, n, picture_path);
}
