# What find_package(quiesce) finds: the targets quiesce::core and quiesce::core_shared, with the definitions that they
# were built with, and quiesce::explorer; as the component relacy what engines of one's own scenarios are made of; and
# the command `quiesce`.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/quiesce)
set(core_targets quiesce_core)
if(QUIESCE_BUILD_SHARED)
  list(APPEND core_targets quiesce_core_shared)
endif()
# Before 1.0 a minor version may change the ABI.
foreach(target IN LISTS core_targets)
  set_target_properties(${target} PROPERTIES
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
endforeach()
install(TARGETS ${core_targets} EXPORT quiesce_targets)
# Not CMAKE_INSTALL_INCLUDEDIR: the target names the directory for those who use it, and names this one.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/core/include/ DESTINATION include FILES_MATCHING PATTERN "*.hpp")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT quiesce_targets NAMESPACE quiesce:: FILE quiesceTargets.cmake DESTINATION ${package_dir})

if(TARGET quiesce_explorer)
  install(TARGETS quiesce_explorer EXPORT quiesce_targets)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/proofs/explorer/include/ DESTINATION include FILES_MATCHING PATTERN "*.hpp")
endif()
if(QUIESCE_BUILD_RELACY)
  install(TARGETS quiesce_relacy_engine EXPORT quiesce_relacy_targets)
  install(EXPORT quiesce_relacy_targets NAMESPACE quiesce:: FILE quiesceRelacyTargets.cmake
    DESTINATION ${package_dir})
  # Under the names that they have in the source tree, so that a scenario reads the same here and there.
  foreach(header IN ITEMS model_thread_slot.hpp played_driver.hpp reached_labels.hpp scenario.hpp scenarios/support.hpp
      relacy/core_instantiation.hpp relacy/engine_main.hpp relacy/instance.hpp relacy/platform.hpp relacy/registry.hpp)
    cmake_path(GET header PARENT_PATH folder)
    install(FILES ${PROJECT_SOURCE_DIR}/relacy_models/${header}
      DESTINATION include/quiesce-models/relacy_models/${folder})
  endforeach()
  foreach(file IN ITEMS quiesce_add_relacy_engine.cmake main.cpp.in registration.cpp.in)
    install(FILES ${PROJECT_SOURCE_DIR}/relacy_models/relacy/${file} DESTINATION ${package_dir})
  endforeach()
endif()
if(QUIESCE_BUILD_TOOLS)
  install(TARGETS quiesce_cli)
endif()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/quiesceConfig.cmake.in
  ${PROJECT_BINARY_DIR}/quiesceConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/quiesceConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/quiesceConfig.cmake ${PROJECT_BINARY_DIR}/quiesceConfigVersion.cmake
  DESTINATION ${package_dir})

# A test that runs ${script} against an install tree of its own.
function(add_install_test name script)
  add_test(NAME install.${name}
    COMMAND ${CMAKE_COMMAND}
      -D build=${PROJECT_BINARY_DIR} -D source=${PROJECT_SOURCE_DIR}
      -D scratch=${PROJECT_BINARY_DIR}/install_tests/${name}
      -D generator=${CMAKE_GENERATOR} -D compiler=${CMAKE_CXX_COMPILER} -D type=$<CONFIG>
      -D version=${PROJECT_VERSION} -D shared=${QUIESCE_BUILD_SHARED} -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${script})
  # Both write the list of what they installed to the build directory.
  set_tests_properties(install.${name} PROPERTIES LABELS install RESOURCE_LOCK install TIMEOUT 600)
endfunction()

# Not with a sanitizer: the outside project is built without one and could not link the library.
if(QUIESCE_BUILD_TESTS AND PROJECT_IS_TOP_LEVEL AND NOT QUIESCE_SANITIZER)
  add_install_test(an_outside_project_builds_against_the_install_tree test_install.cmake)
  if(TARGET quiesce_explorer)
    add_install_test(an_outside_project_explores_a_program test_explorer.cmake)
  endif()
  if(QUIESCE_BUILD_RELACY AND QUIESCE_BUILD_TOOLS)
    add_install_test(an_outside_project_checks_a_protocol_of_its_own test_own_protocol.cmake)
  endif()
endif()
