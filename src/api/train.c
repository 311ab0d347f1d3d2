/* train.c: vg_train over train's run: arguments by name, the run folder, and who listens. */
#include "train/train.h"
#include "api.h"
#include "board/board.h"
#include "export.h"
#include "net/net.h"
#include "ranks/ranks.h"

#include <stdatomic.h>

struct vg_train {
    train_owners accounts;
    base_mem ranks_account; /* of ranks: some hundred bytes each, beside the plan */
    ranks *ranks;           /* NULL: alone */
    train_args args;
    train_args_given given;
    char notice[512];  /* "" or what a file of arguments had that training has not */
    char letters[512]; /* "" or which names the plots cannot show */
    train_run *run;
    char folder[TRAIN_PATH_BYTES];
    int n_made;           /* folders of that path that were not there before */
    train_run_file *file; /* the lock on folder */
    nn_graph_info info;
    train_report *report;
    train_result final;
    const vg_train_listener *listener; /* during run */
    int best_epoch;                    /* of this session, from 1; 0: none yet */
    double best_fitness;
    net_beacon beacon;
    bool is_resumed;
    base_mem page_account;                 /* beside the plan, which is of the run alone */
    board *page;                           /* NULL: none is served */
    char page_where[128], page_token[256]; /* "": none is wanted */
    atomic_bool is_stopped;
};

/* What train does not plan for itself. */
static base_mem *work(vg_train *t)
{
    return &t->accounts.owner[TRAIN_OWNER_REPORT];
}

/* ---- arguments ---- */

const vg_option *vg_train_options(size_t *n)
{
    *n = train_arg_table.n;
    return train_arg_table.rows;
}

vg_status vg_train_create(vg_train **out, vg_error *err)
{
    vg_train *t = base_handle_alloc(sizeof *t, err);
    *out = t;
    if (!t)
        return VG_ERR_MEMORY;
    train_owners_init(&t->accounts);
    train_args_default(&t->args);
    return VG_OK;
}

void vg_train_destroy(vg_train **train)
{
    vg_train *t = *train;
    if (t) {
        board_close(&t->page);
        net_beacon_close(&t->beacon);
        train_report_destroy(&t->report);
        train_result_fini(&t->final);
        train_run_destroy(&t->run);
        train_run_file_destroy(&t->file);
        ranks_close(&t->ranks);
        base_handle_free(t);
    }
    *train = NULL;
}

vg_status vg_train_set(vg_train *t, const char *name, const char *value, vg_error *err)
{
    if (t->run)
        return base_fail(err, VG_ERR_ARGUMENT, name, "set arguments before vg_train_prepare",
                         "an argument for a run that is prepared already");
    return train_args_give(&t->args, &t->given, name, value, err);
}

/* ---- prepare ---- */

static vg_status settle_args(vg_train *t, vg_error *err)
{
    return train_args_settle(&t->args, &t->given, t->notice, sizeof t->notice, work(t), err);
}

vg_status vg_train_plan(vg_train *t, int nc, vg_plan *out, vg_error *err)
{
    if (t->run)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "ask vg_train_plan_get",
                         "a run that is prepared already");
    const vg_status st = settle_args(t, err);
    if (st != VG_OK)
        return st;
    train_args args = t->args;
    train_args_name_model(&args);
    return train_plan(out, &args, nc, &t->accounts.lent, err);
}

void vg_train_plan_get(const vg_train *t, vg_plan *out)
{
    *out = t->run ? *train_run_need(t->run) : (vg_plan){0};
}

/* Of several ranks the first has the folder, and what is shown of the run. */
static bool is_first(const vg_train *t)
{
    return ranks_me(t->ranks) == 0;
}

static vg_status join_ranks(vg_train *t, vg_error *err)
{
    base_mem_init(&t->ranks_account, "ranks", NULL, 0);
    const vg_status st = ranks_open(&t->ranks, vg_version(), &t->ranks_account, err);
    t->accounts.lent.ranks = t->ranks;
    return st;
}

/* folder: rank 0's. What any rank says no to is everybody's no. */
static vg_status settle_folder(vg_train *t, vg_status st, vg_error *err)
{
    st = ranks_settle(t->ranks, st, err);
    return st == VG_OK ? ranks_spread(t->ranks, t->folder, sizeof t->folder, err) : st;
}

static vg_status make_folder(vg_train *t, const char *project, vg_error *err)
{
    vg_status st = train_args_check(&t->args, work(t), err);
    train_args_name_model(&t->args);
    if (st == VG_OK && is_first(t))
        st = report_run_folder_make(t->folder, sizeof t->folder, project,
                                    t->args.name[0] ? t->args.name : "exp", t->args.exist_ok,
                                    &t->n_made, err);
    if (st == VG_OK && is_first(t))
        st = train_run_file_create(&t->file, t->folder, work(t), err);
    return st;
}

static vg_status make_new(vg_train *t, const char *project, vg_error *err)
{
    vg_status st = settle_folder(t, make_folder(t, project, err), err);
    if (st == VG_OK)
        st = train_run_create(&t->run, &t->args, t->folder, &t->accounts.lent, err);
    if (st != VG_OK) { /* no trace of what never began */
        train_run_file_destroy(&t->file);
        if (is_first(t))
            report_run_folder_take_back(t->folder, t->n_made, NULL);
    }
    return st;
}

static vg_status find_old(vg_train *t, const char *project, vg_error *err)
{
    vg_status st = VG_OK;
    if (is_first(t)) {
        st = train_run_find(t->folder, t->args.resume, project, err);
        if (st == VG_OK)
            st = train_run_file_create(&t->file, t->folder, work(t), err);
    }
    st = settle_folder(t, st, err);
    return st == VG_OK ? train_run_resume_on(&t->run, t->folder, &t->args, &t->given,
                                             &t->accounts.lent, err)
                       : st;
}

static void stop_from_page(void *ctx)
{
    ((vg_train *)ctx)->is_stopped = true;
}

static vg_status open_page(vg_train *t, vg_error *err)
{
    base_mem_init(&t->page_account, "page", NULL, 0);
    const board_options o = {.folder = t->folder,
                             .is_single = true,
                             .where = t->page_where,
                             .token = t->page_token,
                             .stop = stop_from_page,
                             .ctx = t};
    return board_open(&t->page, &o, &t->page_account, err);
}

vg_status vg_train_prepare(vg_train *t, vg_error *err)
{
    if (t->run)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, NULL, "a run that is prepared already");
    vg_status st = join_ranks(t, err);
    if (st == VG_OK)
        st = ranks_settle(t->ranks, settle_args(t, err), err);
    if (st != VG_OK)
        return st;
    const char *project = t->args.project[0] ? t->args.project : "runs/train";
    t->is_resumed = t->args.resume[0] != '\0';
    st = t->is_resumed ? find_old(t, project, err) : make_new(t, project, err);
    if (st != VG_OK)
        return st;
    t->args = *train_run_args(t->run);
    nn_graph_get_info(train_run_graph(t->run), t->args.imgsz, &t->info);
    const train_report_options report = {.run = t->run,
                                         .folder = t->folder,
                                         .names = train_run_names(t->run),
                                         .nc = t->info.nc,
                                         .stride = t->info.max_stride,
                                         .is_resumed = t->is_resumed,
                                         .root = &t->accounts.root,
                                         .work = work(t)};
    if (st == VG_OK && t->args.plots) {
        const image_names names = {
            .at = image_name_at, .context = train_run_names(t->run), .n = (size_t)t->info.nc};
        image_letters_format(t->letters, sizeof t->letters, &names);
    }
    if (st == VG_OK)
        st = train_result_reserve(&t->final, t->info.nc, work(t), err);
    if (st == VG_OK && is_first(t))
        st = train_report_create(&t->report, &report, err);
    if (st == VG_OK)
        train_owners_plan(&t->accounts);
    if (st == VG_OK && t->page_where[0] != '\0' && is_first(t))
        st = open_page(t, err);
    return ranks_settle(t->ranks, st, err);
}

/* ---- facts ---- */

void vg_train_info_get(const vg_train *t, vg_train_info *out)
{
    const train_optimizer_options *o = train_run_optimizer(t->run);
    *out = (vg_train_info){.folder = t->folder,
                           .model = t->info.name,
                           .optimizer = train_optimizer_name(o->kind),
                           .lr0 = o->lr0,
                           .momentum = o->momentum,
                           .n_classes = t->info.nc,
                           .imgsz = t->args.imgsz,
                           .asked_imgsz = train_run_asked_imgsz(t->run),
                           .max_stride = t->info.max_stride,
                           .batch = t->args.batch,
                           .epochs = t->args.epochs,
                           .start_epoch = (int)train_run_position(t->run)->epoch,
                           .best = train_run_best_path(t->run),
                           .last = train_run_last_path(t->run),
                           .best_epoch = t->best_epoch,
                           .best_fitness = t->best_fitness,
                           .n_params = t->info.n_params,
                           .gflops = t->info.gflops,
                           .train = data_set_summary(train_run_set(t->run, DATA_TRAIN)),
                           .val = data_set_summary(train_run_set(t->run, DATA_VAL))};
    const nn_device *device = train_run_device(t->run);
    out->device = device ? nn_device_facts(device)->name : "cpu";
    out->gpu = device ? nn_device_facts(device)->title : "";
    out->has_transferred = train_run_transferred(t->run, &out->n_transferred, &out->n_items);
    out->fell_back = train_run_fell_back(t->run, &out->why);
    out->loader_wait = train_run_loader_wait(t->run);
}

const char *vg_train_message(const vg_train *t, size_t index)
{
    const data_set *train = train_run_set(t->run, DATA_TRAIN),
                   *val = train_run_set(t->run, DATA_VAL);
    if (t->notice[0] != '\0' && index-- == 0)
        return t->notice;
    const char *few = train_run_few_notice(t->run), *names = train_run_names_notice(t->run),
               *of_ranks = train_run_ranks_notice(t->run);
    if (few[0] != '\0' && index-- == 0)
        return few;
    if (names[0] != '\0' && index-- == 0)
        return names;
    if (of_ranks[0] != '\0' && index-- == 0)
        return of_ranks;
    if (t->letters[0] != '\0' && index-- == 0)
        return t->letters;
    if (!train_run_device(t->run) && t->args.amp && train_args_is_given(&t->given, "amp") &&
        index-- == 0)
        return "amp has no effect here: a CPU trains in float32";
    size_t n_train = 0;
    for (const char *m; (m = data_set_message(train, n_train)) != NULL; n_train++)
        if (n_train == index)
            return m;
    return data_set_message(val, index - n_train);
}

void vg_train_rank_get(const vg_train *t, vg_train_rank *out)
{
    *out = (vg_train_rank){.rank = ranks_me(t->ranks),
                           .n_ranks = t->ranks != NULL ? ranks_n(t->ranks) : ranks_launch_n(getenv),
                           .is_told = ranks_me(t->ranks) != 0 && ranks_are_settled(t->ranks),
                           .waits = t->run ? train_run_waits(t->run) : NULL};
}

void vg_train_memory(const vg_train *t, vg_memory *out)
{
    train_owners_memory(out, &t->accounts, t->run ? train_run_device(t->run) : NULL);
}

void vg_train_pace_get(const vg_train *t, vg_train_pace *out)
{
    *out = t->file ? train_run_file_view(t->file)->pace : (vg_train_pace){.left_s = -1};
}

vg_status vg_train_detach(vg_train *t, vg_error *err)
{
    if (!t->run)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "call vg_train_prepare first",
                         "a run that is not prepared");
    return train_run_file_detach(t->file, t->folder, err);
}

/* ---- a page ---- */

vg_status vg_train_serve(vg_train *t, const char *where, const char *token, vg_error *err)
{
    if (t->page_where[0] != '\0')
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "call vg_train_serve once",
                         "a run that is served already");
    const vg_status st = board_check(where, token ? token : "", err);
    if (st != VG_OK)
        return st;
    base_format(t->page_where, sizeof t->page_where, "%s", where);
    base_format(t->page_token, sizeof t->page_token, "%s", token ? token : "");
    return t->run ? open_page(t, err) : VG_OK;
}

const char *vg_train_url(const vg_train *t)
{
    return t->page ? board_url(t->page) : "";
}

bool vg_train_is_stopped(const vg_train *t)
{
    return t->is_stopped;
}

void vg_train_note_exit(vg_train *t, int exit_status)
{
    train_run_file_exit(t->file, exit_status);
}

const vg_val_result *vg_train_final(const vg_train *t)
{
    return t->run && train_run_final(t->run) && t->final.result.n_pictures > 0 ? &t->final.result
                                                                               : NULL;
}

/* ---- run ---- */

static void tell_guard(vg_train *t, const vg_train_batch *b)
{
    vg_memory m;
    if (!net_beacon_is_due(&t->beacon))
        return;
    train_owners_memory(&m, &t->accounts, NULL);
    const int64_t epoch = b->epoch - 1; /* the guard counts from 0 */
    net_beacon_tell(&t->beacon, &m, epoch, epoch * b->n_batches + b->batch, -1);
}

static void tell_batch(void *ctx, const vg_train_batch *b)
{
    vg_train *t = ctx;
    tell_guard(t, b);
    train_run_file_batch(t->file, b);
    if (t->listener && t->listener->batch)
        t->listener->batch(t->listener->ctx, b);
}

static vg_status show_input(void *ctx, int64_t ni, const data_batch *b, vg_error *err)
{
    (void)err; /* a picture that cannot be written does not end a run */
    train_report_input(((vg_train *)ctx)->report, ni, b);
    return VG_OK;
}

static vg_status show_validated(void *ctx, const train_validated *p, bool is_final, vg_error *err)
{
    (void)err;
    train_report_validated(((vg_train *)ctx)->report, p, is_final);
    return VG_OK;
}

static void tell_epoch_start(void *ctx, int epoch, int n_epochs)
{
    const vg_train_listener *l = ((vg_train *)ctx)->listener;
    if (l && l->epoch_start)
        l->epoch_start(l->ctx, epoch, n_epochs);
}

static void tell_ranks(void *ctx, const vg_train_ranks *r)
{
    train_run_file_ranks(((vg_train *)ctx)->file, r);
}

static void tell_validating(void *ctx, bool is_final)
{
    const vg_train_listener *l = ((vg_train *)ctx)->listener;
    if (l && l->validating)
        l->validating(l->ctx, is_final);
}

static void tell_validation(void *ctx, const train_validation *v, bool is_final)
{
    vg_train *t = ctx;
    train_result_make(&t->final, v, train_run_task(t->run), train_run_names(t->run));
    if (t->listener && t->listener->validated)
        t->listener->validated(t->listener->ctx, &t->final.result, is_final);
}

static void tell_saved(void *ctx, const char *path, bool is_checkpoint)
{
    const vg_train_listener *l = ((vg_train *)ctx)->listener;
    if (l && l->saved)
        l->saved(l->ctx, path, is_checkpoint);
}

static void tell_epoch(void *ctx, const vg_train_epoch *e)
{
    vg_train *t = ctx;
    train_report_epoch(t->report, e);
    train_run_file_epoch(t->file, e);
    if (e->is_best) {
        t->best_epoch = e->epoch;
        t->best_fitness = report_epoch_fitness(e);
    }
    vg_train_epoch end = *e;
    end.trouble = train_run_news(t->run); /* not for other processes */
    if (!end.trouble)
        end.trouble = train_report_trouble(t->report);
    if (t->listener && t->listener->epoch)
        t->listener->epoch(t->listener->ctx, &end);
}

static bool ask_stop(void *ctx)
{
    const vg_train *t = ctx;
    return t->is_stopped ||
           (t->listener && t->listener->wants_stop && t->listener->wants_stop(t->listener->ctx));
}

static vg_status finish_report(void *ctx, const train_validation *final, vg_error *err)
{
    return train_report_finish(((vg_train *)ctx)->report, final, err);
}

/* The best weights and the last, as the Python tool reads them. */
static vg_status write_pt(vg_train *t, vg_error *err)
{
    static const char *const names[] = {"best", "last"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char from[TRAIN_PATH_BYTES + 32], to[TRAIN_PATH_BYTES + 32];
        base_format(from, sizeof from, "%s/weights/%s.safetensors", t->folder, names[i]);
        base_format(to, sizeof to, "%s/weights/%s.pt", t->folder, names[i]);
        vg_status st = base_path_exists(from) ? api_export_pt(from, to, work(t), err) : VG_OK;
        if (st != VG_OK)
            return st;
    }
    return VG_OK;
}

static vg_status run_prepared(vg_train *t, const vg_train_listener *listener, vg_error *err)
{
    const train_listener other = {.ctx = t, .wants_stop = ask_stop};
    const train_listener inner = {.ctx = t,
                                  .batch = tell_batch,
                                  .epoch = tell_epoch,
                                  .wants_stop = ask_stop,
                                  .epoch_start = tell_epoch_start,
                                  .ranks = tell_ranks,
                                  .validating = tell_validating,
                                  .validation = tell_validation,
                                  .saved = tell_saved,
                                  .input = show_input,
                                  .validated = show_validated,
                                  .finishing = finish_report};
    t->listener = listener;
    if (listener && listener->start)
        listener->start(listener->ctx);
    const vg_status st = train_run_go(t->run, is_first(t) ? &inner : &other, err);
    t->listener = NULL;
    if (!is_first(t))
        return st;
    if (st == VG_OK && train_run_args(t->run)->save_pt) {
        const vg_status written = write_pt(t, err);
        if (written != VG_OK)
            return written;
    }
    return st == VG_OK ? train_report_told(t->report, err) : st;
}

void vg_train_stop(vg_train *t)
{
    t->is_stopped = true;
}

vg_status vg_train_run(vg_train *t, const vg_train_listener *listener, vg_error *err)
{
    if (!t->run)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "call vg_train_prepare first",
                         "a run that is not prepared");
    vg_error local = {.status = VG_OK};
    /* The program included, so that what is resident can be held against it. */
    train_run_file_start(t->file, (int)train_run_position(t->run)->epoch,
                         train_run_need(t->run)->total_bytes);
    const vg_status st = run_prepared(t, listener, err ? err : &local);
    if (st != VG_OK && !is_first(t) && !ranks_are_settled(t->ranks)) {
        char name[RANKS_HOST_BYTES + 32];
        base_error_prefix_where(err ? err : &local,
                                ranks_name(name, sizeof name, t->ranks, ranks_me(t->ranks)));
    }
    train_run_file_end(t->file, st, err ? err : &local);
    if (listener && listener->end)
        listener->end(listener->ctx, st);
    return st;
}
