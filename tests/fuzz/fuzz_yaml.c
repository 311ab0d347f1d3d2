/* Any bytes as YAML: a tree within its bounds or an error, and every byte given back. */
#include "tree_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tree_target(base_tree_from_yaml, data, size);
    return 0;
}
