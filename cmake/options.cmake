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

if(VIGIL_WERROR)
  add_compile_options(-Werror)
endif()

# Fuzzing: every floor reports its edges to libFuzzer; only the targets of tests/fuzz bring its main.
if(VIGIL_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "VIGIL_FUZZ needs clang's libFuzzer, and the compiler is ${CMAKE_C_COMPILER_ID}; "
                        "use the preset: cmake --preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()
