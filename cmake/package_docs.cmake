# package_docs.cmake: read by cpack when the files of a component lie in their folder: what a Debian package has and a plain
# installation has not. Licence and changelogs in /usr/share/doc, samples, compressed manual pages.
function(compress file)
  execute_process(COMMAND gzip -9nf ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# The time of the change that is packed, so that the same change gives the same package.
set(time "$ENV{SOURCE_DATE_EPOCH}")
if(time STREQUAL "")
  execute_process(COMMAND git -C ${CPACK_VIGIL_SOURCE} log -1 --format=%ct OUTPUT_VARIABLE time ERROR_QUIET
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
if(time STREQUAL "") # sources without their history
  string(TIMESTAMP time %s UTC)
endif()
execute_process(COMMAND date -u -R -d @${time} OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

set(samples_of_program examples/streams.yaml examples/zones.yaml packaging/kubernetes.yaml packaging/kubernetes-fleet.yaml packaging/alerts/vigil.rules.yml packaging/alerts/vigil-fleet.rules.yml packaging/grafana/vigil-fleet.json)
set(samples_of_library "")
set(samples_of_dev examples/detect.c)
foreach(component program library dev)
  string(TOUPPER ${component} upper)
  set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component})
  if(NOT IS_DIRECTORY ${root}/usr)
    message(FATAL_ERROR "nothing was installed for the component ${component}: ${root}/usr")
  endif()
  set(doc ${root}/usr/share/doc/${package})
  file(MAKE_DIRECTORY ${doc})
  file(COPY ${CPACK_VIGIL_SOURCE}/packaging/debian/copyright DESTINATION ${doc})
  file(WRITE ${doc}/changelog.Debian "vigil (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * Built from the project's own sources, not by Debian; what is new in it
    is in changelog.gz.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
  configure_file(${CPACK_VIGIL_SOURCE}/CHANGELOG.md ${doc}/changelog COPYONLY)
  compress(${doc}/changelog.Debian)
  compress(${doc}/changelog)
  foreach(sample IN LISTS samples_of_${component})
    file(COPY ${CPACK_VIGIL_SOURCE}/${sample} DESTINATION ${doc}/examples)
  endforeach()
  file(GLOB pages ${root}/usr/share/man/man1/*.1)
  foreach(page IN LISTS pages)
    compress(${page})
  endforeach()
endforeach()
