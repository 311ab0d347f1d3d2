# install_prefix.cmake: read while something is installed, when the prefix is known. install.cmake sets VIGIL_SOURCE, VIGIL_BINARY,
# VIGIL_VERSION, VIGIL_LIBDIR_HERE and VIGIL_MULTIARCH before.

# /usr is the system's, where Debian has libraries in a folder for each architecture; any other prefix has what was configured.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr" AND VIGIL_MULTIARCH)
  set(VIGIL_LIBDIR lib/${VIGIL_MULTIARCH})
else()
  set(VIGIL_LIBDIR ${VIGIL_LIBDIR_HERE})
endif()

# A folder that no other installation from this build writes to meanwhile.
function(vigil_install_made made folder)
  file(INSTALL DESTINATION ${CMAKE_INSTALL_PREFIX}/${folder} TYPE FILE FILES ${made})
  cmake_path(GET made PARENT_PATH own)
  file(REMOVE_RECURSE ${own})
  set(CMAKE_INSTALL_MANIFEST_FILES "${CMAKE_INSTALL_MANIFEST_FILES}" PARENT_SCOPE)
endfunction()

# The prefix stands in vigil.pc relative to the file itself, so that a prefix may be moved.
function(vigil_install_pkgconfig)
  file(RELATIVE_PATH VIGIL_PC_TO_PREFIX ${CMAKE_INSTALL_PREFIX}/${VIGIL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
  string(REGEX REPLACE "/$" "" VIGIL_PC_TO_PREFIX "${VIGIL_PC_TO_PREFIX}")
  string(RANDOM LENGTH 12 own)
  configure_file(${VIGIL_SOURCE}/packaging/vigil.pc.in ${VIGIL_BINARY}/installed/${own}/vigil.pc @ONLY)
  vigil_install_made(${VIGIL_BINARY}/installed/${own}/vigil.pc ${VIGIL_LIBDIR}/pkgconfig)
  set(CMAKE_INSTALL_MANIFEST_FILES "${CMAKE_INSTALL_MANIFEST_FILES}" PARENT_SCOPE)
endfunction()

# Units name the program by its whole path: systemd wants that. In packaging/ it is /usr/local/bin.
function(vigil_install_units)
  foreach(unit vigil-stream.service vigil-watch@.service)
    string(RANDOM LENGTH 12 own)
    file(READ ${VIGIL_SOURCE}/packaging/${unit} text)
    string(REPLACE "/usr/local/bin/" "${CMAKE_INSTALL_PREFIX}/bin/" text "${text}")
    file(WRITE ${VIGIL_BINARY}/installed/${own}/${unit} "${text}")
    vigil_install_made(${VIGIL_BINARY}/installed/${own}/${unit} lib/systemd/system)
  endforeach()
  set(CMAKE_INSTALL_MANIFEST_FILES "${CMAKE_INSTALL_MANIFEST_FILES}" PARENT_SCOPE)
endfunction()
