# Installs the build into a scratch prefix, then configures, builds and runs an outside project against it.
# Arguments: those of install_scratch.cmake, source, version, shared (whether it has quiesce::core_shared).
include(${CMAKE_CURRENT_LIST_DIR}/install_scratch.cmake)

build_outside_project(${source}/examples/find_package ${scratch}/build)
run(${scratch}/build/bin/find_package_example)
if(NOT output STREQUAL "quiesce ${version}: limit was 10, is 20; the cache has ended\n")
  message(FATAL_ERROR "The example printed: ${output}")
endif()

# Its own test compares what it prints.
build_outside_project(${source}/examples/growing_table ${scratch}/growing_table)
run(${scratch}/growing_table/bin/growing_table)

if(shared)
  build_outside_project(${source}/examples/unload ${scratch}/unload)
  run(${scratch}/unload/bin/unload)
endif()
