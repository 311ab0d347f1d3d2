/* cmd_devices.c: vigil devices: what --device may name here. */
#include "commands.h"

enum { WIDTH = 80 };

typedef struct devices_values {
    bool json;
} devices_values;

static void devices_defaults(void *values)
{
    *(devices_values *)values = (devices_values){0};
}

static const char *use_of(const vg_device *d)
{
    if (d->fault[0] != '\0')
        return "unusable";
    return d->is_gpu ? "GPU" : "by name only";
}

static void device_print(const vg_device *d)
{
    char memory[32], block[32], free_now[32];
    printf("%-12s %-13s %s\n", d->name, use_of(d), d->title);
    printf("%-12s memory %s", "", cli_bytes(memory, (double)d->memory_bytes));
    if (d->free_bytes > 0)
        printf(", free now %s", cli_bytes(free_now, (double)d->free_bytes));
    printf(", in one piece %s; units %d; 16-bit arithmetic: %s\n",
           cli_bytes(block, (double)d->most_block_bytes), d->n_units, d->has_half ? "yes" : "no");
    printf("%-12s %s%sdriver %s\n", "", d->platform, d->platform[0] != '\0' ? ", " : "", d->driver);
    if (d->fault[0] != '\0') {
        printf("%-12s ", "");
        cli_wrap(stdout, d->fault, 13, 13, WIDTH);
    }
}

static void devices_json(const vg_device *d, size_t n, const vg_driver *drivers, size_t n_drivers)
{
    fputs("{\"devices\": [", stdout);
    for (size_t i = 0; i < n; i++) {
        const char *const texts[][2] = {{"name", d[i].name},     {"title", d[i].title},
                                        {"vendor", d[i].vendor}, {"platform", d[i].platform},
                                        {"driver", d[i].driver}, {"fault", d[i].fault}};
        fputs(i > 0 ? ", {" : "{", stdout);
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            printf("\"%s\": ", texts[k][0]);
            cli_json_string(stdout, texts[k][1]);
            fputs(", ", stdout);
        }
        printf("\"gpu\": %s, \"half\": %s, \"units\": %d, \"memory_bytes\": %zu, "
               "\"free_bytes\": %zu, \"most_block_bytes\": %zu}",
               d[i].is_gpu ? "true" : "false", d[i].has_half ? "true" : "false", d[i].n_units,
               d[i].memory_bytes, d[i].free_bytes, d[i].most_block_bytes);
    }
    fputs("], \"drivers\": [", stdout);
    for (size_t i = 0; i < n_drivers; i++) {
        printf("%s{\"name\": \"%s\", \"devices\": %d, \"fault\": ", i > 0 ? ", " : "",
               drivers[i].name, drivers[i].n_devices);
        cli_json_string(stdout, drivers[i].fault);
        putchar('}');
    }
    fputs("]}\n", stdout);
}

static int devices_run(void *values)
{
    const devices_values *v = values;
    static vg_device devices[VG_MOST_DEVICES];
    vg_driver drivers[VG_MOST_DRIVERS];
    size_t n = 0, n_drivers = 0;
    vg_devices(devices, &n, drivers, &n_drivers);
    if (v->json) {
        devices_json(devices, n, drivers, n_drivers);
        return CLI_DONE;
    }
    printf("%-12s %-13s this machine's processors\n", "cpu", "always there");
    for (size_t i = 0; i < n; i++)
        device_print(&devices[i]);
    for (size_t i = 0; i < n_drivers; i++)
        if (drivers[i].fault[0] != '\0') {
            const int column = printf("no %s: ", drivers[i].name);
            cli_wrap(stdout, drivers[i].fault, column, column, WIDTH);
        }
    return CLI_DONE;
}

static const vg_option devices_options[] = {
    {.name = "json",
     .kind = VG_OPTION_BOOL,
     .offset = offsetof(devices_values, json),
     .help = "one JSON object instead of the table"},
};

const cli_command cli_command_devices = {
    .name = "devices",
    .help = "lists what can compute: GPUs and what else OpenCL offers",
    .usage = "[OPTIONS]",
    .notes = "A device whose row says GPU is taken by --device gpu, and by auto. A processor that "
             "OpenCL offers as a device (PoCL) is taken only by its own name: it is slower than "
             "--device cpu.",
    .options = devices_options,
    .n_options = sizeof devices_options / sizeof *devices_options,
    .values_bytes = sizeof(devices_values),
    .defaults = devices_defaults,
    .run = devices_run,
};
