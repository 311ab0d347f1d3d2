/* predict_lines.c: one picture's result as a line. Spec 2.5. */
#include <limits.h>
#include <string.h>

#include "predict.h"

enum { WORDS_BYTES = 2048, COUNT_BYTES = 512 }; /* a name of 255 bytes, its number and its end */

/* The smallest class above `after` among the detections, INT_MAX when there is none; *count how
 * many it has. Classes are found by looking again, since a table of them would need memory;
 * pictures have few boxes. */
static int class_next(const vg_detection *found, size_t n, int after, size_t *count)
{
    int next = INT_MAX;
    *count = 0;
    for (size_t i = 0; i < n; i++) {
        int c = found[i].class_index;
        if (c <= after || c > next)
            continue;
        *count = c == next ? *count + 1 : 1;
        next = c;
    }
    return next;
}

void predict_counts(FILE *to, const vg_detection *found, size_t n, const vg_extras *extras,
                    const char *(*name)(const void *ctx, int class_index), const void *ctx)
{
    size_t count = 0;
    char words[WORDS_BYTES];
    if (vg_extras_words(words, sizeof words, extras, n, name, ctx)) {
        cli_text(to, words);
        return;
    }
    for (int c = class_next(found, n, -1, &count); c != INT_MAX;
         c = class_next(found, n, c, &count)) {
        char text[COUNT_BYTES];
        cli_text(to, vg_count_format(text, sizeof text, count, name(ctx, c)));
        fputs(", ", to);
    }
    if (n == 0)
        fputs("(no detections), ", to);
}

static const char *detector_name(const void *d, int class_index)
{
    return vg_detector_class_name(d, class_index);
}

static void line_begin(FILE *to, const vg_predict_result *r)
{
    fprintf(to, "image %zu/%zu ", r->index + 1, r->total);
    cli_text(to, r->source);
    fputs(": ", to);
}

void predict_line(FILE *to, const vg_detector *d, const vg_predict_result *r)
{
    line_begin(to, r);
    fprintf(to, "%dx%d ", r->input_height, r->input_width);
    predict_counts(to, r->detections, r->n_detections, &r->extras, detector_name, d);
    fprintf(to, "%.1fms\n", r->times.inference_ms);
}

void predict_line_skipped(FILE *to, const vg_predict_result *r)
{
    line_begin(to, r);
    fputs("skipped: ", to);
    cli_text(to, r->error.what);
    if (r->error.where[0] != '\0' && strcmp(r->error.where, r->source) != 0) {
        fputs(" (", to);
        cli_text(to, r->error.where);
        fputc(')', to);
    }
    fputc('\n', to);
}

static void put(void *to, const char *bytes, size_t n)
{
    fwrite(bytes, 1, n, to);
}

void predict_line_json(FILE *to, const vg_detector *d, const vg_predict_result *r)
{
    vg_predict_json(d, r, put, to, NULL);
}
