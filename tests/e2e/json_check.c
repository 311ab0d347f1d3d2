/* json_check.c: reads vigil's JSON as another program would, with a library of its own.
 *
 *     json_check lines FILE     every line an object of source, width, height, boxes; prints how
 *                               many lines and boxes
 *     json_check info FILE      the object of `vigil info --json`; prints a sentence about it
 *     json_check bench FILE INFO  the object of `vigil bench --json`, beside that of `vigil info
 *                               --json`; prints a sentence about it
 *     json_check any FILE       an object
 *
 * Exit status 1, and what is wrong on standard output, when the file is not as it
 * should be. */
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong(size_t line, const char *what)
{
    printf("line %zu: %s\n", line, what);
    return 1;
}

/* Corners inside the picture and in order; confidence a share. */
static const char *box_fault(json_t *box, double width, double height)
{
    double x1, y1, x2, y2, confidence;
    int class_index;
    const char *name;
    if (json_unpack_ex(box, NULL, JSON_STRICT, "{s:i, s:s, s:F, s:[F, F, F, F]}", "class",
                       &class_index, "name", &name, "confidence", &confidence, "xyxy", &x1, &y1,
                       &x2, &y2) != 0)
        return "a box is not {class, name, confidence, xyxy}";
    if (class_index < 0 || *name == '\0' || confidence <= 0 || confidence > 1)
        return "a box has an impossible class, name or confidence";
    if (x1 < 0 || y1 < 0 || x2 > width || y2 > height || x1 > x2 || y1 > y2)
        return "a box is outside its picture";
    return NULL;
}

static int check_lines(FILE *f)
{
    static char line[1 << 20];
    size_t n_lines = 0, n_boxes = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        n_lines++;
        json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        const char *source;
        double width, height;
        json_t *boxes, *box;
        size_t i;
        if (line[strlen(line) - 1] != '\n' || o == NULL)
            return wrong(n_lines, "not JSON, or not a whole line");
        if (json_unpack_ex(o, NULL, JSON_STRICT, "{s:s, s:F, s:F, s:o}", "source", &source, "width",
                           &width, "height", &height, "boxes", &boxes) != 0 ||
            !json_is_array(boxes) || *source == '\0')
            return wrong(n_lines, "not {source, width, height, boxes}");
        json_array_foreach(boxes, i, box)
        {
            const char *fault = box_fault(box, width, height);
            if (fault != NULL)
                return wrong(n_lines, fault);
            n_boxes++;
        }
        json_decref(o);
    }
    printf("%zu lines, %zu boxes\n", n_lines, n_boxes);
    return 0;
}

static int check_info(FILE *f)
{
    json_error_t at;
    json_t *o = json_loadf(f, JSON_REJECT_DUPLICATES, &at), *value;
    const char *name, *key;
    json_int_t params, sum = 0, layer_sum = 0;
    json_t *classes, *layers, *layer;
    size_t i;
    if (o == NULL)
        return wrong((size_t)at.line, at.text);
    if (json_unpack_ex(o, &at, 0, "{s:s, s:I, s:o, s:o}", "name", &name, "parameters", &params,
                       "classes", &classes, "layers", &layers) != 0)
        return wrong(1, at.text);
    json_array_foreach(layers, i, layer) layer_sum +=
        json_integer_value(json_object_get(layer, "parameters"));
    if (layer_sum != params)
        return wrong(1, "the layers' parameters are not the model's");
    json_t *memory = json_object_get(o, "memory");
    json_object_foreach(memory, key, value) sum +=
        strcmp(key, "sum") == 0 ? 0 : json_integer_value(value);
    if (memory != NULL && (sum == 0 || sum != json_integer_value(json_object_get(memory, "sum"))))
        return wrong(1, "the memory plan does not add up");
    printf("%s %lld parameters, %zu classes, %zu layers, %s\n", name, (long long)params,
           json_array_size(classes), json_array_size(layers),
           memory != NULL ? "memory adds up" : "no memory");
    json_decref(o);
    return 0;
}

/* The sum of a number over a list's objects. */
static double sum_of(json_t *list, const char *key)
{
    double sum = 0;
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) sum += json_number_value(json_object_get(item, key));
    return sum;
}

static bool is_near(double a, double b)
{
    return isfinite(a) && fabs(a - b) <= 1e-5 * fabs(b);
}

/* Every step once, in a layer that is there; what they count for, by layer and by all. */
static const char *steps_fault(json_t *layers, json_t *steps)
{
    size_t i, k, n = 0;
    json_t *layer, *step;
    json_array_foreach(layers, i, layer)
    {
        double gflops = 0;
        json_int_t n_own = 0;
        if (json_integer_value(json_object_get(layer, "index")) != (json_int_t)i)
            return "the layers are not in order";
        json_array_foreach(steps, k, step)
        {
            if (json_integer_value(json_object_get(step, "layer")) != (json_int_t)i)
                continue;
            n_own++;
            gflops += json_number_value(json_object_get(step, "gflops"));
        }
        n += (size_t)n_own;
        if (n_own != json_integer_value(json_object_get(layer, "steps")))
            return "a layer has other steps than it says";
        if (fabs(gflops - json_number_value(json_object_get(layer, "gflops"))) > 1e-8)
            return "a layer's operations are not its steps'";
    }
    json_array_foreach(steps, i, step)
    {
        const char *name = json_string_value(json_object_get(step, "name"));
        if (*json_string_value(json_object_get(step, "kernel")) == '\0')
            return "a step without a kernel";
        for (k = i + 1; *name != '\0' && k < json_array_size(steps); k++)
            if (strcmp(name,
                       json_string_value(json_object_get(json_array_get(steps, k), "name"))) == 0)
                return "a step twice";
    }
    return n == json_array_size(steps) ? NULL : "a step of no layer";
}

static int check_bench(FILE *f, const char *info_path)
{
    json_error_t at;
    json_t *o = json_loadf(f, JSON_REJECT_DUPLICATES, &at),
           *info = json_load_file(info_path, 0, &at);
    json_t *machine, *stages, *layers, *steps, *speeds;
    const char *model;
    double gflops, want;
    json_int_t planned, peak;
    if (o == NULL || info == NULL)
        return wrong((size_t)at.line, at.text);
    if (json_unpack_ex(o, &at, 0, "{s:s, s:F, s:{s:I, s:I}, s:o, s:o, s:o, s:o, s:o}", "model",
                       &model, "gflops", &gflops, "memory", "planned", &planned, "peak", &peak,
                       "machine", &machine, "stages", &stages, "layers", &layers, "steps", &steps,
                       "speeds", &speeds) != 0 ||
        json_unpack_ex(info, &at, 0, "{s:F}", "gflops_fused", &want) != 0)
        return wrong(1, at.text);
    const char *fault = steps_fault(layers, steps);
    if (fault != NULL)
        return wrong(1, fault);
    if (!is_near(gflops, want) || !is_near(sum_of(stages, "gflops"), want))
        return wrong(1, "the operations are not those of info");
    if (!is_near(sum_of(layers, "share"), 1) || !is_near(sum_of(steps, "share"), 1) ||
        !is_near(sum_of(stages, "share"), 1))
        return wrong(1, "shares that do not add up to 1");
    if (peak > planned)
        return wrong(1, "more memory than was planned");
    printf("%s, %zu layers, %zu machines, %zu stages, %zu speeds\n", model, json_array_size(layers),
           json_array_size(machine), json_array_size(stages), json_array_size(speeds));
    json_decref(o);
    json_decref(info);
    return 0;
}

/* Nothing but an object of JSON. */
static int check_any(FILE *f)
{
    json_error_t why;
    json_t *object = json_loadf(f, 0, &why);
    if (!json_is_object(object))
        return wrong((size_t)why.line, object == NULL ? why.text : "no object");
    json_decref(object);
    return 0;
}

int main(int argc, char **argv)
{
    const bool is_bench = argc == 4 && strcmp(argv[1], "bench") == 0;
    if (argc != 3 && !is_bench) {
        fputs("usage: json_check lines|info|any FILE, or bench FILE INFO\n", stderr);
        return 2;
    }
    FILE *f = fopen(argv[2], "r");
    if (f == NULL) {
        perror(argv[2]);
        return 2;
    }
    int status = is_bench                       ? check_bench(f, argv[3])
                 : strcmp(argv[1], "info") == 0 ? check_info(f)
                 : strcmp(argv[1], "any") == 0  ? check_any(f)
                                                : check_lines(f);
    fclose(f);
    return status;
}
