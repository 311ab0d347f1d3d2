/* job.h: the inside of a predict job: the batches that go round, and what its three files share.
 * Internal to stream. predict.c: threads and the caller's side; predict_stages.c: what is done to a
 * batch; predict_open.c: sizes, buffers, sinks. */
#ifndef STREAM_PICTURES_JOB_H
#define STREAM_PICTURES_JOB_H

#include <locale.h>
#include <pthread.h>
#include <stdatomic.h>

#include "predict.h"
#include "sink.h"

/* A device has one batch more, as two of them are under way on it. */
enum { MOST_BATCHES = 4, N_STAGES = 3, MOST_PENDING = 2 };

typedef struct slot {
    const picture_entry *entry;
    picture_bytes bytes;
    image_buffer picture;
    image_letterbox_fit fit;
    task_found found; /* (max_det) */
    int input_index;  /* place in the batch's input; -1: not in it */
    vg_predict_result result;
} slot;

typedef struct batch {
    slot *slots;    /* (most) */
    size_t n, next; /* pictures in it; the caller's next */
    float *input;   /* (n_input, h, w, 3) */
    size_t input_bytes;
    int n_input, h, w;
    int64_t began_ns;  /* to compute */
    bool is_submitted; /* to the device */
    vg_status fatal;   /* not VG_OK: the job ends here */
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
    size_t n_saved; /* pictures; of the stage that saves */
    int n_made;     /* folders of that path that were not there before */
    sink_setting setting;
    image_encoder_need encoder_need;
    void **sink_states; /* (n_sinks) NULL: not wanted */
    locale_t c_locale;  /* files have decimal points, whatever the host program has set */
    batch batches[MOST_BATCHES];
    size_t n_batches, most;       /* most pictures in a batch */
    batch *current;               /* the caller's */
    batch *pending[MOST_PENDING]; /* on a device, the oldest first; of the infer stage */
    int n_pending;
    int64_t collected_ns; /* when the last of them came */
    bool threaded;
    atomic_bool stopping; /* batches still under way are passed on untouched */
    pthread_t threads[N_STAGES];
    int n_threads;
    base_queue *free, *to_infer, *to_save, *done;
};

/* Plans, checks the limit, takes everything and makes the run folder; no threads yet. What a
 * failure leaves is stream_predict_close's. */
vg_status job_open(stream_predict *p, vg_error *err);
/* Closes sinks; the first error is told. */
vg_status job_close_sinks(stream_predict *p, vg_error *err);
void job_free_buffers(stream_predict *p);

/* Fills b with the next pictures; false at the end of the list. */
bool job_read(stream_predict *p, batch *b);
void job_infer(stream_predict *p, batch *b);
/* The same in two halves, where the detector takes pictures. False: others must be collected first.
 */
bool job_submit(stream_predict *p, batch *b);
/* The oldest, done; NULL: there is none. */
batch *job_collect(stream_predict *p);
void job_save(stream_predict *p, batch *b);

#endif
