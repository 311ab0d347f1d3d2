/* json_walk.c: brackets, strings and commas are all that is looked at. */
#define BASE_IMPLEMENTATION
#include "json_walk.h"

#include <string.h>

#include "status.h"
#include "text.h"

static vg_status wrong(const base_json_walk *w, const char *what, vg_error *err)
{
    return base_fail(err, VG_ERR_FORMAT, base_where("%s:%zu, byte %zu", w->source, w->line, w->at),
                     "correct the JSON there, or export it again", "%s", what);
}

static void skip_blanks(base_json_walk *w)
{
    for (; w->at < w->n; w->at++) {
        const char c = w->text[w->at];
        if (c == '\n')
            w->line++;
        else if (c != ' ' && c != '\t' && c != '\r')
            return;
    }
}

/* The character there; 0: the text has ended. */
static char look(base_json_walk *w)
{
    skip_blanks(w);
    return w->at < w->n ? w->text[w->at] : '\0';
}

vg_status base_json_start(base_json_walk *w, const char *text, size_t n, const char *source,
                          vg_error *err)
{
    *w = (base_json_walk){.text = text, .n = n, .line = 1, .source = source};
    if (base_is_utf16(text, n))
        return wrong(w, "a text in UTF-16, where UTF-8 is wanted", err);
    w->at = base_bom_bytes(text, n);
    return VG_OK;
}

vg_status base_json_enter(base_json_walk *w, char bracket, vg_error *err)
{
    if (look(w) != bracket)
        return wrong(w, bracket == '[' ? "a list is wanted here" : "a map is wanted here", err);
    w->at++;
    w->is_behind = false;
    return VG_OK;
}

/* Past the string whose quote is there. */
static vg_status skip_string(base_json_walk *w, vg_error *err)
{
    for (w->at++; w->at < w->n; w->at++) {
        const char c = w->text[w->at];
        if (c == '\\')
            w->at++;
        else if (c == '"') {
            w->at++;
            return VG_OK;
        } else if (c == '\n')
            return wrong(w, "a line ends within a text", err);
    }
    w->at = w->n;
    return wrong(w, "the file ends within a text", err);
}

vg_status base_json_next(base_json_walk *w, base_json_piece *key, bool *more, vg_error *err)
{
    const char end = key ? '}' : ']';
    char c = look(w);
    *more = false;
    if (c == end) {
        w->at++;
        w->is_behind = true;
        return VG_OK;
    }
    if (w->is_behind) {
        if (c != ',')
            return wrong(w, c == '\0' ? "the file ends here" : "a comma is wanted here", err);
        w->at++;
        c = look(w);
    }
    if (c == '\0')
        return wrong(w, "the file ends here", err);
    if (key) {
        if (c != '"')
            return wrong(w, "a key in quotes is wanted here", err);
        *key = (base_json_piece){.text = w->text + w->at + 1, .line = w->line};
        vg_status st = skip_string(w, err);
        if (st != VG_OK)
            return st;
        key->n = (size_t)(w->text + w->at - key->text) - 1;
        if (look(w) != ':')
            return wrong(w, "a colon is wanted here", err);
        w->at++;
    }
    *more = true;
    return VG_OK;
}

/* Past a number or a word. */
static vg_status skip_word(base_json_walk *w, vg_error *err)
{
    const size_t begin = w->at;
    while (w->at < w->n && !strchr(" \t\r\n,]}[{:\"", w->text[w->at]))
        w->at++;
    return w->at > begin ? VG_OK : wrong(w, "a value is wanted here", err);
}

vg_status base_json_take(base_json_walk *w, base_json_piece *out, vg_error *err)
{
    size_t depth = 0;
    bool has_item = false;
    skip_blanks(w);
    *out = (base_json_piece){.text = w->text + w->at, .line = w->line};
    do {
        const char c = look(w);
        vg_status st = VG_OK;
        has_item |= depth == 1 && c != ']' && c != '}';
        if (c == '\0')
            return wrong(w, "the file ends within a value", err);
        if (c == '[' || c == '{') {
            depth++;
            w->at++;
        } else if (c == ']' || c == '}') {
            if (depth == 0)
                return wrong(w, "a value is wanted here", err);
            depth--;
            w->at++;
        } else if (c == '"') {
            st = skip_string(w, err);
        } else if (c == ',' || c == ':') {
            if (depth == 0)
                return wrong(w, "a value is wanted here", err);
            out->n_commas += c == ',';
            out->n_items += c == ',' && depth == 1;
            w->at++;
        } else {
            st = skip_word(w, err);
        }
        if (st != VG_OK)
            return st;
    } while (depth > 0);
    out->n_items += has_item;
    out->n = (size_t)(w->text + w->at - out->text);
    w->is_behind = true;
    return VG_OK;
}

vg_status base_json_end(base_json_walk *w, vg_error *err)
{
    skip_blanks(w);
    return w->at == w->n ? VG_OK : wrong(w, "more text behind the end", err);
}

bool base_json_piece_is(const base_json_piece *p, const char *text)
{
    return strlen(text) == p->n && memcmp(p->text, text, p->n) == 0;
}
