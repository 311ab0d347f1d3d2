/* pickle_write.c: opcodes by the letters that they are. */
#include "pickle_write.h"

#include <string.h>

static const struct {
    const char *module, *name;
} classes[] = {
#define X(name, module, text) [PKL_##name] = {module, text},
    PKL_CLASSES(X)
#undef X
};

const char *pkl_class_name(char *buf, size_t n, pkl_class c)
{
    base_format(buf, n, "%s.%s", classes[c].module, classes[c].name);
    return buf;
}

static void put(pkl_writer *p, const void *bytes, size_t n)
{
    zip_put(p->zip, bytes, n);
}

static void put_code(pkl_writer *p, uint8_t code)
{
    put(p, &code, 1);
}

/* The code and a little-endian number of n bytes. */
static void put_number(pkl_writer *p, char code, uint64_t value, size_t n)
{
    uint8_t bytes[9] = {(uint8_t)code};
    for (size_t i = 0; i < n; i++)
        bytes[1 + i] = (uint8_t)(value >> 8 * i);
    put(p, bytes, 1 + n);
}

enum { NEW_OBJECT = 0x81, TUPLE1 = 0x85, TRUE_ = 0x88, FALSE_ = 0x89, LONG1 = 0x8a };

void pkl_begin(pkl_writer *p)
{
    memset(p->was_named, 0, sizeof p->was_named);
    put(p, "\x80\x02", 2);
}

void pkl_end(pkl_writer *p)
{
    put_code(p, '.');
}

void pkl_put_none(pkl_writer *p)
{
    put_code(p, 'N');
}

void pkl_bool(pkl_writer *p, bool value)
{
    put_code(p, value ? TRUE_ : FALSE_);
}

void pkl_int(pkl_writer *p, int64_t value)
{
    if (value >= 0 && value < 256)
        put_number(p, 'K', (uint64_t)value, 1);
    else if (value >= 0 && value < 65536)
        put_number(p, 'M', (uint64_t)value, 2);
    else if (value >= INT32_MIN && value <= INT32_MAX)
        put_number(p, 'J', (uint64_t)value, 4);
    else {
        put(p, (const uint8_t[]){LONG1, 8}, 2);
        put(p, &value, 8);
    }
}

void pkl_real(pkl_writer *p, double value)
{
    uint64_t bits;
    uint8_t bytes[9] = {'G'};
    memcpy(&bits, &value, 8);
    for (int i = 0; i < 8; i++)
        bytes[1 + i] = (uint8_t)(bits >> (56 - 8 * i));
    put(p, bytes, sizeof bytes);
}

void pkl_text(pkl_writer *p, const char *text)
{
    const size_t n = strlen(text);
    put_number(p, 'X', n, 4);
    put(p, text, n);
}

void pkl_dict_begin(pkl_writer *p)
{
    put(p, "}(", 2);
}

void pkl_dict_end(pkl_writer *p)
{
    put_code(p, 'u');
}

void pkl_list_begin(pkl_writer *p)
{
    put(p, "](", 2);
}

void pkl_list_end(pkl_writer *p)
{
    put_code(p, 'e');
}

void pkl_tuple_begin(pkl_writer *p)
{
    put_code(p, '(');
}

void pkl_tuple_end(pkl_writer *p)
{
    put_code(p, 't');
}

void pkl_ints(pkl_writer *p, int n, const int64_t *values)
{
    pkl_tuple_begin(p);
    for (int i = 0; i < n; i++)
        pkl_int(p, values[i]);
    pkl_tuple_end(p);
}

void pkl_name_class(pkl_writer *p, pkl_class c)
{
    if (p->was_named[c]) {
        put_number(p, 'h', (uint64_t)c, 1);
        return;
    }
    p->was_named[c] = true;
    put_code(p, 'c');
    put(p, classes[c].module, strlen(classes[c].module));
    put_code(p, '\n');
    put(p, classes[c].name, strlen(classes[c].name));
    put_code(p, '\n');
    put_number(p, 'q', (uint64_t)c, 1);
}

void pkl_call(pkl_writer *p)
{
    put_code(p, 'R');
}

void pkl_object_begin(pkl_writer *p, pkl_class c)
{
    pkl_name_class(p, c);
    put(p, (const uint8_t[]){')', NEW_OBJECT}, 2);
    pkl_dict_begin(p);
}

void pkl_object_end(pkl_writer *p)
{
    pkl_dict_end(p);
    put_code(p, 'b');
}

void pkl_ordered_begin(pkl_writer *p)
{
    pkl_name_class(p, PKL_ORDERED_DICT);
    put(p, ")R(", 3);
}

void pkl_ordered_end(pkl_writer *p)
{
    put_code(p, 'u');
}

void pkl_empty_set(pkl_writer *p)
{
    pkl_name_class(p, PKL_SET);
    put(p, (const uint8_t[]){']', TUPLE1, 'R'}, 3);
}

/* What a tensor has beside its numbers: hooks, of which there are none. */
static void no_hooks(pkl_writer *p)
{
    pkl_ordered_begin(p);
    pkl_ordered_end(p);
}

void pkl_tensor(pkl_writer *p, pkl_class storage, size_t key, int n_dims, const int64_t *shape)
{
    int64_t stride[WEIGHTS_MAX_DIMS], n = 1;
    char text[24];
    for (int d = n_dims - 1; d >= 0; d--) {
        stride[d] = n;
        n *= shape[d];
    }
    base_format(text, sizeof text, "%zu", key);
    pkl_name_class(p, PKL_REBUILD_TENSOR);
    pkl_tuple_begin(p);
    pkl_tuple_begin(p);
    pkl_text(p, "storage");
    pkl_name_class(p, storage);
    pkl_text(p, text);
    pkl_text(p, "cpu");
    pkl_int(p, n);
    pkl_tuple_end(p);
    put_code(p, 'Q');
    pkl_int(p, 0);
    pkl_ints(p, n_dims, shape);
    pkl_ints(p, n_dims, stride);
    pkl_bool(p, false);
    no_hooks(p);
    pkl_tuple_end(p);
    pkl_call(p);
}

void pkl_set_none(pkl_writer *p, const char *key)
{
    pkl_text(p, key);
    pkl_put_none(p);
}

void pkl_set_bool(pkl_writer *p, const char *key, bool value)
{
    pkl_text(p, key);
    pkl_bool(p, value);
}

void pkl_set_int(pkl_writer *p, const char *key, int64_t value)
{
    pkl_text(p, key);
    pkl_int(p, value);
}

void pkl_set_real(pkl_writer *p, const char *key, double value)
{
    pkl_text(p, key);
    pkl_real(p, value);
}

void pkl_set_text(pkl_writer *p, const char *key, const char *text)
{
    pkl_text(p, key);
    pkl_text(p, text);
}

void pkl_set_pair(pkl_writer *p, const char *key, int64_t a, int64_t b)
{
    pkl_text(p, key);
    pkl_ints(p, 2, (int64_t[]){a, b});
}
