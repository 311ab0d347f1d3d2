/* literal.c: Python's literals of texts and of class names. */
#include "literal.h"

vg_status literal_add_text(base_str *s, const char *text, base_mem *mem, vg_error *err)
{
    vg_status st = base_str_add(s, LITERAL_MOST_BYTES, mem, err, "'");
    for (const char *c = text; *c != '\0' && st == VG_OK; c++) {
        const unsigned char byte = (unsigned char)*c;
        if (byte == '\\' || byte == '\'')
            st = base_str_add(s, LITERAL_MOST_BYTES, mem, err, "\\%c", byte);
        else if (byte < ' ' || byte == 0x7f)
            st = base_str_add(s, LITERAL_MOST_BYTES, mem, err, "\\x%02x", byte);
        else
            st = base_str_add_bytes(s, LITERAL_MOST_BYTES, c, 1, mem, err);
    }
    return st == VG_OK ? base_str_add(s, LITERAL_MOST_BYTES, mem, err, "'") : st;
}

vg_status literal_add_names(base_str *s, const weights_meta *meta, int nc, base_mem *mem,
                            vg_error *err)
{
    vg_status st = base_str_add(s, LITERAL_MOST_BYTES, mem, err, "{");
    for (int i = 0; i < nc && st == VG_OK; i++) {
        st = base_str_add(s, LITERAL_MOST_BYTES, mem, err, "%s%d: ", i > 0 ? ", " : "", i);
        if (st == VG_OK && i < meta->n_classes)
            st = literal_add_text(s, meta->names[i], mem, err);
        else if (st == VG_OK)
            st = base_str_add(s, LITERAL_MOST_BYTES, mem, err, "'class%d'", i);
    }
    return st == VG_OK ? base_str_add(s, LITERAL_MOST_BYTES, mem, err, "}") : st;
}
