/* together.h: a run of several ranks: each makes the gradients of its share of every batch, and
 * they are added up while backward goes on. For this folder.
 *
 * The gradients lie in one block in the order of the parameters, and backward goes through them
 * from behind, so a bucket is a stretch of that block: it is added up in place, by MPI, as soon as
 * backward has left it. Nothing is copied, and no memory but MPI's own is needed.
 *
 * What is added up is a sum and no mean: each rank divides its loss by the whole batch's scores, so
 * the sum over ranks is the gradient of the batch in one process. Batches between two steps of the
 * optimizer (nbs) stay each rank's own until the last of them. */
#ifndef TRAIN_TOGETHER_H
#define TRAIN_TOGETHER_H

#include "engine.h"
#include "ranks/ranks.h"

/* A megabyte: small enough that the first sums begin early in backward, large enough that a
 * message's latency is a small part of it at 1 Gb/s. */
enum { TOGETHER_BUCKET_BYTES = 1 << 20, TOGETHER_TAIL = DETECT_MOST_ITEMS + 5 };

typedef struct together_bucket {
    float *at;
    size_t n; /* floats */
    int n_params, n_left;
} together_bucket;

/* What rank 0 decides after a batch, for all. */
typedef struct together_word {
    bool stops; /* any rank wants to */
    bool is_late, saves, looks;
} together_word;

/* Times of one rank, in all or since a moment. */
typedef struct together_time {
    int64_t took_ns; /* of which it waited for others, and pushed messages on */
    uint64_t wait_ns, push_ns;
} together_time;

typedef struct together {
    ranks *ranks; /* NULL: alone, and nothing else here is set */
    nn_train_together net;
    train_engine_share share;
    together_bucket *buckets;
    int *bucket_of; /* (n_params) -1: none */
    int n_buckets;
    bool adds_up;   /* this batch's gradients, and those before it, now */
    bool is_folded; /* rank 0 has all gradients that were gathered, the others have zeros */
    double tail[TOGETHER_TAIL]; /* what is added up beside the gradients */
    together_time seen;         /* took_ns: the moment of the last look */
    double *looks;              /* (ranks, 2) */
} together;

/* e: open and prepared, on the CPU. Borrowed until close. */
vg_status together_open(together *t, ranks *r, train_engine *e, bool sync_bn, base_mem *mem,
                        vg_error *err);
/* What open takes. */
size_t together_bytes(const ranks *r, size_t n_params);
void together_close(together *t);

/* Before the batch's gradients: n_all pictures on all ranks; adds_up: a step comes after it. */
void together_batch(together *t, int n_all, bool adds_up);
/* After them: waits for the sums. loss becomes the whole batch's, n_labels too; word: of all. */
vg_status together_wait(together *t, detect_loss_value *loss, size_t *n_labels, together_word *word,
                        vg_error *err);
/* Gradients that wait for a step become rank 0's, so that its checkpoint has them. */
vg_status together_fold(together *t, train_engine *e, vg_error *err);
/* Since the last look; all ranks call it when a word said so. */
vg_status together_look_at(together *t, vg_train_ranks *out, vg_error *err);
/* Of a time that each rank has taken; all call it. */
vg_status together_compare(together *t, const together_time *mine, vg_train_ranks *out,
                           vg_error *err);
/* parts: (n, 2) of the time that each waited, and pushed. Sets all but the hosts' names and
 * step_bytes. */
void together_judge(vg_train_ranks *out, const double *parts, int n);

#endif
