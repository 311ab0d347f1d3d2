# cmake --install build --prefix /usr/local: program, library, headers, pkg-config file, manual pages, completion, units.
# The library's soname is the first number of its version: it changes when a program linked against the old one would
# break. The program has its own code within itself and names no folder to look for libraries in, so a prefix may be
# moved as a whole.
#
# Three components, which cmake/package.cmake makes Debian packages of: program, library, dev.
include(GNUInstallDirs)

# Where the prefix is known only when something is installed (--prefix, a package's /usr), what depends on it is settled then:
# VIGIL_LIBDIR, and the files that name the prefix.
install(CODE "
  set(VIGIL_SOURCE [==[${CMAKE_SOURCE_DIR}]==])
  set(VIGIL_BINARY [==[${CMAKE_BINARY_DIR}]==])
  set(VIGIL_VERSION ${PROJECT_VERSION})
  set(VIGIL_LIBDIR_HERE [==[${CMAKE_INSTALL_LIBDIR}]==])
  set(VIGIL_MULTIARCH [==[${CMAKE_LIBRARY_ARCHITECTURE}]==])
  include([==[${CMAKE_SOURCE_DIR}/cmake/install_prefix.cmake]==])" ALL_COMPONENTS)

if(TARGET vigil_shared)
  set_target_properties(vigil_shared PROPERTIES
    OUTPUT_NAME vigil VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  install(TARGETS vigil_shared LIBRARY DESTINATION "\${VIGIL_LIBDIR}" COMPONENT library NAMELINK_COMPONENT dev)
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/vigil DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev
          FILES_MATCHING PATTERN "*.h")
  install(CODE "vigil_install_pkgconfig()" COMPONENT dev)
endif()

if(TARGET vigil)
  install(TARGETS vigil RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
  # Drawn by the program from its own tables of options, so that a page cannot be out of date.
  if(NOT CMAKE_CROSSCOMPILING AND NOT VIGIL_SANITIZE AND NOT VIGIL_FUZZ)
    add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/man/vigil.1
      COMMAND ${CMAKE_COMMAND} -DVIGIL=$<TARGET_FILE:vigil> -DTO=${CMAKE_BINARY_DIR}/man -P ${CMAKE_SOURCE_DIR}/cmake/man.cmake
      DEPENDS vigil ${CMAKE_SOURCE_DIR}/cmake/man.cmake VERBATIM)
    add_custom_target(man ALL DEPENDS ${CMAKE_BINARY_DIR}/man/vigil.1)
    install(DIRECTORY ${CMAKE_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program
            FILES_MATCHING PATTERN "*.1")
  endif()
  install(FILES ${CMAKE_SOURCE_DIR}/packaging/completion.bash RENAME vigil
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
  install(CODE "vigil_install_units()" COMPONENT program)
  install(FILES ${CMAKE_SOURCE_DIR}/packaging/vigil.sysusers RENAME vigil.conf DESTINATION lib/sysusers.d COMPONENT program)
endif()
