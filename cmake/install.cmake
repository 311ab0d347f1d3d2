# cmake --install build --prefix /usr/local: program, library, headers, pkg-config file, man page, completion.
# The library's soname is the first number of its version: it changes when a program linked against the old one would
# break. The program has its own code within itself and names no folder to look for libraries in, so a prefix may be
# moved as a whole.
include(GNUInstallDirs)

if(TARGET vigil_shared)
  set_target_properties(vigil_shared PROPERTIES
    OUTPUT_NAME vigil VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  install(TARGETS vigil_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/vigil DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          FILES_MATCHING PATTERN "*.h")

  # The prefix stands in the file relative to itself, so that --prefix at install time needs no second answer.
  file(RELATIVE_PATH VIGIL_PC_TO_PREFIX
       ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
  string(REGEX REPLACE "/$" "" VIGIL_PC_TO_PREFIX "${VIGIL_PC_TO_PREFIX}")
  configure_file(${CMAKE_SOURCE_DIR}/packaging/vigil.pc.in ${CMAKE_BINARY_DIR}/vigil.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/vigil.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()

if(TARGET vigil)
  install(TARGETS vigil RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # Drawn by the program from its own tables of options, so that a page cannot be out of date.
  if(NOT CMAKE_CROSSCOMPILING AND NOT VIGIL_SANITIZE AND NOT VIGIL_FUZZ)
    add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/man/vigil.1
      COMMAND ${CMAKE_COMMAND} -DVIGIL=$<TARGET_FILE:vigil> -DTO=${CMAKE_BINARY_DIR}/man -P ${CMAKE_SOURCE_DIR}/cmake/man.cmake
      DEPENDS vigil ${CMAKE_SOURCE_DIR}/cmake/man.cmake VERBATIM)
    add_custom_target(man ALL DEPENDS ${CMAKE_BINARY_DIR}/man/vigil.1)
    install(DIRECTORY ${CMAKE_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")
  endif()
  install(FILES ${CMAKE_SOURCE_DIR}/packaging/completion.bash RENAME vigil
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()
