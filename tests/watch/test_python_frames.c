/* Layouts of CPython's frames and its tables of lines, by bytes made here. */
#include "support/test.h"

#include <unistd.h>

#include "watch/stacks/preload/python_frames.h"

/* What the walk needs of the library around it. */
uint32_t record_name(stacks_table *t, const char *function, const char *file)
{
    (void)t;
    (void)function;
    (void)file;
    return 1;
}

static int find(python_lines format, const unsigned char *table, size_t n, int first, int address)
{
    return python_line_find(format, python_read_at_once, table, n, first, address);
}

static void lnotab_adds_bytes_and_signed_lines(void **state)
{
    (void)state;
    /* 0: line 10; from 6 on: 12; from 50 on: 8. */
    static const unsigned char t[] = {6, 2, 44, 256 - 4};
    static const int want[][2] = {{-1, 10}, {0, 10}, {5, 10}, {6, 12}, {49, 12}, {50, 8}, {900, 8}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_int_equal(find(PYTHON_LINES_LNOTAB, t, sizeof t, 10, want[i][0]), want[i][1]);
    assert_int_equal(find(PYTHON_LINES_LNOTAB, t, 0, 10, 4), 10);
}

static void ranges_have_lines_or_none(void **state)
{
    (void)state;
    /* [0, 4): 11; [4, 10): none; [10, 12): 9. */
    static const unsigned char t[] = {4, 1, 6, 128, 2, 256 - 2};
    static const int want[][2] = {{-1, 10}, {0, 11}, {3, 11}, {4, -1},
                                  {9, -1},  {10, 9}, {11, 9}, {12, -1}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_int_equal(find(PYTHON_LINES_RANGES, t, sizeof t, 10, want[i][0]), want[i][1]);
}

static void places_have_every_kind_of_entry(void **state)
{
    (void)state;
    static const unsigned char t[] = {
        0x80 | 14 << 3 | 0, 2,         0, 1, 1, /* long, +1: [0, 2): 11 */
        0x80 | 3 << 3 | 1,  17,                 /* short: [2, 6): 11 */
        0x80 | 12 << 3 | 7, 5,         9,       /* one line, +2: [6, 22): 13 */
        0x80 | 15 << 3 | 0,                     /* none: [22, 24) */
        0x80 | 13 << 3 | 0, 0x40 | 41, 6,       /* no columns, -212: [24, 26): 291 */
        0x80 | 11 << 3 | 0, 0,         0,       /* one line, +1 */
    };
    /* 41 + 6 * 64 = 425: the lowest bit is the sign. */
    static const int want[][2] = {{-2, 500}, {0, 501}, {1, 501},  {2, 501},  {5, 501},  {6, 503},
                                  {21, 503}, {22, -1}, {24, 291}, {25, 291}, {26, 292}, {28, -1}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_int_equal(find(PYTHON_LINES_PLACES, t, sizeof t, 500, want[i][0]), want[i][1]);
    for (size_t n = 0; n < sizeof t; n++) /* cut short anywhere */
        assert_true(find(PYTHON_LINES_PLACES, t, n, 500, 27) <= 503);
}

static void long_tables_are_read_in_pieces(void **state)
{
    (void)state;
    unsigned char t[4096];
    for (size_t i = 0; i < sizeof t; i += 2) {
        t[i] = 2;
        t[i + 1] = 1;
    }
    assert_int_equal(find(PYTHON_LINES_LNOTAB, t, sizeof t, 1, 4000), 2001);
    assert_int_equal(find(PYTHON_LINES_RANGES, t, sizeof t, 1, 4000), 2002);
    memset(t, 0x80 | 11 << 3, sizeof t); /* no columns follow: they need not */
    assert_int_equal(find(PYTHON_LINES_PLACES, t, sizeof t, 1, 4000), 2002);
}

static void a_table_that_cannot_be_read_has_no_line(void **state)
{
    (void)state;
    python_read_of(getpid());
    if (!python_can_read_safely(getpid()))
        skip();
    assert_int_equal(python_line_find(PYTHON_LINES_RANGES, python_read_safely,
                                      (const void *)(uintptr_t)4096, 100, 5, 0),
                     -1);
}

static void only_versions_that_are_known_have_a_layout(void **state)
{
    (void)state;
    python_layout l;
    for (uint32_t minor = 0; minor < 40; minor++)
        assert_int_equal(python_layout_find(&l, 0x0300 | minor, NULL), minor >= 9 && minor <= 13);
    assert_false(python_layout_find(&l, 0x0207, NULL));
}

static void a_python_that_tells_its_offsets_is_believed(void **state)
{
    (void)state;
    uint64_t told[128] = {0};
    python_layout l;
    memcpy(told, "xdebugpy", 8);
    told[1] = 0x030d02f0;
    told[23] = 88;  /* current_frame */
    told[29] = 16;  /* previous */
    told[31] = 64;  /* instr_ptr */
    told[33] = 73;  /* owner */
    told[35] = 120; /* filename */
    told[37] = 136; /* qualname */
    told[38] = 144; /* linetable */
    told[39] = 72;  /* firstlineno */
    told[43] = 208; /* code */
    told[70] = 40;
    assert_true(python_layout_find(&l, 0x030d, told));
    assert_int_equal(l.state_frame, 88);
    assert_int_equal(l.frame_previous, 16);
    assert_int_equal(l.frame_instr, 64);
    assert_int_equal(l.frame_owner, 73);
    assert_int_equal(l.code_name, 136);
    assert_int_equal(l.code_instrs, 208);
    assert_int_equal(l.text_other, 56);
    told[38] = 4000; /* further than a code object goes */
    assert_false(python_layout_find(&l, 0x030d, told));
    told[38] = 144;
    told[2] = 1; /* without the lock */
    assert_false(python_layout_find(&l, 0x030d, told));
    told[1] = 0x030e00f0; /* another's: what the headers say */
    assert_true(python_layout_find(&l, 0x030d, told));
    assert_int_equal(l.state_frame, 72);
}

/* ---- a chain of 3.12's frames, made of bytes ---- */

typedef struct object {
    uint64_t count;
    const void *type;
    char rest[400];
} object;

static int addr2line(void *code, int address)
{
    (void)code;
    return 100 + address / 2;
}

static void make_text(object *o, const void *type, const char *chars)
{
    const int64_t n = (int64_t)strlen(chars);
    const uint32_t flags = 1 << 2 | 1 << 5 | 1 << 6;
    *o = (object){.type = type};
    memcpy((char *)o + 16, &n, 8);
    memcpy((char *)o + 32, &flags, 4);
    memcpy((char *)o + 40, chars, (size_t)n + 1);
}

typedef struct made {
    object code, name, file, lines;
    char frames[3][128];
    char cframe[16], state[128];
} made;

static const int code_type, text_type, bytes_type;

static void put(void *at, size_t offset, const void *p)
{
    memcpy((char *)at + offset, &p, sizeof p);
}

/* Two frames of Python, one of the interpreter's own between them. */
static void make(made *m)
{
    *m = (made){0};
    const int32_t first = 100;
    const int64_t n = 8;
    m->code.type = &code_type;
    memcpy((char *)&m->code + 68, &first, 4);
    put(&m->code, 112, &m->file);
    put(&m->code, 128, &m->name);
    put(&m->code, 136, &m->lines);
    make_text(&m->name, &text_type, "keep");
    make_text(&m->file, &text_type, "train.py");
    m->lines.type = &bytes_type;
    memcpy((char *)&m->lines + 16, &n, 8);
    memset((char *)&m->lines + 32, 0x80 | 11 << 3, 8); /* each a line further */
    ((unsigned char *)&m->lines)[32] = 0x80 | 10 << 3;
    for (int i = 0; i < 3; i++) {
        put(m->frames[i], 0, &m->code);
        put(m->frames[i], 8, i < 2 ? m->frames[i + 1] : NULL);
        put(m->frames[i], 56, (char *)&m->code + 192 + 2 * i);
    }
    m->frames[1][70] = 3; /* the interpreter's */
    put(m->cframe, 0, m->frames[0]);
    put(m->state, 56, m->cframe);
}

static const python_types types = {&code_type, &text_type, &bytes_type, addr2line};

static void a_chain_is_walked_by_both_ways_of_reading(void **state)
{
    (void)state;
    made m;
    python_layout l;
    uint64_t told[STACKS_MOST_FRAMES];
    static stacks_table table; /* its lines of cache are aligned, which the heap does not promise */
    stacks_table *t = &table;
    memset(t, 0, sizeof *t);
    t->header.pid = getpid();
    make(&m);
    assert_true(python_layout_find(&l, 0x030c, NULL));
    python_read *const ways[] = {python_read_at_once, python_read_safely};
    for (size_t i = 0; i < 2; i++) {
        if (i == 1 && !python_can_read_safely(getpid()))
            continue;
        python_frames_forget();
        assert_int_equal(python_frames_check(m.state, &l, &types, ways[i]), PYTHON_AS_EXPECTED);
        for (int again = 0; again < 2; again++) { /* the second time from what is known */
            const uint32_t n =
                python_frames_walk(told, STACKS_MOST_FRAMES, t, m.state, &l, &types, ways[i]);
            assert_int_equal(n, 2);
            assert_int_equal(told[0], STACKS_PYTHON << 48 | (uint64_t)100 << 24 | 1);
            assert_int_equal(told[1], STACKS_PYTHON << 48 | (uint64_t)102 << 24 | 1);
        }
        assert_int_equal(python_frames_walk(told, 1, t, m.state, &l, &types, ways[i]), 1);
    }
}

/* Every pointer of it, one after the other, leads nowhere. */
static void a_layout_that_is_wrong_is_found_out_and_not_fallen_over(void **state)
{
    (void)state;
    python_layout l;
    uint64_t told[STACKS_MOST_FRAMES];
    if (!python_can_read_safely(getpid()))
        skip();
    static stacks_table table; /* its lines of cache are aligned, which the heap does not promise */
    stacks_table *t = &table;
    memset(t, 0, sizeof *t);
    t->header.pid = getpid();
    for (int broken = 0; broken < 8; broken++) {
        made m;
        make(&m);
        assert_true(python_layout_find(&l, 0x030c, NULL));
        void *const where[][2] = {{m.frames[0], (void *)0}, {m.frames[0], (void *)8},
                                  {&m.code, (void *)112},   {&m.code, (void *)128},
                                  {&m.code, (void *)136},   {&m.code, (void *)8},
                                  {m.state, (void *)56},    {m.cframe, (void *)0}};
        put(where[broken][0], (size_t)(uintptr_t)where[broken][1], (void *)(uintptr_t)0x1001);
        python_frames_forget();
        /* What leads to no frame at all is none; the second frame is missed by the check's end. */
        const python_checked c = python_frames_check(m.state, &l, &types, python_read_safely);
        assert_true(c == PYTHON_OTHERWISE || c == PYTHON_NO_FRAME || broken == 1);
        python_frames_walk(told, STACKS_MOST_FRAMES, t, m.state, &l, &types, python_read_safely);
    }
    made m;
    make(&m);
    assert_true(python_layout_find(&l, 0x030d, NULL)); /* another version's, wholly */
    assert_int_not_equal(python_frames_check(m.state, &l, &types, python_read_safely),
                         PYTHON_AS_EXPECTED);
}

/* A chain that bites its tail ends. */
static void a_ring_of_frames_ends(void **state)
{
    (void)state;
    made m;
    python_layout l;
    uint64_t told[STACKS_MOST_FRAMES];
    static stacks_table table; /* its lines of cache are aligned, which the heap does not promise */
    stacks_table *t = &table;
    memset(t, 0, sizeof *t);
    make(&m);
    put(m.frames[2], 8, m.frames[0]);
    assert_true(python_layout_find(&l, 0x030c, NULL));
    assert_int_equal(
        python_frames_walk(told, STACKS_MOST_FRAMES, t, m.state, &l, &types, python_read_at_once),
        STACKS_MOST_FRAMES);
    m.frames[0][70] = m.frames[2][70] = 3; /* and none of them is Python's */
    assert_int_equal(
        python_frames_walk(told, STACKS_MOST_FRAMES, t, m.state, &l, &types, python_read_at_once),
        0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lnotab_adds_bytes_and_signed_lines),
        cmocka_unit_test(ranges_have_lines_or_none),
        cmocka_unit_test(places_have_every_kind_of_entry),
        cmocka_unit_test(long_tables_are_read_in_pieces),
        cmocka_unit_test(a_table_that_cannot_be_read_has_no_line),
        cmocka_unit_test(only_versions_that_are_known_have_a_layout),
        cmocka_unit_test(a_python_that_tells_its_offsets_is_believed),
        cmocka_unit_test(a_chain_is_walked_by_both_ways_of_reading),
        cmocka_unit_test(a_layout_that_is_wrong_is_found_out_and_not_fallen_over),
        cmocka_unit_test(a_ring_of_frames_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
