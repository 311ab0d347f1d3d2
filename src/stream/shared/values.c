/* values.c: a live job's options from text: the command line's, and a configuration's. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

/* ---- ${NAME} ---- */

/* The first line of a file, such as a secret that Kubernetes or systemd put there. */
static vg_status first_line(char *out, size_t n, const char *path, vg_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0 && length + 1 < n) {
        got = read(fd, out + length, n - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    const int why = errno;
    char more;
    const bool fits = got <= 0 || memchr(out, '\n', length) != NULL || read(fd, &more, 1) == 0;
    if (fd >= 0)
        close(fd);
    errno = why;
    out[length] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    if (got < 0)
        return base_fail_errno(err, VG_ERR_IO, path, "check the file and its permissions",
                               "${file:...} cannot be read");
    if (!fits)
        return base_fail(err, VG_ERR_ARGUMENT, path, "put the value alone into its first line",
                         "a first line of more than %zu characters", n - 1);
    return VG_OK;
}

/* What stands between ${ and }: appended to out, which holds *length. */
static vg_status expand_one(char *out, size_t n, size_t *length, const char *what, vg_error *err)
{
    const bool is_file = base_starts_with(what, "file:");
    if (is_file) {
        const vg_status st = first_line(out + *length, n - *length, what + 5, err);
        *length += st == VG_OK ? strlen(out + *length) : 0;
        return st;
    }
    const char *value = getenv(what);
    if (value == NULL)
        return base_fail(err, VG_ERR_ARGUMENT, base_where("${%.100s}", what),
                         "export it, or write $${ for a real ${", "the environment has no %.100s",
                         what);
    if (strlen(value) >= n - *length)
        return base_fail(err, VG_ERR_ARGUMENT, base_where("${%.100s}", what), "use a shorter value",
                         "a value that does not fit into %zu characters", n - 1);
    memcpy(out + *length, value, strlen(value) + 1);
    *length += strlen(value);
    return VG_OK;
}

vg_status stream_text_expand(char *out, size_t n, const char *text, vg_error *err)
{
    size_t length = 0;
    while (*text != '\0') {
        char name[512];
        if (base_starts_with(text, "${")) {
            const size_t k = strcspn(text + 2, "}");
            if (text[2 + k] == '\0' || k == 0 || k >= sizeof name)
                return base_fail(err, VG_ERR_ARGUMENT, NULL,
                                 "write ${NAME} or ${file:PATH}, or $${ for a real ${",
                                 "a ${ without its name and }");
            memcpy(name, text + 2, k);
            name[k] = '\0';
            const vg_status st = expand_one(out, n, &length, name, err);
            if (st != VG_OK)
                return st;
            text += k + 3;
            continue;
        }
        text += base_starts_with(text, "$${"); /* the next two are themselves */
        const size_t k = base_starts_with(text, "${") ? 2 : 1;
        if (length + k >= n)
            return base_fail(err, VG_ERR_ARGUMENT, NULL, base_mend("use at most %zu", n - 1),
                             "more than %zu characters", n - 1);
        memcpy(out + length, text, k);
        length += k;
        text += k;
    }
    out[length] = '\0';
    return VG_OK;
}

/* ---- values ---- */

/* "5", "5s", "10m", "2h", "1d", "250ms". */
static bool parse_seconds(double *out, const char *value)
{
    static const struct {
        const char *suffix;
        double seconds;
    } units[] = {{"ms", 1e-3}, {"min", 60}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    char number[64];
    double scale = 1;
    if (!base_format(number, sizeof number, "%s", value))
        return false;
    const size_t n = strlen(number);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const size_t k = strlen(units[i].suffix);
        if (n > k && strcmp(number + n - k, units[i].suffix) == 0) {
            number[n - k] = '\0';
            scale = units[i].seconds;
            break;
        }
    }
    if (!base_parse_double(out, number))
        return false;
    *out *= scale;
    return isfinite(*out);
}

/* The place of a word among "a|b|c"; -1: none. */
static int find_word(const char *choices, const char *word)
{
    const size_t n = strlen(word);
    for (int place = 0;; place++) {
        const size_t k = strcspn(choices, "|");
        if (k == n && strncmp(choices, word, n) == 0)
            return place;
        if (choices[k] == '\0')
            return -1;
        choices += k + 1;
    }
}

/* "0,2,5", "[0, 2, 5]", "0 2 5"; "" is all. Each class once. */
static bool parse_classes(stream_options *to, const char *value)
{
    int found[STREAM_MOST_CLASSES], n = 0;
    while (*value != '\0') {
        char word[16];
        int64_t c;
        value += strspn(value, "[](), ");
        const size_t k = strcspn(value, "[](), ");
        if (k == 0)
            break;
        if (k >= sizeof word || n == STREAM_MOST_CLASSES)
            return false;
        memcpy(word, value, k);
        word[k] = '\0';
        if (!base_parse_i64(&c, word, 0, INT32_MAX))
            return false;
        found[n++] = (int)c;
        value += k;
    }
    memcpy(to->classes, found, (size_t)n * sizeof *found);
    to->n_classes = n;
    return true;
}

static vg_status bad_value(const stream_option *o, const char *value, const char *mend,
                           vg_error *err)
{
    const bool is_kind = base_starts_with(mend, "give "); /* and says what is wanted */
    return base_fail(err, VG_ERR_ARGUMENT, base_where("option %s", o->name), mend,
                     "%s=%.200s %s%.200s", o->name, value, is_kind ? "is not " : "is too long",
                     is_kind ? mend + 5 : "");
}

static vg_status set_number(stream_options *to, const stream_option *o, const char *value,
                            vg_error *err)
{
    void *field = (char *)to + o->offset;
    int64_t i;
    double x = 0;
    size_t bytes;
    switch (o->kind) {
    case STREAM_OPTION_INT:
        if (!base_parse_i64(&i, value, (int64_t)o->least, (int64_t)o->most))
            return bad_value(o, value,
                             base_mend("give a whole number from %.0f to %.0f", o->least, o->most),
                             err);
        *(int *)field = (int)i;
        return VG_OK;
    case STREAM_OPTION_IMGSZ:
        if (!base_parse_size(field, value, 0, 0) && /* which leaves it to the weights */
            !base_parse_size(field, value, (int)o->least, (int)o->most))
            return bad_value(
                o, value,
                base_mend("give a whole number from %.0f to %.0f, or two: height,width", o->least,
                          o->most),
                err);
        return VG_OK;
    case STREAM_OPTION_BYTES:
        if (!base_parse_bytes(&bytes, value) || (double)bytes > o->most)
            return bad_value(o, value, "give a size such as 512M or 8G", err);
        *(size_t *)field = bytes;
        return VG_OK;
    case STREAM_OPTION_SECONDS:
        if (!parse_seconds(&x, value) || !(x >= o->least && x <= o->most))
            return bad_value(o, value,
                             base_mend("give a time such as 5s, 10m or 2h, from %g s to %g s",
                                       o->least, o->most),
                             err);
        *(double *)field = x;
        return VG_OK;
    default:
        if (!base_parse_double(&x, value) || !(x >= o->least && x <= o->most))
            return bad_value(o, value, base_mend("give a number from %g to %g", o->least, o->most),
                             err);
        if (o->kind == STREAM_OPTION_FLOAT)
            *(float *)field = (float)x;
        else
            *(double *)field = x;
        return VG_OK;
    }
}

static vg_status set_text(stream_options *to, const stream_option *o, const char *value,
                          vg_error *err)
{
    char text[STREAM_TEXT_BYTES];
    const size_t room = o->most > 0 ? (size_t)o->most + 1 : STREAM_TEXT_BYTES;
    if (strlen(value) >= sizeof text)
        return bad_value(o, value, base_mend("use at most %zu characters", room - 1), err);
    const vg_status st = stream_text_expand(text, sizeof text, value, err);
    if (st != VG_OK) {
        if (err != NULL)
            base_error_prefix_where(err, base_where("option %s", o->name));
        return st;
    }
    if (strlen(text) >= room)
        return bad_value(o, value, base_mend("use at most %zu characters", room - 1), err);
    if (o->choices != NULL && find_word(o->choices, text) < 0)
        return bad_value(o, value, base_mend("give one of %s", o->choices), err);
    memcpy((char *)to + o->offset, text, strlen(text) + 1);
    return VG_OK;
}

static vg_status set_value(stream_options *to, const stream_option *o, const char *value,
                           vg_error *err)
{
    void *field = (char *)to + o->offset;
    bool yes;
    int place;
    switch (o->kind) {
    case STREAM_OPTION_BOOL:
        if (!base_parse_bool(field, value))
            return bad_value(o, value, "give true or false", err);
        return VG_OK;
    case STREAM_OPTION_SWITCH:
        if (base_parse_bool(&yes, value))
            *(int *)field = yes ? 1 : 2;
        else if (base_equal_nocase(value, "auto"))
            *(int *)field = 0;
        else
            return bad_value(o, value, "give true, false or auto", err);
        return VG_OK;
    case STREAM_OPTION_TEXT:
    case STREAM_OPTION_FILE:
    case STREAM_OPTION_FOLDER:
        return set_text(to, o, value, err);
    case STREAM_OPTION_CHOICE:
        place = find_word(o->choices, value);
        if (place < 0)
            return bad_value(o, value, base_mend("give one of %s", o->choices), err);
        *(int *)field = place;
        return VG_OK;
    case STREAM_OPTION_CLASSES:
        if (!parse_classes(to, value))
            return bad_value(
                o, value, base_mend("give at most %d numbers such as 0,2,5", STREAM_MOST_CLASSES),
                err);
        return VG_OK;
    default:
        return set_number(to, o, value, err);
    }
}

void stream_options_default(stream_options *out)
{
    size_t n;
    const stream_option *table = stream_option_table(&n);
    *out = (stream_options){.tracker = DETECT_TRACK_DEFAULT};
    for (size_t i = 0; i < n; i++) {
        const vg_status st = set_value(out, &table[i], table[i].preset, NULL);
        assert(st == VG_OK);
        (void)st;
    }
}

vg_status stream_options_set(stream_options *o, const char *name, const char *value, vg_error *err)
{
    const stream_option *option = stream_option_find(name);
    if (option != NULL) {
        const vg_status st = set_value(o, option, value, err);
        if (st == VG_OK)
            o->set_at[stream_option_place(option)] = STREAM_SET_OTHERWISE;
        return st;
    }
    return base_fail(err, VG_ERR_ARGUMENT, NULL, stream_option_hint(name),
                     "no option is named %.100s", name);
}

/* ---- back to text ---- */

/* The word at a place of "a|b|c". */
static const char *word_at(char *buf, size_t n, const char *choices, int place)
{
    for (; place > 0; place--)
        choices += strcspn(choices, "|") + 1;
    base_format(buf, n, "%.*s", (int)strcspn(choices, "|"), choices);
    return buf;
}

static const char *classes_text(char *buf, size_t n, const stream_options *o)
{
    buf[0] = '\0';
    for (int i = 0; i < o->n_classes; i++) {
        const size_t k = strlen(buf);
        base_format(buf + k, n - k, "%s%d", i > 0 ? "," : "", o->classes[i]);
    }
    return buf;
}

const char *stream_option_text(char *buf, size_t n, const stream_options *o,
                               const stream_option *option)
{
    const void *field = (const char *)o + option->offset;
    char number[32];
    switch (option->kind) {
    case STREAM_OPTION_BOOL:
        base_format(buf, n, "%s", *(const bool *)field ? "true" : "false");
        return buf;
    case STREAM_OPTION_SWITCH:
    case STREAM_OPTION_CHOICE:
        return word_at(buf, n, option->choices, *(const int *)field);
    case STREAM_OPTION_INT:
        base_format(buf, n, "%d", *(const int *)field);
        return buf;
    case STREAM_OPTION_IMGSZ:
        return base_format_size(buf, n, *(const base_size *)field);
    case STREAM_OPTION_BYTES:
        base_format(buf, n, "%zu", *(const size_t *)field);
        return buf;
    case STREAM_OPTION_REAL:
    case STREAM_OPTION_SECONDS:
        base_format(buf, n, "%s",
                    base_format_double(number, sizeof number, *(const double *)field));
        return buf;
    case STREAM_OPTION_FLOAT: /* as many digits as it has */
        base_format(buf, n, "%.7g", (double)*(const float *)field);
        return buf;
    case STREAM_OPTION_TEXT:
    case STREAM_OPTION_FILE:
    case STREAM_OPTION_FOLDER:
        base_format(buf, n, "%s", (const char *)field);
        return buf;
    case STREAM_OPTION_CLASSES:
        return classes_text(buf, n, o);
    }
    return buf;
}

/* ---- from YAML ---- */

vg_status stream_node_value(char *buf, size_t n, const base_node *node, const char *where,
                            vg_error *err)
{
    bool fits = true;
    buf[0] = '\0';
    if (node->kind == BASE_NODE_MAP)
        fits = false;
    else if (node->kind != BASE_NODE_LIST)
        fits = base_format(buf, n, "%s", node->text != NULL ? node->text : "");
    else
        for (const base_node *c = node->first; c != NULL && fits; c = c->next) {
            const size_t k = strlen(buf);
            fits =
                c->text != NULL && base_format(buf + k, n - k, "%s%s", k > 0 ? "," : "", c->text);
        }
    return fits ? VG_OK
                : base_fail(err, VG_ERR_FORMAT, where, "give a single value or a short list",
                            "a value of %.100s that is neither", node->key);
}

static vg_status read_one(stream_options *to, const base_node *c, const char *where, vg_error *err)
{
    char value[STREAM_TEXT_BYTES];
    const stream_option *option = stream_option_find(c->key);
    vg_status st = stream_node_value(value, sizeof value, c, where, err);
    if (st != VG_OK)
        return st;
    if (option != NULL && strcmp(option->name, "config") == 0)
        return base_fail(err, VG_ERR_ARGUMENT, where, "leave it out; write the options themselves",
                         "a configuration that names another");
    if (option == NULL)
        return base_fail(err, VG_ERR_ARGUMENT, where, stream_option_hint(c->key),
                         "no option is named %.100s", c->key);
    st = stream_options_set(to, c->key, value, err);
    if (st == VG_OK)
        to->set_at[stream_option_place(option)] = c->line;
    else if (err != NULL)
        base_error_prefix_where(err, where);
    return st;
}

vg_status stream_options_read(stream_options *o, const char *path, base_mem *mem, vg_error *err)
{
    base_tree *tree = NULL;
    stream_options *read = base_alloc(mem, sizeof *read, err); /* all or nothing */
    vg_status st = read != NULL ? base_tree_read(&tree, path, mem, err) : VG_ERR_MEMORY;
    if (st != VG_OK)
        goto done;
    *read = *o;
    const base_node *root = base_tree_root(tree);
    if (root->kind != BASE_NODE_MAP)
        st = base_fail(err, VG_ERR_FORMAT, path, "write one `option: value` a line",
                       "options that are not a map");
    for (const base_node *c = root->first; c != NULL && st == VG_OK; c = c->next)
        if (strcmp(c->key, "sources") != 0)
            st = read_one(read, c, base_where("%.400s:%d", path, c->line), err);
    const base_node *list = base_node_get(root, "sources");
    if (st == VG_OK && list != NULL && base_node_get(root, "source") != NULL)
        st = base_fail(err, VG_ERR_ARGUMENT, base_where("%.400s:%d", path, list->line),
                       "put the one among the others", "both source and sources");
    if (st == VG_OK && !base_format(read->config, sizeof read->config, "%s", path))
        st = base_fail(err, VG_ERR_ARGUMENT, path, "use a shorter path",
                       "a path of more than %d characters", STREAM_TEXT_BYTES - 1);
    if (st == VG_OK)
        *o = *read;
done:
    base_tree_destroy(&tree);
    base_free(read);
    return st;
}
