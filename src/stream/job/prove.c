/* prove.c: the options one by one, then what each output says of them. */
#include "prove.h"

#include <string.h>

#include "stream/fleet/store.h"
#include "stream/in/source_text.h"
#include "stream/out/sink.h"
#include "stream/shared/tracker.h"

/* ---- together ---- */

static vg_status needs(const char *name, const char *other, vg_error *err)
{
    return base_fail(err, VG_ERR_ARGUMENT, base_where("option %s", name),
                     base_mend("give %s as well, or leave %s out", other, name),
                     "%s without %s does nothing", name, other);
}

/* 1280x720, or one of FFmpeg's names (hd720). */
static bool is_size(const char *text)
{
    char w[8];
    int64_t n;
    const size_t k = strcspn(text, "x");
    const bool is_name = (text[0] >= 'a' && text[0] <= 'z') || text[0] == '\0';
    return is_name ||
           (text[k] == 'x' && base_format(w, sizeof w, "%.*s", (int)k, text) &&
            base_parse_i64(&n, w, 1, 32768) && base_parse_i64(&n, text + k + 1, 1, 32768));
}

/* Of one source by itself. */
static vg_status check_input(const stream_options *o, vg_error *err)
{
    video_kind kind = VIDEO_NONE;
    if (!is_size(o->input_size))
        return base_fail(err, VG_ERR_ARGUMENT, "option input_size", "give WIDTHxHEIGHT: 1280x720",
                         "input_size=%s", o->input_size);
    const bool is_known =
        o->source[0] != '\0' && stream_source_meaning(o->source, &kind) == STREAM_MEANS_ONE;
    if (is_known && kind != VIDEO_CAMERA && kind != VIDEO_PIPE &&
        (o->input_format[0] || o->input_size[0] || o->input_rate[0]))
        return base_fail(err, VG_ERR_ARGUMENT, "options input_format, input_size, input_rate",
                         "leave them out",
                         "the source is no camera nor standard input, which they are for");
    return VG_OK;
}

vg_status stream_options_check(const stream_options *o, vg_error *err)
{
    const struct {
        bool is_given;
        const char *name;
        bool is_there;
        const char *other;
    } pairs[] = {
        {o->token[0] != '\0', "token", o->serve[0] != '\0', "serve"},
        {o->mqtt_ca[0] != '\0', "mqtt_ca", o->mqtt[0] != '\0', "mqtt"},
        {o->mqtt_cert[0] != '\0', "mqtt_cert", o->mqtt_key[0] != '\0', "mqtt_key"},
        {o->mqtt_key[0] != '\0', "mqtt_key", o->mqtt_cert[0] != '\0', "mqtt_cert"},
        {o->mqtt_cert[0] != '\0', "mqtt_cert", o->mqtt[0] != '\0', "mqtt"},
        {o->save_conf, "save_conf", o->save_txt, "save_txt"},
        {o->lease_dir[0] != '\0', "lease_dir", o->shard[0] != '\0', "shard"},
        {o->lease_kubernetes[0] != '\0', "lease_kubernetes", o->shard[0] != '\0', "shard"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].is_given && !pairs[i].is_there)
            return needs(pairs[i].name, pairs[i].other, err);
    if (o->lease_dir[0] != '\0' && o->lease_kubernetes[0] != '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "options lease_dir, lease_kubernetes",
                         "give one of them", "leases in two places");
    if (o->lease_kubernetes[0] != '\0') {
        const vg_status named = stream_store_kubernetes_check(o->lease_kubernetes, err);
        if (named != VG_OK)
            return named;
    }
    if (stream_options_have_leases(o) && o->end == STREAM_END_EXIT)
        return base_fail(err, VG_ERR_ARGUMENT, "option exit_on_end", "leave exit_on_end out",
                         "cameras that are shared by leases do not end");
    if (o->weights[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "option weights", "give a .pt or .safetensors file",
                         "no weights given");
    if (o->project[0] == '\0' || o->name[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "options project, name",
                         "leave them at their defaults", "an empty project or name");
    vg_status st = nn_device_check(o->device, err);
    if (st != VG_OK) {
        base_error_prefix_where(err, "option");
        return st;
    }
    st = check_input(o, err);
    if (st == VG_OK)
        st = video_check_address(o->source, err);
    if (st != VG_OK && err != NULL && err->where[0] == '\0')
        base_error_prefix_where(err, "option source");
    if (st != VG_OK)
        return st;
    if (o->retry_most_s < o->retry_first_s)
        return base_fail(err, VG_ERR_ARGUMENT, "options retry_first, retry_most",
                         "make retry_most the larger one",
                         "a longest wait of %g s, and a first one of %g s", o->retry_most_s,
                         o->retry_first_s);
    return VG_OK;
}

/* ---- and each output ---- */

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
    stream_tracker tracker;
    vg_status st = stream_options_check(o, err);
    if (st == VG_OK)
        st = stream_tracker_read(&tracker, o, mem, err);
    for (size_t i = 0; stream_sinks[i] != NULL && st == VG_OK; i++) {
        const stream_sink *sink = stream_sinks[i];
        if (sink->check != NULL && sink->is_wanted(o))
            st = sink->check(o, mem, err);
    }
    return st == VG_OK ? st : place(o, st, err);
}
