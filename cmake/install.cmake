# cmake --install build --prefix /usr/local: program, library, headers, pkg-config file, man page, completion.
# The library's soname is the first number of its version: it changes when a program linked against the old one would
# break. The installed program finds its library beside itself, so a prefix may be moved as a whole.
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
  file(RELATIVE_PATH to_libdir ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(vigil PROPERTIES INSTALL_RPATH "$ORIGIN/${to_libdir}")
  install(TARGETS vigil RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  set(manuals vigil.1 vigil-predict.1 vigil-check.1 vigil-train.1 vigil-val.1 vigil-attach.1 vigil-stop.1 vigil-demo.1 vigil-watch.1 vigil-report.1)
  list(TRANSFORM manuals PREPEND ${CMAKE_SOURCE_DIR}/docs/)
  install(FILES ${manuals} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${CMAKE_SOURCE_DIR}/packaging/completion.bash RENAME vigil
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()
