/* onnx_read.c: fields of the two outer messages by hand, the rest by protobuf-c. */
#include "export/onnx_read.h"

#include "support/ok.h"

static uint64_t take_varint(const uint8_t **at, const uint8_t *end)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        assert_true(*at < end);
        const uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    fail_msg("a number of more than 64 bits");
    return 0;
}

/* The next field: its number; of a message the bytes, else the value. */
static int take_field(const uint8_t **at, const uint8_t *end, const uint8_t **bytes,
                      uint64_t *value)
{
    const uint64_t tag = take_varint(at, end);
    *value = take_varint(at, end);
    *bytes = NULL;
    if ((tag & 7) == 2) {
        assert_true(*value <= (uint64_t)(end - *at));
        *bytes = *at;
        *at += *value;
    } else {
        assert_int_equal(tag & 7, 0);
    }
    return (int)(tag >> 3);
}

static void *unpacked(void *message)
{
    assert_non_null(message);
    return message;
}

static void read_graph(onnx_file *f, const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        const uint8_t *bytes;
        uint64_t n;
        const int field = take_field(&at, end, &bytes, &n);
        if (field == 1) {
            assert_true(f->n_nodes < FILE_MOST_NODES);
            f->nodes[f->n_nodes++] = unpacked(vigil__onnx__node_proto__unpack(NULL, n, bytes));
        } else if (field == 5) {
            assert_true(f->n_tensors < FILE_MOST_TENSORS);
            f->tensors[f->n_tensors++] =
                unpacked(vigil__onnx__tensor_proto__unpack(NULL, n, bytes));
        } else if (field == 11) {
            assert_null(f->input);
            f->input = unpacked(vigil__onnx__value_info_proto__unpack(NULL, n, bytes));
        } else if (field == 12) {
            assert_null(f->output);
            f->output = unpacked(vigil__onnx__value_info_proto__unpack(NULL, n, bytes));
        } else {
            assert_int_equal(field, 2);
        }
    }
}

void onnx_file_open(onnx_file *f, const char *path)
{
    *f = (onnx_file){0};
    OK(base_map_open(&f->map, path, err));
    const uint8_t *at = f->map.bytes, *end = at + f->map.n_bytes;
    while (at < end) {
        const uint8_t *bytes;
        uint64_t n;
        const int field = take_field(&at, end, &bytes, &n);
        if (field == 1) {
            f->ir_version = (int64_t)n;
        } else if (field == 7) {
            read_graph(f, bytes, bytes + n);
        } else if (field == 8) {
            Vigil__Onnx__OperatorSetIdProto *m =
                unpacked(vigil__onnx__operator_set_id_proto__unpack(NULL, n, bytes));
            assert_string_equal(m->domain, "");
            f->opset = m->version;
            vigil__onnx__operator_set_id_proto__free_unpacked(m, NULL);
        } else if (field == 14) {
            assert_true(f->n_pairs < FILE_MOST_PAIRS);
            f->pairs[f->n_pairs++] =
                unpacked(vigil__onnx__string_string_entry_proto__unpack(NULL, n, bytes));
        } else {
            assert_true(field == 2 || field == 3);
        }
    }
    assert_non_null(f->input);
    assert_non_null(f->output);
}

void onnx_file_close(onnx_file *f)
{
    for (size_t i = 0; i < f->n_nodes; i++)
        vigil__onnx__node_proto__free_unpacked(f->nodes[i], NULL);
    for (size_t i = 0; i < f->n_tensors; i++)
        vigil__onnx__tensor_proto__free_unpacked(f->tensors[i], NULL);
    for (size_t i = 0; i < f->n_pairs; i++)
        vigil__onnx__string_string_entry_proto__free_unpacked(f->pairs[i], NULL);
    vigil__onnx__value_info_proto__free_unpacked(f->input, NULL);
    vigil__onnx__value_info_proto__free_unpacked(f->output, NULL);
    base_map_close(&f->map);
}

const char *onnx_file_meta(const onnx_file *f, const char *key)
{
    for (size_t i = 0; i < f->n_pairs; i++)
        if (strcmp(f->pairs[i]->key, key) == 0)
            return f->pairs[i]->value;
    return NULL;
}

const Vigil__Onnx__TensorProto *onnx_file_tensor(const onnx_file *f, const char *name)
{
    for (size_t i = 0; i < f->n_tensors; i++)
        if (strcmp(f->tensors[i]->name, name) == 0)
            return f->tensors[i];
    return NULL;
}

size_t onnx_file_count(const onnx_file *f, const char *op)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n_nodes; i++)
        n += strcmp(f->nodes[i]->op_type, op) == 0;
    return n;
}
