/* prometheus.h: a strict reader of Prometheus' text format 0.0.4, for tests: what a scraper could
 * stumble over is refused. */
#ifndef TESTS_STREAM_PROMETHEUS_H
#define TESTS_STREAM_PROMETHEUS_H

#include "support/test.h"

#include <math.h>
#include <stdbool.h>

enum { PROMETHEUS_MOST = 20000, PROMETHEUS_NAME = 96, PROMETHEUS_LABELS = 1024 };

typedef struct prometheus_sample {
    char name[PROMETHEUS_NAME], labels[PROMETHEUS_LABELS], le[32];
    double value;
} prometheus_sample;

typedef struct prometheus {
    prometheus_sample samples[PROMETHEUS_MOST];
    size_t n;
    char family[PROMETHEUS_NAME], type[16]; /* of the lines that are read */
    char seen[512][PROMETHEUS_NAME];        /* families */
    size_t n_seen;
    const char *wrong; /* NULL: nothing */
    const char *at;    /* the line */
} prometheus;

static inline bool prometheus_is_name(const char *s, size_t n, bool colon)
{
    for (size_t i = 0; i < n; i++) {
        const char c = s[i];
        const bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':');
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return n > 0;
}

static inline bool prometheus_is_utf8(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    while (*s != 0) {
        const int n = *s < 0x80                 ? 0
                      : *s >= 0xC2 && *s < 0xE0 ? 1
                      : *s >= 0xE0 && *s < 0xF0 ? 2
                      : *s >= 0xF0 && *s < 0xF5 ? 3
                                                : -1;
        if (n < 0)
            return false;
        s++;
        for (int i = 0; i < n; i++)
            if ((*s++ & 0xC0) != 0x80)
                return false;
    }
    return true;
}

/* "# HELP name text" or "# TYPE name type". */
static inline const char *prometheus_comment(prometheus *p, const char *line)
{
    char name[PROMETHEUS_NAME], type[16], extra[2];
    if (strncmp(line, "# HELP ", 7) == 0) {
        const size_t n = strcspn(line + 7, " ");
        if (!prometheus_is_name(line + 7, n, true) || n >= PROMETHEUS_NAME || line[7 + n] != ' ')
            return "a HELP without name or text";
        snprintf(p->family, sizeof p->family, "%.*s", (int)n, line + 7);
        p->type[0] = '\0';
        for (size_t i = 0; i < p->n_seen; i++)
            if (strcmp(p->seen[i], p->family) == 0)
                return "a family twice";
        snprintf(p->seen[p->n_seen++], PROMETHEUS_NAME, "%s", p->family);
        return NULL;
    }
    if (strncmp(line, "# TYPE ", 7) != 0)
        return "a comment that is neither HELP nor TYPE";
    if (sscanf(line + 7, "%95s %15s %1s", name, type, extra) != 2 || strcmp(name, p->family) != 0)
        return "a TYPE that does not follow its HELP";
    if (strcmp(type, "counter") != 0 && strcmp(type, "gauge") != 0 &&
        strcmp(type, "histogram") != 0)
        return "an unknown type";
    const size_t n = strlen(name);
    const bool is_total = n > 6 && strcmp(name + n - 6, "_total") == 0;
    if (is_total != (strcmp(type, "counter") == 0))
        return "a counter without _total, or something else with it";
    snprintf(p->type, sizeof p->type, "%s", type);
    return NULL;
}

/* {a="b",c="d"} from *at; le apart. */
static inline const char *prometheus_labels(prometheus_sample *s, const char **at)
{
    const char *c = *at + 1;
    size_t used = 0;
    char names[16][PROMETHEUS_NAME];
    int n_names = 0;
    while (*c != '}') {
        const size_t n = strcspn(c, "=");
        if (!prometheus_is_name(c, n, false) || n >= PROMETHEUS_NAME || c[n] != '=' ||
            c[n + 1] != '"')
            return "a label that is none";
        for (int i = 0; i < n_names; i++)
            if (strlen(names[i]) == n && strncmp(names[i], c, n) == 0)
                return "a label twice";
        snprintf(names[n_names++], PROMETHEUS_NAME, "%.*s", (int)n, c);
        const char *value = c + n + 2, *end = value;
        for (; *end != '"'; end++) {
            if (*end == '\0')
                return "a label without an end";
            if (*end == '\\' && *++end != '\\' && *end != '"' && *end != 'n')
                return "an escape that there is not";
        }
        if (n == 2 && strncmp(c, "le", 2) == 0)
            snprintf(s->le, sizeof s->le, "%.*s", (int)(end - value), value);
        else
            used += (size_t)snprintf(s->labels + used, sizeof s->labels - used, "%.*s,",
                                     (int)(end + 1 - c), c);
        if (used >= sizeof s->labels)
            return "labels that are too long for this reader";
        c = end + 1;
        if (*c == ',' && c[1] != '}')
            c++;
        else if (*c != '}')
            return "labels without a comma";
    }
    *at = c + 1;
    return NULL;
}

static inline const char *prometheus_sample_line(prometheus *p, const char *line)
{
    prometheus_sample *s = &p->samples[p->n];
    const size_t n = strcspn(line, "{ "), n_family = strlen(p->family);
    if (p->n + 1 >= PROMETHEUS_MOST || n >= PROMETHEUS_NAME || !prometheus_is_name(line, n, true))
        return "no name";
    *s = (prometheus_sample){.value = 0};
    snprintf(s->name, sizeof s->name, "%.*s", (int)n, line);
    const bool is_histogram = strcmp(p->type, "histogram") == 0;
    const char *rest = n >= n_family ? s->name + n_family : "?";
    if (p->type[0] == '\0' || strncmp(s->name, p->family, n_family) != 0 ||
        (is_histogram ? strcmp(rest, "_bucket") != 0 && strcmp(rest, "_sum") != 0 &&
                            strcmp(rest, "_count") != 0
                      : *rest != '\0'))
        return "a sample outside its family";
    const char *at = line + n;
    if (*at == '{') {
        const char *wrong = prometheus_labels(s, &at);
        if (wrong != NULL)
            return wrong;
    }
    if ((s->le[0] != '\0') != (is_histogram && strcmp(rest, "_bucket") == 0))
        return "le where there is no bucket, or none where there is";
    if (*at != ' ' || at[1] == '\0' || at[1] == ' ')
        return "no value";
    char *end;
    s->value = strcmp(at + 1, "+Inf") == 0   ? (double)INFINITY
               : strcmp(at + 1, "-Inf") == 0 ? -(double)INFINITY
               : strcmp(at + 1, "NaN") == 0  ? (double)NAN
                                             : strtod(at + 1, &end);
    if (isfinite(s->value) && *end != '\0')
        return "something behind the value";
    if (strcmp(p->type, "gauge") != 0 && !(s->value >= 0))
        return "a count below 0";
    p->n++;
    return NULL;
}

static inline const prometheus_sample *prometheus_find(const prometheus *p, const char *name,
                                                       const char *labels, const char *le)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->samples[i].name, name) == 0 && strcmp(p->samples[i].labels, labels) == 0 &&
            strcmp(p->samples[i].le, le) == 0)
            return &p->samples[i];
    return NULL;
}

/* Buckets rise in bound and number up to +Inf, which is the count. */
static inline const char *prometheus_histogram(const prometheus *p, size_t i)
{
    const prometheus_sample *s = &p->samples[i];
    char name[PROMETHEUS_NAME];
    double bound = -(double)INFINITY, n = 0;
    size_t k = i;
    for (; k < p->n && strcmp(p->samples[k].name, s->name) == 0 &&
           strcmp(p->samples[k].labels, s->labels) == 0;
         k++) {
        const double le = strcmp(p->samples[k].le, "+Inf") == 0 ? (double)INFINITY
                                                                : strtod(p->samples[k].le, NULL);
        if (!(le > bound) || p->samples[k].value < n)
            return "buckets that do not rise";
        bound = le;
        n = p->samples[k].value;
    }
    snprintf(name, sizeof name, "%.*s_count", (int)strlen(s->name) - 7, s->name);
    const prometheus_sample *count = prometheus_find(p, name, s->labels, "");
    snprintf(name, sizeof name, "%.*s_sum", (int)strlen(s->name) - 7, s->name);
    if (!isinf(bound) || count == NULL || count->value < n || count->value > n ||
        prometheus_find(p, name, s->labels, "") == NULL)
        return "a histogram without its end, count or sum";
    return NULL;
}

static inline const char *prometheus_check_all(const prometheus *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const prometheus_sample *s = &p->samples[i];
        for (size_t k = i + 1; k < p->n; k++)
            if (strcmp(s->labels, p->samples[k].labels) == 0 &&
                strcmp(s->name, p->samples[k].name) == 0 && strcmp(s->le, p->samples[k].le) == 0)
                return "a sample twice";
        if (s->le[0] != '\0' && (i == 0 || strcmp(p->samples[i - 1].name, s->name) != 0 ||
                                 strcmp(p->samples[i - 1].labels, s->labels) != 0)) {
            const char *wrong = prometheus_histogram(p, i);
            if (wrong != NULL)
                return wrong;
        }
    }
    return NULL;
}

/* NULL: it is good; else what is wrong, and p->at is the line. text is taken apart. */
static inline const char *prometheus_read(prometheus *p, char *text)
{
    p->n = p->n_seen = 0;
    p->family[0] = p->type[0] = '\0';
    p->at = text;
    if (!prometheus_is_utf8(text))
        return "no UTF-8";
    const size_t n = strlen(text);
    if (n == 0 || text[n - 1] != '\n')
        return "no line's end at the end";
    for (char *line = text, *end; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        *end = '\0';
        p->at = line;
        const char *wrong =
            line[0] == '#' ? prometheus_comment(p, line) : prometheus_sample_line(p, line);
        if (wrong != NULL)
            return wrong;
    }
    p->at = "(all)";
    return prometheus_check_all(p);
}

#endif
