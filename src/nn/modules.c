/* modules.c: the table of what a row of a model's YAML may name, and how a row's arguments are
 * read. */
#include <math.h>
#include <string.h>

#include "build.h"

extern const nn_module nn_module_conv, nn_module_dwconv, nn_module_bottleneck, nn_module_c3k,
    nn_module_c3k2, nn_module_sppf, nn_module_c2psa, nn_module_upsample, nn_module_concat,
    nn_module_detect, nn_module_c2f, nn_module_c3, nn_module_segment, nn_module_pose, nn_module_obb,
    nn_module_classify;

static const nn_module *const modules[] = {
    &nn_module_conv,    &nn_module_dwconv, &nn_module_bottleneck, &nn_module_c3k,
    &nn_module_c3k2,    &nn_module_sppf,   &nn_module_c2psa,      &nn_module_upsample,
    &nn_module_concat,  &nn_module_detect, &nn_module_c2f,        &nn_module_c3,
    &nn_module_segment, &nn_module_pose,   &nn_module_obb,        &nn_module_classify,
};
enum { N_MODULES = sizeof modules / sizeof *modules };

const nn_module *nn_module_find(const char *name)
{
    for (size_t i = 0; i < N_MODULES; i++)
        if (strcmp(modules[i]->name, name) == 0)
            return modules[i];
    return NULL;
}

void nn_module_names(char *buf, size_t n)
{
    size_t used = 0;
    buf[0] = 0;
    for (size_t i = 0; i < N_MODULES && used < n; i++) {
        base_format(buf + used, n - used, "%s%s", i ? ", " : "", modules[i]->name);
        used += strlen(buf + used);
    }
}

/* The argument, or NULL where the row is shorter or says None. */
static const base_node *arg(const nn_module_args *a, size_t index)
{
    const base_node *n = base_node_at(a->args, index);
    if (!n || n->kind == BASE_NODE_NULL ||
        (n->kind == BASE_NODE_TEXT && strcmp(n->text, "None") == 0))
        return NULL;
    return n;
}

int nn_arg_int(nn_builder *b, const nn_module_args *a, size_t index, int fallback, int least,
               int most)
{
    const base_node *n = arg(a, index);
    if (!n)
        return fallback;
    if (n->kind != BASE_NODE_INT || n->i < least || n->i > most) {
        nn_build_fail(b, VG_ERR_FORMAT, NULL,
                      "argument %zu of the module is not a whole number in %d..%d", index + 1,
                      least, most);
        return fallback;
    }
    return (int)n->i;
}

double nn_arg_real(nn_builder *b, const nn_module_args *a, size_t index, double fallback)
{
    const base_node *n = arg(a, index);
    if (!n)
        return fallback;
    if ((n->kind != BASE_NODE_REAL && n->kind != BASE_NODE_INT) || !(n->real > 0) ||
        n->real > 1e4) {
        nn_build_fail(b, VG_ERR_FORMAT, NULL, "argument %zu of the module is not a number above 0",
                      index + 1);
        return fallback;
    }
    return n->real;
}

bool nn_arg_bool(nn_builder *b, const nn_module_args *a, size_t index, bool fallback)
{
    const base_node *n = arg(a, index);
    if (!n)
        return fallback;
    if (n->kind != BASE_NODE_BOOL && n->kind != BASE_NODE_INT) {
        nn_build_fail(b, VG_ERR_FORMAT, "write True or False",
                      "argument %zu of the module is neither True nor False", index + 1);
        return fallback;
    }
    return n->i != 0;
}
