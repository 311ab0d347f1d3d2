/* field.c: what options of YOLO's own command line ask for that a command here has no use for. */
#include "field.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli.h"

static const char *const must_be_said[] = {"token", "memory-limit"};

bool cli_is_nothing(const char *text)
{
    return *text == '\0' || strcasecmp(text, "none") == 0 || strcasecmp(text, "null") == 0;
}

const char *cli_field_none(const vg_option *o, const char *text)
{
    static const char none[] = "none";
    if (o->kind != VG_OPTION_CHOICE || *text == '\0' || !cli_is_nothing(text))
        return NULL;
    for (const char *at = o->choices; *at != '\0'; at += *at == '|') {
        const size_t n = strcspn(at, "|");
        if (n == strlen(none) && memcmp(at, none, n) == 0)
            return none;
        at += n;
    }
    return NULL;
}

bool cli_field_must_be_said(const char *name)
{
    for (size_t i = 0; i < sizeof must_be_said / sizeof *must_be_said; i++)
        if (vg_name_equal(must_be_said[i], name))
            return true;
    return false;
}

/* As words, as truths, or as numbers: 0.0 is 0. */
static bool is_same(const char *a, const char *b)
{
    bool yes = false, no = false;
    double x = 0, y = 0;
    return strcasecmp(a, b) == 0 ||
           (cli_read_bool(&yes, a) && cli_read_bool(&no, b) && yes == no) ||
           (cli_read_real(&x, a) && cli_read_real(&y, b) && !(x < y) && !(x > y));
}

bool cli_field_is_harmless(const vg_option *o, const char *text)
{
    bool yes = true;
    const bool off_asks = o->kind == VG_OPTION_BOOL && strcmp(o->preset, "true") == 0;
    return cli_is_nothing(text) || (!off_asks && cli_read_bool(&yes, text) && !yes) ||
           is_same(text, o->preset);
}

bool cli_option_is_idle_at(const cli_row *row, const void *presets, const char *text)
{
    char preset[CLI_HELP_BYTES];
    bool yes = true;
    if (cli_is_nothing(text) || (cli_read_bool(&yes, text) && !yes))
        return true;
    if (row->o == row->handed)
        return is_same(text, row->o->preset);
    return vg_option_write(preset, sizeof preset, row->o, presets) && is_same(text, preset);
}

/* ---- notes ---- */

void cli_note(cli_notes *notes, const char *name, const char *text, const char *why)
{
    size_t i = 0;
    if (notes == NULL)
        return;
    while (i < notes->n && !vg_name_equal(notes->at[i].name, name))
        i++;
    if (why == NULL) {
        if (i < notes->n)
            notes->at[i] = notes->at[--notes->n];
        return;
    }
    if (i == CLI_NOTES_MAX)
        return; /* as many as anyone reads */
    snprintf(notes->at[i].name, sizeof notes->at[i].name, "%s", name);
    notes->at[i].text = text;
    notes->at[i].why = why;
    notes->n += i == notes->n;
}

void cli_notes_print(FILE *to, const cli_notes *notes)
{
    for (size_t i = 0; i < notes->n; i++) {
        fprintf(to, "note: %s=", notes->at[i].name);
        cli_text(to, notes->at[i].text);
        fprintf(to, " has no effect here: %s\n", notes->at[i].why);
    }
}
