# What find_package(quiesce) finds: the target quiesce::core, with the definitions that it was built with.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/quiesce)
# Before 1.0 a minor version may change the ABI.
set_target_properties(quiesce_core PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
install(TARGETS quiesce_core EXPORT quiesce_targets)
# Not CMAKE_INSTALL_INCLUDEDIR: the target names the directory for those who use it, and names this one.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/core/include/ DESTINATION include FILES_MATCHING PATTERN "*.hpp")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT quiesce_targets NAMESPACE quiesce:: FILE quiesceTargets.cmake DESTINATION ${package_dir})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/quiesceConfig.cmake.in
  ${PROJECT_BINARY_DIR}/quiesceConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/quiesceConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/quiesceConfig.cmake ${PROJECT_BINARY_DIR}/quiesceConfigVersion.cmake
  DESTINATION ${package_dir})

# Not with a sanitizer: the outside project is built without one and could not link the library.
if(QUIESCE_BUILD_TESTS AND PROJECT_IS_TOP_LEVEL AND NOT QUIESCE_SANITIZER)
  # An outside project finds the installed package, builds against it and runs.
  add_test(NAME install.an_outside_project_builds_against_the_install_tree
    COMMAND ${CMAKE_COMMAND}
      -D build=${PROJECT_BINARY_DIR} -D example=${PROJECT_SOURCE_DIR}/examples/find_package
      -D generator=${CMAKE_GENERATOR} -D compiler=${CMAKE_CXX_COMPILER} -D type=$<CONFIG>
      -D version=${PROJECT_VERSION} -P ${CMAKE_CURRENT_LIST_DIR}/test_install.cmake)
  set_tests_properties(install.an_outside_project_builds_against_the_install_tree PROPERTIES LABELS install)
endif()
