/* rules.c: the table of rules: one row each. */
#include "rule.h"

const watch_rule *const watch_rules[] = {NULL};
const size_t watch_n_rules = 0;
