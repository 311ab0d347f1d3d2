/* option.c: an option's value from text and back, by its row. A fault leaves the value as it was.
 */
#include "vigil/option.h"

#include <math.h>

#include "base.h"

static void *field_of(const vg_option *o, void *values)
{
    return (char *)values + o->offset;
}

static bool is_text(vg_option_kind kind)
{
    return kind == VG_OPTION_TEXT || kind == VG_OPTION_FILE || kind == VG_OPTION_FOLDER;
}

static size_t text_bytes(const vg_option *o)
{
    return o->most > 0 ? (size_t)o->most + 1 : VG_OPTION_TEXT_BYTES;
}

static bool is_preset(const vg_option *o, const char *text)
{
    return o->preset != NULL && strcmp(o->preset, text) == 0;
}

static vg_option_fault in_range(const vg_option *o, double x)
{
    return x >= o->least && x <= o->most ? VG_OPTION_GOOD : VG_OPTION_OUTSIDE;
}

/* ---- words ---- */

/* The place of a word of n bytes among "a|b|c"; -1: none. *at: where it begins. */
static int find_word(const char **at, const char *words, const char *word, size_t n)
{
    char one[64], wanted[64];
    if (!base_format(wanted, sizeof wanted, "%.*s", (int)n, word))
        return -1;
    for (int place = 0;; place++) {
        const size_t k = strcspn(words, "|");
        if (base_format(one, sizeof one, "%.*s", (int)k, words) && base_equal_nocase(one, wanted)) {
            *at = words;
            return place;
        }
        if (words[k] == '\0')
            return -1;
        words += k + 1;
    }
}

static const char *word_at(const char *words, int place)
{
    for (; place > 0; place--)
        words += strcspn(words, "|") + 1;
    return words;
}

/* "true" of "true=ram|false=none": ram, in buf. text itself: it is none of them. */
static const char *meant(char *buf, size_t n, const char *also, const char *text)
{
    while (also != NULL && *also != '\0') {
        const size_t k = strcspn(also, "="), length = strcspn(also, "|");
        char word[32];
        base_format(word, sizeof word, "%.*s", (int)k, also);
        if (base_equal_nocase(word, text)) {
            base_format(buf, n, "%.*s", (int)(length - k - 1), also + k + 1);
            return buf;
        }
        also += length + (also[length] == '|');
    }
    return text;
}

/* "notify,restart" to bits, in the order of choices, whose first word is none. */
static vg_option_fault read_bits(int *out, const char *choices, const char *text)
{
    int bits = 0;
    const char *ignored;
    while (*text != '\0') {
        const size_t n = strcspn(text, ",+");
        const int place = find_word(&ignored, choices, text, n);
        if (place < 0)
            return VG_OPTION_NO_CHOICE;
        bits |= place > 0 ? 1 << (place - 1) : 0;
        text += n;
        if (*text == '\0')
            break;
        text += 1 + strspn(text + 1, " ");
        if (*text == '\0')
            return VG_OPTION_NO_CHOICE; /* nothing behind a comma */
    }
    *out = bits;
    return VG_OPTION_GOOD;
}

/* ---- numbers ---- */

static bool parse_seconds(double *out, const char *text)
{
    static const struct {
        const char *suffix;
        double seconds;
    } units[] = {{"ms", 1e-3}, {"min", 60}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    char number[64];
    double scale = 1;
    if (!base_format(number, sizeof number, "%s", text))
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

static bool parse_ratio(double *out, const char *text)
{
    char number[64];
    const size_t n = strlen(text);
    const bool is_percent = n > 1 && text[n - 1] == '%';
    if (!base_format(number, sizeof number, "%.*s", (int)(is_percent ? n - 1 : n), text) ||
        !base_parse_double(out, number))
        return false;
    *out /= is_percent ? 100 : 1;
    return true;
}

static vg_option_fault read_int(int *out, const vg_option *o, const char *text)
{
    int64_t v;
    if (!base_parse_i64(&v, text, INT64_MIN, INT64_MAX))
        return VG_OPTION_WRONG_KIND;
    if (in_range(o, (double)v) != VG_OPTION_GOOD)
        return VG_OPTION_OUTSIDE;
    *out = (int)v;
    return VG_OPTION_GOOD;
}

static vg_option_fault read_real(void *out, const vg_option *o, const char *text)
{
    double x;
    const bool is_number = o->kind == VG_OPTION_SECONDS ? parse_seconds(&x, text)
                           : o->kind == VG_OPTION_RATIO ? parse_ratio(&x, text)
                                                        : base_parse_double(&x, text);
    if (!is_number)
        return VG_OPTION_WRONG_KIND;
    if (in_range(o, x) != VG_OPTION_GOOD)
        return VG_OPTION_OUTSIDE;
    if (o->kind == VG_OPTION_FLOAT)
        *(float *)out = (float)x;
    else
        *(double *)out = x;
    return VG_OPTION_GOOD;
}

static vg_option_fault read_bytes(size_t *out, const vg_option *o, const char *text)
{
    size_t bytes = 0;
    if (is_preset(o, text) && text[0] == '\0') {
        *out = 0;
        return VG_OPTION_GOOD;
    }
    if (!base_parse_bytes(&bytes, text))
        return VG_OPTION_WRONG_KIND;
    if (in_range(o, (double)bytes) != VG_OPTION_GOOD)
        return VG_OPTION_OUTSIDE;
    *out = bytes;
    return VG_OPTION_GOOD;
}

/* ---- several numbers ---- */

/* The next item of a list, where *at is; false: none is there. *at goes on to the one after it,
 * which a comma is before, or, by_blanks, blanks. */
static bool next_item(int64_t *out, const char **at, bool by_blanks)
{
    char item[32];
    const size_t n = strcspn(*at, " \t,])");
    if (!base_format(item, sizeof item, "%.*s", (int)n, *at) ||
        !base_parse_i64(out, item, INT64_MIN, INT64_MAX))
        return false;
    *at += n;
    *at += strspn(*at, " \t");
    if (**at != ',')
        return by_blanks || **at == '\0' || **at == ']' || **at == ')';
    *at += 1 + strspn(*at + 1, " \t");
    return **at != '\0' && **at != ']' && **at != ')'; /* a comma has something behind it */
}

static vg_option_fault read_ints(vg_ints *out, const vg_option *o, const char *text)
{
    vg_ints list = {0};
    bool is_inside = true;
    const char *at = text + strspn(text, " \t");
    const char close = *at == '[' ? ']' : *at == '(' ? ')' : '\0';
    at += close != '\0';
    at += strspn(at, " \t");
    while (*at != close) {
        int64_t v;
        if (!next_item(&v, &at, o->kind != VG_OPTION_SIZE))
            return VG_OPTION_WRONG_KIND;
        if (list.n == VG_OPTION_MOST_INTS)
            return VG_OPTION_TOO_LONG;
        const bool fits = in_range(o, (double)v) == VG_OPTION_GOOD;
        is_inside = is_inside && fits;
        list.at[list.n++] = fits ? (int)v : 0;
    }
    at += close != '\0';
    if (at[strspn(at, " \t")] != '\0')
        return VG_OPTION_WRONG_KIND;
    if (!is_inside)
        return VG_OPTION_OUTSIDE;
    memcpy(out->at, list.at, (size_t)list.n * sizeof *list.at);
    out->n = list.n;
    return VG_OPTION_GOOD;
}

/* "10": the first ten. */
static vg_option_fault read_layers(vg_ints *out, const vg_option *o, const char *text)
{
    int64_t n;
    const int64_t most = o->most < VG_OPTION_MOST_INTS ? (int64_t)o->most : VG_OPTION_MOST_INTS;
    if (!base_parse_i64(&n, text, 0, most))
        return read_ints(out, o, text);
    for (int i = 0; i < (int)n; i++)
        out->at[i] = i;
    out->n = (int)n;
    return VG_OPTION_GOOD;
}

/* Without the blanks around it. */
static void trim(const char **text, size_t *n)
{
    while (*n > 0 && (**text == ' ' || **text == '\t')) {
        ++*text;
        --*n;
    }
    while (*n > 0 && ((*text)[*n - 1] == ' ' || (*text)[*n - 1] == '\t'))
        --*n;
}

/* Between two such characters. */
static bool is_between(const char *text, size_t n, char open, char close)
{
    return n > 1 && text[0] == open && text[n - 1] == close;
}

/* One item of a list of classes, n bytes of it. A name that a list could not be read back with (a
 * bracket or a quote before it, or numbers) is none: such a class has its number. */
static vg_option_fault add_class(vg_classes *all, const vg_option *o, const char *item, size_t n)
{
    char text[VG_OPTION_TEXT_BYTES];
    int64_t number;
    vg_ints ints;
    const size_t length = strlen(all->names);
    trim(&item, &n);
    if (is_between(item, n, '"', '"') || is_between(item, n, '\'', '\'')) {
        item++;
        n -= 2;
        trim(&item, &n);
    }
    if (n == 0 || strchr("[(\"'", item[0]) != NULL)
        return VG_OPTION_WRONG_KIND;
    if (!base_format(text, sizeof text, "%.*s", (int)n, item))
        return VG_OPTION_TOO_LONG;
    if (base_parse_i64(&number, text, INT64_MIN, INT64_MAX)) {
        if (in_range(o, (double)number) != VG_OPTION_GOOD)
            return VG_OPTION_OUTSIDE;
        if (all->n == VG_OPTION_MOST_INTS)
            return VG_OPTION_TOO_LONG;
        all->at[all->n++] = (int)number;
        return VG_OPTION_GOOD;
    }
    if (read_ints(&ints, o, text) != VG_OPTION_WRONG_KIND)
        return VG_OPTION_WRONG_KIND;
    return base_format(all->names + length, sizeof all->names - length, "%s%s",
                       length > 0 ? "," : "", text)
               ? VG_OPTION_GOOD
               : VG_OPTION_TOO_LONG;
}

/* Numbers as in any list, which blanks may part; names have commas between them. */
static vg_option_fault read_classes(vg_classes *out, const vg_option *o, const char *text)
{
    vg_classes all = {0};
    vg_ints ints = {0};
    vg_option_fault fault = read_ints(&ints, o, text);
    if (fault == VG_OPTION_GOOD) {
        all.n = ints.n;
        memcpy(all.at, ints.at, sizeof all.at);
        *out = all;
    }
    if (fault != VG_OPTION_WRONG_KIND)
        return fault;
    size_t n = strlen(text);
    trim(&text, &n);
    if (is_between(text, n, '[', ']') || is_between(text, n, '(', ')')) {
        text++;
        n -= 2;
    }
    for (fault = VG_OPTION_GOOD; fault == VG_OPTION_GOOD;) {
        const char *comma = memchr(text, ',', n);
        const size_t length = comma != NULL ? (size_t)(comma - text) : n;
        fault = add_class(&all, o, text, length);
        if (comma == NULL)
            break;
        text += length + 1;
        n -= length + 1;
    }
    if (fault == VG_OPTION_GOOD)
        *out = all;
    return fault;
}

/* "480x640" is "480,640". */
static vg_option_fault read_size(vg_size *out, const vg_option *o, const char *text)
{
    char sides[64];
    vg_ints both = {0};
    if (is_preset(o, text) && strcmp(text, "0") == 0) {
        *out = (vg_size){0, 0};
        return VG_OPTION_GOOD;
    }
    if (!base_format(sides, sizeof sides, "%s", text))
        return VG_OPTION_WRONG_KIND;
    char *x = strpbrk(sides, "xX");
    if (x != NULL)
        *x = ',';
    const vg_option any = {.kind = VG_OPTION_SIZE, .least = INT32_MIN, .most = INT32_MAX};
    const vg_option_fault fault = read_ints(&both, &any, sides);
    if (fault != VG_OPTION_GOOD)
        return fault;
    if (both.n < 1 || both.n > 2)
        return VG_OPTION_WRONG_KIND;
    const vg_size size = {.h = both.at[0], .w = both.at[both.n - 1]};
    if (in_range(o, size.h) != VG_OPTION_GOOD || in_range(o, size.w) != VG_OPTION_GOOD)
        return VG_OPTION_OUTSIDE;
    *out = size;
    return VG_OPTION_GOOD;
}

/* ---- text ---- */

/* With choices the word is kept as it stands there. */
static vg_option_fault read_text(char *out, const vg_option *o, const char *text)
{
    size_t n = strlen(text);
    if (o->choices != NULL && find_word(&text, o->choices, text, n) < 0)
        return VG_OPTION_NO_CHOICE;
    if (n >= text_bytes(o))
        return VG_OPTION_TOO_LONG;
    memcpy(out, text, n);
    out[n] = '\0';
    return VG_OPTION_GOOD;
}

static vg_option_fault read_word(void *out, const vg_option *o, const char *text)
{
    bool yes;
    const char *at = text;
    if (o->kind == VG_OPTION_SWITCH && base_parse_bool(&yes, text)) {
        *(int *)out = yes ? 1 : 2;
        return VG_OPTION_GOOD;
    }
    const int place =
        find_word(&at, o->kind == VG_OPTION_SWITCH ? "auto" : o->choices, text, strlen(text));
    if (place < 0)
        return VG_OPTION_NO_CHOICE;
    *(int *)out = place;
    return VG_OPTION_GOOD;
}

static vg_option_fault read_string(const char **out, const vg_option *o, const char *text)
{
    const char *at;
    if (o->choices != NULL && find_word(&at, o->choices, text, strlen(text)) < 0)
        return VG_OPTION_NO_CHOICE;
    *out = text;
    return VG_OPTION_GOOD;
}

vg_option_fault vg_option_read(const vg_option *o, void *values, const char *text)
{
    char word[64];
    void *out = field_of(o, values);
    text = meant(word, sizeof word, o->also, text);
    switch (o->kind) {
    case VG_OPTION_BOOL:
        return base_parse_bool(out, text) ? VG_OPTION_GOOD : VG_OPTION_WRONG_KIND;
    case VG_OPTION_SWITCH:
    case VG_OPTION_CHOICE:
        return read_word(out, o, text);
    case VG_OPTION_BITS:
        return read_bits(out, o->choices, text);
    case VG_OPTION_INT:
        return read_int(out, o, text);
    case VG_OPTION_REAL:
    case VG_OPTION_FLOAT:
    case VG_OPTION_RATIO:
    case VG_OPTION_SECONDS:
        return read_real(out, o, text);
    case VG_OPTION_BYTES:
        return read_bytes(out, o, text);
    case VG_OPTION_CLASSES:
        return read_classes(out, o, text);
    case VG_OPTION_SIZE:
        return read_size(out, o, text);
    case VG_OPTION_INTS:
        return read_ints(out, o, text);
    case VG_OPTION_LAYERS:
        return read_layers(out, o, text);
    case VG_OPTION_TEXT:
    case VG_OPTION_FILE:
    case VG_OPTION_FOLDER:
        return read_text(out, o, text);
    case VG_OPTION_STRING:
        return read_string(out, o, text);
    case VG_OPTION_WORDS:
        break;
    }
    return VG_OPTION_WRONG_KIND;
}

/* ---- back to text ---- */

static bool write_word(char *buf, size_t n, const char *choices, int place)
{
    const char *word = word_at(choices, place);
    return base_format(buf, n, "%.*s", (int)strcspn(word, "|"), word);
}

static bool write_bits(char *buf, size_t n, const char *choices, int bits)
{
    size_t length = 0;
    if (bits == 0)
        return write_word(buf, n, choices, 0);
    for (int i = 0; bits >> i != 0; i++) {
        const char *word = word_at(choices, i + 1);
        if ((bits >> i & 1) == 0)
            continue;
        if (!base_format(buf + length, n - length, "%s%.*s", length > 0 ? "," : "",
                         (int)strcspn(word, "|"), word))
            return false;
        length += strlen(buf + length);
    }
    return true;
}

static bool write_ints(char *buf, size_t n, const vg_option *o, const vg_ints *list)
{
    size_t length = 0;
    buf[0] = '\0';
    if (o->kind == VG_OPTION_LAYERS && list->n == 1) /* "5" would be the first five */
        return base_format(buf, n, "[%d]", list->at[0]);
    for (int i = 0; i < list->n; i++) {
        if (!base_format(buf + length, n - length, "%s%d", i > 0 ? "," : "", list->at[i]))
            return false;
        length += strlen(buf + length);
    }
    return true;
}

static bool write_classes(char *buf, size_t n, const vg_option *o, const vg_classes *all)
{
    vg_ints ints = {.n = all->n};
    memcpy(ints.at, all->at, sizeof ints.at);
    if (!write_ints(buf, n, o, &ints))
        return false;
    const size_t length = strlen(buf);
    return base_format(buf + length, n - length, "%s%s",
                       length > 0 && all->names[0] != '\0' ? "," : "", all->names);
}

/* The fewest digits that are the same float again. */
static bool write_float(char *buf, size_t n, float value)
{
    bool fits = false;
    double back;
    for (int digits = 6; digits <= 9; digits++) {
        fits = base_format(buf, n, "%.*g", digits, (double)value);
        if (base_parse_double(&back, buf) && !((float)back < value) && !((float)back > value))
            break;
    }
    return fits;
}

static bool write_number(char *buf, size_t n, const vg_option *o, const void *at)
{
    char number[32];
    switch (o->kind) {
    case VG_OPTION_INT:
        return base_format(buf, n, "%d", *(const int *)at);
    case VG_OPTION_BYTES: /* none is empty where that is the preset */
        return *(const size_t *)at == 0 && is_preset(o, "")
                   ? base_format(buf, n, "%s", "")
                   : base_format(buf, n, "%zu", *(const size_t *)at);
    case VG_OPTION_FLOAT:
        return write_float(buf, n, *(const float *)at);
    default:
        return base_format(buf, n, "%s",
                           base_format_double(number, sizeof number, *(const double *)at));
    }
}

bool vg_option_write(char *buf, size_t n, const vg_option *o, const void *values)
{
    const void *at = (const char *)values + o->offset;
    const char *text;
    switch (o->kind) {
    case VG_OPTION_BOOL:
        return base_format(buf, n, "%s", *(const bool *)at ? "true" : "false");
    case VG_OPTION_SWITCH:
        return write_word(buf, n, "auto|true|false", *(const int *)at);
    case VG_OPTION_CHOICE:
        return write_word(buf, n, o->choices, *(const int *)at);
    case VG_OPTION_BITS:
        return write_bits(buf, n, o->choices, *(const int *)at);
    case VG_OPTION_CLASSES:
        return write_classes(buf, n, o, at);
    case VG_OPTION_SIZE:
        base_format_size(buf, n, *(const vg_size *)at);
        return true;
    case VG_OPTION_INTS:
    case VG_OPTION_LAYERS:
        return write_ints(buf, n, o, at);
    case VG_OPTION_TEXT:
    case VG_OPTION_FILE:
    case VG_OPTION_FOLDER:
        return base_format(buf, n, "%s", (const char *)at);
    case VG_OPTION_STRING:
        text = *(const char *const *)at;
        return base_format(buf, n, "%s", text != NULL ? text : "");
    case VG_OPTION_WORDS:
        return base_format(buf, n, "%s", "");
    default:
        return write_number(buf, n, o, at);
    }
}

/* ---- the row ---- */

size_t vg_option_bytes(const vg_option *o)
{
    static const size_t bytes[] = {
        [VG_OPTION_BOOL] = sizeof(bool),      [VG_OPTION_SWITCH] = sizeof(int),
        [VG_OPTION_INT] = sizeof(int),        [VG_OPTION_REAL] = sizeof(double),
        [VG_OPTION_FLOAT] = sizeof(float),    [VG_OPTION_RATIO] = sizeof(double),
        [VG_OPTION_SECONDS] = sizeof(double), [VG_OPTION_BYTES] = sizeof(size_t),
        [VG_OPTION_SIZE] = sizeof(vg_size),   [VG_OPTION_STRING] = sizeof(char *),
        [VG_OPTION_CHOICE] = sizeof(int),     [VG_OPTION_BITS] = sizeof(int),
        [VG_OPTION_INTS] = sizeof(vg_ints),   [VG_OPTION_CLASSES] = sizeof(vg_classes),
        [VG_OPTION_LAYERS] = sizeof(vg_ints), [VG_OPTION_WORDS] = sizeof(char *const *)};
    return is_text(o->kind) ? text_bytes(o) : bytes[o->kind];
}

const char *vg_option_value(const vg_option *o)
{
    static const char *const values[] = {
        [VG_OPTION_BOOL] = NULL,      [VG_OPTION_SWITCH] = NULL,    [VG_OPTION_INT] = "N",
        [VG_OPTION_REAL] = "X",       [VG_OPTION_FLOAT] = "X",      [VG_OPTION_RATIO] = "SHARE",
        [VG_OPTION_SECONDS] = "TIME", [VG_OPTION_BYTES] = "SIZE",   [VG_OPTION_SIZE] = "N",
        [VG_OPTION_TEXT] = "TEXT",    [VG_OPTION_FILE] = "FILE",    [VG_OPTION_FOLDER] = "DIR",
        [VG_OPTION_STRING] = "TEXT",  [VG_OPTION_CHOICE] = NULL,    [VG_OPTION_BITS] = "WORDS",
        [VG_OPTION_INTS] = "LIST",    [VG_OPTION_CLASSES] = "LIST", [VG_OPTION_LAYERS] = "LIST",
        [VG_OPTION_WORDS] = NULL};
    if (o->value != NULL)
        return o->value;
    const bool is_one_of =
        o->choices != NULL && o->kind != VG_OPTION_BITS && o->kind != VG_OPTION_SWITCH;
    return is_one_of ? o->choices : values[o->kind];
}
