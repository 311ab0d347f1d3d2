/* world.c: tables of words; pure functions over bytes. */
#include "world.h"

#include <string.h>

typedef struct mark {
    const char *text;
    unsigned bits;
} mark;

static bool holds(const char *text, size_t n, const char *what)
{
    return memmem(text, n, what, strlen(what)) != NULL;
}

static unsigned sum_held(const char *text, size_t n, const mark *words, size_t n_words)
{
    unsigned bits = 0;
    for (size_t i = 0; i < n_words; i++)
        if (holds(text, n, words[i].text))
            bits |= words[i].bits;
    return bits;
}

unsigned watch_world_of_map(const char *path, size_t n)
{
    static const mark words[] = {{"/libpython", WATCH_WORLD_PYTHON},
                                 {"/bin/python", WATCH_WORLD_PYTHON},
                                 {"/bin/pypy", WATCH_WORLD_PYTHON},
                                 {"/bin/node", WATCH_WORLD_NODE},
                                 {"/libnode.so", WATCH_WORLD_NODE},
                                 {"/libjvm.so", WATCH_WORLD_JAVA},
                                 {"/bin/php", WATCH_WORLD_PHP},
                                 {"/libphp", WATCH_WORLD_PHP},
                                 {"/php-fpm", WATCH_WORLD_PHP},
                                 {"/bin/ruby", WATCH_WORLD_RUBY},
                                 {"/libruby", WATCH_WORLD_RUBY},
                                 {"/libcoreclr.so", WATCH_WORLD_DOTNET},
                                 {"/libtorch", WATCH_WORLD_TENSORS},
                                 {"/torch/lib/", WATCH_WORLD_TENSORS},
                                 {"/libtensorflow", WATCH_WORLD_TENSORS},
                                 {"/xla_extension", WATCH_WORLD_TENSORS},
                                 {"/cv2/", WATCH_WORLD_VIDEO},
                                 {"/libopencv_video", WATCH_WORLD_VIDEO},
                                 {"/libavformat", WATCH_WORLD_VIDEO},
                                 {"/libgstreamer-", WATCH_WORLD_VIDEO}};
    return sum_held(path, n, words, sizeof words / sizeof *words);
}

/* The name of a program without its folder and without what follows its letters, as in
 * "/usr/bin/python3.11": "python". */
static size_t name_letters(const char **word)
{
    const char *name = base_path_name(*word);
    size_t n = 0;
    while ((name[n] >= 'a' && name[n] <= 'z') || (name[n] >= 'A' && name[n] <= 'Z'))
        n++;
    *word = name;
    return n;
}

static bool is_named(const char *word, const char *name)
{
    const size_t n = name_letters(&word);
    return n == strlen(name) && memcmp(word, name, n) == 0;
}

unsigned watch_world_of_command(const char *words, size_t n)
{
    static const mark programs[] = {{"python", WATCH_WORLD_PYTHON},
                                    {"pypy", WATCH_WORLD_PYTHON},
                                    {"node", WATCH_WORLD_NODE},
                                    {"nodejs", WATCH_WORLD_NODE},
                                    {"java", WATCH_WORLD_JAVA},
                                    {"php", WATCH_WORLD_PHP},
                                    {"ruby", WATCH_WORLD_RUBY},
                                    {"dotnet", WATCH_WORLD_DOTNET},
                                    {"gunicorn", WATCH_WORLD_WEB},
                                    {"uvicorn", WATCH_WORLD_WEB},
                                    {"hypercorn", WATCH_WORLD_WEB},
                                    {"daphne", WATCH_WORLD_WEB},
                                    {"uwsgi", WATCH_WORLD_WEB},
                                    {"waitress", WATCH_WORLD_WEB},
                                    {"celery", WATCH_WORLD_WEB},
                                    {"flask", WATCH_WORLD_WEB},
                                    {"fastapi", WATCH_WORLD_WEB},
                                    {"puma", WATCH_WORLD_WEB},
                                    {"runserver", WATCH_WORLD_WEB},
                                    {"nginx", WATCH_WORLD_WEB},
                                    {"ultralytics", WATCH_WORLD_ULTRALYTICS},
                                    {"yolo", WATCH_WORLD_ULTRALYTICS},
                                    {"train", WATCH_WORLD_TRAINS},
                                    {"finetune", WATCH_WORLD_TRAINS},
                                    {"torchrun", WATCH_WORLD_TRAINS},
                                    {"predict", WATCH_WORLD_PREDICTS},
                                    {"track", WATCH_WORLD_PREDICTS},
                                    {"detect", WATCH_WORLD_PREDICTS}};
    unsigned bits = 0;
    for (size_t at = 0; at < n && words[at] != '\0';) {
        const size_t size = strnlen(words + at, n - at);
        if (at + size == n) /* cut off: the last word has no end */
            break;
        for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
            if (is_named(words + at, programs[i].text))
                bits |= programs[i].bits;
        at += size + 1;
    }
    /* Those that name themselves in one word: "gunicorn: worker [app]". */
    return bits;
}

const char *watch_world_script(const char *words, size_t n)
{
    for (size_t at = 0; at < n && words[at] != '\0';) {
        const size_t size = strnlen(words + at, n - at);
        if (at + size == n)
            return NULL;
        if (at > 0 && strcmp(base_path_suffix(words + at), ".py") == 0)
            return words + at;
        at += size + 1;
    }
    return NULL;
}

unsigned watch_world_of_script(const char *text, size_t n)
{
    static const mark words[] = {{"ultralytics", WATCH_WORLD_ULTRALYTICS},
                                 {".backward(", WATCH_WORLD_TRAINS},
                                 {".train(", WATCH_WORLD_TRAINS},
                                 {".fit(", WATCH_WORLD_TRAINS},
                                 {".partial_fit(", WATCH_WORLD_TRAINS},
                                 {".predict(", WATCH_WORLD_PREDICTS},
                                 {".track(", WATCH_WORLD_PREDICTS},
                                 {"VideoCapture", WATCH_WORLD_VIDEO},
                                 {"import flask", WATCH_WORLD_WEB},
                                 {"from flask", WATCH_WORLD_WEB},
                                 {"import fastapi", WATCH_WORLD_WEB},
                                 {"from fastapi", WATCH_WORLD_WEB},
                                 {"django", WATCH_WORLD_WEB},
                                 {"import tornado", WATCH_WORLD_WEB},
                                 {"from aiohttp import web", WATCH_WORLD_WEB},
                                 {"http.server", WATCH_WORLD_WEB},
                                 {"socketserver", WATCH_WORLD_WEB}};
    return sum_held(text, n, words, sizeof words / sizeof *words);
}

unsigned watch_world_of_program(const uint8_t *bytes, size_t n)
{
    /* The linker of Go puts its build's name into a note of the first page: of type 4, by "Go".
     * Further in, a program that looks for it (this one) has the same bytes among its constants. */
    enum { PAGE_BYTES = 4096 };
    static const uint8_t go_note[] = {4, 0, 0, 0, 'G', 'o', 0, 0};
    const size_t n_page = n < PAGE_BYTES ? n : PAGE_BYTES;
    return memmem(bytes, n_page, go_note, sizeof go_note) != NULL ? WATCH_WORLD_GO : 0;
}
