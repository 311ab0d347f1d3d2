/* predict_stages.c: what is done to a batch: read (file, decode, letterbox), infer (forward, boxes)
 * and save (sinks). Each is called by one thread, batches come in order. */
#include "job.h"

/* ---- read ---- */

/* No memory for one picture is that picture's trouble: it may be larger than the limit allows. */
static void read_picture(stream_predict *p, slot *s)
{
    base_mem *mem = &p->mem->owner[STREAM_FRAMES];
    vg_predict_result *r = &s->result;
    int64_t start = base_now_ns();
    r->status = picture_bytes_read(&s->bytes, s->entry->path, p->list.n == 1, 0, mem, &r->error);
    if (r->status == VG_OK)
        r->status = image_decode(p->decoder, &s->picture, s->bytes.block, s->bytes.n,
                                 s->entry->path, mem, &r->error);
    if (r->status == VG_OK) {
        r->width = s->picture.view.w;
        r->height = s->picture.view.h;
    }
    r->times.decode_ms = base_ms(base_now_ns() - start);
}

/* Pictures of one shape share a rectangle; of several, a square: as the field does. */
static bool same_shapes(const batch *b)
{
    const vg_predict_result *first = NULL;
    for (size_t i = 0; i < b->n; i++) {
        const vg_predict_result *r = &b->slots[i].result;
        if (r->status != VG_OK)
            continue;
        if (first && (r->width != first->width || r->height != first->height))
            return false;
        first = first ? first : r;
    }
    return true;
}

/* Heads are a forecast: a file may have been replaced since, or tell its size too late. What comes
 * out larger gets its room here; the square is as large as it can be. */
static vg_status reserve_input(batch *b, size_t bytes, base_mem *mem, vg_error *err)
{
    if (bytes <= b->input_bytes)
        return VG_OK;
    float *input = base_realloc(mem, b->input, bytes, err);
    if (!input)
        return VG_ERR_MEMORY;
    b->input = input;
    b->input_bytes = bytes;
    return VG_OK;
}

static vg_status letterbox_picture(stream_predict *p, batch *b, slot *s, bool rect, vg_error *err)
{
    base_mem *mem = &p->mem->owner[STREAM_FRAMES];
    vg_predict_result *r = &s->result;
    vg_status st = stream_detector_fit(&s->fit, p->detector, r->width, r->height, rect, err);
    if (st != VG_OK)
        return st;
    r->input_width = b->w = s->fit.out_w;
    r->input_height = b->h = s->fit.out_h;
    if (stream_detector_takes_pictures(p->detector)) { /* its device does the rest */
        s->input_index = b->n_input++;
        return VG_OK;
    }
    size_t floats = (size_t)b->h * (size_t)b->w * 3, before = (size_t)b->n_input * floats;
    st = reserve_input(b, (before + floats) * sizeof(float), mem, err);
    if (st == VG_OK)
        st = stream_detector_prepare(p->detector, b->input + before, &s->picture.view, &s->fit,
                                     &p->letterbox_scratch, mem, err);
    if (st == VG_OK)
        s->input_index = b->n_input++;
    return st;
}

static void letterbox(stream_predict *p, batch *b)
{
    bool rect = same_shapes(b);
    for (size_t i = 0; i < b->n; i++) {
        vg_predict_result *r = &b->slots[i].result;
        int64_t start = base_now_ns();
        if (r->status != VG_OK)
            continue;
        r->status = letterbox_picture(p, b, &b->slots[i], rect, &r->error);
        r->times.preprocess_ms = base_ms(base_now_ns() - start);
    }
}

bool job_read(stream_predict *p, batch *b)
{
    b->n = b->next = 0;
    b->n_input = 0;
    b->fatal = VG_OK;
    while (b->n < p->most && p->next_index < p->list.n && !p->stopping) {
        slot *s = &b->slots[b->n++];
        s->entry = &p->list.entries[p->next_index];
        s->input_index = -1;
        s->result = (vg_predict_result){.index = p->next_index++,
                                        .total = p->list.n,
                                        .source = s->entry->path,
                                        .detections = s->found.boxes};
        read_picture(p, s);
    }
    letterbox(p, b);
    return b->n > 0;
}

/* ---- infer ---- */

static void find_boxes(stream_predict *p, batch *b, double each_ms)
{
    for (size_t i = 0; i < b->n; i++) {
        slot *s = &b->slots[i];
        if (s->input_index < 0)
            continue;
        int64_t boxes_start = base_now_ns();
        s->result.status =
            stream_detector_find(p->detector, &s->found, s->input_index, s->result.width,
                                 s->result.height, &p->o.nms, false, &s->result.error);
        s->result.n_detections = s->found.n;
        s->result.extras = s->found.extras;
        s->result.times.inference_ms = each_ms;
        s->result.times.postprocess_ms = base_ms(base_now_ns() - boxes_start);
    }
}

static vg_status put_pictures(stream_predict *p, batch *b)
{
    vg_error *err = &b->fatal_error;
    vg_status st = stream_detector_begin_batch(p->detector, b->n_input, b->h, b->w, p->mem, err);
    for (size_t i = 0; i < b->n && st == VG_OK; i++) {
        const slot *s = &b->slots[i];
        if (s->input_index >= 0)
            st = stream_detector_put(p->detector, s->input_index, &s->picture.view, &s->fit, p->mem,
                                     err);
    }
    return st == VG_OK ? stream_detector_submit(p->detector, p->o.nms.conf, err) : st;
}

/* A batch without pictures, or that failed, is under way as others are, and so keeps its place. */
bool job_submit(stream_predict *p, batch *b)
{
    bool is_free = p->n_pending < MOST_PENDING;
    b->began_ns = base_now_ns();
    b->is_submitted = false;
    if (is_free && b->n_input > 0 && !p->stopping) {
        b->fatal = stream_detector_is_free(p->detector, &is_free, b->n_input, b->h, b->w, p->mem,
                                           &b->fatal_error);
        if (b->fatal == VG_OK && is_free)
            b->fatal = put_pictures(p, b);
        b->is_submitted = b->fatal == VG_OK && is_free;
        is_free |= b->fatal != VG_OK;
    }
    if (is_free)
        p->pending[p->n_pending++] = b;
    return is_free;
}

batch *job_collect(stream_predict *p)
{
    batch *b = p->n_pending > 0 ? p->pending[0] : NULL;
    if (!b)
        return NULL;
    for (int i = 1; i < p->n_pending; i++)
        p->pending[i - 1] = p->pending[i];
    p->n_pending--;
    if (!b->is_submitted)
        return b;
    b->fatal = stream_detector_collect(p->detector, &b->fatal_error);
    /* Of what overlaps, each moment counts once. */
    const int64_t began = b->began_ns > p->collected_ns ? b->began_ns : p->collected_ns;
    p->collected_ns = base_now_ns();
    if (b->fatal == VG_OK)
        find_boxes(p, b, base_ms(p->collected_ns - began) / b->n_input);
    return b;
}

void job_infer(stream_predict *p, batch *b)
{
    int64_t start = base_now_ns();
    if (b->n_input == 0 || p->stopping)
        return;
    if (stream_detector_takes_pictures(p->detector)) {
        job_submit(p, b);
        job_collect(p);
        return;
    }
    b->fatal =
        stream_detector_run(p->detector, b->input, b->n_input, b->h, b->w, p->mem, &b->fatal_error);
    if (b->fatal == VG_OK)
        find_boxes(p, b, base_ms(base_now_ns() - start) / b->n_input);
}

/* ---- save ---- */

/* A disk that is full or gone ends the job; what one picture cannot have written (its name is too
 * long, it is larger than the limit allows) is that picture's. */
static bool is_fatal(vg_status st)
{
    return st == VG_ERR_IO || st == VG_ERR_SYSTEM;
}

static void save_picture(stream_predict *p, batch *b, slot *s)
{
    sink_item item = {.result = &s->result, .entry = s->entry, .picture = &s->picture.view};
    int64_t start = base_now_ns();
    for (size_t k = 0; k < n_sinks && s->result.status == VG_OK && b->fatal == VG_OK; k++) {
        vg_error err = {0};
        vg_status st = p->sink_states[k]
                           ? sinks[k]->write(p->sink_states[k], &p->setting, &item, &err)
                           : VG_OK;
        if (st == VG_OK)
            continue;
        *(is_fatal(st) ? &b->fatal_error : &s->result.error) = err;
        *(is_fatal(st) ? &b->fatal : &s->result.status) = st;
    }
    p->n_saved += s->result.status == VG_OK && b->fatal == VG_OK;
    s->result.times.save_ms = base_ms(base_now_ns() - start);
}

void job_save(stream_predict *p, batch *b)
{
    if (p->stopping)
        return;
    locale_t host = uselocale(p->c_locale);
    for (size_t i = 0; i < b->n && b->fatal == VG_OK; i++)
        save_picture(p, b, &b->slots[i]);
    uselocale(host);
    /* Those behind it are not for the caller to see. Not set where inference fails: those before it
     * must still be saved. */
    if (b->fatal != VG_OK)
        p->stopping = true;
}
