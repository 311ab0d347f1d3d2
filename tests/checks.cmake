# Tests that read the sources or what was built, instead of running it. They need the shell and nm.
set(checks ${CMAKE_SOURCE_DIR}/tests)

add_test(NAME check/includes COMMAND ${checks}/check_includes.sh ${CMAKE_SOURCE_DIR})
add_test(NAME check/includes_self_test COMMAND ${checks}/check_includes.sh --self-test)
add_test(NAME check/tasks COMMAND ${checks}/check_tasks.sh ${CMAKE_SOURCE_DIR})
add_test(NAME check/tasks_self_test COMMAND ${checks}/check_tasks.sh --self-test)
add_test(NAME check/symbols_self_test COMMAND ${checks}/check_symbols.sh --self-test)
set_tests_properties(check/symbols_self_test PROPERTIES ENVIRONMENT "CC=${CMAKE_C_COMPILER}")

# All that src builds but base: archives and the shared library as files, the program by its objects.
vigil_targets_of(targets ${CMAKE_SOURCE_DIR}/src)
set(files "")
foreach(target IN LISTS targets)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "STATIC_LIBRARY" AND NOT target STREQUAL "vigil_base")
    list(APPEND files $<TARGET_FILE:${target}>)
  elseif(type STREQUAL "SHARED_LIBRARY")
    list(APPEND files $<TARGET_FILE:${target}> $<TARGET_OBJECTS:${target}>)
  elseif(type MATCHES "^(EXECUTABLE|OBJECT_LIBRARY)$")
    list(APPEND files $<TARGET_OBJECTS:${target}>)
  endif()
endforeach()
# A sanitizer's build calls and exports what the sanitizer needs: only the plain builds are held to this.
if(files AND NOT VIGIL_SANITIZE AND NOT VIGIL_FUZZ)
  add_test(NAME check/symbols COMMAND ${checks}/check_symbols.sh ${files} COMMAND_EXPAND_LISTS)
endif()

# Every program, library and archive of ours; called by the top folder, once all of them are known.
add_test(NAME check/hardening_self_test COMMAND ${checks}/check_hardening.sh --self-test)
set_tests_properties(check/hardening_self_test PROPERTIES ENVIRONMENT "CC=${CMAKE_C_COMPILER}")
function(vigil_check_hardening)
  set(expect "")
  if(VIGIL_HAS_STACK_PROTECTOR)
    list(APPEND expect protector)
  endif()
  if(VIGIL_HAS_CF_PROTECTION)
    list(APPEND expect cet)
  endif()
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    list(APPEND expect fortify)
  endif()
  vigil_targets_of(targets ${CMAKE_SOURCE_DIR})
  set(files "")
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type MATCHES "^(EXECUTABLE|STATIC_LIBRARY|SHARED_LIBRARY|MODULE_LIBRARY)$")
      list(APPEND files $<TARGET_FILE:${target}>)
    endif()
  endforeach()
  add_test(NAME check/hardening COMMAND ${CMAKE_SOURCE_DIR}/tests/check_hardening.sh ${files} COMMAND_EXPAND_LISTS)
  list(JOIN expect " " expect)
  set_tests_properties(check/hardening PROPERTIES ENVIRONMENT "VIGIL_EXPECT=${expect}")
endfunction()

# Skipped where clang-format 14 is not installed: other versions want other breaks.
add_test(NAME check/format COMMAND sh ${CMAKE_SOURCE_DIR}/tests/check_format.sh)
set_tests_properties(check/format PROPERTIES SKIP_RETURN_CODE 77)

# What the services could do if they were taken over; skipped without systemd-analyze.
add_test(NAME check/units COMMAND ${checks}/check_units.sh
         ${CMAKE_SOURCE_DIR}/packaging/vigil-stream.service ${CMAKE_SOURCE_DIR}/packaging/vigil-watch@.service)
add_test(NAME check/units_self_test COMMAND ${checks}/check_units.sh --self-test ${CMAKE_SOURCE_DIR})
set_tests_properties(check/units check/units_self_test PROPERTIES SKIP_RETURN_CODE 77)
