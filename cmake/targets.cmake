# vigil_targets_of(OUT DIR): every target that DIR and the folders below it make, for those who care about all of them
# (symbol checks, fuzzing, installing) without a list to keep.
function(vigil_targets_of out dir)
  get_property(found DIRECTORY ${dir} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(folders DIRECTORY ${dir} PROPERTY SUBDIRECTORIES)
  foreach(folder IN LISTS folders)
    vigil_targets_of(below ${folder})
    list(APPEND found ${below})
  endforeach()
  set(${out} ${found} PARENT_SCOPE)
endfunction()
