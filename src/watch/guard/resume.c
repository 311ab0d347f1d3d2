/* resume.c: words, put together in a text of words that end with 0, then pointed at. */
#include "resume.h"

#include <string.h>

enum { MOST_TEXT_BYTES = 1 << 20, PATH_BYTES = 4096 };

typedef struct words {
    base_str text; /* each with its 0 */
    size_t n;
    base_mem *mem;
    vg_error *err;
    vg_status st;
} words;

static void add(words *w, const char *word)
{
    if (w->st == VG_OK && ++w->n > WATCH_MOST_WORDS)
        w->st = base_fail(w->err, VG_ERR_ARGUMENT, NULL, NULL, "a command of more than %d words",
                          WATCH_MOST_WORDS);
    if (w->st == VG_OK)
        w->st =
            base_str_add_bytes(&w->text, MOST_TEXT_BYTES, word, strlen(word) + 1, w->mem, w->err);
}

static void add_all(words *w, char *const *argv)
{
    for (; *argv != NULL; argv++)
        add(w, *argv);
}

/* ---- --resume-args ---- */

/* A word's next character: quotes and backslashes as a shell has them, without its expansions.
 * False: the word or the text is at its end. */
typedef struct splitter {
    const char *at;
    char quote; /* 0: none is open */
    bool has_word;
} splitter;

static bool next_char(splitter *s, char *out)
{
    for (;; s->at++) {
        const char c = *s->at;
        if (c == '\0' || (s->quote == '\0' && strchr(" \t\n", c) != NULL))
            return false;
        s->has_word = true;
        if (s->quote != '\0' && c == s->quote) {
            s->quote = '\0';
        } else if (s->quote == '\0' && (c == '\'' || c == '"')) {
            s->quote = c;
        } else {
            if (c == '\\' && s->quote != '\'' && s->at[1] != '\0')
                s->at++;
            *out = *s->at++;
            return true;
        }
    }
}

static bool append(char *word, size_t *n, size_t room, const char *text, size_t k)
{
    if (*n + k >= room)
        return false;
    memcpy(word + *n, text, k);
    *n += k;
    word[*n] = '\0';
    return true;
}

/* {checkpoint} and {run} are replaced after the text was split: a path with blanks stays a word. */
static bool fill(char *out, size_t room, const char *word, const watch_resume_options *o)
{
    size_t n = 0;
    out[0] = '\0';
    while (*word != '\0') {
        bool fits;
        if (base_starts_with(word, "{checkpoint}")) {
            fits = append(out, &n, room, o->checkpoint, strlen(o->checkpoint));
            word += 12;
        } else if (base_starts_with(word, "{run}")) {
            fits = append(out, &n, room, o->run, strlen(o->run));
            word += 5;
        } else {
            fits = append(out, &n, room, word++, 1);
        }
        if (!fits)
            return false;
    }
    return true;
}

static vg_status bad_args(const char *what, vg_error *err)
{
    return base_fail(err, VG_ERR_ARGUMENT, "option resume_args",
                     "give words as in a shell, such as \"--resume {checkpoint}\"", "%s", what);
}

/* w NULL: only looks whether they can be read. */
static vg_status add_args(words *w, const watch_resume_options *o, vg_error *err)
{
    splitter s = {.at = o->args};
    for (;;) {
        char word[PATH_BYTES] = "", filled[2 * PATH_BYTES], c;
        size_t n = 0;
        s.at += strspn(s.at, " \t\n");
        s.has_word = false;
        while (next_char(&s, &c))
            if (!append(word, &n, sizeof word, &c, 1))
                return bad_args("a word that is too long", err);
        if (s.quote != '\0')
            return bad_args("a quote that is not closed", err);
        if (!s.has_word)
            return VG_OK;
        if (w == NULL)
            continue;
        if (!fill(filled, sizeof filled, word, o))
            return bad_args("a word that is too long", err);
        add(w, filled);
        if (w->st != VG_OK)
            return w->st;
    }
}

vg_status watch_resume_check(const char *args, vg_error *err)
{
    return add_args(NULL, &(watch_resume_options){.args = args}, err);
}

/* ---- jobs that are known ---- */

static size_t find_word(char *const *argv, const char *word)
{
    for (size_t i = 1; argv[i] != NULL; i++)
        if (strcmp(argv[i], word) == 0)
            return i;
    return 0;
}

static bool is_vigil_train(char *const *argv)
{
    return strcmp(base_path_name(argv[0]), "vigil") == 0 && argv[1] != NULL &&
           strcmp(argv[1], "train") == 0;
}

/* `yolo detect train ...`, or `python -m ultralytics train ...`. */
static bool is_ultralytics_train(char *const *argv)
{
    const char *name = base_path_name(argv[0]);
    const size_t m = find_word(argv, "-m");
    const bool is_module = m > 0 && argv[m + 1] != NULL && strcmp(argv[m + 1], "ultralytics") == 0;
    return (strcmp(name, "yolo") == 0 || strcmp(name, "ultralytics") == 0 || is_module ||
            (base_starts_with(name, "python") && argv[1] != NULL &&
             strcmp(base_path_name(argv[1]), "yolo") == 0)) &&
           (find_word(argv, "train") > 0 || find_word(argv, "mode=train") > 0);
}

static void make_vigil(words *w, const watch_resume_options *o, char *why, size_t n_why)
{
    if (find_word(o->argv, "--resume") > 0) {
        add_all(w, o->argv);
        base_format(why, n_why, "the command resumes by itself");
        return;
    }
    add(w, o->argv[0]);
    add(w, "train");
    add(w, "--resume");
    add(w, o->run);
    base_format(why, n_why, "resumes %s, with the arguments that the run had", o->run);
}

static void make_ultralytics(words *w, const watch_resume_options *o, char *why, size_t n_why)
{
    for (char *const *a = o->argv; *a != NULL; a++)
        if (!base_starts_with(*a, "model=") && !base_starts_with(*a, "resume=") &&
            strcmp(*a, "resume") != 0)
            add(w, *a);
    char model[PATH_BYTES];
    base_format(model, sizeof model, "model=%s", o->checkpoint);
    add(w, model);
    add(w, "resume=True");
    base_format(why, n_why, "resumes %s", o->checkpoint);
}

static const char *const flags[] = {"--resume",
                                    "--resume-from-checkpoint",
                                    "--resume_from_checkpoint",
                                    "--resume-from",
                                    "--resume_from",
                                    "--ckpt-path",
                                    "--ckpt_path"};

/* Of the flags above, where the command has one; 0: nowhere. */
static size_t find_flag(char *const *argv)
{
    for (size_t i = 1; argv[i] != NULL; i++)
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++) {
            const size_t n = strlen(flags[k]);
            if (strncmp(argv[i], flags[k], n) == 0 && (argv[i][n] == '\0' || argv[i][n] == '='))
                return i;
        }
    return 0;
}

static void make_flag(words *w, const watch_resume_options *o, size_t at, char *why, size_t n_why)
{
    const char *flag = o->argv[at];
    const size_t n = strcspn(flag, "=");
    const char *next = o->argv[at + 1];
    const bool is_bare = flag[n] == '\0' && (next == NULL || next[0] == '-');
    for (size_t i = 0; o->argv[i] != NULL; i++) {
        char word[PATH_BYTES];
        if (i == at && flag[n] == '=' &&
            base_format(word, sizeof word, "%.*s=%s", (int)n, flag, o->checkpoint))
            add(w, word);
        else if (i == at + 1 && flag[n] == '\0' && !is_bare)
            add(w, o->checkpoint);
        else
            add(w, o->argv[i]);
    }
    if (is_bare)
        base_format(why, n_why, "the command's own %s finds its checkpoint", flag);
    else
        base_format(why, n_why, "%.*s %s", (int)n, flag, o->checkpoint);
}

/* ---- all together ---- */

/* RUN/weights/last.pt: RUN. */
static void run_of(char *out, size_t n, const char *checkpoint)
{
    static const char *const folders[] = {"weights", "checkpoints", "ckpt"};
    base_format(out, n, "%s", checkpoint);
    char *slash = strrchr(out, '/');
    if (slash == NULL) {
        base_format(out, n, "%s", checkpoint[0] != '\0' ? "." : "");
        return;
    }
    *slash = '\0';
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (strcmp(base_path_name(out), folders[i]) == 0 && (slash = strrchr(out, '/')) != NULL) {
            *slash = '\0';
            return;
        }
}

static vg_status point(watch_resume *out, words *w)
{
    if (w->st != VG_OK)
        return w->st;
    const size_t list = (w->n + 1) * sizeof(char *);
    char **block = base_alloc_zero(w->mem, 1, list + w->text.length, w->err);
    if (block == NULL)
        return VG_ERR_MEMORY;
    char *at = (char *)block + list;
    memcpy(at, w->text.text, w->text.length);
    for (size_t i = 0; i < w->n; i++) {
        block[i] = at;
        at += strlen(at) + 1;
    }
    out->argv = block;
    return VG_OK;
}

vg_status watch_resume_make(watch_resume *out, const watch_resume_options *given, char *why,
                            size_t n_why, base_mem *mem, vg_error *err)
{
    char run[PATH_BYTES];
    watch_resume_options o = *given;
    words w = {.mem = mem, .err = err};
    *out = (watch_resume){0};
    why[0] = '\0';
    if (o.run[0] == '\0') {
        run_of(run, sizeof run, o.of != NULL && o.of[0] != '\0' ? o.of : o.checkpoint);
        o.run = run;
    }
    const bool needs = strstr(o.args, "{checkpoint}") != NULL || strstr(o.args, "{run}") != NULL;
    const size_t flag = find_flag(o.argv);
    if (o.args[0] != '\0' && (!needs || o.checkpoint[0] != '\0')) {
        add_all(&w, o.argv);
        const size_t n = w.text.length;
        if (w.st == VG_OK)
            w.st = add_args(&w, &o, err);
        base_format(why, n_why, "with");
        for (size_t at = n; w.st == VG_OK && at < w.text.length; at += strlen(w.text.text + at) + 1)
            base_format(why + strlen(why), n_why - strlen(why), " %s", w.text.text + at);
    } else if (o.checkpoint[0] == '\0') {
        add_all(&w, o.argv);
        base_format(why, n_why, "from its beginning: no good checkpoint is known");
    } else if (is_vigil_train(o.argv)) {
        make_vigil(&w, &o, why, n_why);
    } else if (is_ultralytics_train(o.argv)) {
        make_ultralytics(&w, &o, why, n_why);
    } else if (flag > 0) {
        make_flag(&w, &o, flag, why, n_why);
    } else {
        add_all(&w, o.argv);
        base_format(why, n_why, "with the same command: --resume-args tells how it goes on from %s",
                    o.checkpoint);
    }
    const vg_status st = point(out, &w);
    base_str_fini(&w.text);
    return st;
}

void watch_resume_fini(watch_resume *r)
{
    base_free(r->argv);
    *r = (watch_resume){0};
}
