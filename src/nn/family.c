/* family.c: the other models that come in the same kind of file. What they are is told by their
 * YAML (the name of its file, and the modules that only they have), or, in a plain state dict, by
 * the numbers of their layers. Nothing here decides what is run: it words a refusal. */
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
    {"v10Detect", "YOLOv10"},
    {"SCDown", "YOLOv10"},
    {"C2fCIB", "YOLOv10"},
    {"A2C2f", "YOLO12"},
    {"RepNCSPELAN4", "YOLOv9"},
    {"ELAN1", "YOLOv9"},
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

/* "yolov8n-seg.yaml" -> YOLOv8, "yolo26n.yaml" -> YOLO26. */
static bool by_file_name(char *out, size_t n, const base_node *yaml)
{
    const base_node *file = base_node_get(yaml, "yaml_file");
    const char *name = file && file->kind == BASE_NODE_TEXT ? base_path_name(file->text) : "";
    char word[5];
    base_format(word, sizeof word, "%.4s", name);
    if (!base_equal_nocase(word, "yolo"))
        return false;
    const char *digits = name + 4 + (tolower((unsigned char)name[4]) == 'v');
    const size_t k = strspn(digits, "0123456789");
    return k > 0 && k < 4 &&
           base_format(out, n, "YOLO%s%.*s", digits > name + 4 ? "v" : "", (int)k, digits);
}

static bool is_yolo26(const base_node *yaml)
{
    const base_node *reg = base_node_get(yaml, "reg_max"), *end = base_node_get(yaml, "end2end");
    return (reg && reg->kind == BASE_NODE_INT && reg->i == 1) ||
           (end && end->kind == BASE_NODE_BOOL && end->i == 1);
}

/* A plain state dict: the layer that the detector is, and what only other heads have. */
static bool by_keys(char *out, size_t n, const weights_file *w)
{
    static const struct {
        int layer;
        const char *family;
    } layers[] = {{21, "YOLO12"}, {22, "YOLOv8 or YOLOv9"}, {23, "YOLO11"}, {24, "YOLOv5"}};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const char *const parts[] = {"cv3.0.2.weight", "m.0.weight"}, *task = "detection";
        for (size_t k = 0; k < 2; k++) {
            char key[64];
            base_format(key, sizeof key, "model.%d.%s", layers[i].layer, parts[k]);
            if (!weights_find(w, key))
                continue;
            base_format(key, sizeof key, "model.%d.proto.cv1.conv.weight", layers[i].layer);
            if (weights_find(w, key))
                task = "segmentation";
            base_format(key, sizeof key, "model.%d.cv4.0.2.weight", layers[i].layer);
            if (strcmp(task, "detection") == 0 && weights_find(w, key))
                task = "pose or oriented boxes";
            return base_format(out, n, "%s %s", layers[i].family, task);
        }
    }
    return false;
}

bool nn_family_name(char *out, size_t n, const weights_file *w, const base_node *yaml)
{
    char family[32] = "";
    bool known;
    if (yaml) {
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
        known = family[0] && base_format(out, n, "%s %s%s", family,
                                         head && strcmp(family, "a model") == 0 ? "of " : "",
                                         head ? head : "detection");
    } else {
        known = by_keys(out, n, w);
    }
    return known && strcmp(out, "YOLO11 detection") != 0;
}
