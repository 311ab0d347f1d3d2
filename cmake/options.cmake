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

# What makes a fault in a parser harder to use, none of it in the kernels' loops: canaries, guard pages that cannot be
# jumped over, checked sizes, tables that are read-only once the program runs, addresses that nobody knows beforehand, and
# on x86 the marks of control-flow enforcement. tests/check_hardening.sh reads them from what was built.
include(CheckCCompilerFlag)
include(CheckPIESupported)
check_pie_supported()
check_c_compiler_flag(-fstack-protector-strong VIGIL_HAS_STACK_PROTECTOR)
check_c_compiler_flag(-fstack-clash-protection VIGIL_HAS_STACK_CLASH)
check_c_compiler_flag(-fcf-protection=full VIGIL_HAS_CF_PROTECTION)
if(VIGIL_HAS_STACK_PROTECTOR)
  add_compile_options(-fstack-protector-strong)
endif()
if(VIGIL_HAS_STACK_CLASH)
  add_compile_options(-fstack-clash-protection)
endif()
if(VIGIL_HAS_CF_PROTECTION)
  add_compile_options(-fcf-protection=full)
endif()
# The C library warns where nothing is optimized, sanitizers want the plain functions, and for clang it makes macros of
# names that base and the commands take over.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT VIGIL_SANITIZE AND NOT VIGIL_FUZZ)
  add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
# Every library is the system's or within the program, so no file of ours looks for one in a folder of its own. Programs
# that link the shared library in the build tree (its tests) find it beside themselves.
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)

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
