/* args_settle.c: arguments as a caller gives them become those of a run. */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "args.h"
#include "data/data.h"

static size_t place_of(const char *name)
{
    return (size_t)(base_options_find(&train_arg_table, name) - train_arg_table.rows);
}

vg_status train_args_give(train_args *args, train_args_given *given, const char *name,
                          const char *value, vg_error *err)
{
    assert(train_arg_table.n <= TRAIN_MOST_ARGS);
    const vg_status st = train_args_set(args, name, value, err);
    if (st == VG_OK)
        given->at[place_of(name)] = true;
    args->has_imgsz = given->at[place_of("imgsz")];
    return st;
}

bool train_args_is_given(const train_args_given *given, const char *name)
{
    return given->at[place_of(name)];
}

void train_args_move(train_args *args, const train_args *to, const train_args_given *given)
{
    if (train_args_is_given(given, "device"))
        memcpy(args->device, to->device, sizeof args->device);
    if (train_args_is_given(given, "gpu_memory_limit"))
        args->gpu_memory_limit = to->gpu_memory_limit;
    if (train_args_is_given(given, "device_lost"))
        args->device_lost = to->device_lost;
    if (given->at[place_of("rank_timeout")])
        args->rank_timeout = to->rank_timeout;
}

vg_status train_args_settle(train_args *args, train_args_given *given, char *notice, size_t n,
                            base_mem *mem, vg_error *err)
{
    char path[TRAIN_ARG_TEXT_BYTES], left_out[256];
    const size_t model = place_of("model");
    const bool is_cfg = args->cfg[0] != '\0';
    memcpy(path, is_cfg ? args->cfg : args->model, sizeof path);
    args->cfg[0] = '\0';
    const train_yaml_kind kind = path[0] ? train_yaml_look(path, mem) : TRAIN_YAML_OTHER;
    if (kind == TRAIN_YAML_DATASET)
        return base_fail(err, VG_ERR_ARGUMENT, path,
                         base_mend("data=%.200s model=yolo11n.yaml", path),
                         "a dataset's YAML where a model is wanted");
    if (kind != TRAIN_YAML_ARGS && is_cfg && given->at[model])
        return base_fail(err, VG_ERR_ARGUMENT, "cfg", "leave one of them out",
                         "two models, model=%.200s and cfg=%.200s", args->model, path);
    if (kind != TRAIN_YAML_ARGS) {
        memcpy(args->model, path, sizeof path);
        given->at[model] |= is_cfg;
        return VG_OK;
    }
    if (!is_cfg) {
        given->at[model] = false;
        args->model[0] = '\0';
    }
    const vg_status st =
        train_args_read_file(args, given->at, left_out, sizeof left_out, path, mem, err);
    args->has_imgsz = true; /* such a list says it: a run's own always, whatever its task */
    if (st == VG_OK && strcmp(args->model, path) == 0)
        return base_fail(err, VG_ERR_ARGUMENT, path, "write model: yolo11n.yaml in it",
                         "a file of arguments that names itself as the model");
    if (st == VG_OK && left_out[0])
        base_format(notice, n, "arguments of %.150s that vigil has none of are left out: %s", path,
                    left_out);
    return st;
}

vg_status train_args_check(const train_args *args, base_mem *mem, vg_error *err)
{
    if (args->data[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "data", "data=FILE, a dataset's YAML",
                         "no dataset was given");
    if (args->model[0] == '\0' && args->weights[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "model", "model=yolo11n.yaml, or weights=FILE",
                         "no model was given");
    if (args->device_lost == TRAIN_DEVICE_LOST_RESUME && strcasecmp(args->device, "cpu") == 0)
        return base_fail(err, VG_ERR_ARGUMENT, "device_lost", "another device, or device_lost=stop",
                         "device_lost=resume with device=cpu: there is nothing that could be lost");
    data_spec *spec = NULL;
    const vg_status st = data_spec_open(&spec, args->data, mem, err);
    data_spec_destroy(&spec);
    return st;
}

void train_args_name_model(train_args *args)
{
    if (args->model[0] == '\0')
        memcpy(args->model, args->weights, sizeof args->model);
}
