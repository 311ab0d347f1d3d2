find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(TURBOJPEG REQUIRED IMPORTED_TARGET libturbojpeg)
pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET cairo)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
# Optional: without them `vigil watch` has no --webhook or no --mqtt, and says so.
pkg_check_modules(CURL libcurl)
pkg_check_modules(MOSQUITTO libmosquitto)
# Optional: without it `vigil predict` has no --show, and says so.
pkg_check_modules(SDL2 sdl2)
pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET libavformat libavcodec libavdevice libavutil libswscale)

# oneDNN is what bench/kernels measures our kernels against; vigil itself does not use it. Not find_package(dnnl): Debian's
# dnnl-config.cmake insists on OpenCL's development files, which libdnnl-dev does not bring.
find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.h)
find_library(DNNL_LIBRARY dnnl)
if(DNNL_INCLUDE_DIR AND DNNL_LIBRARY)
  add_library(DNNL::dnnl UNKNOWN IMPORTED)
  set_target_properties(DNNL::dnnl PROPERTIES
    IMPORTED_LOCATION ${DNNL_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${DNNL_INCLUDE_DIR})
endif()

# The compiler of event.proto: C code for TensorBoard's messages is made while building.
find_program(PROTOC_C protoc-c)
if(NOT PROTOC_C)
  message(FATAL_ERROR "protoc-c was not found; on Debian: apt-get install protobuf-c-compiler")
endif()

# Names of call stacks for vigil watch --stacks; without it they are addresses.
pkg_check_modules(LIBDW IMPORTED_TARGET libdw)
