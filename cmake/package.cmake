# cmake --build build --target package: Debian packages of what is installed, one for each component (docs/install.md).
#   vigil         the program, manual pages, completion, units
#   libvigil0     the library; its name has the soname's number, so that two can be installed at once
#   libvigil-dev  headers, the name to link by, the pkg-config file
# Which libraries a file needs is what dpkg-shlibdeps reads from it. What is loaded by name (dlopen) cannot be read so: two
# modules, which are never installed, are linked with these libraries and read in their place.
find_program(DPKG_SHLIBDEPS dpkg-shlibdeps)
if(NOT DPKG_SHLIBDEPS OR NOT TARGET vigil OR NOT TARGET vigil_shared OR VIGIL_SANITIZE OR VIGIL_FUZZ)
  return()
endif()

set(VIGIL_MAINTAINER "vigil's maintainers <vigil@packages.invalid>" CACHE STRING "who stands for the Debian packages: Name <address>")

file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/package/empty.c CONTENT "extern int vigil_nothing;\n")
function(vigil_loads name)
  add_library(vigil_${name} MODULE ${CMAKE_BINARY_DIR}/package/empty.c)
  target_link_libraries(vigil_${name} PRIVATE -Wl,--no-as-needed ${ARGN})
  set_target_properties(vigil_${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/package)
endfunction()
# Video is half of what vigil is for; the rest waits for an option, a camera or a kind of picture.
vigil_loads(depends -lavformat -lavcodec -lavutil -lswscale)
set(recommends -lavdevice -ltiff -lmicrohttpd)
foreach(wish CURL:-lcurl MOSQUITTO:-lmosquitto RDKAFKA:-lrdkafka SDL2:-lSDL2)
  string(REPLACE ":" ";" wish ${wish})
  list(GET wish 0 found)
  list(GET wish 1 library)
  if(${found}_FOUND)
    list(APPEND recommends ${library})
  endif()
endforeach()
vigil_loads(recommends ${recommends})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vigil)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "${VIGIL_MAINTAINER}")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR})
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# The prefix is /usr and what is installed goes below a folder (DESTDIR), so that files that name the prefix name /usr.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL program library dev)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
# Not 1: a package that Debian makes of the same version is newer than one built here.
set(CPACK_DEBIAN_PACKAGE_RELEASE 0vigil1)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(what "vigil finds objects in pictures, videos and camera streams with YOLO11,
trains and validates such models, and guards long jobs of any kind against
leaks of memory. Every buffer is planned before the first picture, and
nothing grows afterwards.
.
")
# For who has a GPU; its driver brings one of these.
set(opencl "ocl-icd-libopencl1 | libopencl1")
# For who trains on several machines: mpirun, which brings the library that is loaded.
set(mpi "openmpi-bin")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME vigil)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "YOLO11 object detection with planned memory, and a guard for long jobs
${what}This package has the program, its manual pages and units for systemd.")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "fonts-dejavu-core, libvigil-dev, ${opencl}, ${mpi}")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_CONTROL_EXTRA
  "${CMAKE_SOURCE_DIR}/packaging/debian/postinst;${CMAKE_SOURCE_DIR}/packaging/debian/prerm;${CMAKE_SOURCE_DIR}/packaging/debian/postrm")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libvigil${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SUGGESTS "${opencl}, ${mpi}")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "YOLO11 object detection with planned memory - shared library
${what}This package has the library that other programs are linked with.")
# What a package of a program linked with it will depend on; and the loader's cache is made anew once a library has come or gone.
set(library ${CPACK_DEBIAN_LIBRARY_PACKAGE_NAME})
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/package/shlibs
     CONTENT "libvigil ${PROJECT_VERSION_MAJOR} ${library} (>= ${PROJECT_VERSION})\n")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/package/triggers CONTENT "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA "${CMAKE_BINARY_DIR}/package/shlibs;${CMAKE_BINARY_DIR}/package/triggers")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libvigil-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEV_DESCRIPTION "YOLO11 object detection with planned memory - development files
${what}This package has the headers, which are the manual, and the pkg-config file.")
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libvigil${PROJECT_VERSION_MAJOR} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")

# Read when cpack starts, and when a component lies in its folder, before it is packed.
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_SOURCE_DIR}/cmake/package_loads.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/package_docs.cmake)
set(CPACK_VIGIL_SOURCE ${CMAKE_SOURCE_DIR})
set(CPACK_VIGIL_BINARY ${CMAKE_BINARY_DIR})
set(CPACK_VIGIL_SHLIBDEPS ${DPKG_SHLIBDEPS})
include(CPack)
