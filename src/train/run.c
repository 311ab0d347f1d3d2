/* run.c: the loop. Nothing of a run's course is kept outside train_state, so that a checkpoint of
 * it is the run. */
#include "agree.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/image.h"
#include "task/task.h"

/* So many optimizer steps in a row whose gradient is no number: it will not come back by itself. */
enum { MOST_BAD_STEPS = 10 };

/* Of several ranks: how often they tell how long they wait, and how often at most a slow one is
 * told. */
#define LOOK_EVERY_NS INT64_C(5000000000)
#define WARN_EVERY_NS INT64_C(300000000000)

static double seconds_now(const train_run *r)
{
    return r->seconds_before + (double)(base_now_ns() - r->started_ns) * 1e-9;
}

/* Of all sessions together. Asked once an epoch is over, the answer stays: the clock only rises. */
static bool time_is_up(const train_run *r)
{
    return r->args.hours > 0 && seconds_now(r) >= r->args.hours * 3600;
}

/* Of rank 0's clock, which is all ranks'. */
static vg_status ask_time(train_run *r, bool *is_up, vg_error *err)
{
    *is_up = time_is_up(r);
    return ranks_spread(r->mem.ranks, is_up, sizeof *is_up, err);
}

/* As the reference does: so many epochs that, at the mean time of those behind us, the schedule
 * ends with the time. The epoch to come is one of them, unless this was to be the last. */
static vg_status plan_epochs(train_run *r, bool was_last, vg_error *err)
{
    const int64_t done = r->state.position.epoch;
    if (r->args.hours <= 0)
        return VG_OK;
    const double mean_s = seconds_now(r) / (double)done,
                 n = ceil(r->args.hours * 3600 / fmax(mean_s, 1e-9)),
                 least = (double)(was_last ? done : done + 1);
    r->args.epochs = (int)fmin(fmax(n, least), TRAIN_MOST_EPOCHS);
    const vg_status st = ranks_spread(r->mem.ranks, &r->args.epochs, sizeof r->args.epochs, err);
    r->schedule.epochs = r->args.epochs;
    return st;
}

static bool stop_is_wanted(const train_listener *l)
{
    return l != NULL && l->wants_stop != NULL && l->wants_stop(l->ctx);
}

void run_tell_saved(const train_run *r, const char *path, bool is_checkpoint)
{
    if (r->listener != NULL && r->listener->saved != NULL)
        r->listener->saved(r->listener->ctx, path, is_checkpoint);
}

vg_status run_save_checkpoint(train_run *r, vg_error *err)
{
    const train_facts facts = run_facts(r);
    r->state.position.seconds = seconds_now(r);
    r->saved_ns = base_now_ns();
    const vg_status st =
        train_checkpoint_save(&r->state, &r->args, &facts, r->last_path, r->mem.work, err);
    r->has_saved = r->has_saved || st == VG_OK;
    return st;
}

static vg_status interrupted(train_run *r, vg_error *err)
{
    const vg_status st = run_keep(r, err);
    if (st != VG_OK)
        return st;
    const vg_status ended = ranks_end(r->mem.ranks, err);
    if (ended != VG_OK)
        return ended;
    if (r->bearing.is_full) {
        *err = r->bearing.news;
        return err->status;
    }
    return base_fail(err, VG_ERR_INTERRUPTED, r->last_path,
                     base_mend("resume it with resume=%.400s", r->last_path),
                     "stopped in epoch %lld of %d, after batch %lld of %lld",
                     (long long)r->state.position.epoch + 1, r->args.epochs,
                     (long long)r->state.position.batch, (long long)r->schedule.n_batches);
}

/* ---- one batch ---- */

typedef struct sized_input {
    const float *input;
    int n, h, w;
} sized_input;

static sized_input size_input(train_run *r, const data_batch *b)
{
    if (r->resized == NULL)
        return (sized_input){b->input, b->n, b->h, b->w};
    const int stride = r->info.max_stride, longer = b->h > b->w ? b->h : b->w;
    const int size = train_rng_size(&r->state.rng, r->args.imgsz, stride, r->args.multi_scale);
    if (size == longer)
        return (sized_input){b->input, b->n, b->h, b->w};
    const int h = run_scaled_side(b->h, longer, size, stride),
              w = run_scaled_side(b->w, longer, size, stride);
    const image_resampling to = {.h = h, .w = w, .out_h = h, .out_w = w};
    image_resample(r->resized, &to, b->input, b->n, b->h, b->w);
    return (sized_input){r->resized, b->n, h, w};
}

/* steps: the optimizer's step comes after it. word: what this rank wants, then what all do. */
static vg_status add_gradients(train_run *r, const data_batch *b, const sized_input *in, bool steps,
                               size_t *n_labels, together_word *word, vg_error *err)
{
    together_batch(&r->together, b->n_all, steps);
    const train_engine_batch batch = {.input = in->input,
                                      .n = in->n,
                                      .h = in->h,
                                      .w = in->w,
                                      .labels = b->labels,
                                      .n_labels = b->n_labels,
                                      .extras = {.keypoints = b->keypoints,
                                                 .n_keypoints = r->info.keypoints,
                                                 .keypoint_dims = r->info.keypoint_dims,
                                                 .index_maps = b->index_maps,
                                                 .masks = b->masks,
                                                 .mask_h = b->mask_h,
                                                 .mask_w = b->mask_w},
                                      .share = r->mem.ranks != NULL ? &r->together.share : NULL};
    detect_loss_value value;
    vg_status st = train_engine_gradients(&r->engine, &value, &batch, err);
    *n_labels = b->n_labels;
    if (st == VG_OK)
        st = together_wait(&r->together, &value, n_labels, word, err);
    if (st != VG_OK)
        return st;
    train_position *p = &r->state.position;
    p->has_gradients = true;
    for (int k = 0; k < value.n_items; k++)
        p->loss_sums[k] += value.items[k];
    return VG_OK;
}

static vg_status step(train_run *r, const train_rates *rates, int64_t ni, vg_error *err)
{
    train_position *p = &r->state.position;
    bool good;
    const bool is_scaled = train_scale(&r->engine.scaler) > 1;
    const vg_status st = train_engine_step(&r->engine, rates, &r->grad_norm, &good, err);
    if (st != VG_OK)
        return st;
    p->has_gradients = false;
    p->last_step = ni;
    r->n_steps++;
    if (good) {
        r->n_bad_steps = 0;
        return VG_OK;
    }
    /* A scaled loss may have been more than 16 bits hold: the next is half of it. */
    if (is_scaled || ++r->n_bad_steps < MOST_BAD_STEPS)
        return VG_OK;
    /* All ranks have the same gradients, so all come here. */
    return ranks_settle(
        r->mem.ranks,
        base_fail(
            err, VG_ERR_FORMAT,
            base_where("epoch %lld, batch %lld", (long long)p->epoch + 1, (long long)p->batch + 1),
            r->engine.scaler.scale > 0
                ? "lower lr0 or warmup_bias_lr, or take amp=false; the last checkpoint is from "
                  "before"
                : "lower lr0 or warmup_bias_lr; the last checkpoint is from before",
            "training has diverged: %d steps in a row had a gradient that is not a number",
            MOST_BAD_STEPS),
        err);
}

static void tell_batch(const train_run *r, const train_listener *l, const data_batch *b,
                       size_t n_labels, const sized_input *in, const train_rates *rates)
{
    if (l == NULL || l->batch == NULL)
        return;
    const train_position *p = &r->state.position;
    vg_train_batch progress = {.epoch = (int)p->epoch + 1,
                               .n_epochs = r->args.epochs,
                               .batch = p->batch,
                               .n_batches = p->n_batches,
                               .n_pictures = b->n_all,
                               .width = in->w,
                               .height = in->h,
                               .n_instances = n_labels,
                               .grad_norm = r->grad_norm,
                               .lr = {rates->lr[0], rates->lr[1], rates->lr[2]},
                               .seconds = seconds_now(r)};
    progress.task = train_run_task(r)->id;
    progress.n_losses = train_run_task(r)->n_losses;
    for (int k = 0; k < progress.n_losses; k++)
        progress.loss[k] = p->loss_sums[k] / (double)p->batch;
    l->batch(l->ctx, &progress);
}

static together_word ask_word(const train_run *r, const train_listener *listener)
{
    const double minutes = (double)(base_now_ns() - r->saved_ns) / 60e9;
    const bool is_due = r->args.save_minutes > 0 && minutes >= r->args.save_minutes;
    return (together_word){.stops = stop_is_wanted(listener),
                           .is_late = time_is_up(r),
                           .saves = r->args.save && (is_due || run_is_due_again(r)),
                           .looks = r->mem.ranks != NULL &&
                                    base_now_ns() - r->looked_ns >= LOOK_EVERY_NS};
}

/* Who waits for whom. A rank that the others wait for is worth a line in the log, once in a while:
 * a machine that is slower or has other work holds all of them up. */
static vg_status look(train_run *r, const train_listener *l, vg_error *err)
{
    char name[RANKS_HOST_BYTES + 32];
    vg_train_ranks waits;
    const vg_status st = together_look_at(&r->together, &waits, err);
    r->looked_ns = base_now_ns();
    if (st != VG_OK || !run_writes(r))
        return st;
    if (waits.is_slow && (r->warned_ns == 0 || r->looked_ns - r->warned_ns >= WARN_EVERY_NS)) {
        r->warned_ns = r->looked_ns;
        base_log(BASE_LOG_WARN, "a rank is slow", "rank=\"%s\" others_wait=%.0f%% exchange=%.0f%%",
                 ranks_name(name, sizeof name, r->mem.ranks, waits.shown[0].rank),
                 100 * waits.for_slowest, 100 * waits.exchange);
    }
    if (l != NULL && l->ranks != NULL)
        l->ranks(l->ctx, &waits);
    return st;
}

static vg_status run_batch(train_run *r, const data_batch *b, const train_listener *listener,
                           vg_error *err)
{
    train_position *p = &r->state.position;
    const train_rates rates = train_schedule_at(&r->schedule, (int)p->epoch, p->batch);
    const int64_t ni = p->batch + p->n_batches * p->epoch;
    if (listener != NULL && listener->input != NULL) {
        const vg_status st = listener->input(listener->ctx, ni, b, err);
        if (st != VG_OK)
            return st;
    }
    const sized_input in = size_input(r, b);
    const bool steps = train_schedule_steps(ni, p->last_step, rates.accumulate),
               is_alone = r->mem.ranks == NULL;
    size_t n_labels;
    /* With several ranks all is asked once a batch, before its sums: what comes meanwhile is the
     * next batch's. */
    together_word word = is_alone ? (together_word){0} : ask_word(r, listener);
    vg_status st = add_gradients(r, b, &in, steps, &n_labels, &word, err);
    if (st == VG_OK && steps)
        st = step(r, &rates, ni, err);
    if (st != VG_OK)
        return st;
    p->batch++;
    if (word.looks)
        st = look(r, listener, err);
    tell_batch(r, listener, b, n_labels, &in, &rates);
    if (is_alone) /* it may be the listener that stops */
        word = ask_word(r, listener);
    r->is_time_up = word.is_late;
    if (st == VG_OK && word.stops)
        return interrupted(r, err);
    return st == VG_OK && word.saves ? run_keep(r, err) : st;
}

/* ---- one epoch ---- */

/* The recipe's last epochs are without mosaic and mixup; when there are fewer epochs than that,
 * none is. */
static vg_status choose_augment(train_run *r, vg_error *err)
{
    const int64_t from = r->args.epochs - r->args.close_mosaic;
    if (r->args.close_mosaic <= 0 || from < 0 || r->state.position.epoch < from)
        return VG_OK;
    /* With `time` the number of epochs moves, and so does the place where it would have begun. */
    if (r->plain_epoch < 0)
        r->plain_epoch = r->state.position.epoch > r->first_epoch ? r->state.position.epoch : from;
    data_augment plain = run_augment(&r->args);
    plain.mosaic = plain.mixup = plain.copy_paste = 0;
    return data_loader_set_augment(r->loader, &plain, err);
}

static vg_status train_batches(train_run *r, const train_listener *listener, vg_error *err)
{
    train_position *p = &r->state.position;
    if (p->batch >= p->n_batches)
        return VG_OK; /* resumed between the last batch and validation */
    const int64_t began_ns = base_now_ns();
    const ranks_figures before = ranks_figures_get(r->mem.ranks);
    if (listener != NULL && listener->epoch_start != NULL)
        listener->epoch_start(listener->ctx, (int)p->epoch + 1, r->args.epochs);
    vg_status st = choose_augment(r, err);
    if (st == VG_OK)
        st = data_loader_start(r->loader, (uint64_t)p->epoch, (size_t)p->batch, err);
    while (st == VG_OK) {
        const data_batch *b;
        st = data_loader_next(r->loader, &b, err);
        if (st != VG_OK || b == NULL)
            break;
        assert((int64_t)b->index == p->batch);
        st = run_batch(r, b, listener, err);
        if (st == VG_OK && r->is_time_up)
            break;
    }
    r->batches_ns += (uint64_t)(base_now_ns() - began_ns);
    const ranks_figures now = ranks_figures_get(r->mem.ranks);
    r->exchanged.wait_ns += now.wait_ns - before.wait_ns;
    r->exchanged.push_ns += now.push_ns - before.push_ns;
    r->exchanged.sum_bytes += now.sum_bytes - before.sum_bytes;
    return st;
}

/* Between a run's listener and its validator. */
typedef struct onlooker {
    const train_listener *listener;
    bool is_final;
} onlooker;

static bool ask_onlooker(void *ctx)
{
    return stop_is_wanted(((const onlooker *)ctx)->listener);
}

static vg_status show_onlooker(void *ctx, const train_validated *p, vg_error *err)
{
    const onlooker *o = ctx;
    return o->listener->validated(o->listener->ctx, p, o->is_final, err);
}

vg_status run_validate(train_run *r, train_validation *out, const weights_file *weights,
                       const train_listener *listener, bool is_final, vg_error *err)
{
    onlooker o = {listener, is_final};
    const train_validate_watch watch = {
        .ctx = &o,
        .wants_stop = ask_onlooker,
        .picture = listener != NULL && listener->validated != NULL ? show_onlooker : NULL};
    if (listener != NULL && listener->validating != NULL)
        listener->validating(listener->ctx, is_final);
    const vg_status st = train_validate(r->validator, out, weights, &watch, err);
    if (st == VG_OK && !out->stopped && run_writes(r) && listener != NULL &&
        listener->validation != NULL)
        listener->validation(listener->ctx, out, is_final);
    return st;
}

static vg_train_epoch make_row(const train_run *r, const train_validation *v)
{
    const train_position *p = &r->state.position;
    const train_rates rates = train_schedule_at(&r->schedule, (int)p->epoch, p->n_batches - 1);
    vg_train_epoch row = {.epoch = (int)p->epoch + 1,
                          .n_epochs = r->args.epochs,
                          .seconds = seconds_now(r),
                          .is_validated = v != NULL};
    train_row_validation(&row, train_run_task(r), v);
    for (int k = 0; k < row.n_losses; k++)
        row.train_loss[k] = p->loss_sums[k] / (double)p->batch; /* all, unless time is up */
    memcpy(row.lr, rates.lr, sizeof row.lr);
    return row;
}

static vg_status save_model(train_run *r, const char *path, int64_t epoch, vg_error *err)
{
    if (!run_writes(r))
        return VG_OK;
    const train_facts facts = run_facts(r);
    const vg_status st = train_model_save(r->params, r->n_params, r->state.ema, WEIGHTS_F16, epoch,
                                          &r->args, &facts, path, r->mem.work, err);
    if (st == VG_OK)
        run_tell_saved(r, path, false);
    return st;
}

static vg_status save_period(train_run *r, int64_t epoch, vg_error *err)
{
    char path[TRAIN_PATH_BYTES];
    if (r->args.save_period < 1 || epoch % r->args.save_period != 0)
        return VG_OK;
    if (!base_format(path, sizeof path, "%s/weights/epoch%lld.safetensors", r->folder,
                     (long long)epoch))
        return base_fail(err, VG_ERR_LIMIT, r->folder, "use a shorter path",
                         "a path too long for a run's folder");
    return save_model(r, path, epoch, err);
}

/* In an order that a crash between any two may repeat: the row and best.safetensors are those of an
 * epoch that is done over, with the same numbers, until the checkpoint says that it is behind us.
 */
static vg_status end_epoch(train_run *r, const train_listener *listener, vg_error *err)
{
    train_position *p = &r->state.position;
    bool is_late;
    vg_status st = ask_time(r, &is_late, err);
    if (st == VG_OK)
        st = agree_values(r, err);
    if (st != VG_OK)
        return st;
    const bool is_last = is_late || p->epoch + 1 == r->args.epochs;
    const bool validates = r->args.val || is_last;
    train_validation v = {0};
    st = train_engine_settle_average(&r->engine, err);
    if (st == VG_OK && validates)
        st = agree_average(r, err);
    if (st == VG_OK && validates)
        st = run_validate(r, &v, r->average, listener, false, err);
    if (st != VG_OK)
        return st;
    if (v.stopped)
        return interrupted(r, err);
    vg_train_epoch row = make_row(r, validates ? &v : NULL);
    row.time_is_up = is_late;
    st = ranks_spread(r->mem.ranks, &row, sizeof row, err);
    if (st == VG_OK)
        st = run_add_row(r, &row, err);
    if (st != VG_OK)
        return st;
    const double before = r->state.best.fitness, fitness = report_epoch_fitness(&row);
    if (validates) {
        const train_verdict verdict =
            train_best_push(&r->state.best, p->epoch + 1, fitness, r->args.patience);
        row.is_best = verdict.is_best;
        row.stops = verdict.stop;
    }
    if (row.is_best && (r->args.save || is_last))
        st = run_settle_best(r, save_model(r, r->best_path, p->epoch + 1, err), fitness, before,
                             err);
    if (st == VG_OK && r->args.save)
        st = run_settle_period(r, save_period(r, p->epoch + 1, err), err);
    if (st != VG_OK)
        return st;

    p->epoch++;
    p->batch = 0;
    r->is_late = is_late;
    st = plan_epochs(r, is_last, err);
    memset(p->loss_sums, 0, sizeof p->loss_sums);
    if (st == VG_OK && (r->args.save || is_last))
        st = run_keep(r, err);
    if (st == VG_OK && listener != NULL && listener->epoch != NULL)
        listener->epoch(listener->ctx, &row);
    double stops = stop_is_wanted(listener);
    if (st == VG_OK)
        st = ranks_sum(r->mem.ranks, &stops, 1, err);
    if (st == VG_OK && stops > 0)
        return interrupted(r, err);
    return st;
}

/* ---- the run ---- */

/* From the state alone, so that a resumed run knows it, too. */
static bool patience_is_out(const train_run *r)
{
    return r->args.val && r->args.patience > 0 && r->state.position.batch == 0 &&
           r->state.position.epoch - r->state.best.stop_epoch >= r->args.patience;
}

/* best is validated once more as it is in its file; last becomes a model like it, and only then is
 * the run finished. A crash at any moment before leaves its state in last (or in last.new, which is
 * newer, where one hit the writing of the last checkpoint), and all this is done again; so last's
 * change is the one that must come after the others. */
static vg_status finish(train_run *r, const train_listener *listener, vg_error *err)
{
    char previous[TRAIN_PATH_BYTES + 32], fresh[TRAIN_PATH_BYTES + 8];
    bool has_best = base_path_exists(r->best_path);
    vg_status st = ranks_spread(r->mem.ranks, &has_best, sizeof has_best, err);
    if (st == VG_OK && has_best) {
        weights_file *best = NULL;
        if (run_writes(r))
            st = weights_open(&best, r->best_path, r->mem.work, err);
        if (st == VG_OK)
            st = agree_weights(r, best, err);
        if (st == VG_OK)
            st = run_validate(r, &r->final, best != NULL ? best : r->average, listener, true, err);
        weights_close(&best);
        if (st == VG_OK && r->final.stopped)
            st = interrupted(r, err);
        r->has_final = st == VG_OK;
    }
    if (st == VG_OK && listener != NULL && listener->finishing != NULL)
        st = listener->finishing(listener->ctx, r->has_final ? &r->final : NULL, err);
    if (st != VG_OK || !run_writes(r))
        return st;
    base_format(previous, sizeof previous, "%s/weights/last.1.safetensors", r->folder);
    base_format(fresh, sizeof fresh, "%s.new", r->last_path);
    if (base_path_exists(fresh) && rename(fresh, r->last_path) != 0)
        return base_fail_errno(err, VG_ERR_IO, fresh, "check the folder's permissions",
                               "cannot put the last checkpoint in its place");
    unlink(previous); /* one state is enough, and last has it */
    return save_model(r, r->last_path, -1, err);
}

vg_status run_refuse_finished(const train_run *r, vg_error *err)
{
    weights_file *last = NULL;
    vg_train_epoch *rows = NULL;
    size_t n_rows = 0;
    char path[TRAIN_PATH_BYTES];
    vg_error local;
    if (weights_open(&last, r->last_path, r->mem.work, &local) != VG_OK)
        return VG_ERR_ARGUMENT;
    const bool is_finished =
        weights_get_meta(last)->epoch == -1 &&
        base_path_join(path, sizeof path, r->folder, "results.csv") &&
        report_csv_read(&rows, &n_rows, NULL, path, r->mem.work, &local) == VG_OK && n_rows > 0;
    if (is_finished)
        base_fail(
            err, VG_ERR_ARGUMENT, r->folder,
            base_mend(
                "its weights are %.400s; to train further, start a new run from them: weights=FILE",
                base_path_exists(r->best_path) ? r->best_path : r->last_path),
            "nothing to resume: the run is finished, after %d epochs", rows[n_rows - 1].epoch);
    base_free(rows);
    weights_close(&last);
    return VG_ERR_ARGUMENT;
}

/* What the exchange has come to in all batches of the session. */
static vg_status sum_up_waits(train_run *r, vg_error *err)
{
    if (r->mem.ranks == NULL)
        return VG_OK;
    const together_time mine = {(int64_t)r->batches_ns, r->exchanged.wait_ns, r->exchanged.push_ns};
    const vg_status st = together_compare(&r->together, &mine, &r->waits, err);
    if (r->n_steps > 0)
        r->waits.step_bytes = (double)r->exchanged.sum_bytes / (double)r->n_steps;
    return st;
}

static vg_status go(train_run *r, const train_listener *listener, vg_error *err)
{
    r->started_ns = r->saved_ns = r->looked_ns = base_now_ns();
    r->first_epoch = r->state.position.epoch;
    r->plain_epoch = -1;
    while (r->state.position.epoch < r->args.epochs && !patience_is_out(r) && !r->is_late) {
        vg_status st = train_batches(r, listener, err);
        if (st == VG_OK)
            st = end_epoch(r, listener, err);
        if (run_lost_device(r, st))
            st = r->args.device_lost == TRAIN_DEVICE_LOST_RESUME ? run_move(r, err)
                                                                 : run_tell_device(r, err);
        if (st != VG_OK)
            return st;
    }
    if (r->bearing.is_full) {
        const vg_status st = run_keep(r, err);
        if (st == VG_OK && r->bearing.is_full) {
            *err = r->bearing.news; /* the last checkpoint can be resumed */
            return err->status;
        }
        if (st != VG_OK)
            return st;
    }
    vg_status st = sum_up_waits(r, err);
    if (st == VG_OK)
        st = finish(r, listener, err);
    if (run_lost_device(r, st))
        return run_tell_device(r, err);
    if (st == VG_OK)
        st = ranks_end(r->mem.ranks, err);
    return st == VG_OK ? run_tell_lost(r, err) : st;
}

vg_status train_run_go(train_run *r, const train_listener *listener, vg_error *err)
{
    vg_error local; /* failures are read here, not only told */
    r->listener = listener;
    const vg_status st = go(r, listener, err != NULL ? err : &local);
    r->listener = NULL;
    return st;
}
