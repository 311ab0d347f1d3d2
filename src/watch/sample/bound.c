/* bound.c: words with sizes. */
#include "bound.h"

#include <math.h>
#include <string.h>

enum { MOST_WORD_BYTES = 256 };

typedef struct unit {
    const char *name;
    double bytes;
} unit;

static const double KIB = 1024, MIB = 1024.0 * 1024, GIB = 1024.0 * 1024 * 1024;

/* A whole number and one of the units, in any case. */
static double size_of(const char *text, const unit *units, size_t n_units)
{
    char digits[20], name[8];
    const size_t n = strspn(text, "0123456789");
    int64_t count;
    if (n == 0 || !base_format(digits, sizeof digits, "%.*s", (int)n, text) ||
        !base_parse_i64(&count, digits, 1, INT64_MAX) ||
        !base_format(name, sizeof name, "%s", text + n))
        return NAN;
    for (char *c = name; *c != '\0'; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    for (size_t i = 0; i < n_units; i++)
        if (strcmp(name, units[i].name) == 0)
            return (double)count * units[i].bytes;
    return NAN;
}

static double redis_size(const char *text)
{
    const unit units[] = {{"", 1},    {"b", 1},    {"k", 1e3}, {"kb", KIB},
                          {"m", 1e6}, {"mb", MIB}, {"g", 1e9}, {"gb", GIB}};
    return size_of(text, units, sizeof units / sizeof *units);
}

static double java_size(const char *text)
{
    const unit units[] = {{"", 1}, {"k", KIB}, {"m", MIB}, {"g", GIB}};
    return size_of(text, units, sizeof units / sizeof *units);
}

static double go_size(const char *text)
{
    const unit units[] = {{"", 1}, {"b", 1}, {"kib", KIB}, {"mib", MIB}, {"gib", GIB}};
    return size_of(text, units, sizeof units / sizeof *units);
}

static double memcached_size(const char *text)
{
    const unit units[] = {{"", MIB}, {"m", MIB}, {"g", GIB}};
    return size_of(text, units, sizeof units / sizeof *units);
}

/* The next whole word; NULL: no more, or it is cut off. */
static const char *next_word(const char *words, size_t n, size_t *at)
{
    if (*at >= n)
        return NULL;
    const char *word = words + *at;
    const size_t size = strnlen(word, n - *at);
    *at += size + 1;
    return *at <= n ? word : NULL;
}

/* ---- each program's ---- */

static void set_redis(watch_bound *b, const char *key, const char *value)
{
    if (strcmp(key, "maxmemory") == 0)
        b->bytes = redis_size(value);
    else if (strcmp(key, "maxmemory-policy") == 0)
        b->evicts = base_starts_with(value, "allkeys-") || base_starts_with(value, "volatile-");
}

static void read_redis(watch_bound *b, const char *words, size_t n, size_t at,
                       const char **settings)
{
    b->may_need_policy = true;
    bool is_first = true;
    for (const char *key, *value; (key = next_word(words, n, &at)) != NULL; is_first = false) {
        if (is_first && key[0] != '-' && key[0] != '\0') {
            *settings = key;
            continue;
        }
        size_t ahead = at;
        if (base_starts_with(key, "--") && (value = next_word(words, n, &ahead)) != NULL)
            set_redis(b, key + 2, value);
    }
}

static void read_memcached(watch_bound *b, const char *words, size_t n, size_t at)
{
    b->bytes = 64 * MIB; /* its own choice */
    for (const char *word; (word = next_word(words, n, &at)) != NULL;) {
        size_t ahead = at;
        const char *value = strcmp(word, "-m") == 0        ? next_word(words, n, &ahead)
                            : base_starts_with(word, "-m") ? word + 2
                            : base_starts_with(word, "--memory-limit=")
                                ? word + strlen("--memory-limit=")
                                : NULL;
        if (strcmp(word, "-M") == 0) /* it refuses instead of evicting: no cache any more */
            b->bytes = NAN;
        else if (value != NULL && !isnan(b->bytes))
            b->bytes = memcached_size(value);
    }
}

static void read_java(watch_bound *b, const char *words, size_t n, size_t at)
{
    static const char *const keys[] = {"-Xmx", "-XX:MaxHeapSize="};
    for (const char *word; (word = next_word(words, n, &at)) != NULL;) {
        if (word[0] != '-') /* the class: what follows are the program's own words */
            return;
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (base_starts_with(word, keys[i]))
                b->bytes = java_size(word + strlen(keys[i]));
        if (strcmp(word, "-cp") == 0 || strcmp(word, "-classpath") == 0 ||
            strcmp(word, "--class-path") == 0 || strcmp(word, "-p") == 0 ||
            strcmp(word, "--module-path") == 0)
            next_word(words, n, &at);
    }
}

watch_bound watch_bound_of_command(const char *words, size_t n, const char **settings)
{
    watch_bound b = {.bytes = NAN};
    *settings = NULL;
    size_t at = 0;
    for (const char *word; (word = next_word(words, n, &at)) != NULL;) {
        const char *name = base_path_name(word);
        const bool is_redis = strcmp(name, "redis-server") == 0 ||
                              strcmp(name, "valkey-server") == 0 ||
                              strcmp(name, "keydb-server") == 0,
                   is_memcached = strcmp(name, "memcached") == 0, is_java = !strcmp(name, "java");
        if (is_redis)
            read_redis(&b, words, n, at, settings);
        else if (is_memcached)
            read_memcached(&b, words, n, at);
        else if (is_java)
            read_java(&b, words, n, at);
        if (is_redis || is_memcached || is_java)
            break;
    }
    return b;
}

void watch_bound_of_settings(watch_bound *b, const char *text, size_t n)
{
    watch_bound said = {.bytes = NAN};
    for (size_t at = 0; at < n;) {
        const char *end = memchr(text + at, '\n', n - at);
        const size_t size = end != NULL ? (size_t)(end - (text + at)) : n - at;
        char line[MOST_WORD_BYTES];
        if (size < sizeof line) {
            base_format(line, sizeof line, "%.*s", (int)size, text + at);
            char *key = line + strspn(line, " \t"), *value = key + strcspn(key, " \t\r");
            if (*value != '\0')
                *value++ = '\0';
            value += strspn(value, " \t");
            value[strcspn(value, " \t\r")] = '\0';
            set_redis(&said, key, value);
        }
        at += size + 1;
    }
    if (isnan(b->bytes))
        b->bytes = said.bytes;
    b->evicts |= said.evicts;
}

double watch_bound_of_environment(const char *words, size_t n)
{
    static const char key[] = "GOMEMLIMIT=";
    size_t at = 0;
    for (const char *word; (word = next_word(words, n, &at)) != NULL;)
        if (base_starts_with(word, key))
            return go_size(word + strlen(key));
    return NAN;
}

double watch_bound_bytes(const watch_bound *b)
{
    return b->may_need_policy && !b->evicts ? (double)NAN : b->bytes;
}
