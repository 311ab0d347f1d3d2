/* family.c: the other models that come in the same kind of file. What they are is told by their
 * YAML (the name of its file, and the modules that only they have), or, in a plain state dict, by
 * the numbers of their layers. Nothing here decides what is run, but for plain
 * state dicts of other tasks: it words a refusal. */
#include "family.h"

#include <ctype.h>
#include <string.h>

/* Modules that one family alone has; the first that is met counts. */
typedef struct sign {
    const char *module, *family;
} sign;

static const sign signs[] = {
    {"RTDETRDecoder", "RT-DETR"},
    {"WorldDetect", "YOLO-World"},
    {"YOLOEDetect", "YOLOE"},
    {"YOLOESegment", "YOLOE"},
    {"ImagePoolingAttn", "YOLO-World"},
    {"C2fAttn", "YOLO-World"},
    {"v10Detect", "YOLOv10"},
    {"SCDown", "YOLOv10"},
    {"C2fCIB", "YOLOv10"},
    {"A2C2f", "YOLO12"},
    {"RepNCSPELAN4", "YOLOv9"},
    {"ELAN1", "YOLOv9"},
    {"DetectAux", "YOLOv9"},
    {"C3k2", "YOLO11"},
    {"C2f", "YOLOv8"},
    {"C3", "YOLOv5"},
    {"HGBlock", "RT-DETR"},
};

/* What a head is for; that of detection is not among them. */
static const sign heads[] = {
    {"Segment", "segmentation"},   {"Pose", "pose"},
    {"OBB", "oriented boxes"},     {"Classify", "classification"},
    {"Segment26", "segmentation"}, {"Pose26", "pose"},
    {"OBB26", "oriented boxes"},   {"YOLOESegment", "segmentation"},
};

static const char *module_of(const base_node *row)
{
    const base_node *n = base_node_at(row, 2);
    const char *text = n && n->kind == BASE_NODE_TEXT ? n->text : "";
    const char *dot = strrchr(text, '.');
    return dot ? dot + 1 : text;
}

static const char *find_sign(const base_node *yaml, const sign *table, size_t n)
{
    static const char *const lists[] = {"backbone", "head"};
    for (size_t i = 0; i < n; i++)
        for (size_t l = 0; l < 2; l++) {
            const base_node *rows = base_node_get(yaml, lists[l]);
            for (const base_node *row = rows ? rows->first : NULL; row; row = row->next)
                if (strcmp(module_of(row), table[i].module) == 0)
                    return table[i].family;
        }
    return NULL;
}

/* "yolov8n-seg" -> YOLOv8, "yolo26n.yaml" -> YOLO26. */
static bool by_name(char *out, size_t n, const char *name)
{
    char word[5];
    base_format(word, sizeof word, "%.4s", name);
    if (!base_equal_nocase(word, "yolo"))
        return false;
    const char *digits = name + 4 + (tolower((unsigned char)name[4]) == 'v');
    const size_t k = strspn(digits, "0123456789");
    return k > 0 && k < 4 &&
           base_format(out, n, "YOLO%s%.*s", digits > name + 4 ? "v" : "", (int)k, digits);
}

static bool by_file_name(char *out, size_t n, const base_node *yaml)
{
    const base_node *file = base_node_get(yaml, "yaml_file");
    return by_name(out, n, file && file->kind == BASE_NODE_TEXT ? base_path_name(file->text) : "");
}

/* A model that ends in another head than Detect has it in its name. */
static const char *suffix_of(const base_node *last)
{
    static const char *const suffixes[][2] = {
        {"Segment", "-seg"}, {"Pose", "-pose"}, {"OBB", "-obb"}, {"Classify", "-cls"}};
    for (size_t i = 0; last && i < sizeof suffixes / sizeof *suffixes; i++)
        if (strcmp(module_of(last), suffixes[i][0]) == 0)
            return suffixes[i][1];
    return "";
}

bool nn_family_model(char *out, size_t n, const base_node *yaml)
{
    const base_node *file = base_node_get(yaml, "yaml_file");
    const char *family = find_sign(yaml, signs, sizeof signs / sizeof *signs);
    const base_node *head = base_node_get(yaml, "head"), *last = head ? head->first : NULL;
    while (last && last->next)
        last = last->next;
    const base_node *levels = base_node_at(last, 0);
    if (file && file->kind == BASE_NODE_TEXT && *base_path_name(file->text))
        return base_format(out, n, "%s", base_path_name(file->text));
    if (!family || !base_starts_with(family, "YOLO"))
        return false;
    const bool is_p2 = strcmp(family, "YOLOv8") == 0 && levels && levels->n_children == 4;
    return base_format(out, n, "yolo%s%s", family + 4, is_p2 ? "-p2" : suffix_of(last));
}

static bool is_yolo26(const base_node *yaml)
{
    const base_node *reg = base_node_get(yaml, "reg_max"), *end = base_node_get(yaml, "end2end");
    return (reg && reg->kind == BASE_NODE_INT && reg->i == 1) ||
           (end && end->kind == BASE_NODE_BOOL && end->i == 1);
}

static bool has(const weights_file *w, int layer, const char *rest)
{
    char key[96];
    base_format(key, sizeof key, "model.%d.%s", layer, rest);
    return weights_find(w, key) != NULL;
}

/* A plain state dict: the layer that the head is, and what only others have. */
static bool by_keys(char *out, size_t n, const weights_file *w)
{
    static const struct {
        int layer;
        const char *family;
        bool is_ours;
    } rows[] = {{21, "YOLO12", false},
                {22, "YOLOv8", true},
                {23, "YOLO11", true},
                {24, "YOLOv5", true},
                {28, "YOLOv8-p2", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int layer = rows[i].layer;
        const char *family = rows[i].family, *task = "detection";
        if (has(w, layer, "m.0.weight") && has(w, layer, "anchors"))
            return base_format(out, n, "%s detection with anchors", family);
        if (!has(w, layer, "cv3.0.2.weight"))
            continue;
        if (has(w, layer, "one2one_cv2.0.2.weight")) {
            char key[64];
            base_format(key, sizeof key, "model.%d.cv2.0.2.bias", layer);
            const weights_tensor *t = weights_find(w, key);
            family = t && t->n_elements == 4 ? "YOLO26" : "YOLOv10";
        } else if (has(w, 4, "cv2.0.cv3.conv.weight")) {
            family = "YOLOv9";
        }
        if (has(w, layer, "proto.cv1.conv.weight"))
            task = "segmentation";
        else if (has(w, layer, "cv4.0.2.weight"))
            task = "pose or oriented boxes";
        const bool is_built_in = strcmp(task, "detection") == 0 || layer == 23;
        if (rows[i].is_ours && family == rows[i].family && is_built_in)
            continue;
        return base_format(out, n, "%s %s", family, task);
    }
    return false;
}

/* The boxes that a head starts from, which the heads of today have not. */
static bool has_anchors(const base_node *yaml)
{
    const base_node *head = base_node_get(yaml, "head"), *last = head ? head->first : NULL;
    while (last && last->next)
        last = last->next;
    const base_node *args = base_node_at(last, 3);
    return base_node_get(yaml, "anchors") != NULL || (args && args->n_children > 1);
}

/* Families whose detectors vigil runs. */
static bool is_ours(const char *family)
{
    static const char *const ours[] = {"YOLO11", "YOLOv8", "YOLOv5"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(family, ours[i]) == 0)
            return true;
    return false;
}

/* Heads that vigil has, of whatever family. */
static bool runs_head(const base_node *yaml)
{
    static const sign ours[] = {{"Segment", ""}, {"Pose", ""}, {"OBB", ""}, {"Classify", ""}};
    return find_sign(yaml, ours, sizeof ours / sizeof *ours) != NULL;
}

bool nn_family_name(char *out, size_t n, const weights_file *w, const base_node *yaml)
{
    char family[32] = "";
    if (!yaml)
        return by_keys(out, n, w);
    const char *by_module = find_sign(yaml, signs, sizeof signs / sizeof *signs),
               *head = find_sign(yaml, heads, sizeof heads / sizeof *heads);
    if (!by_file_name(family, sizeof family, yaml))
        base_format(family, sizeof family, "%s",
                    is_yolo26(yaml) ? "YOLO26"
                    : by_module     ? by_module
                    : head          ? "a model"
                                    : "");
    if (strcmp(family, "YOLO11") == 0 && is_yolo26(yaml))
        base_format(family, sizeof family, "YOLO26");
    if (by_module && is_ours(family) && !is_ours(by_module)) /* yolov8n-rtdetr.yaml */
        base_format(family, sizeof family, "%s", by_module);
    if (!family[0])
        return false;
    if (!head && (strcmp(family, "YOLOv5") == 0 || strcmp(family, "YOLOv3") == 0) &&
        has_anchors(yaml))
        return base_format(out, n, "%s detection with anchors", family);
    if (is_ours(family) && (!head || runs_head(yaml)))
        return false; /* what is wrong with it is said already */
    return base_format(out, n, "%s %s%s", family,
                       head && strcmp(family, "a model") == 0 ? "of " : "",
                       head ? head : "detection");
}

bool nn_family_of_name(char *out, size_t n, const char *stem)
{
    static const struct {
        const char *ending, *task;
    } tasks[] = {{"-seg", "segmentation"},
                 {"-pose", "pose"},
                 {"-obb", "oriented boxes"},
                 {"-cls", "classification"}};
    char family[32];
    const char *dash = strchr(stem, '-'), *task = NULL;
    for (size_t i = 0; dash && i < sizeof tasks / sizeof *tasks; i++)
        task = base_equal_nocase(dash, tasks[i].ending) ? tasks[i].task : task;
    if (base_starts_with(stem, "rtdetr"))
        return base_format(out, n, "RT-DETR detection");
    if (!by_name(family, sizeof family, stem) || (is_ours(family) && !task))
        return false;
    return base_format(out, n, "%s %s", family, task ? task : "detection");
}
