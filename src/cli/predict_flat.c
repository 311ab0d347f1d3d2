/* predict_flat.c: --prove-flat, the promise "flat while it runs" checked on the user's own machine.
 */
#include <inttypes.h>
#include <string.h>

#include "predict.h"

/* What libraries and the kernel's accounting (pages touched late, code read late) may add. Ours may
 * add nothing. */
enum { FLAT_SLACK_BYTES = 1 << 20 };

size_t predict_flat_warm_up(int asked, size_t total)
{
    if (asked > 0)
        return (size_t)asked;
    size_t tenth = total / 10;
    return tenth < 10 ? 10 : tenth > 100 ? 100 : tenth;
}

static bool shape_is_known(const predict_flat *f, flat_shape shape)
{
    for (size_t i = 0; i < f->n_shapes; i++)
        if (f->shapes[i].width == shape.width && f->shapes[i].height == shape.height)
            return true;
    return false;
}

void predict_flat_see(predict_flat *f, const vg_predict_result *r, size_t n_seen,
                      const vg_predict *p)
{
    flat_shape shape = {r->input_width, r->input_height};
    if (r->status == VG_OK && !shape_is_known(f, shape)) {
        f->new_shape = f->new_shape || f->warm || f->n_shapes == FLAT_SHAPES_MAX;
        if (f->n_shapes < FLAT_SHAPES_MAX)
            f->shapes[f->n_shapes++] = shape;
    }
    if (!f->warm && n_seen >= f->n_warm_up) {
        vg_predict_memory(p, &f->before);
        f->warm = true;
    }
}

static const vg_memory_item *item_find(const vg_memory *m, const char *owner)
{
    for (int i = 0; i < m->n_items; i++)
        if (strcmp(m->items[i].owner, owner) == 0)
            return &m->items[i];
    return NULL;
}

/* before is NULL for an owner that came later: all it has is growth. */
static bool item_judge(FILE *to, const vg_memory_item *before, const vg_memory_item *now,
                       bool may_plan)
{
    char a[32], b[32];
    size_t had = before == NULL ? 0 : before->in_use_bytes;
    uint64_t n_allocations = now->n_allocations - (before == NULL ? 0 : before->n_allocations);
    double growth = (double)now->in_use_bytes - (double)had;
    bool flat = growth <= 0 && (n_allocations == 0 || may_plan);
    fprintf(to, "  %-14s %12s %12s %+14.0f %12" PRIu64 "  %s\n", now->owner,
            cli_bytes(a, (double)had), cli_bytes(b, (double)now->in_use_bytes), growth,
            n_allocations,
            flat         ? "flat"
            : growth > 0 ? "GREW"
                         : "ALLOCATED");
    return flat;
}

static bool slack_judge(FILE *to, const char *name, size_t before, size_t now)
{
    char a[32], b[32];
    double growth = (double)now - (double)before;
    bool flat = growth <= FLAT_SLACK_BYTES;
    fprintf(to, "  %-14s %12s %12s %+14.0f %12s  %s\n", name, cli_bytes(a, (double)before),
            cli_bytes(b, (double)now), growth, "", flat ? "flat" : "GREW");
    return flat;
}

/* Flat is: no owner of ours holds a byte more than after the warm-up; none allocated since, unless
 * network shapes changed in a way that plans had to be made again (one not seen before, or more of
 * them than plans are kept); libraries and the resident set are within 1 MB. */
bool predict_flat_print(FILE *to, const predict_flat *f, const vg_memory *now, size_t n_seen)
{
    bool may_plan = f->new_shape || f->n_shapes > (size_t)f->plan_cache;
    bool flat = true;
    fprintf(to, "Memory after %zu pictures of warm-up, and after %zu (network shapes: %zu%s):\n",
            f->n_warm_up, n_seen, f->n_shapes, f->n_shapes == FLAT_SHAPES_MAX ? " or more" : "");
    fprintf(to, "  %-14s %12s %12s %14s %12s\n", "owner", "after warm-up", "at the end",
            "growth, bytes", "allocations");
    for (int i = 0; i < now->n_items; i++)
        flat &=
            item_judge(to, item_find(&f->before, now->items[i].owner), &now->items[i], may_plan);
    if (now->gpu_taken_bytes > 0)
        flat &= slack_judge(to, "GPU, driver's", f->before.gpu_taken_bytes, now->gpu_taken_bytes);
    flat &= slack_judge(to, "libraries", f->before.library_bytes, now->library_bytes);
    flat &= slack_judge(to, "resident", f->before.resident_bytes, now->resident_bytes);
    if (may_plan)
        fputs("Network shapes changed, so plans were made again: allocations are shown, bytes are "
              "judged.\n",
              to);
    fputs(flat ? "Flat: nothing grew.\n" : "Not flat: see the last column.\n", to);
    return flat;
}
