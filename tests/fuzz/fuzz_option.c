/* Any text as a value of each kind of option: refused, and the value is as it was, or read, and
 * then what is written of it is read as the same. */
#include <string.h>

#include "base/base.h"

static const vg_option rows[] = {
    {.kind = VG_OPTION_BOOL},
    {.kind = VG_OPTION_SWITCH, .choices = "auto|true|false"},
    {.kind = VG_OPTION_INT, .least = -5, .most = 1e9},
    {.kind = VG_OPTION_REAL, .least = -1e300, .most = 1e300},
    {.kind = VG_OPTION_FLOAT, .least = 0, .most = 1},
    {.kind = VG_OPTION_RATIO, .least = 0, .most = 1},
    {.kind = VG_OPTION_SECONDS, .least = 0.1, .most = 1e9},
    {.kind = VG_OPTION_BYTES, .most = 1e18},
    {.kind = VG_OPTION_BYTES, .most = 1e18, .preset = ""},
    {.kind = VG_OPTION_SIZE, .least = 32, .most = 8192, .preset = "0"},
    {.kind = VG_OPTION_TEXT, .most = 15},
    {.kind = VG_OPTION_TEXT, .most = 7, .choices = "tcp|udp", .also = "t=tcp|=udp"},
    {.kind = VG_OPTION_FILE},
    {.kind = VG_OPTION_CHOICE, .choices = "none|ram|disk", .also = "true=ram|false=none|=none"},
    {.kind = VG_OPTION_BITS, .choices = "warn|notify|stop|restart"},
    {.kind = VG_OPTION_INTS, .least = -100, .most = 100},
    {.kind = VG_OPTION_CLASSES, .most = 100},
    {.kind = VG_OPTION_LAYERS, .most = 1000},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static void look_at(const vg_option *o, const char *text)
{
    static _Alignas(max_align_t) unsigned char before[sizeof(vg_classes)], v[sizeof before],
        again[sizeof before];
    static char written[16384];
    const size_t n = vg_option_bytes(o);
    if (n > sizeof v)
        __builtin_trap();
    memset(v, 0, sizeof v);
    if (vg_option_read(o, v, text) != VG_OPTION_GOOD) {
        if (memcmp(v, before, sizeof v) != 0)
            __builtin_trap();
        return;
    }
    memset(again, 0, sizeof again);
    if (!vg_option_write(written, sizeof written, o, v) ||
        vg_option_read(o, again, written) != VG_OPTION_GOOD || memcmp(v, again, sizeof v) != 0)
        __builtin_trap();
}

/* In a table, with what YAML and the environment bring. */
static void look_at_table(const char *text)
{
    static const base_options table = {.rows = rows + 10,
                                       .n = 1,
                                       .noun = "option",
                                       .mend = "leave it out",
                                       .where = "option ",
                                       .is_utf8 = true,
                                       .has_none = true};
    static char room[VG_OPTION_TEXT_BYTES];
    vg_option named = rows[10];
    named.name = "name";
    base_options t = table;
    t.rows = &named;
    base_options_set(&t, room, "name", text, NULL);
    base_options_set(&t, room, text, "x", NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char text[1 << 14];
    if (n == 0 || n > sizeof text)
        return 0;
    memcpy(text, bytes + 1, n - 1);
    text[n - 1] = '\0';
    look_at(&rows[bytes[0] % N_ROWS], text);
    look_at_table(text);
    return 0;
}
