/* rows.c: a command's rows, its own and those of a table of vigil.h, and what becomes of the
 * latter. */
#include <assert.h>
#include <float.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "cli.h"

static const vg_option *own_find(const cli_command *command, const char *name)
{
    for (size_t i = 0; i < command->n_options; i++)
        if (vg_name_equal(command->options[i].name, name))
            return &command->options[i];
    return NULL;
}

size_t cli_command_rows(const cli_command *command, cli_row rows[CLI_OPTIONS_MAX])
{
    size_t n_table = 0, n = 0;
    const vg_option *table = command->table != NULL ? command->table(&n_table) : NULL;
    assert(n_table + command->n_options <= CLI_OPTIONS_MAX);
    for (size_t i = 0; i < n_table; i++) {
        const vg_option *own = own_find(command, table[i].name);
        rows[n++] = (cli_row){
            .o = own != NULL ? own : &table[i], .handed = &table[i], .group = table[i].group};
    }
    for (size_t i = 0; i < command->n_options; i++) {
        const vg_option *own = &command->options[i];
        bool is_there = false;
        for (size_t k = 0; k < n_table; k++)
            is_there = is_there || rows[k].o == own;
        if (!is_there)
            rows[n++] = (cli_row){.o = own, .group = own->group};
    }
    return n;
}

const char *cli_given_text(const cli_command *command, const cli_given *given, const char *name)
{
    cli_row rows[CLI_OPTIONS_MAX];
    const size_t n = cli_command_rows(command, rows);
    for (size_t i = 0; i < n; i++)
        if (given->is[i] && vg_name_equal(rows[i].o->name, name))
            return given->text[i];
    return NULL;
}

/* A list or size of the command's own may have come in several words: it is written anew. */
static vg_status hand_one(const cli_row *row, const void *values, const char *text, cli_setter set,
                          void *handle, vg_error *err)
{
    char whole[12 * VG_OPTION_MOST_INTS + VG_OPTION_TEXT_BYTES];
    const bool is_own = row->o != row->handed;
    if (is_own && (row->o->kind == VG_OPTION_INTS || row->o->kind == VG_OPTION_CLASSES ||
                   row->o->kind == VG_OPTION_SIZE)) {
        vg_option_write(whole, sizeof whole, row->o, values);
        text = whole;
    }
    return set(handle, row->handed->name, text, err);
}

vg_status cli_hand_on(const cli_command *command, const void *values, const cli_given *given,
                      cli_setter set, void *handle, vg_error *err)
{
    cli_row rows[CLI_OPTIONS_MAX];
    const size_t n = cli_command_rows(command, rows);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n; i++) {
            const bool is_config = vg_name_equal(rows[i].o->name, "config");
            if (!given->is[i] || rows[i].handed == NULL || is_config != (pass == 0))
                continue;
            const vg_status st = hand_one(&rows[i], values, given->text[i], set, handle, err);
            if (st == VG_ERR_ARGUMENT && is_config)
                return err->status = VG_ERR_FORMAT;
            if (st != VG_OK)
                return st;
        }
    return VG_OK;
}

/* ---- defaults ---- */

void cli_default_text(char *buf, size_t n, const cli_row *row, const void *values)
{
    const vg_option *o = row->o;
    char text[96] = "", name[CLI_NAME_BYTES];
    buf[0] = '\0';
    if (o->kind == VG_OPTION_SWITCH)
        return; /* its help says what auto is */
    if (o == row->handed)
        snprintf(text, sizeof text, "%s", o->preset);
    else if (o->kind == VG_OPTION_BOOL || o->kind == VG_OPTION_INT || o->kind == VG_OPTION_FLOAT ||
             o->kind == VG_OPTION_STRING)
        vg_option_write(text, sizeof text, o, values);
    if (o->kind == VG_OPTION_BOOL) {
        if (strcmp(text, "true") == 0)
            snprintf(buf, n, " (on; --no-%s)", cli_name_typed(name, o->name));
        return;
    }
    const bool is_zero = strcmp(text, "0") == 0;
    if (o->zero != NULL && (is_zero || text[0] == '\0'))
        snprintf(buf, n, " (%s)", o->zero);
    else if (text[0] != '\0' && !(is_zero && strstr(o->help, "0: ") != NULL))
        snprintf(buf, n, " (%s)", text);
}

const char *cli_name_typed(char buf[CLI_NAME_BYTES], const char *name)
{
    size_t n = 0;
    for (; name[n] != '\0' && n < CLI_NAME_BYTES - 1; n++)
        buf[n] = name[n];
    buf[n] = '\0';
    for (char *at = buf; (at = strchr(at, '_')) != NULL;)
        *at = '-';
    return buf;
}

bool cli_read_bool(bool *out, const char *text)
{
    static const vg_option flag = {.kind = VG_OPTION_BOOL};
    return vg_option_read(&flag, out, text) == VG_OPTION_GOOD;
}

bool cli_read_real(double *out, const char *text)
{
    static const vg_option number = {.kind = VG_OPTION_REAL, .least = -DBL_MAX, .most = DBL_MAX};
    return vg_option_read(&number, out, text) == VG_OPTION_GOOD;
}

bool cli_is_truth(bool *out, const char *text)
{
    *out = strcasecmp(text, "true") == 0;
    return *out || strcasecmp(text, "false") == 0;
}

bool cli_is_ints(vg_ints *out, const char *text)
{
    static const vg_option any = {.kind = VG_OPTION_INTS, .least = INT_MIN, .most = INT_MAX};
    return vg_option_read(&any, out, text) == VG_OPTION_GOOD && out->n > 0;
}

bool cli_is_int(const char *text)
{
    static const vg_option any = {.kind = VG_OPTION_INT, .least = INT_MIN, .most = INT_MAX};
    int ignored;
    const vg_option_fault fault = vg_option_read(&any, &ignored, text);
    return fault == VG_OPTION_GOOD || fault == VG_OPTION_OUTSIDE;
}
