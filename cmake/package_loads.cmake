# package_loads.cmake: read by cpack before it packs. Which packages hold the libraries that the program and the library need, with
# versions and alternatives as dpkg-shlibdeps writes them: from the files themselves, and from the two modules that package.cmake
# links with what is loaded by name. (CPack's own way to dpkg-shlibdeps adds scripts that call ldconfig.)
function(packages_of out)
  set(at ${CPACK_VIGIL_BINARY}/package/deps)
  file(MAKE_DIRECTORY ${at}/debian)
  file(WRITE ${at}/debian/control "Source: vigil\n\nPackage: vigil\nArchitecture: any\n")
  list(TRANSFORM ARGN PREPEND -e${CPACK_VIGIL_BINARY}/)
  execute_process(
    COMMAND ${CPACK_VIGIL_SHLIBDEPS} -O ${ARGN}
    WORKING_DIRECTORY ${at} OUTPUT_VARIABLE said ERROR_VARIABLE complaint RESULT_VARIABLE status)
  if(NOT status EQUAL 0 OR NOT said MATCHES "^shlibs:Depends=([^\n]+)")
    message(FATAL_ERROR "dpkg-shlibdeps did not say what '${ARGN}' need: ${complaint}")
  endif()
  set(${out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

packages_of(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS vigil package/libvigil_depends.so)
packages_of(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS libvigil.so package/libvigil_depends.so)
packages_of(recommends package/libvigil_recommends.so)
string(REGEX REPLACE "(, )?libc6 [^,]*" "" recommends "${recommends}") # it is depended on
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "${recommends}")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_RECOMMENDS "${recommends}")
