/* predict.c: the pipeline of a predict job.
 *
 *   free -> [read: file, decode, letterbox] -> [infer: forward, boxes] -> [save: sinks] -> the
 * caller -> free
 *
 * What goes round are batches: up to `batch` pictures with all their buffers, made before the first
 * picture for the largest one that the headers promise. There are N_BATCHES of them, and the queues
 * hold no more: back-pressure is having no free batch. One thread a stage; a job of a single batch
 * runs in the caller, without threads. A picture that fails carries its error to the caller; what
 * fails for all (no memory, no disk) ends the job. */
#include "predict.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "run_folder.h"
#include "sink.h"

enum { N_BATCHES = 3, N_STAGES = 3 };

typedef struct slot {
    const picture_entry *entry;
    picture_bytes bytes;
    image_buffer picture;
    image_letterbox_fit fit;
    detect_box *boxes; /* (max_det) */
    int input_index;   /* place in the batch's input; -1: not in it */
    stream_result result;
} slot;

typedef struct batch {
    slot *slots;    /* (most) */
    size_t n, next; /* pictures in it; the caller's next */
    float *input;   /* (n_input, h, w, 3) */
    size_t input_bytes;
    int n_input, h, w;
    vg_status fatal; /* not VG_OK: the job ends here */
    vg_error fatal_error;
} batch;

struct stream_predict {
    stream_predict_options o;
    stream_accounts *mem;
    stream_detector *detector;
    uint8_t *wanted_classes; /* (nc), or NULL: all */
    picture_list list;
    size_t next_index; /* read stage */
    image_decoder *decoder;
    image_scratch letterbox_scratch;
    char folder[4096];
    sink_setting setting;
    void **sink_states; /* (n_sinks) NULL: not wanted */
    batch batches[N_BATCHES];
    size_t n_batches, most; /* most pictures in a batch */
    batch *current;         /* the caller's */
    bool threaded;
    pthread_t threads[N_STAGES];
    int n_threads;
    base_queue *free, *to_infer, *to_save, *done;
};

/* ---- read ---- */

static void read_picture(stream_predict *p, slot *s)
{
    base_mem *mem = &p->mem->owner[STREAM_FRAMES];
    stream_result *r = &s->result;
    int64_t start = base_now_ns();
    r->status = picture_bytes_read(&s->bytes, s->entry->path, 0, mem, &r->error);
    if (r->status == VG_OK)
        r->status = image_decode(p->decoder, &s->picture, s->bytes.block, s->bytes.n,
                                 s->entry->path, mem, &r->error);
    if (r->status == VG_OK) {
        r->w = s->picture.view.w;
        r->h = s->picture.view.h;
    }
    r->times.decode_ms = base_ms(base_now_ns() - start);
}

/* Pictures of one shape share a rectangle; of several, a square: as the field does. */
static bool same_shapes(const batch *b)
{
    const stream_result *first = NULL;
    for (size_t i = 0; i < b->n; i++) {
        const stream_result *r = &b->slots[i].result;
        if (r->status != VG_OK)
            continue;
        if (first && (r->w != first->w || r->h != first->h))
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

static void letterbox(stream_predict *p, batch *b)
{
    base_mem *mem = &p->mem->owner[STREAM_FRAMES];
    bool rect = same_shapes(b);
    for (size_t i = 0; i < b->n; i++) {
        slot *s = &b->slots[i];
        stream_result *r = &s->result;
        int64_t start = base_now_ns();
        if (r->status == VG_OK)
            r->status = stream_fit(&s->fit, stream_detector_imgsz(p->detector),
                                   stream_detector_info(p->detector)->max_stride, r->w, r->h, rect,
                                   &r->error);
        if (r->status != VG_OK)
            continue;
        r->in_w = b->w = s->fit.out_w;
        r->in_h = b->h = s->fit.out_h;
        size_t floats = (size_t)b->h * (size_t)b->w * 3, before = (size_t)b->n_input * floats;
        r->status = reserve_input(b, (before + floats) * sizeof(float), mem, &r->error);
        if (r->status == VG_OK)
            r->status = image_letterbox_to_float(b->input + before, &s->picture.view, &s->fit,
                                                 &p->letterbox_scratch, mem, &r->error);
        if (r->status == VG_OK)
            s->input_index = b->n_input++;
        r->times.preprocess_ms = base_ms(base_now_ns() - start);
    }
}

/* Fills b with the next pictures; false at the end of the list. */
static bool read_stage(stream_predict *p, batch *b)
{
    b->n = b->next = 0;
    b->n_input = 0;
    b->fatal = VG_OK;
    while (b->n < p->most && p->next_index < p->list.n) {
        slot *s = &b->slots[b->n++];
        s->entry = &p->list.entries[p->next_index];
        s->input_index = -1;
        s->result = (stream_result){.index = p->next_index++,
                                    .total = p->list.n,
                                    .source = s->entry->path,
                                    .boxes = s->boxes};
        read_picture(p, s);
    }
    letterbox(p, b);
    return b->n > 0;
}

/* ---- infer ---- */

static void infer_stage(stream_predict *p, batch *b)
{
    int64_t start = base_now_ns();
    if (b->n_input == 0)
        return;
    b->fatal =
        stream_detector_run(p->detector, b->input, b->n_input, b->h, b->w, p->mem, &b->fatal_error);
    if (b->fatal != VG_OK)
        return;
    double each_ms = base_ms(base_now_ns() - start) / b->n_input;
    for (size_t i = 0; i < b->n; i++) {
        slot *s = &b->slots[i];
        if (s->input_index < 0)
            continue;
        int64_t boxes_start = base_now_ns();
        s->result.n_boxes = stream_detector_boxes(p->detector, s->boxes, s->input_index,
                                                  s->result.w, s->result.h, &p->o.nms);
        s->result.times.inference_ms = each_ms;
        s->result.times.postprocess_ms = base_ms(base_now_ns() - boxes_start);
    }
}

/* ---- save ---- */

/* The world's trouble (disk, memory) ends the job; what one picture cannot have written is that
 * picture's. */
static bool is_fatal(vg_status st)
{
    return st == VG_ERR_IO || st == VG_ERR_MEMORY || st == VG_ERR_SYSTEM;
}

static void save_stage(stream_predict *p, batch *b)
{
    for (size_t i = 0; i < b->n && b->fatal == VG_OK; i++) {
        slot *s = &b->slots[i];
        sink_item item = {.result = &s->result, .entry = s->entry, .picture = &s->picture.view};
        int64_t start = base_now_ns();
        for (size_t k = 0; k < n_sinks && s->result.status == VG_OK && b->fatal == VG_OK; k++) {
            vg_error err;
            vg_status st = p->sink_states[k]
                               ? sinks[k]->write(p->sink_states[k], &p->setting, &item, &err)
                               : VG_OK;
            if (st == VG_OK)
                continue;
            *(is_fatal(st) ? &b->fatal_error : &s->result.error) = err;
            *(is_fatal(st) ? &b->fatal : &s->result.status) = st;
        }
        s->result.times.save_ms = base_ms(base_now_ns() - start);
    }
}

/* ---- threads ---- */

static void *read_loop(void *self)
{
    stream_predict *p = self;
    void *b;
    while (base_queue_pop(p->free, &b, -1, NULL) && read_stage(p, b) &&
           base_queue_push(p->to_infer, b, NULL))
        ;
    base_queue_close(p->to_infer);
    return NULL;
}

static void *infer_loop(void *self)
{
    stream_predict *p = self;
    void *b;
    while (base_queue_pop(p->to_infer, &b, -1, NULL)) {
        infer_stage(p, b);
        base_queue_push(p->to_save, b, NULL);
    }
    base_queue_close(p->to_save);
    return NULL;
}

static void *save_loop(void *self)
{
    stream_predict *p = self;
    void *b;
    while (base_queue_pop(p->to_save, &b, -1, NULL)) {
        save_stage(p, b);
        base_queue_push(p->done, b, NULL);
    }
    base_queue_close(p->done);
    return NULL;
}

static vg_status start_threads(stream_predict *p, vg_error *err)
{
    void *(*const loops[N_STAGES])(void *) = {read_loop, infer_loop, save_loop};
    base_queue **const queues[] = {&p->free, &p->to_infer, &p->to_save, &p->done};
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++) {
        vg_status st = base_queue_create(queues[i], p->n_batches, BASE_QUEUE_BLOCK,
                                         &p->mem->owner[STREAM_PLANS], err);
        if (st != VG_OK)
            return st;
    }
    for (size_t i = 0; i < p->n_batches; i++)
        base_queue_push(p->free, &p->batches[i], NULL);
    for (p->n_threads = 0; p->n_threads < N_STAGES; p->n_threads++) {
        errno = pthread_create(&p->threads[p->n_threads], NULL, loops[p->n_threads], p);
        if (errno != 0)
            return base_fail_errno(err, VG_ERR_SYSTEM, NULL, NULL, "a thread cannot be started");
    }
    return VG_OK;
}

/* A stage that never started cannot close its queue, so all are closed here, from the front. */
static void stop_threads(stream_predict *p)
{
    base_queue *const queues[] = {p->free, p->to_infer, p->to_save, p->done};
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        if (queues[i] && (i == 0 || p->n_threads < N_STAGES))
            base_queue_close(queues[i]);
    for (int i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    base_queue_destroy(&p->free);
    base_queue_destroy(&p->to_infer);
    base_queue_destroy(&p->to_save);
    base_queue_destroy(&p->done);
}

/* ---- open ---- */

static vg_status choose_classes(stream_predict *p, vg_error *err)
{
    int nc = stream_detector_info(p->detector)->nc;
    if (!p->o.classes)
        return VG_OK;
    p->wanted_classes = base_alloc_zero(&p->mem->owner[STREAM_DETECTIONS], (size_t)nc, 1, err);
    if (!p->wanted_classes)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < p->o.n_classes; i++) {
        int c = p->o.classes[i];
        if (c < 0 || c >= nc)
            return base_fail(err, VG_ERR_ARGUMENT, "classes", base_mend("use 0 to %d", nc - 1),
                             "class %d of a model of %d classes", c, nc);
        p->wanted_classes[c] = 1;
    }
    p->o.nms.classes = p->wanted_classes;
    return VG_OK;
}

/* The largest network input that the list will ask for: the square, unless all sizes are known and
 * flatter. */
static vg_status largest_input(const stream_predict *p, const stream_model *m, int *most_h,
                               int *most_w, vg_error *err)
{
    *most_h = *most_w = m->imgsz;
    if (!p->list.all_probed || p->most > 1)
        return VG_OK;
    int h = m->info.max_stride, w = h;
    for (size_t i = 0; i < p->list.n; i++) {
        image_letterbox_fit fit;
        const picture_entry *e = &p->list.entries[i];
        if (e->w == 0)
            continue; /* broken, or it would have been probed */
        vg_status st = stream_fit(&fit, m->imgsz, m->info.max_stride, e->w, e->h, true, err);
        if (st != VG_OK)
            return st;
        h = fit.out_h > h ? fit.out_h : h;
        w = fit.out_w > w ? fit.out_w : w;
    }
    *most_h = h;
    *most_w = w;
    return VG_OK;
}

/* Every page of every buffer is there before the first of many pictures; a single one touches what
 * it needs. */
static vg_status make_batches(stream_predict *p, size_t input_bytes, vg_error *err)
{
    base_mem *frames = &p->mem->owner[STREAM_FRAMES];
    for (size_t i = 0; i < p->n_batches; i++) {
        batch *b = &p->batches[i];
        b->slots =
            base_alloc_zero(&p->mem->owner[STREAM_DETECTIONS], p->most, sizeof *b->slots, err);
        b->input = b->slots ? base_alloc(frames, input_bytes, err) : NULL;
        if (!b->input)
            return VG_ERR_MEMORY;
        b->input_bytes = input_bytes;
        for (size_t k = 0; k < p->most; k++) {
            slot *s = &b->slots[k];
            s->boxes = base_alloc_zero(&p->mem->owner[STREAM_DETECTIONS], (size_t)p->o.nms.max_det,
                                       sizeof *s->boxes, err);
            vg_status st = s->boxes ? VG_OK : VG_ERR_MEMORY;
            if (st == VG_OK && p->list.largest_bytes > 0)
                st = picture_bytes_reserve(&s->bytes, p->list.largest_bytes + 1, frames, err);
            if (st == VG_OK && p->list.largest_pixels_bytes > 0)
                st = image_buffer_reserve(&s->picture, 1, (int)(p->list.largest_pixels_bytes / 3),
                                          frames, err);
            if (st != VG_OK)
                return st;
            if (p->threaded && s->bytes.block)
                memset(s->bytes.block, 0, s->bytes.capacity);
            if (p->threaded && s->picture.block)
                memset(s->picture.block, 0, s->picture.capacity_bytes);
        }
        if (p->threaded)
            memset(b->input, 0, input_bytes);
    }
    return VG_OK;
}

static bool wants_any_sink(const stream_predict_options *o)
{
    for (size_t i = 0; i < n_sinks; i++)
        if (sinks[i]->is_wanted(o))
            return true;
    return false;
}

static vg_status open_sinks(stream_predict *p, vg_error *err)
{
    base_mem *mem = &p->mem->owner[STREAM_OUTPUT];
    p->sink_states = base_alloc_zero(mem, n_sinks, sizeof *p->sink_states, err);
    if (!p->sink_states)
        return VG_ERR_MEMORY;
    if (!wants_any_sink(&p->o))
        return VG_OK;
    vg_status st = stream_run_folder_make(p->folder, sizeof p->folder, p->o.project, p->o.name,
                                          p->o.exist_ok, err);
    p->setting =
        (sink_setting){.options = &p->o, .detector = p->detector, .folder = p->folder, .mem = mem};
    for (size_t i = 0; i < n_sinks && st == VG_OK; i++) {
        if (!sinks[i]->is_wanted(&p->o))
            continue;
        void *state = base_alloc_zero(mem, 1, sinks[i]->state_bytes, err);
        st = state ? sinks[i]->open(state, &p->setting, err) : VG_ERR_MEMORY;
        if (st == VG_OK)
            p->sink_states[i] = state;
        else
            base_free(state);
    }
    return st;
}

static vg_status open_all(stream_predict *p, vg_error *err)
{
    stream_accounts *mem = p->mem;
    stream_model model = {0};
    int most_h, most_w;
    vg_status st = image_decoder_create(&p->decoder, NULL, &mem->owner[STREAM_FRAMES], err);
    if (st == VG_OK)
        st = picture_list_open(&p->list, p->o.source, p->decoder, &mem->owner[STREAM_OUTPUT], err);
    if (st == VG_OK)
        st = stream_model_open(&model, p->o.detector.weights, p->o.detector.imgsz, mem, err);
    if (st != VG_OK)
        return st;
    p->most = (size_t)p->o.detector.batch;
    p->threaded = p->list.n > p->most;
    p->n_batches = p->threaded ? N_BATCHES : 1;
    st = largest_input(p, &model, &most_h, &most_w, err);
    size_t input_bytes = p->most * (size_t)most_h * (size_t)most_w * 3 * sizeof(float);
    size_t slot_bytes = p->list.largest_bytes + 1 + p->list.largest_pixels_bytes;
    mem->planned_bytes[STREAM_FRAMES] = p->n_batches * (input_bytes + p->most * slot_bytes);
    mem->planned_bytes[STREAM_DETECTIONS] =
        p->n_batches * p->most * (sizeof(slot) + (size_t)p->o.nms.max_det * sizeof(detect_box));
    mem->planned_bytes[STREAM_OUTPUT] = mem->owner[STREAM_OUTPUT].in_use_bytes;
    if (st == VG_OK)
        st = stream_detector_open(&p->detector, &model, &p->o.detector, most_h, most_w,
                                  p->o.nms.max_det, mem, err);
    stream_model_close(&model);
    if (st == VG_OK)
        st = choose_classes(p, err);
    if (st == VG_OK)
        st = make_batches(p, input_bytes, err);
    if (st == VG_OK)
        st = open_sinks(p, err);
    if (st == VG_OK && p->threaded)
        st = start_threads(p, err);
    return st;
}

vg_status stream_predict_open(stream_predict **out, const stream_predict_options *o,
                              stream_accounts *mem, vg_error *err)
{
    *out = NULL;
    stream_predict *p = base_alloc_zero(&mem->owner[STREAM_PLANS], 1, sizeof *p, err);
    if (!p)
        return VG_ERR_MEMORY;
    p->o = *o;
    p->mem = mem;
    vg_status st = open_all(p, err);
    if (st != VG_OK)
        stream_predict_close(&p, NULL);
    *out = p;
    return st;
}

/* ---- the caller's side ---- */

/* The next batch, or NULL at the end. */
static batch *take_batch(stream_predict *p)
{
    void *b = NULL;
    if (p->threaded)
        return base_queue_pop(p->done, &b, -1, NULL) ? b : NULL;
    if (!read_stage(p, &p->batches[0]))
        return NULL;
    infer_stage(p, &p->batches[0]);
    save_stage(p, &p->batches[0]);
    return &p->batches[0];
}

vg_status stream_predict_next(stream_predict *p, const stream_result **out, vg_error *err)
{
    *out = NULL;
    if (p->current && p->current->next == p->current->n) {
        if (p->threaded)
            base_queue_push(p->free, p->current, NULL);
        p->current = NULL;
    }
    if (!p->current)
        p->current = take_batch(p);
    if (!p->current)
        return VG_OK;
    if (p->current->fatal != VG_OK) {
        if (err)
            *err = p->current->fatal_error;
        return p->current->fatal;
    }
    *out = &p->current->slots[p->current->next++].result;
    return VG_OK;
}

vg_status stream_predict_close(stream_predict **predict, vg_error *err)
{
    stream_predict *p = *predict;
    vg_status st = VG_OK;
    if (!p)
        return st;
    stop_threads(p);
    for (size_t i = 0; p->sink_states && i < n_sinks; i++) {
        if (!p->sink_states[i])
            continue;
        vg_status closed = sinks[i]->close(p->sink_states[i], st == VG_OK ? err : NULL);
        st = st == VG_OK ? closed : st;
        base_free(p->sink_states[i]);
    }
    base_free(p->sink_states);
    for (size_t i = 0; i < N_BATCHES; i++) {
        batch *b = &p->batches[i];
        for (size_t k = 0; b->slots && k < p->most; k++) {
            picture_bytes_fini(&b->slots[k].bytes);
            image_buffer_fini(&b->slots[k].picture);
            base_free(b->slots[k].boxes);
        }
        base_free(b->slots);
        base_free(b->input);
    }
    stream_detector_close(&p->detector);
    base_free(p->wanted_classes);
    picture_list_close(&p->list);
    image_scratch_fini(&p->letterbox_scratch);
    image_decoder_destroy(&p->decoder);
    base_free(p);
    *predict = NULL;
    return st;
}

stream_detector *stream_predict_detector(const stream_predict *p)
{
    return p->detector;
}

const char *stream_predict_folder(const stream_predict *p)
{
    return p->folder;
}
