/* kind_forward_half.c: the decoded output of weights read from a .pt beside the file (fp16
 * widened), for the input of another file beside it. Its note names both: "weights from X.pt (...),
 * input of Y". */
#include "decoded.h"

static bool recognises(const gold_file *f)
{
    return gold_has(f, "decoded") && !gold_has(f, "input");
}

/* The word of the note that follows `before`, without a comma or suffix at its end. */
static bool word_after(char *buf, size_t n, const char *note, const char *before)
{
    const char *at = strstr(note, before);
    if (!at)
        return false;
    at += strlen(before);
    size_t length = strcspn(at, " ,;()\n");
    return length > 0 && !memchr(at, '/', length) && base_format(buf, n, "%.*s", (int)length, at);
}

/* What the two files beside this one give. */
typedef struct sources {
    gold_file pt, other;
    gold_tensor input;
} sources;

static vg_status open_sources(sources *s, gold_file *f, gold_job *job, vg_error *err)
{
    const char *note = gold_meta_text(f, "note", "");
    char pt[256], stem[256], other[300];
    if (!word_after(pt, sizeof pt, note, "weights from ") ||
        !word_after(stem, sizeof stem, note, "input of "))
        return gold_bad(
            f, err, "its note does not say \"weights from X.pt\" and \"input of Y\": \"%.120s\"",
            note);
    bool whole = strcmp(base_path_suffix(stem), ".safetensors") == 0;
    base_format(other, sizeof other, "%s%s", stem, whole ? "" : ".safetensors");
    vg_status st = gold_file_open(&s->pt, f->dir, pt, job->mem, err);
    if (st == VG_OK)
        st = gold_file_open(&s->other, f->dir, other, job->mem, err);
    if (st == VG_OK)
        st = gold_get(&s->input, &s->other, WEIGHTS_F32, 4, err, "input");
    return st;
}

static vg_status check_isa(gold_file *f, gold_job *job, const sources *s, const char *isa,
                           vg_error *err)
{
    nn_graph *g = NULL;
    nn_graph_info info;
    gold_network net = {0};
    const nn_engine_options o = {.threads = 1, .isa = isa, .device = job->device};
    vg_status st = nn_graph_from_weights(&g, s->pt.weights, job->mem, err);
    if (st != VG_OK)
        return st;
    nn_graph_get_info(g, 32, &info);
    nn_graph_destroy(&g);
    st = gold_network_open(&net, s->pt.weights, info.scale, info.nc, &o, job->mem, err);
    if (st == VG_OK)
        st = gold_network_run(&net, s->input.f32, s->input.shape, err);
    if (st == VG_OK)
        st = gold_check_decoded(f, job, &net, isa, err);
    gold_network_close(&net);
    return st;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    sources s = {0};
    vg_status st = open_sources(&s, f, job, err);
    for (int i = 0; i < job->n_isas && st == VG_OK; i++)
        st = check_isa(f, job, &s, job->isas[i], err);
    gold_file_close(&s.pt);
    gold_file_close(&s.other);
    return st;
}

const gold_kind gold_kind_forward_half = {.on_device = true,
                                          .name = "forward of a .pt",
                                          .help = "decoded output with the fp16 weights of a .pt",
                                          .recognises = recognises,
                                          .check = check};
