/* One box, three boxes: of the words that users count. */
#include "support/test.h"

#include "base/base.h"

static void one_has_its_name_and_others_their_plural(void **state)
{
    (void)state;
    static const char *const words[][2] = {
        {"box", "boxes"},
        {"bus", "buses"},
        {"can", "cans"},
        {"person", "persons"},
        {"couch", "couches"},
        {"toothbrush", "toothbrushes"},
        {"wine glass", "wine glasses"},
        {"Box", "Boxes"},
        {"BUS", "BUSes"},
        {"RBC", "RBCs"},
        {"class", "classes"},
        {"berry", "berries"},
        {"toy", "toys"},
        {"knife", "knives"},
        {"Man", "Men"},
        {"fire truck", "fire trucks"},
        {"stop-sign", "stop-signs"},
        {"fish", "fish"},
        {"sheep", "sheep"},
        {"scissors", "scissors"},
        {"skis", "skis"},
        {"Platelets", "Platelets"},
        {"type 2", "type 2s"},
        {"\xe8\xbd\xa6", "\xe8\xbd\xa6"}, /* a car in Chinese */
        {"label file", "label files"},
        {"epoch", "epochs"},
        {"", ""},
    };
    char text[64], want[64];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        base_format(want, sizeof want, "1 %s", words[i][0]);
        assert_string_equal(base_count(text, sizeof text, 1, words[i][0]), want);
        base_format(want, sizeof want, "3 %s", words[i][1]);
        assert_string_equal(base_count(text, sizeof text, 3, words[i][0]), want);
        base_format(want, sizeof want, "0 %s", words[i][1]);
        assert_string_equal(base_count(text, sizeof text, 0, words[i][0]), want);
    }
}

static void what_does_not_fit_is_cut(void **state)
{
    (void)state;
    char text[8];
    assert_string_equal(base_count(text, sizeof text, UINT64_MAX, "box"), "1844674");
    assert_string_equal(base_count(text, 1, 2, "box"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_has_its_name_and_others_their_plural),
        cmocka_unit_test(what_does_not_fit_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
