/* names.c: a dataset whose classes are numbered otherwise than the weights' validates to nearly
 * nothing, and nothing is wrong with any file. Only the names tell.
 *
 * Whether two lists hold the same names is told by the sum of their hashes, which needs no memory
 * and no sorting. */
#include "names.h"

#include <stdint.h>
#include <string.h>

#include "base/base.h"

static uint64_t sum_of(const char *const *names, int n)
{
    uint64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += base_hash(BASE_HASH_START, names[i], strlen(names[i]));
    return sum;
}

/* "class_0" and "0": what stands for names where there are none. */
static bool are_numbers(const char *const *names, int n)
{
    for (int i = 0; i < n; i++) {
        char made[2][16];
        base_format(made[0], sizeof made[0], "class_%d", i);
        base_format(made[1], sizeof made[1], "%d", i);
        if (strcmp(names[i], made[0]) != 0 && strcmp(names[i], made[1]) != 0)
            return false;
    }
    return true;
}

train_names_verdict train_names_compare(char *buf, size_t n, const char *const *of_weights,
                                        int n_weights, const char *const *of_data, int n_data)
{
    base_format(buf, n, "%s", "");
    if (n_weights == 0 || n_data == 0)
        return TRAIN_NAMES_SAME;
    if (n_weights != n_data) {
        base_format(buf, n,
                    "the weights name %d classes (0 is \"%.60s\") and the dataset %d (0 is "
                    "\"%.60s\")",
                    n_weights, of_weights[0], n_data, of_data[0]);
        return TRAIN_NAMES_COUNT;
    }
    int first = 0, n_others = 0;
    for (int i = n_data - 1; i >= 0; i--)
        if (strcmp(of_weights[i], of_data[i]) != 0) {
            first = i;
            n_others++;
        }
    if (n_others == 0 || are_numbers(of_weights, n_weights) || are_numbers(of_data, n_data))
        return TRAIN_NAMES_SAME;
    if (sum_of(of_weights, n_weights) == sum_of(of_data, n_data)) {
        base_format(buf, n,
                    "CLASS ORDER: the dataset has the weights' classes in another order: class %d "
                    "is \"%.60s\" in the weights and \"%.60s\" in the dataset, and %d more of %d "
                    "differ; bring names and labels into the weights' order",
                    first, of_weights[first], of_data[first], n_others - 1, n_data);
        return TRAIN_NAMES_ORDER;
    }
    base_format(buf, n,
                "%d of %d class names differ: the first is class %d, \"%.60s\" in the weights and "
                "\"%.60s\" in the dataset",
                n_others, n_data, first, of_weights[first], of_data[first]);
    return TRAIN_NAMES_DIFFERENT;
}
