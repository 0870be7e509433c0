# Installs the build into a scratch prefix, then configures, builds and runs an outside project against it.
# Arguments: build, example, generator, compiler, type, version.
set(scratch ${build}/install_test)
file(REMOVE_RECURSE ${scratch})
# Set by those who package the project; the prefix would then not be where the library is.
unset(ENV{DESTDIR})

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "'${command}' failed (${result}):\n${output}${errors}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run(${CMAKE_COMMAND} --install ${build} --prefix ${scratch}/prefix)
# Moved, because a package that names the place it was installed to works only there.
file(RENAME ${scratch}/prefix ${scratch}/moved)
# No registry: the library that is tested must be the one just installed.
run(${CMAKE_COMMAND} -S ${example} -B ${scratch}/build -G ${generator}
  -D CMAKE_PREFIX_PATH=${scratch}/moved -D CMAKE_FIND_USE_PACKAGE_REGISTRY=OFF -D CMAKE_CXX_COMPILER=${compiler}
  -D CMAKE_BUILD_TYPE=${type} -D CMAKE_RUNTIME_OUTPUT_DIRECTORY=${scratch}/bin)
file(STRINGS ${scratch}/build/CMakeCache.txt found REGEX "^quiesce_DIR:")
if(NOT found MATCHES "=${scratch}/moved/")
  message(FATAL_ERROR "The outside project found another installation: ${found}")
endif()
run(${CMAKE_COMMAND} --build ${scratch}/build --config ${type})
run(${scratch}/bin/find_package_example)
if(NOT output STREQUAL "quiesce ${version}: limit was 10, is 20\n")
  message(FATAL_ERROR "The example printed: ${output}")
endif()
