/* facts.c: what a weights file says of itself, in words. */
#include "weights.h"

static void add(weights_facts *f, const char *key, const char *value)
{
    if (*value && f->n < WEIGHTS_MOST_FACTS) {
        f->rows[f->n].key = key;
        base_format(f->rows[f->n++].value, WEIGHTS_FACT_BYTES, "%s", value);
    }
}

void weights_collect_facts(weights_facts *out, const weights_file *file)
{
    const weights_meta *meta = weights_get_meta(file);
    char text[WEIGHTS_FACT_BYTES];
    out->n = 0;
    add(out, "format", meta->source);
    add(out, "chosen", meta->chosen);
    add(out, "version", meta->version);
    add(out, "date", meta->date);
    add(out, "license", meta->license);
    base_format(text, sizeof text, "%zu", weights_count(file));
    add(out, "tensors", text);
    add(out, "dtype", weights_count(file) ? weights_dtype_name(weights_at(file, 0)->dtype) : "");
    if (meta->epoch >= 0) {
        base_format(text, sizeof text, "%lld", (long long)meta->epoch);
        add(out, "epoch", text);
    }
    if (meta->imgsz.h > 0)
        add(out, "trained at", base_format_size(text, sizeof text, meta->imgsz));
    if (meta->n_unknown_classes > 0) {
        base_format(text, sizeof text, "%zu, the first: %.80s", meta->n_unknown_classes,
                    meta->unknown_class);
        add(out, "unknown classes", text);
    }
}
