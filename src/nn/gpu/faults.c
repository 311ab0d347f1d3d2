/* faults.c: the words for what goes wrong on a device. */
#include "faults.h"

static const struct words {
    const char *fact, *mend;
} words[] = {
    [GPU_FAULT_OTHER] = {"", "look at the driver's own log (dmesg, nvidia-smi), or take --device "
                             "cpu"},
    [GPU_FAULT_MEMORY] = {"",
                          "take a smaller batch, imgsz or model, end what else uses the GPU, or "
                          "take --device cpu"},
    [GPU_FAULT_RESOURCES] = {"; drivers say so of a kernel that ran too long for their watchdog, "
                             "and of one that needs more than the GPU has",
                             "take a smaller batch or imgsz, a GPU that drives no display, or "
                             "--device cpu; dmesg says which it was"},
    [GPU_FAULT_TIMEOUT] = {"; its watchdog ends a kernel that keeps the display waiting",
                           "take a smaller batch or imgsz, a GPU that drives no display, or "
                           "--device cpu"},
    [GPU_FAULT_BUSY] = {"; another process has the GPU for itself, or its compute mode forbids "
                        "more",
                        "wait for that process (nvidia-smi names it), take another device (vigil "
                        "devices), or --device cpu"},
    [GPU_FAULT_LOST] = {"; the GPU was lost or reset, and this process cannot use it again",
                        "look at the driver's own log (dmesg, nvidia-smi) and start again, or take "
                        "--device cpu"},
};

vg_status gpu_fault_tell(vg_error *err, gpu_fault fault, const vg_device *d, const char *what,
                         const char *code)
{
    return base_fail(err, fault == GPU_FAULT_MEMORY ? VG_ERR_MEMORY : VG_ERR_DEVICE,
                     base_where(d->title[0] ? "device %s (%s)" : "device %s", d->name, d->title),
                     words[fault].mend, "the GPU's driver could not %s: %s%s", what, code,
                     words[fault].fact);
}

vg_status gpu_block_check(const vg_device *d, size_t bytes, vg_error *err)
{
    char asked[32], most[32];
    if (d->most_block_bytes == 0 || bytes <= d->most_block_bytes)
        return VG_OK;
    return base_fail(err, VG_ERR_LIMIT, base_where("device %s", d->name),
                     "take a smaller batch, imgsz or model, or --device cpu",
                     "a block of %s, and the device gives %s at most in one piece",
                     base_format_bytes(asked, sizeof asked, (double)bytes),
                     base_format_bytes(most, sizeof most, (double)d->most_block_bytes));
}
