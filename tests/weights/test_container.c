/* test_container.c: what is given for weights and is none is named, with the way out. */
#include "support/test.h"

#include "weights/weights.h"

static base_mem mem = {.tag = "test"};

#define ROW(text, st, what, mend)                                                                  \
    {                                                                                              \
        text, sizeof(text) - 1, st, what, mend                                                     \
    }

static void other_files_are_named_with_the_way_out(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        vg_status status;
        const char *what, *mend;
    } rows[] = {
        ROW("\x08\x07\x12\x07pytorch\x1a\x05"
            "2.1.0:\x90\x01",
            VG_ERR_UNSUPPORTED, "ONNX", "exported from"),
        ROW("\x08\x0a:\x90\x01xxxxxxxxxxxxxxxxxxxx", VG_ERR_UNSUPPORTED, "ONNX", "exported from"),
        ROW("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", VG_ERR_FORMAT,
            "Git LFS", "git lfs pull"),
        ROW("\n <!DOCTYPE html><html>404", VG_ERR_FORMAT, "web page", "download it again"),
        ROW("\xef\xbb\xbf<html lang=\"en\">", VG_ERR_FORMAT, "web page", "download it again"),
        ROW("<?xml version=\"1.0\"?><net>", VG_ERR_UNSUPPORTED, "OpenVINO", "exported from"),
        ROW("\x1c\0\0\0TFL3\x14\0 \0", VG_ERR_UNSUPPORTED, "TensorFlow Lite", "exported from"),
        ROW("\x89HDF\r\n\x1a\n0000", VG_ERR_UNSUPPORTED, "Keras", "exported from"),
        ROW("7767517\n233 300\n", VG_ERR_UNSUPPORTED, "ncnn", "exported from"),
        ROW("\xff\xd8\xff\xe0\0\x10JFIF", VG_ERR_UNSUPPORTED, "JPEG picture", "as source"),
        ROW("\x89PNG\r\n\x1a\n0000", VG_ERR_UNSUPPORTED, "PNG picture", "as source"),
        ROW("\x1f\x8b\x08\0\0\0\0\0\0", VG_ERR_UNSUPPORTED, "gzip", "unpack"),
        ROW("Not Found", VG_ERR_FORMAT, "a text, not weights; it begins with \"Not Found",
            "editor"),
        ROW("Not", VG_ERR_FORMAT, "a text", "editor"),
        ROW("", VG_ERR_FORMAT, "empty", "download"),
        ROW("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", VG_ERR_FORMAT, "neither",
            "safetensors"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *bytes = base_alloc(&mem, rows[i].n + 1, NULL); /* of the size, for ASan */
        weights_file *f = NULL;
        vg_error err = {0};
        memcpy(bytes, rows[i].bytes, rows[i].n);
        const vg_status st = weights_open_memory(&f, bytes, rows[i].n, "best.pt", &mem, &err);
        if (st != rows[i].status || strstr(err.what, rows[i].what) == NULL ||
            strstr(err.mend, rows[i].mend) == NULL || strncmp(err.where, "best.pt", 7) != 0)
            fail_msg("row %zu: %s; at %s; try %s", i, err.what, err.where, err.mend);
        base_free(bytes);
        assert_int_equal(mem.in_use_bytes, 0);
    }
}

static void a_file_that_is_missing_says_where_weights_come_from(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"/nowhere/yolo11n.pt", "download yolo11n.pt from its maker's releases"},
        {"/nowhere/yolo11x.PT", "vigil train, vigil demo"},
        {"/nowhere/yolov8n.pt", "download yolov8n.pt from its maker's releases"},
        {"/nowhere/yolov8s-p2.pt", "download yolov8s-p2.pt"},
        {"/nowhere/yolov5xu.pt", "download yolov5xu.pt"},
        {"/nowhere/yolov5n.pt", "and not yolov5n.pt"},
        {"/nowhere/yolov8n-seg.pt", "and not yolov8n-seg.pt"},
        {"/nowhere/yolo11n-seg.pt", "and not yolo11n-seg.pt"},
        {"/nowhere/yolo12n.pt", "YOLO11, YOLOv8 and YOLOv5u"},
        {"/nowhere/best.pt", "weights come from vigil train"},
        {"/nowhere/yolo11n.safetensors", "weights come from vigil train"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weights_file *f = NULL;
        vg_error err = {0};
        assert_int_equal(weights_open(&f, rows[i][0], &mem, &err), VG_ERR_IO);
        assert_non_null(strstr(err.what, "No such file"));
        assert_string_equal(err.where, rows[i][0]);
        if (strstr(err.mend, rows[i][1]) == NULL)
            fail_msg("%s: %s", rows[i][0], err.mend);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_files_are_named_with_the_way_out),
        cmocka_unit_test(a_file_that_is_missing_says_where_weights_come_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
