# A floor is a folder of src/ with one job: a static library whose includes may only go down. FLOORS is what it sees and
# links; HEADERS what it sees alone; PUBLIC_API says that it sees include/vigil; one without SOURCES is headers alone.
# tests/check_includes.sh reads these lines (each begins one) and holds every #include against them.
#   vigil_floor(NAME SOURCES a.c b.c FLOORS base image LIBRARIES PkgConfig::X)
function(vigil_floor name)
  cmake_parse_arguments(F "PUBLIC_API" "" "SOURCES;FLOORS;HEADERS;LIBRARIES" ${ARGN})
  if(F_SOURCES)
    add_library(vigil_${name} STATIC ${F_SOURCES})
    set(seen PUBLIC)
  else()
    add_library(vigil_${name} INTERFACE)
    set(seen INTERFACE)
  endif()
  # Others write #include "nn/nn.h"; a folder's own headers are beside its sources.
  target_include_directories(vigil_${name} ${seen} ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
  foreach(floor IN LISTS F_FLOORS)
    target_link_libraries(vigil_${name} ${seen} vigil_${floor})
  endforeach()
  if(F_LIBRARIES)
    target_link_libraries(vigil_${name} PRIVATE ${F_LIBRARIES})
  endif()
endfunction()
