/* prove.c: the options one by one, then what each output says of them. */
#include "prove.h"

#include <string.h>

#include "stream/out/sink.h"

/* The option that is named at the beginning of *text, which goes on past the word; NULL: none. */
static const vg_option *next_named(const char **text)
{
    char name[64];
    *text += strspn(*text, ", ");
    const size_t n = strcspn(*text, ", ");
    const bool fits = n > 0 && base_format(name, sizeof name, "%.*s", (int)n, *text);
    *text += n;
    return fits ? base_options_find(&stream_option_table, name) : NULL;
}

/* Errors name options: "option serve", "options retry_first, retry_most". Those of the command line
 * are of whoever typed it, also where they contradict a configuration. */
static vg_status place(const stream_options *o, vg_status st, vg_error *err)
{
    int line = 0;
    bool is_typed = o->config[0] == '\0';
    if (err == NULL || !base_starts_with(err->where, "option"))
        return st;
    for (const char *at = err->where; *at != '\0';) {
        const vg_option *option = next_named(&at);
        const int set_at = option != NULL ? stream_option_set_at(o, option->name) : 0;
        is_typed = is_typed || set_at == STREAM_SET_OTHERWISE;
        line = line == 0 && set_at > 0 ? set_at : line;
    }
    if (line > 0)
        base_error_prefix_where(err, base_where("%.400s:%d", o->config, line));
    if (!is_typed && st == VG_ERR_ARGUMENT)
        err->status = st = VG_ERR_FORMAT;
    return st;
}

vg_status stream_options_prove(const stream_options *o, base_mem *mem, vg_error *err)
{
    vg_status st = stream_options_check(o, err);
    for (size_t i = 0; stream_sinks[i] != NULL && st == VG_OK; i++) {
        const stream_sink *sink = stream_sinks[i];
        if (sink->check != NULL && sink->is_wanted(o))
            st = sink->check(o, mem, err);
    }
    return st == VG_OK ? st : place(o, st, err);
}
