/* container.c: what people give for weights: the same model exported for another program, a page or
 * a pointer that a download left in its place, a picture. Its name says .pt as often as not, so the
 * bytes are asked; each has its own way out. */
#include "container.h"

#include <string.h>
#include <strings.h>

typedef struct magic {
    size_t at;
    const char *bytes;
    size_t n;
    const char *what, *mend;
} magic;

#define EXPORTED "give the .pt that it was exported from (best.pt, yolo11n.pt)"
#define UNPACK   "unpack it, and give the .pt or .safetensors inside"
#define SWAPPED  "give a .pt or .safetensors file as weights, and this one as source"
#define M(at, text, what, mend)                                                                    \
    {                                                                                              \
        at, text, sizeof(text) - 1, what, mend                                                     \
    }

static const magic magics[] = {
    M(4, "TFL3", "a TensorFlow Lite model", EXPORTED),
    M(0, "\x89HDF\r\n", "a Keras model (HDF5)", EXPORTED),
    M(0, "7767517", "an ncnn model (.param)", EXPORTED),
    M(0, "ftrt", "a TensorRT engine", EXPORTED),
    M(0, "GGUF", "a GGUF model", "give a YOLO11 detector's .pt or .safetensors"),
    M(0, "RKNN", "an RKNN model", EXPORTED),
    M(0, "\x93NUMPY", "a NumPy array", "give a .pt or .safetensors file"),
    M(0, "\x00\x00\x00\x00\x02\x00\x00\x00\x05\x00\x00\x00", "Darknet weights",
      "give a YOLO11 detector's .pt or .safetensors"),
    M(0, "\x1f\x8b", "a gzip archive", UNPACK),
    M(0,
      "\xfd"
      "7zXZ",
      "an xz archive", UNPACK),
    M(0, "BZh", "a bzip2 archive", UNPACK),
    M(0, "7z\xbc\xaf", "a 7z archive", UNPACK),
    M(0, "Rar!", "a RAR archive", UNPACK),
    M(0, "\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    M(0, "\xff\xd8\xff", "a JPEG picture", SWAPPED),
    M(0, "\x89PNG", "a PNG picture", SWAPPED),
    M(0, "RIFF", "a picture or video (RIFF)", SWAPPED),
    M(4, "ftyp", "a video", SWAPPED),
};

/* Protocol buffers have no magic: ONNX begins with its version (field 1, a small number), and then
 * one of the fields that a model has: producer, domain, graph, opset. */
static bool is_onnx(const uint8_t *b, size_t n)
{
    static const uint8_t next[] = {0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42};
    return n > 16 && b[0] == 0x08 && b[1] >= 1 && b[1] < 0x40 &&
           memchr(next, b[2], sizeof next) != NULL;
}

static bool begins(const uint8_t *b, size_t n, const char *text)
{
    return n >= strlen(text) && strncasecmp((const char *)b, text, strlen(text)) == 0;
}

/* The first bytes are what a person would read. */
static bool is_text(const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n && i < 512; i++)
        if ((b[i] < 0x20 && !strchr("\t\r\n\f", b[i])) || b[i] == 0 || b[i] == 0x7f)
            return false;
    return true;
}

static bool refuse_text(const weights_file *f, vg_status *st, vg_error *err)
{
    const uint8_t *b = f->bytes;
    size_t n = f->n_bytes, skip = base_bom_bytes((const char *)b, n);
    while (skip < n && skip < 512 && strchr(" \t\r\n", b[skip]))
        skip++;
    b += skip;
    n -= skip;
    if (begins(b, n, "version https://git-lfs"))
        *st = base_fail(err, VG_ERR_FORMAT, f->name,
                        "run git lfs pull in that folder, or download the file itself",
                        "a Git LFS pointer, not the file itself");
    else if (begins(b, n, "<!doctype html") || begins(b, n, "<html") || begins(b, n, "<head"))
        *st = base_fail(err, VG_ERR_FORMAT, f->name,
                        "download it again; look at the page in a browser, which may ask for a "
                        "login or say that the file is gone",
                        "a web page (HTML), not weights");
    else if (begins(b, n, "<?xml"))
        *st = base_fail(err, VG_ERR_UNSUPPORTED, f->name, EXPORTED,
                        "an XML text, such as an OpenVINO model has");
    else if (is_text(f->bytes, f->n_bytes))
        *st = base_fail(err, VG_ERR_FORMAT, f->name,
                        "give a .pt or .safetensors file; open this one in an editor to see what "
                        "it is",
                        "a text, not weights; it begins with \"%.*s\"", n < 40 ? (int)n : 40,
                        (const char *)b);
    else
        return false;
    return true;
}

bool container_refuse(const weights_file *f, vg_status *st, vg_error *err)
{
    const uint8_t *b = f->bytes;
    const size_t n = f->n_bytes;
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (n >= magics[i].at + magics[i].n &&
            memcmp(b + magics[i].at, magics[i].bytes, magics[i].n) == 0) {
            *st = base_fail(err, VG_ERR_UNSUPPORTED, f->name, magics[i].mend, "%s, not weights",
                            magics[i].what);
            return true;
        }
    if (is_onnx(b, n)) {
        *st = base_fail(err, VG_ERR_UNSUPPORTED, f->name, EXPORTED,
                        "an ONNX model, which vigil does not read");
        return true;
    }
    return refuse_text(f, st, err);
}
