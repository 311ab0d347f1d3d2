/* predict.c: the pipeline of a predict job.
 *
 *   free -> [read: file, decode, letterbox] -> [infer: forward, boxes] -> [save: sinks] -> the
 * caller -> free
 *
 * What goes round are batches: up to `batch` pictures with all their buffers, made before the first
 * picture for the largest one that the heads forecast. There are a few of them, and the queues
 * hold no more: back-pressure is having no free batch. One thread a stage; a job of a single batch
 * runs in the caller, without threads. A picture that fails carries its error to the caller; what
 * fails for all (no memory for the network, no disk) ends the job. */
#include "predict.h"

#include <string.h>

#include "job.h"
#include "report/report.h"

/* ---- threads ---- */

static void *read_loop(void *self)
{
    stream_predict *p = self;
    void *b;
    while (base_queue_pop(p->free, &b, -1, NULL) && job_read(p, b) &&
           base_queue_push(p->to_infer, b, NULL))
        ;
    base_queue_close(p->to_infer);
    return NULL;
}

static void hand_on(stream_predict *p, batch *b)
{
    if (b)
        base_queue_push(p->to_save, b, NULL);
}

/* While a batch computes on the device, the next goes up; when there is no next one yet, nothing is
 * gained by waiting for it. */
static void infer_ahead(stream_predict *p)
{
    void *b;
    for (bool is_open = true; is_open || p->n_pending > 0;) {
        bool timed_out = false;
        if (base_queue_pop(p->to_infer, &b, p->n_pending > 0 ? 0 : -1, &timed_out)) {
            while (!job_submit(p, b))
                hand_on(p, job_collect(p));
            continue;
        }
        is_open = timed_out;
        hand_on(p, job_collect(p));
    }
}

static void *infer_loop(void *self)
{
    stream_predict *p = self;
    void *b;
    if (stream_detector_takes_pictures(p->detector))
        infer_ahead(p);
    while (base_queue_pop(p->to_infer, &b, -1, NULL)) {
        job_infer(p, b);
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
        job_save(p, b);
        base_queue_push(p->done, b, NULL);
    }
    base_queue_close(p->done);
    return NULL;
}

static vg_status start_stages(stream_predict *p, vg_error *err)
{
    static const struct {
        const char *name;
        void *(*loop)(void *);
    } stages[N_STAGES] = {
        {"vigil-read", read_loop}, {"vigil-infer", infer_loop}, {"vigil-save", save_loop}};
    for (p->n_threads = 0; p->n_threads < N_STAGES; p->n_threads++) {
        const int i = p->n_threads;
        const vg_status st =
            base_thread_start(&p->threads[i], stages[i].name, 0, stages[i].loop, p, err);
        if (st != VG_OK)
            return st;
    }
    return VG_OK;
}

static vg_status start_threads(stream_predict *p, vg_error *err)
{
    base_queue **const queues[] = {&p->free, &p->to_infer, &p->to_save, &p->done};
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++) {
        vg_status st = base_queue_create(queues[i], p->n_batches, BASE_QUEUE_BLOCK,
                                         &p->mem->owner[STREAM_PLANS], err);
        if (st != VG_OK)
            return st;
    }
    for (size_t i = 0; i < p->n_batches; i++)
        base_queue_push(p->free, &p->batches[i], NULL);
    return start_stages(p, err);
}

/* Closing `free` ends the read stage, which ends the next, and so on. A stage that never started
 * cannot close its queue, so then all are closed here. */
static void stop_threads(stream_predict *p)
{
    base_queue *const queues[] = {p->free, p->to_infer, p->to_save, p->done};
    p->stopping = true;
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

/* ---- the caller's side ---- */

vg_status stream_predict_open(stream_predict **out, const stream_predict_options *o,
                              stream_accounts *mem, vg_error *err)
{
    *out = NULL;
    stream_predict *p = base_alloc_zero(&mem->owner[STREAM_PLANS], 1, sizeof *p, err);
    if (!p)
        return VG_ERR_MEMORY;
    p->o = *o;
    p->mem = mem;
    vg_status st = job_open(p, err);
    if (st == VG_OK && p->threaded)
        st = start_threads(p, err);
    if (st != VG_OK)
        stream_predict_close(&p, NULL);
    *out = p;
    return st;
}

/* The next batch, or NULL at the end. */
static batch *take_batch(stream_predict *p)
{
    void *b = NULL;
    if (p->threaded)
        return base_queue_pop(p->done, &b, -1, NULL) ? b : NULL;
    if (!job_read(p, &p->batches[0]))
        return NULL;
    job_infer(p, &p->batches[0]);
    job_save(p, &p->batches[0]);
    return &p->batches[0];
}

vg_status stream_predict_next(stream_predict *p, const vg_predict_result **out, vg_error *err)
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
    if (!p)
        return VG_OK;
    stop_threads(p);
    vg_status st = job_close_sinks(p, err);
    if (p->n_saved == 0) /* nothing of a job that could not begin, or saved nothing, is left */
        report_run_folder_take_back(p->folder, p->n_made, NULL);
    job_free_buffers(p);
    stream_detector_close(&p->detector);
    picture_list_close(&p->list);
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
