/* arguments.c: cfg=args.yaml: finds the file among the words of a command line, and keeps what it
 * says until the command has run. */
#include <string.h>

#include "cli.h"
#include "vigil/option.h"

/* The value of `cfg` at words[i]; NULL: it is another word. */
static const char *file_at(int i, int n, char *const *words)
{
    const char *word = words[i];
    const bool is_dashed = strncmp(word, "--", 2) == 0;
    word += is_dashed ? 2 : 0;
    if (strncmp(word, "cfg=", 4) == 0)
        return word + 4;
    return is_dashed && strcmp(word, "cfg") == 0 && i + 1 < n ? words[i + 1] : NULL;
}

static bool has_row(const cli_command *command)
{
    for (size_t i = 0; i < command->n_options; i++)
        if (strcmp(command->options[i].name, "cfg") == 0)
            return true;
    return false;
}

static const char *keep(cli_arguments *a, const char *text)
{
    const size_t n = strlen(text) + 1;
    if (n > sizeof a->room - a->used)
        return NULL;
    char *at = memcpy(a->room + a->used, text, n);
    a->used += n;
    return at;
}

static vg_status see(void *ctx, const char *name, const char *text, int line, vg_error *err)
{
    cli_arguments *a = ctx;
    const char *kept_name = keep(a, name), *kept_text = kept_name != NULL ? keep(a, text) : NULL;
    if (kept_text == NULL || a->n == CLI_ARGUMENTS_MAX) {
        cli_error_set(err, VG_ERR_LIMIT, "a file of more arguments than there are options");
        cli_error_text(err->where, "%s:%d", a->path, line);
        cli_error_text(err->mend, "leave out what vigil has no use for");
        return VG_ERR_LIMIT;
    }
    a->at[a->n].name = kept_name;
    a->at[a->n].text = kept_text;
    a->at[a->n++].line = line;
    return VG_OK;
}

bool cli_arguments_find(cli_arguments *out, const cli_command *command, int n, char *const *words,
                        vg_error *err)
{
    const char *path = NULL;
    err->status = VG_OK;
    for (int i = 0; i < n && has_row(command) && strcmp(words[i], "--") != 0; i++) {
        const char *found = file_at(i, n, words);
        path = found != NULL ? found : path;
    }
    if (path == NULL || *path == '\0')
        return false;
    out->path = path;
    out->n = 0;
    out->used = 0;
    return vg_arguments_read(path, see, out, err) == VG_OK;
}
