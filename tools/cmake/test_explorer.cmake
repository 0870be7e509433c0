# An outside project explores a program of its own with the installed explorer.
# Arguments: those of install_scratch.cmake, source.
include(${CMAKE_CURRENT_LIST_DIR}/install_scratch.cmake)

set(example ${source}/examples/explorer_first)
build_outside_project(${example} ${scratch}/build)
run(${scratch}/build/bin/explorer_first)
file(READ ${example}/output.txt expected)
if(NOT output STREQUAL expected)
  message(FATAL_ERROR "The example printed:\n${output}")
endif()
