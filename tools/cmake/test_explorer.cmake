# Outside projects explore programs of their own with the installed explorer.
# Arguments: those of install_scratch.cmake, source.
include(${CMAKE_CURRENT_LIST_DIR}/install_scratch.cmake)

foreach(name IN ITEMS explorer_first explorer_queue)
  set(example ${source}/examples/${name})
  build_outside_project(${example} ${scratch}/${name})
  run(${scratch}/${name}/bin/${name})
  file(READ ${example}/output.txt expected)
  if(NOT output STREQUAL expected)
    message(FATAL_ERROR "The example ${name} printed:\n${output}")
  endif()
endforeach()
