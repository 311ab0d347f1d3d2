/* cmd_export.c: vigil export: a model for other programs. */
#include <string.h>

#include "commands.h"
#include "rows.h"
#include "vigil/export.h"

typedef struct export_values {
    const char *weights, *task, *format, *output, *cfg;
    vg_size imgsz;
    int opset, batch, max_det, quantize; /* quantize: place in its choices */
    bool dynamic, half, nms, agnostic_nms;
    float conf, iou;
    size_t memory_limit;
} export_values;

static void export_defaults(void *values)
{
    const vg_export_options o = vg_export_options_default();
    *(export_values *)values = (export_values){.format = o.format,
                                               .opset = o.opset,
                                               .batch = o.batch,
                                               .max_det = o.max_det,
                                               .conf = o.conf,
                                               .iou = o.iou};
}

static int export_run(void *values)
{
    const export_values *v = values;
    vg_export_options o = vg_export_options_default();
    vg_export_result r;
    vg_error err;
    char bytes[32], memory[32];
    o.weights = v->weights;
    o.task = v->task;
    o.format = v->format;
    o.output = v->output;
    o.opset = v->opset;
    o.imgsz = v->imgsz.h;
    o.imgsz_w = v->imgsz.w == v->imgsz.h ? 0 : v->imgsz.w;
    o.batch = v->batch;
    o.dynamic = v->dynamic;
    o.half = v->half || v->quantize % 2 == 1;
    o.nms = v->nms;
    o.conf = v->conf;
    o.iou = v->iou;
    o.max_det = v->max_det;
    o.agnostic_nms = v->agnostic_nms;
    o.memory_limit_bytes = v->memory_limit;
    if (vg_export(&r, &o, &err) != VG_OK)
        return cli_error_end(&err);
    if (r.imgsz_note[0] != '\0')
        fprintf(stderr, "%s\n", r.imgsz_note);
    printf("wrote %s: %s, %s%s%s, %s; memory %s\n", r.path, r.name, r.input,
           r.input[0] != '\0' ? ", " : "", r.output, cli_bytes(bytes, (double)r.file_bytes),
           cli_bytes(memory, (double)r.peak_bytes));
    return CLI_DONE;
}

#define AT(field) offsetof(export_values, field)

static const vg_option export_options[] = {
    {CLI_ROW_WEIGHTS, .offset = AT(weights), .is_positional = true},
    {CLI_ROW_CFG, .offset = AT(cfg)},
    {CLI_ROW_TASK, .offset = AT(task)},
    {.name = "format",
     .kind = VG_OPTION_STRING,
     .offset = AT(format),
     .value = "FORMAT",
     .help = "onnx, or pt: a checkpoint that the Python tool opens and trains on; for others that "
             "the field knows (openvino, engine, ncnn, ...) the tool that makes them is told, with "
             "its command"},
    {.name = "output",
     .kind = VG_OPTION_STRING,
     .offset = AT(output),
     .value = "FILE",
     .help = "replaced whole or not at all; never the file that is read",
     .zero = "the weights' name with the format's suffix, beside them"},
    {CLI_ROW_IMGSZ, .offset = AT(imgsz),
     .help = "side of the input, or height and width: 480,640; raised to a multiple of the stride"},
    {CLI_ROW_BATCH, .offset = AT(batch), .help = "pictures in one input"},
    {.name = "dynamic",
     .kind = VG_OPTION_BOOL,
     .offset = AT(dynamic),
     .help = "leaves batch, height and width to the program that reads the file"},
    {.name = "half",
     .kind = VG_OPTION_BOOL,
     .offset = AT(half),
     .help = "weights in 16 bits, and the network computes so; input and output stay 32"},
    {.name = "quantize",
     .kind = VG_OPTION_CHOICE,
     .offset = AT(quantize),
     .choices = "32|16|fp32|fp16|w32a32|w16a16",
     .only = "8 bits are made from the ONNX file by the tool that runs it",
     .help = "as YOLO's users spell --half: 16"},
    {.name = "opset",
     .kind = VG_OPTION_INT,
     .offset = AT(opset),
     .value = "N",
     .least = 12,
     .most = 21,
     .help = "version of ONNX's operators"},
    {.name = "nms",
     .kind = VG_OPTION_BOOL,
     .offset = AT(nms),
     .group = "boxes after suppression",
     .help = "output is (batch, max-det, 6): corners, score and class, the best first, rows of "
             "zeros behind the last"},
    {CLI_ROW_CONF, .offset = AT(conf), .help = "with --nms: scores above this"},
    {CLI_ROW_IOU, .offset = AT(iou)},
    {CLI_ROW_MAX_DET, .offset = AT(max_det)},
    {CLI_ROW_AGNOSTIC_NMS, .offset = AT(agnostic_nms)},
    {.name = "memory-limit",
     .kind = VG_OPTION_BYTES,
     .offset = AT(memory_limit),
     .most = 1e18,
     .group = "memory and others",
     .help = "such as 64M: nothing is written when the plan is above it",
     .zero = "none"},
};

const cli_command cli_command_export = {
    .name = "export",
    .help = "writes a model for other programs: ONNX, .pt",
    .usage = "--weights FILE [--format onnx|pt] [options]",
    .notes =
        "Batch norm is folded into the convolutions. Input images: (batch, 3, height, width), RGB, "
        "0 to 1, letterboxed as vigil predict does; output output0: (batch, 4 + classes, cells), "
        "centre, width and height in input pixels, then a score for each class. A .pt takes any "
        "input, so --format pt has a use for --half alone.\n"
        "Exit status: 0 written, 1 it could not be done, 2 the command line is wrong, or the "
        "format is one that another tool makes.",
    .options = export_options,
    .n_options = sizeof export_options / sizeof *export_options,
    .values_bytes = sizeof(export_values),
    .speaks = CLI_AT_EXPORT,
    .siblings = cli_commands,
    .defaults = export_defaults,
    .run = export_run,
};
