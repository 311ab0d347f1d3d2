# Warnings and language options of every target of ours.
add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
                    -Wvla -fno-math-errno -ffp-contract=off)
# -ffp-contract=off: a fused multiply-add is written where it is meant, so every compiler gives the same numbers.

set(VIGIL_SANITIZE "" CACHE STRING "value for -fsanitize=, e.g. address,undefined")
if(VIGIL_SANITIZE)
  add_compile_options(-fsanitize=${VIGIL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VIGIL_SANITIZE})
endif()
