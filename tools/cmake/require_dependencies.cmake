# Finds everything that the chosen parts need before any of them is configured, so that what is missing is named in one
# sentence and not one package at a time.
set(missing)

if(QUIESCE_BUILD_TESTS)
  # Debian's libgtest is not instrumented; googletest.cmake builds its sources with the project's own flags.
  find_path(QUIESCE_GOOGLETEST_DIR googletest/include/gtest/gtest.h HINTS /usr/src/googletest
    DOC "Sources of GoogleTest")
  if(NOT QUIESCE_GOOGLETEST_DIR)
    list(APPEND missing "the sources of GoogleTest (QUIESCE_GOOGLETEST_DIR)")
  endif()
endif()

if(QUIESCE_BUILD_RELACY)
  find_path(QUIESCE_RELACY_INCLUDE_DIR relacy/relacy.hpp DOC "Directory that holds relacy/relacy.hpp")
  if(NOT QUIESCE_RELACY_INCLUDE_DIR)
    list(APPEND missing "Relacy (relacy/relacy.hpp)")
  endif()
endif()

if(QUIESCE_BUILD_RELACY OR QUIESCE_BUILD_TOOLS OR QUIESCE_BUILD_BENCH)
  find_package(nlohmann_json QUIET)
  if(NOT nlohmann_json_FOUND)
    list(APPEND missing "nlohmann_json")
  endif()
endif()

if(QUIESCE_BUILD_TOOLS OR QUIESCE_BUILD_BENCH)
  foreach(package IN ITEMS CLI11 fmt)
    find_package(${package} QUIET)
    if(NOT ${package}_FOUND)
      list(APPEND missing "${package}")
    endif()
  endforeach()
endif()

if(missing)
  list(JOIN missing ", " missing)
  message(FATAL_ERROR "quiesce cannot be built because the following is missing: ${missing}. "
    "On Debian, 'just deps' (the script tools/deps) installs it; the options QUIESCE_BUILD_TESTS, "
    "QUIESCE_BUILD_RELACY, QUIESCE_BUILD_TOOLS and QUIESCE_BUILD_BENCH leave out the parts that need it.")
endif()
