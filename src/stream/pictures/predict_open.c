/* predict_open.c: a job before its first picture: what it will take is worked out from the heads of
 * the pictures, summed up, checked against the limit, and only then taken.
 *
 * Pictures whose head was not read (standard input, the 16,385th) have no forecast: buffers grow
 * when they come. */
#include <string.h>

#include "job.h"
#include "report/report.h"

/* What the plan decides, besides the accounts. */
typedef struct job_plan {
    int most_h, most_w; /* of the network's input */
    size_t input_bytes; /* of a batch */
    size_t file_bytes;  /* of a picture, encoded; 0: not known */
    task_shape shape;   /* of a picture's results */
} job_plan;

/* The largest network input that the list will ask for: all of imgsz, unless all sizes are known
 * and smaller in it. */
static vg_status largest_input(const stream_predict *p, const stream_model *m, int *most_h,
                               int *most_w, vg_error *err)
{
    *most_h = m->imgsz.used.h;
    *most_w = m->imgsz.used.w;
    if (!p->list.all_probed || p->most > 1 || task_of(m->info.task)->is_whole)
        return VG_OK;
    int h = m->info.max_stride, w = h;
    for (size_t i = 0; i < p->list.n; i++) {
        image_letterbox_fit fit;
        const picture_entry *e = &p->list.entries[i];
        if (e->w == 0)
            continue; /* broken, as far as can be told */
        vg_status st = stream_fit(&fit, m->imgsz.used, m->info.max_stride, e->w, e->h, true, err);
        if (st != VG_OK)
            return st;
        h = fit.out_h > h ? fit.out_h : h;
        w = fit.out_w > w ? fit.out_w : w;
    }
    *most_h = h;
    *most_w = w;
    return VG_OK;
}

/* ---- sinks ---- */

static size_t longest_name_bytes(const weights_meta *meta)
{
    size_t most = sizeof "class99999";
    for (int i = 0; i < meta->n_classes; i++) {
        size_t n = strlen(meta->names[i]);
        most = n > most ? n : most;
    }
    return most;
}

static void set_sizes(stream_predict *p, const stream_model *m)
{
    sink_setting *s = &p->setting;
    *s = (sink_setting){.options = &p->o,
                        .folder = p->folder,
                        .most_w = 1,
                        .most_h = 1,
                        .has_masks = task_of(m->info.task)->has_masks,
                        .longest_name_bytes = longest_name_bytes(weights_get_meta(m->file)),
                        .mem = &p->mem->owner[STREAM_OUTPUT]};
    for (size_t i = 0; i < p->list.n; i++) {
        const picture_entry *e = &p->list.entries[i];
        size_t n = strlen(e->path);
        s->longest_path_bytes = n > s->longest_path_bytes ? n : s->longest_path_bytes;
        s->most_w = e->w > s->most_w ? e->w : s->most_w;
        s->most_h = e->h > s->most_h ? e->h : s->most_h;
        if (e->w > 0 && p->o.save)
            image_encoder_need_raise(&p->encoder_need, e->w, e->h, sink_picture_suffix(e->path));
        if (e->w > 0 && p->o.save_crop)
            image_encoder_need_raise(&p->encoder_need, e->w, e->h, ".jpg");
    }
}

static size_t sinks_bytes(const stream_predict *p)
{
    size_t sum = n_sinks * sizeof *p->sink_states;
    bool writes_pictures = false;
    for (size_t i = 0; i < n_sinks; i++)
        if (sinks[i]->is_wanted(&p->o)) {
            sum += sinks[i]->state_bytes + sinks[i]->need_bytes(&p->setting);
            writes_pictures = writes_pictures || sinks[i]->needs_pixels;
        }
    return sum + (writes_pictures ? image_encoder_bytes(&p->encoder_need) : 0);
}

static vg_status open_sink(stream_predict *p, size_t i, vg_error *err)
{
    sink_setting *s = &p->setting;
    vg_status st = VG_OK;
    if (sinks[i]->needs_pixels && !s->encoder) {
        st = image_encoder_create(&s->encoder, s->mem, err);
        if (st == VG_OK)
            st = image_encoder_reserve(s->encoder, &p->encoder_need, s->mem, err);
    }
    if (st != VG_OK)
        return st;
    void *state = base_alloc_zero(s->mem, 1, sinks[i]->state_bytes, err);
    if (!state)
        return VG_ERR_MEMORY;
    st = sinks[i]->open(state, s, err);
    if (st == VG_OK)
        p->sink_states[i] = state;
    else
        base_free(state);
    return st;
}

static vg_status open_sinks(stream_predict *p, vg_error *err)
{
    p->setting.detector = p->detector;
    p->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* glibc's own: nothing is taken */
    p->sink_states = base_alloc_zero(p->setting.mem, n_sinks, sizeof *p->sink_states, err);
    if (!p->sink_states)
        return VG_ERR_MEMORY;
    vg_status st = VG_OK;
    for (size_t i = 0; i < n_sinks && st == VG_OK; i++) {
        if (!sinks[i]->is_wanted(&p->o))
            continue;
        if (!p->folder[0])
            st = report_run_folder_make(p->folder, sizeof p->folder, p->o.project, p->o.name,
                                        p->o.exist_ok, &p->n_made, err);
        if (st == VG_OK)
            st = open_sink(p, i, err);
    }
    return st;
}

vg_status job_close_sinks(stream_predict *p, vg_error *err)
{
    vg_status st = VG_OK;
    for (size_t i = 0; p->sink_states && i < n_sinks; i++) {
        if (!p->sink_states[i])
            continue;
        vg_status closed = sinks[i]->close(p->sink_states[i], st == VG_OK ? err : NULL);
        st = st == VG_OK ? closed : st;
        base_free(p->sink_states[i]);
    }
    base_free(p->sink_states);
    p->sink_states = NULL;
    image_encoder_destroy(&p->setting.encoder);
    if (p->c_locale)
        freelocale(p->c_locale);
    return st;
}

/* ---- buffers ---- */

static bool filters_classes(const stream_predict *p)
{
    return p->o.classes || (p->o.class_names && p->o.class_names[0]);
}

static vg_status choose_classes(stream_predict *p, vg_error *err)
{
    int nc = stream_detector_info(p->detector)->nc;
    if (!filters_classes(p))
        return VG_OK;
    p->wanted_classes = base_alloc_zero(&p->mem->owner[STREAM_DETECTIONS], (size_t)nc, 1, err);
    if (!p->wanted_classes)
        return VG_ERR_MEMORY;
    p->o.nms.classes = p->wanted_classes;
    vg_status st = stream_detector_choose(p->wanted_classes, p->detector, p->o.classes,
                                          p->o.n_classes, "option classes", err);
    if (st == VG_OK && p->o.class_names)
        st = stream_detector_choose_named(p->wanted_classes, p->detector, p->o.class_names,
                                          "option classes", err);
    return st;
}

/* Every page is there before the first of many pictures; a single one touches what it needs. */
static void touch(const stream_predict *p, void *block, size_t bytes)
{
    if (p->threaded && block)
        memset(block, 0, bytes);
}

static vg_status make_slot(stream_predict *p, slot *s, const job_plan *plan, vg_error *err)
{
    base_mem *frames = &p->mem->owner[STREAM_FRAMES];
    vg_status st = task_found_open(&s->found, &plan->shape, &p->mem->owner[STREAM_DETECTIONS], err);
    if (st == VG_OK)
        st = picture_bytes_reserve(&s->bytes, plan->file_bytes, frames, err);
    if (st == VG_OK && p->list.largest_pixels_bytes > 0)
        st = image_buffer_reserve(&s->picture, 1, (int)(p->list.largest_pixels_bytes / 3), frames,
                                  err);
    touch(p, s->bytes.block, s->bytes.capacity);
    touch(p, s->picture.block, s->picture.capacity_bytes);
    return st;
}

static vg_status make_buffers(stream_predict *p, const job_plan *plan, vg_error *err)
{
    base_mem *frames = &p->mem->owner[STREAM_FRAMES];
    vg_status st = image_decoder_reserve(p->decoder, &p->list.decoder_need, frames, err);
    const bool takes_pictures = stream_detector_takes_pictures(p->detector);
    if (st == VG_OK && !takes_pictures)
        st = stream_prepare_reserve(&p->letterbox_scratch, stream_detector_info(p->detector),
                                    plan->most_h, plan->most_w, p->setting.most_h,
                                    p->setting.most_w, frames, err);
    for (size_t i = 0; i < p->n_batches && st == VG_OK; i++) {
        batch *b = &p->batches[i];
        b->slots =
            base_alloc_zero(&p->mem->owner[STREAM_DETECTIONS], p->most, sizeof *b->slots, err);
        if (!b->slots)
            return VG_ERR_MEMORY;
        if (!takes_pictures)
            b->input = base_alloc(frames, plan->input_bytes, err);
        if (!takes_pictures && !b->input)
            return VG_ERR_MEMORY;
        b->input_bytes = plan->input_bytes;
        touch(p, b->input, b->input_bytes);
        for (size_t k = 0; k < p->most && st == VG_OK; k++)
            st = make_slot(p, &b->slots[k], plan, err);
    }
    return st;
}

void job_free_buffers(stream_predict *p)
{
    for (size_t i = 0; i < MOST_BATCHES; i++) {
        batch *b = &p->batches[i];
        for (size_t k = 0; b->slots && k < p->most; k++) {
            picture_bytes_fini(&b->slots[k].bytes);
            image_buffer_fini(&b->slots[k].picture);
            task_found_close(&b->slots[k].found);
        }
        base_free(b->slots);
        base_free(b->input);
    }
    base_free(p->wanted_classes);
    image_scratch_fini(&p->letterbox_scratch);
}

/* ---- all of it ---- */

/* What this file takes, by owner; the detector adds its own. */
static vg_status make_plan(stream_predict *p, job_plan *plan, const stream_model *m, vg_error *err)
{
    stream_accounts *mem = p->mem;
    p->most = (size_t)p->o.detector.batch;
    p->threaded = p->list.n > p->most;
    const bool takes_pictures = stream_detector_takes_pictures(p->detector);
    p->n_batches = !p->threaded ? 1 : takes_pictures ? MOST_BATCHES : MOST_BATCHES - 1;
    vg_status st = largest_input(p, m, &plan->most_h, &plan->most_w, err);
    if (st != VG_OK)
        return st;
    size_t n_slots = p->n_batches * p->most;
    if (!takes_pictures)
        plan->input_bytes =
            p->most * (size_t)plan->most_h * (size_t)plan->most_w * 3 * sizeof(float);
    /* One more, so that a read sees the end of the file without growing. */
    plan->file_bytes = p->list.largest_bytes > 0 ? p->list.largest_bytes + 1 : 0;
    set_sizes(p, m);
    if (p->list.all_probed) {
        p->o.detector.picture_h = p->setting.most_h;
        p->o.detector.picture_w = p->setting.most_w;
    }
    plan->shape = stream_detector_shape(&m->info, &p->o.detector, plan->most_h, plan->most_w,
                                        p->o.nms.max_det);
    mem->planned_bytes[STREAM_FRAMES] =
        mem->owner[STREAM_FRAMES].in_use_bytes + image_decoder_bytes(&p->list.decoder_need) +
        (takes_pictures ? 0
                        : stream_prepare_bytes(&m->info, plan->most_h, plan->most_w,
                                               p->setting.most_h, p->setting.most_w)) +
        p->n_batches * plan->input_bytes +
        n_slots * (plan->file_bytes + p->list.largest_pixels_bytes);
    mem->planned_bytes[STREAM_DETECTIONS] =
        n_slots * (sizeof(slot) + task_found_bytes(&plan->shape)) +
        (filters_classes(p) ? (size_t)m->info.nc : 0);
    mem->planned_bytes[STREAM_OUTPUT] = mem->owner[STREAM_OUTPUT].in_use_bytes + sinks_bytes(p);
    return VG_OK;
}

vg_status job_open(stream_predict *p, vg_error *err)
{
    stream_accounts *mem = p->mem;
    stream_model model = {0};
    job_plan plan = {0};
    vg_status st = image_decoder_create(&p->decoder, NULL, &mem->owner[STREAM_FRAMES], err);
    if (st == VG_OK)
        st = picture_list_open(&p->list, p->o.source, p->decoder, &mem->owner[STREAM_OUTPUT], err);
    if (st == VG_OK)
        st = stream_model_open(&model, p->o.detector.weights, p->o.detector.task,
                               p->o.detector.imgsz, mem, err);
    if (st != VG_OK)
        return st;
    const task *kind = task_of(model.info.task);
    if (p->o.save_crop && (kind->is_rotated || kind->is_whole)) {
        stream_model_close(&model);
        return base_fail(err, VG_ERR_UNSUPPORTED, "option save_crop", "leave it out",
                         "crops are of upright boxes, and the model is for task %s", kind->name);
    }
    p->o.detector.retina_masks = p->o.retina_masks;
    p->o.detector.picture_bytes = p->list.largest_pixels_bytes;
    p->o.detector.most_pending = p->list.n > (size_t)p->o.detector.batch ? MOST_PENDING : 1;
    st = stream_detector_begin(&p->detector, &model, &p->o.detector, mem, err);
    if (st == VG_OK)
        st = make_plan(p, &plan, &model, err);
    if (st == VG_OK)
        st = stream_detector_open(&p->detector, &model, &p->o.detector, plan.most_h, plan.most_w,
                                  p->o.nms.max_det, mem, err);
    stream_model_close(&model);
    if (st == VG_OK)
        st = choose_classes(p, err);
    if (st == VG_OK)
        st = make_buffers(p, &plan, err);
    if (st == VG_OK)
        st = open_sinks(p, err);
    /* The caller's, and only lent for opening. */
    p->o.source = p->o.project = p->o.name = p->o.detector.weights = p->o.detector.isa = NULL;
    p->o.classes = NULL;
    p->o.class_names = NULL;
    return st;
}
