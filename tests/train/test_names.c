/* test_names.c: when class names of weights and of a dataset are told apart. */
#include "support/test.h"

#include "train/names.h"

static void verdict(int n_weights, const char *const *weights, int n_data, const char *const *data,
                    train_names_verdict expected, const char *part)
{
    char text[512];
    const train_names_verdict got =
        train_names_compare(text, sizeof text, weights, n_weights, data, n_data);
    if (got != expected || strstr(text, part) == NULL || (part[0] == '\0' && text[0] != '\0'))
        fail_msg("%d: %s", (int)got, text);
}

static void the_same_names_in_another_order_are_the_worst(void **state)
{
    (void)state;
    static const char *const a[] = {"can", "jar", "box"}, *const b[] = {"can", "box", "jar"},
                             *const c[] = {"can", "jar", "bag"}, *const n[] = {"0", "1", "2"},
                             *const m[] = {"class_0", "class_1", "class_2"},
                             *const twice[] = {"can", "can", "jar"};
    verdict(3, a, 3, a, TRAIN_NAMES_SAME, "");
    verdict(3, a, 3, b, TRAIN_NAMES_ORDER, "class 1 is \"jar\" in the weights and \"box\"");
    verdict(3, a, 3, b, TRAIN_NAMES_ORDER, "CLASS ORDER");
    verdict(3, a, 3, c, TRAIN_NAMES_DIFFERENT, "1 of 3 class names differ");
    verdict(3, a, 3, twice, TRAIN_NAMES_DIFFERENT, "2 of 3");
    verdict(3, a, 2, a, TRAIN_NAMES_COUNT, "3 classes");
    verdict(0, NULL, 3, a, TRAIN_NAMES_SAME, "");
    verdict(3, a, 3, n, TRAIN_NAMES_SAME, "");
    verdict(3, m, 3, a, TRAIN_NAMES_SAME, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_names_in_another_order_are_the_worst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
