/* Any bytes as one of DOTA's text files: a catalogue within its bounds, or an error. */
#include "convert_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    convert_target(source_dota_read_text, data, size);
    return 0;
}
