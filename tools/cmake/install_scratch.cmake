# What the tests of the install tree share: the build, installed to ${prefix}, and ways to run programs.
# Arguments: build, scratch, generator, compiler, type.
set(prefix ${scratch}/moved)
file(REMOVE_RECURSE ${scratch})
# Set by those who package the project; the prefix would then not be where the library is.
unset(ENV{DESTDIR})

# Runs a program, which must exit with ${status}; ${output} and ${errors} are what it printed.
function(run_exiting status)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT result EQUAL status)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "'${command}' came to ${result}, not to ${status}:\n${output}${errors}")
  endif()
  set(output "${output}" PARENT_SCOPE)
  set(errors "${errors}" PARENT_SCOPE)
endfunction()

macro(run)
  run_exiting(0 ${ARGN})
endmacro()

# Sets a variable to the command that configures an outside project against the install tree.
function(set_configure variable project binary)
  # No registry: the package that is tested must be the one just installed.
  set(${variable} ${CMAKE_COMMAND} -S ${project} -B ${binary} -G ${generator} -D CMAKE_PREFIX_PATH=${prefix}
    -D CMAKE_FIND_USE_PACKAGE_REGISTRY=OFF -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_BUILD_TYPE=${type}
    -D CMAKE_RUNTIME_OUTPUT_DIRECTORY=${binary}/bin -D CMAKE_EXPORT_COMPILE_COMMANDS=ON
    -D "CMAKE_CXX_FLAGS=-Wall -Wextra -Wconversion -Wshadow -Werror" PARENT_SCOPE)
endfunction()

# Configures and builds it.
function(build_outside_project project binary)
  set_configure(configure ${project} ${binary})
  run(${configure})
  file(STRINGS ${binary}/CMakeCache.txt found REGEX "^quiesce_DIR:")
  if(NOT found MATCHES "=${prefix}/")
    message(FATAL_ERROR "The outside project found another installation: ${found}")
  endif()
  run(${CMAKE_COMMAND} --build ${binary} --config ${type})
endfunction()

run(${CMAKE_COMMAND} --install ${build} --prefix ${scratch}/prefix)
# Moved, because a package that names the place it was installed to works only there.
file(RENAME ${scratch}/prefix ${prefix})
