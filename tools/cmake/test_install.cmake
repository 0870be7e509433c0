# Installs the build into a scratch prefix, then configures, builds and runs an outside project against it.
# Arguments: those of install_scratch.cmake, source, version, shared (whether it has quiesce::core_shared).
include(${CMAKE_CURRENT_LIST_DIR}/install_scratch.cmake)

build_outside_project(${source}/examples/find_package ${scratch}/build)
run(${scratch}/build/bin/find_package_example)
if(NOT output STREQUAL "quiesce ${version}: limit was 10, is 20; the cache has ended\n")
  message(FATAL_ERROR "The example printed: ${output}")
endif()

# Tests of their own compare what they print.
foreach(name IN ITEMS growing_table single_thread)
  build_outside_project(${source}/examples/${name} ${scratch}/${name})
  run(${scratch}/${name}/bin/${name})
endforeach()

if(shared)
  build_outside_project(${source}/examples/unload ${scratch}/unload)
  run(${scratch}/unload/bin/unload)
endif()
