find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# Development files: of what is linked and of what is loaded when an option asks for it, for its headers say how it is
# called. A missing one is told with the package of Debian's that holds it; setup.sh installs them all.
macro(vigil_needs prefix package)
  pkg_check_modules(${prefix} IMPORTED_TARGET ${ARGN})
  if(NOT ${prefix}_FOUND)
    message(FATAL_ERROR "not all of '${ARGN}' was found, without which vigil cannot be built; "
                        "on Debian: apt-get install ${package}, or ./setup.sh for everything")
  endif()
endmacro()
# The build goes on without; `lost` is what it will not have, and will say when it is asked for.
macro(vigil_wishes prefix package module lost)
  pkg_check_modules(${prefix} ${module})
  if(NOT ${prefix}_FOUND)
    message(STATUS "${module} was not found: this build has no ${lost} (apt-get install ${package})")
  endif()
endmacro()

vigil_needs(YAML libyaml-dev yaml-0.1)
vigil_needs(JANSSON libjansson-dev jansson)
vigil_needs(EXPAT libexpat1-dev expat)
vigil_needs(TURBOJPEG libturbojpeg0-dev libturbojpeg)
vigil_needs(CAIRO libcairo2-dev cairo)
vigil_needs(FONTCONFIG libfontconfig-dev fontconfig)
vigil_needs(JPEG libjpeg62-turbo-dev libjpeg)
vigil_needs(PNG libpng-dev libpng16)
vigil_needs(WEBP libwebp-dev libwebp)
vigil_needs(TIFF libtiff-dev libtiff-4)
vigil_needs(PROTOBUF_C libprotobuf-c-dev libprotobuf-c)
vigil_needs(SQLITE libsqlite3-dev sqlite3)
vigil_needs(MICROHTTPD libmicrohttpd-dev libmicrohttpd)
vigil_needs(FFMPEG "libavformat-dev libavcodec-dev libavdevice-dev libavutil-dev libswscale-dev"
            libavformat libavcodec libavdevice libavutil libswscale)
vigil_wishes(CURL libcurl4-openssl-dev libcurl "--webhook and --lease-kubernetes")
vigil_wishes(MOSQUITTO libmosquitto-dev libmosquitto "--mqtt")
vigil_wishes(RDKAFKA librdkafka-dev rdkafka "--kafka")
vigil_wishes(SDL2 libsdl2-dev sdl2 "--show")

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
