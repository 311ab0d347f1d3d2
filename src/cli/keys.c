/* keys.c: the keys of YOLO's own configuration, and what each of its commands here answers: it
 * acts, it has no effect, it is refused, it is another command's. The answers are those of the
 * parser, which are read from the same rows; the table of the docs is drawn from them. */
#include <string.h>

#include "commands.h"
#include "field.h"
#include "keys.h"

typedef struct yolo_key {
    const char *name, *version; /* "both", or the one that has it */
} yolo_key;

/* clang-format off: of 8.3.9 and 8.4, in their order */
static const yolo_key keys[] = {
    {"task", "both"},
    {"mode", "both"},
    {"model", "both"},
    {"data", "both"},
    {"epochs", "both"},
    {"time", "both"},
    {"patience", "both"},
    {"batch", "both"},
    {"imgsz", "both"},
    {"save", "both"},
    {"save_period", "both"},
    {"cache", "both"},
    {"device", "both"},
    {"workers", "both"},
    {"project", "both"},
    {"name", "both"},
    {"exist_ok", "both"},
    {"pretrained", "both"},
    {"cls_remap", "8.4"},
    {"optimizer", "both"},
    {"verbose", "both"},
    {"seed", "both"},
    {"deterministic", "both"},
    {"single_cls", "both"},
    {"rect", "both"},
    {"cos_lr", "both"},
    {"close_mosaic", "both"},
    {"resume", "both"},
    {"amp", "both"},
    {"fraction", "both"},
    {"profile", "both"},
    {"freeze", "both"},
    {"multi_scale", "both"},
    {"compile", "8.4"},
    {"channels_last", "8.4"},
    {"overlap_mask", "both"},
    {"mask_ratio", "both"},
    {"dropout", "both"},
    {"val", "both"},
    {"split", "both"},
    {"save_json", "both"},
    {"save_hybrid", "8.3"},
    {"conf", "both"},
    {"iou", "both"},
    {"max_det", "both"},
    {"half", "8.3"},
    {"quantize", "8.4"},
    {"dnn", "both"},
    {"plots", "both"},
    {"nms", "both"},
    {"source", "both"},
    {"vid_stride", "both"},
    {"stream_buffer", "both"},
    {"visualize", "both"},
    {"augment", "both"},
    {"agnostic_nms", "both"},
    {"classes", "both"},
    {"retina_masks", "both"},
    {"embed", "both"},
    {"show", "both"},
    {"save_frames", "both"},
    {"save_txt", "both"},
    {"save_conf", "both"},
    {"save_crop", "both"},
    {"show_labels", "both"},
    {"show_conf", "both"},
    {"show_boxes", "both"},
    {"line_width", "both"},
    {"format", "both"},
    {"keras", "8.3"},
    {"optimize", "both"},
    {"int8", "8.3"},
    {"dynamic", "both"},
    {"simplify", "both"},
    {"opset", "both"},
    {"workspace", "both"},
    {"lr0", "both"},
    {"lrf", "both"},
    {"momentum", "both"},
    {"weight_decay", "both"},
    {"warmup_epochs", "both"},
    {"warmup_momentum", "both"},
    {"warmup_bias_lr", "both"},
    {"distill_model", "8.4"},
    {"dis", "8.4"},
    {"box", "both"},
    {"cls", "both"},
    {"cls_pw", "8.4"},
    {"dfl", "both"},
    {"pose", "both"},
    {"kobj", "both"},
    {"label_smoothing", "8.3"},
    {"rle", "8.4"},
    {"angle", "8.4"},
    {"dlog", "8.4"},
    {"dgrad", "8.4"},
    {"dlam", "8.4"},
    {"nbs", "both"},
    {"hsv_h", "both"},
    {"hsv_s", "both"},
    {"hsv_v", "both"},
    {"degrees", "both"},
    {"translate", "both"},
    {"scale", "both"},
    {"shear", "both"},
    {"perspective", "both"},
    {"flipud", "both"},
    {"fliplr", "both"},
    {"bgr", "both"},
    {"mosaic", "both"},
    {"mixup", "both"},
    {"cutmix", "8.4"},
    {"copy_paste", "both"},
    {"copy_paste_mode", "both"},
    {"auto_augment", "both"},
    {"erasing", "both"},
    {"crop_fraction", "8.3"},
    {"cfg", "both"},
    {"tracker", "both"},
};
/* clang-format on */
enum { N_KEYS = sizeof keys / sizeof *keys, N_MODES = 4 };

static const cli_command *const modes[N_MODES] = {&cli_command_train, &cli_command_val,
                                                  &cli_command_predict, &cli_command_export};

static const vg_option *row_of(const cli_command *c, const char *name)
{
    cli_row rows[CLI_OPTIONS_MAX];
    const size_t n = cli_command_rows(c, rows);
    for (size_t i = 0; i < n; i++) {
        const vg_option *o = rows[i].o;
        if (vg_name_equal(o->name, name) || (o->alias != NULL && vg_name_equal(o->alias, name)))
            return o;
    }
    return NULL;
}

/* What the words of the grammar are, which no row is about. */
static bool is_grammar(const char *name)
{
    return strcmp(name, "task") == 0 || strcmp(name, "mode") == 0;
}

cli_answer cli_key_answer(const cli_command *c, const char *name)
{
    const vg_option *o = row_of(c, name);
    if (o == NULL)
        o = vg_option_of_yolo(name, c->speaks);
    if (o != NULL)
        return (cli_answer){
            .is_known = true, .stands = o->stands, .why = o->why, .instead = o->instead};
    if (is_grammar(name))
        return (cli_answer){.is_known = true};
    for (size_t i = 0; i < N_MODES; i++)
        if (row_of(modes[i], name) != NULL)
            return (cli_answer){.is_known = true, .owner = modes[i]};
    return (cli_answer){.is_known = false};
}

static const char *cell(const cli_answer *a)
{
    static const char *const cells[] = {"acts", "no effect", "refused"};
    return !a->is_known ? "unknown" : a->owner != NULL ? "-" : cells[a->stands];
}

static void reason_print(FILE *to, const char *key, const char *commands, const cli_answer *a)
{
    fprintf(to, "| `%s` | %s | %s |", key, commands, a->why);
    fprintf(to, a->instead != NULL ? " %s |\n" : " |\n", a->instead);
}

/* A line for each answer that is not that it acts; commands that answer the same share it. */
static void reasons_print(FILE *to, const char *key, vg_option_stand stands)
{
    bool is_told[N_MODES] = {false};
    for (size_t i = 0; i < N_MODES; i++) {
        const cli_answer a = cli_key_answer(modes[i], key);
        char commands[64] = "";
        if (a.why == NULL || a.stands != stands || is_told[i])
            continue;
        for (size_t k = i; k < N_MODES; k++) {
            const cli_answer b = cli_key_answer(modes[k], key);
            const bool is_same = b.why != NULL && b.stands == stands && strcmp(b.why, a.why) == 0 &&
                                 (a.instead == NULL || strcmp(b.instead, a.instead) == 0);
            if (!is_same)
                continue;
            is_told[k] = true;
            if (commands[0] != '\0')
                strcat(commands, ", ");
            strcat(commands, modes[k]->name);
        }
        reason_print(to, key, commands, &a);
    }
}

void cli_keys_markdown(FILE *to)
{
    fputs("| key | train | val | predict, track | export | of |\n"
          "| --- | --- | --- | --- | --- | --- |\n",
          to);
    for (size_t i = 0; i < N_KEYS; i++) {
        fprintf(to, "| `%s` |", keys[i].name);
        for (size_t k = 0; k < N_MODES; k++) {
            const cli_answer a = cli_key_answer(modes[k], keys[i].name);
            fprintf(to, " %s |", cell(&a));
        }
        fprintf(to, " %s |\n", keys[i].version);
    }
    fputs("\n### No effect\n\n| key | in | why | |\n| --- | --- | --- | --- |\n", to);
    for (size_t i = 0; i < N_KEYS; i++)
        reasons_print(to, keys[i].name, VG_OPTION_IDLE);
    fputs("\n### Refused\n\n| key | in | why | instead |\n| --- | --- | --- | --- |\n", to);
    for (size_t i = 0; i < N_KEYS; i++)
        reasons_print(to, keys[i].name, VG_OPTION_REFUSED);
}
