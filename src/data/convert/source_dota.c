/* source_dota.c: DOTA: a text file a picture, in labelTxt, with pictures in images
 * (captain-whu.github.io, "DOTA", Annotation format). A row is x1 y1 x2 y2 x3 y3 x4 y4 class
 * difficult, pixels, corners in turn; lines that say where the picture is from (imagesource:, gsd:)
 * stand before. */
#include <string.h>

#include "node.h"
#include "sources.h"

enum { MOST_FILE_BYTES = 64 << 20, N_NUMBERS = 8, MOST_LINE_BYTES = 512, N_FIELDS = 10 };

static int class_of(catalogue *c, const char *name, vg_status *st, vg_error *err)
{
    const int found = catalogue_find_class(c, name);
    if (found >= 0)
        return found;
    *st = catalogue_add_class(c, CATALOGUE_NO_ID, name, err);
    return (int)c->n_classes - 1;
}

/* Fields of the line, ended by 0s; returns how many, at most `most` + 1. */
static int split_line(char *line, char *fields[], int most)
{
    int n = 0;
    char *p = line;
    while (n <= most) {
        p += strspn(p, " \t\r,");
        if (*p == '\0')
            return n;
        fields[n++] = p;
        p += strcspn(p, " \t\r,");
        if (*p != '\0')
            *p++ = '\0';
    }
    return n;
}

/* A row; what is none is left out, with its place. */
static vg_status read_row(catalogue *c, const char *file, int number, char *line, vg_error *err)
{
    char *fields[N_FIELDS + 1];
    double v[N_NUMBERS];
    const int n = split_line(line, fields, N_FIELDS);
    catalogue_object o = {.picture = c->n_pictures - 1, .first_point = c->n_points};
    if (n == 0 || (n == 1 && strchr(fields[0], ':')))
        return VG_OK;
    bool is_good = n == N_FIELDS || n == N_FIELDS - 1; /* its first version knew no difficult */
    for (int i = 0; i < N_NUMBERS && is_good; i++)
        is_good = base_parse_double(&v[i], fields[i]) && isfinite(v[i]);
    if (!is_good) {
        catalogue_leave(c, VG_LEFT_NO_BOX, "%s:%d", file, number);
        return VG_OK;
    }
    const bool is_hard = n == N_FIELDS && strcmp(fields[N_FIELDS - 1], "0") != 0;
    if (is_hard && !c->options->difficult) {
        catalogue_leave(c, VG_LEFT_DIFFICULT, "%s:%d", file, number);
        return VG_OK;
    }
    vg_status st = VG_OK;
    for (int i = 0; i < N_NUMBERS && st == VG_OK; i += 2)
        st = catalogue_add_point(c, v[i], v[i + 1], err);
    if (st != VG_OK)
        return st;
    if (!catalogue_bounds(c, o.xywh, o.first_point)) {
        c->n_points = o.first_point;
        catalogue_leave(c, VG_LEFT_NO_AREA, "%s:%d", file, number);
        return VG_OK;
    }
    if (!c->options->polygons)
        c->n_points = o.first_point;
    o.n_points = (uint32_t)(c->n_points - o.first_point);
    o.class_index = class_of(c, fields[N_NUMBERS], &st, err);
    c->n_difficult += is_hard;
    return st == VG_OK ? catalogue_add_object(c, &o, err) : st;
}

vg_status source_dota_read_text(catalogue *c, const char *file, int split, const char *text,
                                size_t n, vg_error *err)
{
    char name[MOST_LINE_BYTES];
    catalogue_picture *p;
    const char *last = base_path_name(file);
    if (!base_format(name, sizeof name, "%.*s.png",
                     (int)(strlen(last) - strlen(base_path_suffix(last))), last))
        name[0] = '\0';
    vg_status st = catalogue_add_picture(c, name, file, split, &p, err);
    int number = 1;
    for (size_t at = 0; st == VG_OK && at < n; number++) {
        const char *end = memchr(text + at, '\n', n - at);
        const size_t length = end ? (size_t)(end - text) - at : n - at;
        char line[MOST_LINE_BYTES];
        if (base_format(line, sizeof line, "%.*s",
                        (int)(length < sizeof line ? length : sizeof line), text + at))
            st = read_row(c, file, number, line, err);
        else
            catalogue_leave(c, VG_LEFT_NO_BOX, "%s:%d", file, number);
        at += length + 1;
    }
    return st;
}

/* In a folder named labelTxt, or labelTxt-v1.5 and the like. */
static bool is_own(const char *path)
{
    const char *at = strstr(path, "labelTxt");
    return at && strchr(at, '/') && base_equal_nocase(base_path_suffix(path), ".txt");
}

static vg_status read_source(catalogue *c, const source_files *s, vg_error *err)
{
    vg_status st = VG_OK;
    size_t n_files = 0;
    for (size_t i = 0; i < s->n && st == VG_OK; i++) {
        char *text = NULL;
        size_t n;
        vg_error why = {.status = VG_OK};
        if (s->n > 1 && !is_own(source_below(s, s->paths[i])))
            continue;
        n_files++;
        st = base_file_read(&text, &n, s->paths[i], MOST_FILE_BYTES, c->mem, &why);
        if (st == VG_ERR_MEMORY && err)
            *err = why;
        if (st == VG_OK) {
            st = source_dota_read_text(c, s->paths[i], source_split(s, s->paths[i]), text, n, err);
        } else if (st != VG_ERR_MEMORY) {
            catalogue_leave(c, VG_LEFT_FILE, "%s: %s", s->paths[i], why.what);
            st = VG_OK;
        }
        base_free(text);
    }
    if (st == VG_OK && n_files == 0)
        return base_fail(err, VG_ERR_FORMAT, s->root, "give the folder that labelTxt is in",
                         "no text file in a folder labelTxt");
    return st == VG_OK ? catalogue_sort_classes(c, err) : st;
}

static bool is_there(const source_files *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (is_own(source_below(s, s->paths[i])))
            return true;
    return false;
}

const convert_source convert_source_dota = {
    .name = "dota",
    .help = "DOTA's turned boxes: text files in folders labelTxt",
    .sureness = 2,
    .is_there = is_there,
    .read = read_source,
    .file_names_picture = true,
    .is_turned = true};
