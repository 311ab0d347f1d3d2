# Proofs of the GPU's kernels that need no GPU.

# NVIDIA's assembler on the PTX that the build made.
add_test(NAME nn/ptx COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/ptx.sh ${CMAKE_BINARY_DIR}/src/nn/gpu)
add_test(NAME nn/ptx_self_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/ptx.sh --self-test)
set_tests_properties(nn/ptx nn/ptx_self_test PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 1500 LABELS slow)

# Every access of the kernels, by oclgrind. A new test of kernels that knows VIGIL_TEST_SMALL is named here.
# Of training, loss and optimizer races alone: where a kernel finds its tables by a place in bytes, oclgrind 21.10 takes what
# was uploaded there for unwritten, and what training's kernels copy into scratch as well. That these read no scratch that
# nobody has written is in the test itself: scratch is NaNs before each step.
set(reads_tests nn_test_gpu_kernels)
set(races_tests nn_test_gpu_kernels nn_test_gpu_train_kernels train_test_gpu_loss train_test_gpu_optimizer)
foreach(mode races reads)
  list(TRANSFORM ${mode}_tests REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE kernel_programs)
  add_test(NAME nn/oclgrind_${mode} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/oclgrind.sh ${mode} ${kernel_programs})
endforeach()
add_test(NAME nn/oclgrind_self_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/oclgrind.sh --self-test $<TARGET_FILE:nn_test_gpu_kernels>)
set_tests_properties(nn/oclgrind_races nn/oclgrind_reads nn/oclgrind_self_test PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 1500 LABELS slow)
set_tests_properties(nn/oclgrind_reads PROPERTIES COST 20)

# The OpenCL host, with a stand-in for OpenCL's loader. The program itself with both: e2e/gpu_faults.
add_library(fake_opencl SHARED ${CMAKE_SOURCE_DIR}/tests/support/fake_opencl.c ${CMAKE_SOURCE_DIR}/tests/support/fake_fault.c)
set_target_properties(fake_opencl PROPERTIES OUTPUT_NAME OpenCL SOVERSION 1 LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/fake_opencl)
target_link_options(fake_opencl PRIVATE LINKER:-z,nodelete)
vigil_test(nn/test_gpu_opencl FLOORS nn weights base SOURCES support/generator.c support/synthetic.c)
add_dependencies(nn_test_gpu_opencl fake_opencl)
set_tests_properties(nn/test_gpu_opencl PROPERTIES ENVIRONMENT_MODIFICATION "" ENVIRONMENT
  "LD_LIBRARY_PATH=${CMAKE_BINARY_DIR}/tests/fake_opencl;XDG_CACHE_HOME=${CMAKE_BINARY_DIR}/tests/fake_opencl/cache")
