/* Every row of every table of options is whole: whoever adds one sees here what it lacks. */
#include "support/test.h"

#include <math.h>

#include "vigil/vigil.h"

typedef struct table {
    const char *name;
    const vg_option *rows;
    size_t n;
} table;

static table tables[3];

static int set_up(void **state)
{
    (void)state;
    tables[0] = (table){.name = "stream"};
    tables[0].rows = vg_stream_options(&tables[0].n);
    tables[1] = (table){.name = "watch"};
    tables[1].rows = vg_watch_options(&tables[1].n);
    tables[2] = (table){.name = "train"};
    tables[2].rows = vg_train_options(&tables[2].n);
    return 0;
}

/* what is false of a row. */
#define HOLDS(condition, t, o)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s: %s: %s", (t)->name, (o)->name, #condition);                              \
    } while (0)

#define FOR_ALL(t, o)                                                                              \
    for (const table *t = tables; t < tables + 3; t++)                                             \
        for (const vg_option *o = t->rows; o < t->rows + t->n; o++)

static bool is_name(const char *name)
{
    return name[0] != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static void every_row_says_what_it_is(void **state)
{
    (void)state;
    FOR_ALL(t, o)
    {
        const bool is_word =
            o->kind == VG_OPTION_CHOICE || o->kind == VG_OPTION_BITS || o->kind == VG_OPTION_SWITCH;
        const bool is_flag = o->kind == VG_OPTION_BOOL || o->kind == VG_OPTION_SWITCH;
        HOLDS(is_name(o->name) && (o->alias == NULL || is_name(o->alias)), t, o);
        HOLDS(strlen(o->name) < 40, t, o);
        HOLDS(o->help != NULL && o->help[0] != '\0' && strlen(o->help) < 500, t, o);
        HOLDS(o->preset != NULL, t, o);
        HOLDS(!is_word || o->choices != NULL, t, o);
        HOLDS(is_flag == (vg_option_value(o) == NULL), t, o);
        HOLDS((o->stands == VG_OPTION_ACTS) == (o->why == NULL), t, o);
        HOLDS((o->stands == VG_OPTION_REFUSED) == (o->instead != NULL), t, o);
        HOLDS(o->kind != VG_OPTION_STRING && o->kind != VG_OPTION_WORDS, t, o);
        HOLDS(!o->is_required && !o->is_positional, t, o);
    }
    assert_true(tables[0].n > 50 && tables[1].n > 30 && tables[2].n > 50);
}

static void no_name_and_no_field_is_used_twice(void **state)
{
    (void)state;
    FOR_ALL(t, o)
    {
        for (const vg_option *other = t->rows; other < o; other++) {
            HOLDS(!vg_name_equal(o->name, other->name), t, o);
            HOLDS(other->alias == NULL || !vg_name_equal(o->name, other->alias), t, o);
            HOLDS(o->alias == NULL || !vg_name_equal(o->alias, other->name), t, o);
            HOLDS(o->alias == NULL || other->alias == NULL ||
                      !vg_name_equal(o->alias, other->alias),
                  t, o);
            HOLDS(o->offset + vg_option_bytes(o) <= other->offset ||
                      other->offset + vg_option_bytes(other) <= o->offset,
                  t, o);
        }
    }
}

/* text is taken, and what is written of it is the same value again. */
static bool comes_back(const vg_option *row, const char *text)
{
    static _Alignas(max_align_t) unsigned char value[sizeof(vg_classes)], again[sizeof value];
    static char written[16384];
    vg_option o = *row;
    o.offset = 0;
    memset(value, 0, sizeof value);
    memset(again, 0, sizeof again);
    return vg_option_bytes(&o) <= sizeof value &&
           vg_option_read(&o, value, text) == VG_OPTION_GOOD &&
           vg_option_write(written, sizeof written, &o, value) &&
           vg_option_read(&o, again, written) == VG_OPTION_GOOD &&
           memcmp(value, again, sizeof value) == 0;
}

static bool is_outside(const vg_option *row, const char *text)
{
    static _Alignas(max_align_t) unsigned char value[sizeof(vg_classes)];
    vg_option o = *row;
    o.offset = 0;
    return vg_option_read(&o, value, text) == VG_OPTION_OUTSIDE;
}

static void every_default_is_read_and_written(void **state)
{
    (void)state;
    FOR_ALL(t, o) HOLDS(comes_back(o, o->preset), t, o);
}

static void every_limit_is_the_last_that_is_taken(void **state)
{
    (void)state;
    FOR_ALL(t, o)
    {
        const bool is_number = (o->kind >= VG_OPTION_INT && o->kind <= VG_OPTION_SIZE) ||
                               o->kind == VG_OPTION_INTS || o->kind == VG_OPTION_CLASSES;
        const bool is_whole = o->kind != VG_OPTION_REAL && o->kind != VG_OPTION_FLOAT &&
                              o->kind != VG_OPTION_RATIO && o->kind != VG_OPTION_SECONDS;
        char text[64];
        if (!is_number)
            continue;
        HOLDS(o->least < o->most, t, o);
        snprintf(text, sizeof text, is_whole ? "%.0f" : "%.17g", o->least);
        HOLDS(comes_back(o, text), t, o);
        snprintf(text, sizeof text, is_whole ? "%.0f" : "%.17g", o->most);
        HOLDS(comes_back(o, text), t, o);
        snprintf(text, sizeof text, is_whole ? "%.0f" : "%.17g", o->most + fmax(1, o->most * 1e-3));
        HOLDS(is_outside(o, text), t, o);
        if (o->kind == VG_OPTION_BYTES && o->least < 1)
            continue; /* there is nothing below it */
        snprintf(text, sizeof text, is_whole ? "%.0f" : "%.17g", o->least - 1);
        HOLDS(is_outside(o, text) || (o->kind == VG_OPTION_BYTES && o->least < 2), t, o);
    }
}

static void every_word_of_the_choices_is_taken(void **state)
{
    (void)state;
    FOR_ALL(t, o)
    {
        for (const char *at = o->choices; at != NULL && *at != '\0';) {
            char word[64];
            const size_t n = strcspn(at, "|");
            snprintf(word, sizeof word, "%.*s", (int)n, at);
            HOLDS(comes_back(o, word), t, o);
            at += n + (at[n] == '|');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_says_what_it_is),
        cmocka_unit_test(no_name_and_no_field_is_used_twice),
        cmocka_unit_test(every_default_is_read_and_written),
        cmocka_unit_test(every_limit_is_the_last_that_is_taken),
        cmocka_unit_test(every_word_of_the_choices_is_taken),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
