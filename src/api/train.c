/* train.c: vg_train over train's run: arguments by name, the run folder, and what report makes of a
 * run beside what train writes itself (weights, results.csv): args.yaml, events, plots. */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run_file.h"

struct vg_train {
    api_accounts accounts;
    train_args args;
    train_run *run;
    char folder[API_PATH_BYTES];
    api_run_file *file; /* the lock on folder */
    nn_graph_info info;
    const char **names; /* (nc) */
    report_events *events;
    api_result final;
    const vg_train_listener *listener; /* during run */
    vg_status side;                    /* of events: told when training is over */
    vg_error side_error;
    bool is_resumed;
};

static base_mem *work(vg_train *t)
{
    return t->accounts.lent.work;
}

/* ---- arguments ---- */

size_t vg_train_n_args(void)
{
    size_t n;
    train_arg_table(&n);
    return n;
}

void vg_train_arg_get(size_t index, vg_train_arg *out)
{
    static const vg_arg_kind kinds[] = {
        [TRAIN_ARG_BOOL] = VG_ARG_BOOL,  [TRAIN_ARG_INT] = VG_ARG_INT,
        [TRAIN_ARG_REAL] = VG_ARG_REAL,  [TRAIN_ARG_TEXT] = VG_ARG_TEXT,
        [TRAIN_ARG_BYTES] = VG_ARG_TEXT, [TRAIN_ARG_CHOICE] = VG_ARG_CHOICE,
        [TRAIN_ARG_INTS] = VG_ARG_INTS,  [TRAIN_ARG_LAYERS] = VG_ARG_INTS};
    size_t n;
    const train_arg *table = train_arg_table(&n);
    *out = (vg_train_arg){.name = "", .preset = "", .help = ""};
    if (index < n)
        *out = (vg_train_arg){.name = table[index].name,
                              .alias = table[index].alias,
                              .kind = kinds[table[index].kind],
                              .choices = table[index].choices,
                              .preset = table[index].preset,
                              .help = table[index].help};
}

vg_status vg_train_create(vg_train **out, vg_error *err)
{
    vg_train *t = base_handle_alloc(sizeof *t, err);
    *out = t;
    if (!t)
        return VG_ERR_MEMORY;
    api_accounts_init(&t->accounts);
    train_args_default(&t->args);
    return VG_OK;
}

void vg_train_destroy(vg_train **train)
{
    vg_train *t = *train;
    if (t) {
        report_events_close(&t->events, NULL);
        api_result_fini(&t->final);
        base_free(t->names);
        train_run_destroy(&t->run);
        api_run_file_destroy(&t->file);
        base_handle_free(t);
    }
    *train = NULL;
}

vg_status vg_train_set(vg_train *t, const char *name, const char *value, vg_error *err)
{
    if (t->run)
        return base_fail(err, VG_ERR_ARGUMENT, name, "set arguments before vg_train_prepare",
                         "an argument for a run that is prepared already");
    return train_args_set(&t->args, name, value, err);
}

/* ---- a run to go on with ---- */

/* The folder among project's whose last.safetensors is the newest. */
static vg_status find_newest(vg_train *t, const char *project, vg_error *err)
{
    char path[API_PATH_BYTES];
    struct stat info;
    struct timespec newest = {0};
    DIR *dir = opendir(project);
    for (struct dirent *e = NULL; dir && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.' ||
            !base_format(path, sizeof path, "%s/%s/weights/last.safetensors", project, e->d_name) ||
            stat(path, &info) != 0)
            continue;
        const bool newer =
            info.st_mtim.tv_sec > newest.tv_sec ||
            (info.st_mtim.tv_sec == newest.tv_sec && info.st_mtim.tv_nsec > newest.tv_nsec);
        if (newer && base_path_join(t->folder, sizeof t->folder, project, e->d_name))
            newest = info.st_mtim;
    }
    if (dir)
        closedir(dir);
    if (t->folder[0])
        return VG_OK;
    return base_fail(err, VG_ERR_ARGUMENT, "resume", "name it: resume=FOLDER", "no run in %.300s",
                     project);
}

/* The run's folder of itself, of its weights folder or of its last.safetensors. */
static vg_status find_resumed(vg_train *t, const char *project, vg_error *err)
{
    if (base_equal_nocase(t->args.resume, "true"))
        return find_newest(t, project, err);
    return api_run_folder(t->folder, t->args.resume, err);
}

/* ---- prepare ---- */

/* What can be said before a folder is made. */
static vg_status check_args(vg_train *t, vg_error *err)
{
    const train_args *a = &t->args;
    if (a->data[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "data", "data=FILE, a dataset's YAML",
                         "no dataset was given");
    if (a->model[0] == '\0' && a->weights[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "model", "model=yolo11n.yaml, or weights=FILE",
                         "no model was given");
    if (a->batch < 1)
        return base_fail(err, VG_ERR_UNSUPPORTED, "batch", "give the number of pictures: batch=16",
                         "this build cannot choose the batch itself yet");
    if (a->save_json)
        return base_fail(err, VG_ERR_UNSUPPORTED, "save_json", "leave it out",
                         "this build cannot write COCO results of a validation yet");
    data_spec *spec = NULL;
    const vg_status st = data_spec_open(&spec, a->data, work(t), err);
    data_spec_destroy(&spec);
    return st;
}

static vg_status write_args(vg_train *t, vg_error *err)
{
    char path[API_PATH_BYTES];
    base_str text = {0};
    vg_status st = api_path(path, t->folder, "args.yaml", err);
    if (st == VG_OK)
        st = train_args_add_text(&text, &t->args, TRAIN_ARGS_YAML, work(t), err);
    if (st == VG_OK)
        st = base_file_replace(path, text.text, text.length, err);
    base_str_fini(&text);
    return st;
}

/* labels.jpg, labels_correlogram.jpg */
static vg_status plot_labels(vg_train *t, vg_error *err)
{
    const data_set *set = train_run_set(t->run, DATA_TRAIN);
    char path[API_PATH_BYTES];
    size_t n = 0;
    for (size_t i = 0; i < data_set_size(set); i++)
        n += data_set_picture(set, i)->n_labels;
    report_label *labels = base_alloc_zero(work(t), n > 0 ? n : 1, sizeof *labels, err);
    if (!labels)
        return VG_ERR_MEMORY;
    n = 0;
    for (size_t i = 0; i < data_set_size(set); i++) {
        const data_picture *p = data_set_picture(set, i);
        for (size_t k = 0; k < p->n_labels; k++, n++) {
            labels[n].class_index = p->labels[k].class_index;
            memcpy(labels[n].xywh_norm, p->labels[k].xywh_norm, sizeof labels[n].xywh_norm);
        }
    }
    vg_status st = api_path(path, t->folder, "labels.jpg", err);
    if (st == VG_OK)
        st = report_plot_labels(path, labels, n, t->names, t->info.nc, work(t), err);
    if (st == VG_OK)
        st = api_path(path, t->folder, "labels_correlogram.jpg", err);
    if (st == VG_OK)
        st = report_plot_correlogram(path, labels, n, work(t), err);
    base_free(labels);
    return st;
}

static vg_status make_new(vg_train *t, const char *project, vg_error *err)
{
    vg_status st = check_args(t, err);
    if (st == VG_OK && t->args.model[0] == '\0') /* fine-tuning: the model is the weights' own */
        memcpy(t->args.model, t->args.weights, sizeof t->args.model);
    if (st == VG_OK)
        st = stream_run_folder_make(t->folder, sizeof t->folder, project,
                                    t->args.name[0] ? t->args.name : "exp", t->args.exist_ok, err);
    if (st != VG_OK)
        return st;
    st = api_run_file_create(&t->file, t->folder, work(t), err);
    if (st != VG_OK)
        return st;
    st = train_run_create(&t->run, &t->args, t->folder, &t->accounts.lent, err);
    if (st != VG_OK)
        api_run_file_destroy(&t->file);
    char weights[API_PATH_BYTES];
    if (st != VG_OK && api_path(weights, t->folder, "weights", NULL) == VG_OK) {
        rmdir(weights); /* only if they are empty: no trace of what never began */
        rmdir(t->folder);
    }
    return st;
}

vg_status vg_train_prepare(vg_train *t, vg_error *err)
{
    if (t->run)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, NULL, "a run that is prepared already");
    const char *project = t->args.project[0] ? t->args.project : "runs/train";
    t->is_resumed = t->args.resume[0] != '\0';
    vg_status st = t->is_resumed ? find_resumed(t, project, err) : make_new(t, project, err);
    if (st == VG_OK && t->is_resumed)
        st = api_run_file_create(&t->file, t->folder, work(t), err);
    if (st == VG_OK && t->is_resumed)
        st = train_run_resume(&t->run, t->folder, &t->accounts.lent, err);
    if (st != VG_OK)
        return st;
    t->args = *train_run_args(t->run);
    nn_graph_get_info(train_run_graph(t->run), t->args.imgsz, &t->info);
    st = api_class_names(&t->names, train_run_spec(t->run), t->info.nc, work(t), err);
    if (st == VG_OK)
        st = report_events_open(&t->events, t->folder,
                                t->is_resumed ? train_run_position(t->run)->epoch + 1 : -1, work(t),
                                err);
    if (st != VG_OK)
        return st;
    api_accounts_plan(&t->accounts);
    if (!t->is_resumed)
        st = write_args(t, err);
    if (st == VG_OK && !t->is_resumed && t->args.plots)
        st = plot_labels(t, err);
    return st;
}

/* ---- facts ---- */

void vg_train_info_get(const vg_train *t, vg_train_info *out)
{
    const data_report *train = data_set_report(train_run_set(t->run, DATA_TRAIN)),
                      *val = data_set_report(train_run_set(t->run, DATA_VAL));
    const train_optimizer_options *o = train_run_optimizer(t->run);
    *out = (vg_train_info){.folder = t->folder,
                           .model = t->info.name,
                           .optimizer = train_optimizer_name(o->kind),
                           .lr0 = o->lr0,
                           .momentum = o->momentum,
                           .n_classes = t->info.nc,
                           .imgsz = t->args.imgsz,
                           .batch = t->args.batch,
                           .epochs = t->args.epochs,
                           .start_epoch = (int)train_run_position(t->run)->epoch,
                           .n_params = t->info.n_params,
                           .gflops = t->info.gflops,
                           .n_train = data_set_size(train_run_set(t->run, DATA_TRAIN)),
                           .n_val = data_set_size(train_run_set(t->run, DATA_VAL)),
                           .n_train_labels = train->n_labels,
                           .n_val_labels = val->n_labels,
                           .n_corrupt = train->n_corrupt + val->n_corrupt,
                           .n_without_labels =
                               train->n_missing + train->n_empty + val->n_missing + val->n_empty};
    out->has_transferred = train_run_transferred(t->run, &out->n_transferred, &out->n_items);
    out->fell_back = train_run_fell_back(t->run, &out->why);
}

const char *vg_train_message(const vg_train *t, size_t index)
{
    const data_report *train = data_set_report(train_run_set(t->run, DATA_TRAIN)),
                      *val = data_set_report(train_run_set(t->run, DATA_VAL));
    if (index < train->n_messages)
        return train->messages[index];
    index -= train->n_messages;
    return index < val->n_messages ? val->messages[index] : NULL;
}

void vg_train_memory(const vg_train *t, vg_memory *out)
{
    api_accounts_memory(out, &t->accounts);
}

void vg_train_pace_get(const vg_train *t, vg_train_pace *out)
{
    *out = t->file ? api_run_file_view(t->file)->pace : (vg_train_pace){.left_s = -1};
}

vg_status vg_train_detach(vg_train *t, vg_error *err)
{
    if (!t->run)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "call vg_train_prepare first",
                         "a run that is not prepared");
    return api_run_file_detach(t->file, t->folder, err);
}

void vg_train_note_exit(vg_train *t, int exit_status)
{
    api_run_file_exit(t->file, exit_status);
}

const vg_val_result *vg_train_final(const vg_train *t)
{
    return t->run && train_run_final(t->run) && t->final.result.n_pictures > 0 ? &t->final.result
                                                                               : NULL;
}

/* ---- run ---- */

static void tell_batch(void *ctx, const train_progress *p)
{
    const vg_train *t = ctx;
    const vg_train_batch b = {.epoch = (int)p->epoch + 1,
                              .n_epochs = (int)p->n_epochs,
                              .batch = p->batch,
                              .n_batches = p->n_batches,
                              .loss = {p->loss[0], p->loss[1], p->loss[2]},
                              .n_pictures = p->n_pictures,
                              .width = p->w,
                              .height = p->h,
                              .n_instances = p->n_labels,
                              .grad_norm = p->grad_norm,
                              .lr = {p->rates.lr[0], p->rates.lr[1], p->rates.lr[2]},
                              .seconds = p->seconds};
    api_run_file_batch(t->file, &b);
    if (t->listener && t->listener->batch)
        t->listener->batch(t->listener->ctx, &b);
}

/* An error of events does not end training; the first one is told when it is over. */
static void add_events(vg_train *t, const report_epoch *row)
{
    const struct scalar {
        const char *tag;
        double value;
    } scalars[] = {{"train/box_loss", row->train_loss[0]},
                   {"train/cls_loss", row->train_loss[1]},
                   {"train/dfl_loss", row->train_loss[2]},
                   {"metrics/precision(B)", row->precision},
                   {"metrics/recall(B)", row->recall},
                   {"metrics/mAP50(B)", row->map50},
                   {"metrics/mAP50-95(B)", row->map},
                   {"val/box_loss", row->val_loss[0]},
                   {"val/cls_loss", row->val_loss[1]},
                   {"val/dfl_loss", row->val_loss[2]},
                   {"lr/pg0", row->lr[0]},
                   {"lr/pg1", row->lr[1]},
                   {"lr/pg2", row->lr[2]},
                   {"memory/in_use_MB", (double)t->accounts.root.in_use_bytes / (1024.0 * 1024)},
                   {"memory/resident_MB", (double)base_mem_resident_bytes() / (1024.0 * 1024)}};
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars && t->side == VG_OK; i++)
        t->side = report_events_scalar(t->events, scalars[i].tag, row->epoch, scalars[i].value,
                                       &t->side_error);
    if (t->side == VG_OK)
        t->side = report_events_flush(t->events, &t->side_error);
}

static void tell_epoch(void *ctx, const train_epoch_end *e)
{
    vg_train *t = ctx;
    const report_epoch *row = &e->row;
    add_events(t, row);
    vg_train_epoch end = {.epoch = row->epoch,
                          .n_epochs = t->args.epochs,
                          .seconds = row->time_s,
                          .is_validated = e->validation != NULL,
                          .precision = row->precision,
                          .recall = row->recall,
                          .map50 = row->map50,
                          .map = row->map,
                          .is_best = e->verdict.is_best,
                          .stops = e->verdict.stop};
    memcpy(end.train_loss, row->train_loss, sizeof end.train_loss);
    memcpy(end.val_loss, row->val_loss, sizeof end.val_loss);
    memcpy(end.lr, row->lr, sizeof end.lr);
    if (e->validation) {
        end.n_pictures = e->validation->metrics.n_pictures;
        end.n_instances = e->validation->metrics.n_truths;
    }
    api_run_file_epoch(t->file, &end);
    if (t->listener && t->listener->epoch)
        t->listener->epoch(t->listener->ctx, &end);
}

static bool ask_stop(void *ctx)
{
    const vg_train *t = ctx;
    return t->listener && t->listener->wants_stop && t->listener->wants_stop(t->listener->ctx);
}

static vg_status plot_run(vg_train *t, const train_validation *final, vg_error *err)
{
    char path[API_PATH_BYTES];
    report_epoch *rows = NULL;
    size_t n_rows = 0;
    vg_status st = api_path(path, t->folder, "results.csv", err);
    if (st == VG_OK)
        st = report_csv_read(&rows, &n_rows, path, work(t), err);
    if (st == VG_OK)
        st = api_path(path, t->folder, "results.png", err);
    if (st == VG_OK)
        st = report_plot_results(path, rows, n_rows, work(t), err);
    base_free(rows);
    if (st == VG_OK && final)
        st = api_validation_plots(t->folder, final, t->names, t->info.nc, work(t), err);
    return st;
}

static vg_status run_prepared(vg_train *t, const vg_train_listener *listener, vg_error *err)
{
    const train_listener inner = {
        .ctx = t, .batch = tell_batch, .epoch = tell_epoch, .wants_stop = ask_stop};
    t->listener = listener;
    vg_status st = train_run_go(t->run, &inner, err);
    t->listener = NULL;
    if (st != VG_OK)
        return st;
    const train_validation *final = train_run_final(t->run);
    if (final)
        st = api_result_make(&t->final, final, t->names, work(t), err);
    if (st == VG_OK && t->args.plots)
        st = plot_run(t, final, err);
    if (st == VG_OK && t->side != VG_OK) {
        st = t->side;
        if (err)
            *err = t->side_error;
    }
    return st;
}

vg_status vg_train_run(vg_train *t, const vg_train_listener *listener, vg_error *err)
{
    if (!t->run)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "call vg_train_prepare first",
                         "a run that is not prepared");
    vg_error local = {.status = VG_OK};
    size_t planned_bytes = 0;
    for (int i = 0; i < API_N_OWNERS; i++)
        planned_bytes += t->accounts.planned_bytes[i];
    api_run_file_start(t->file, (int)train_run_position(t->run)->epoch, planned_bytes);
    const vg_status st = run_prepared(t, listener, err ? err : &local);
    api_run_file_end(t->file, st, err ? err : &local);
    return st;
}
