# What is built for users and where it is installed: shared library, command, headers, pkg-config, CMake package,
# man pages and completions (both printed by the command from its own tables).

if(NOT BEZ_FUZZ)
  add_library(bezoar SHARED $<TARGET_OBJECTS:bezoar_objects>)
  target_include_directories(bezoar INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(bezoar PRIVATE ${BEZ_LINK_LIBS})
  target_link_options(bezoar PRIVATE ${BEZ_HARDEN_LINK})
  set_target_properties(bezoar PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0)

  include(CMakePackageConfigHelpers)
  configure_file(cmake/bezoar.pc.in bezoar.pc @ONLY)
  configure_package_config_file(cmake/bezoar-config.cmake.in bezoar-config.cmake
                                INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/bezoar)
  write_basic_package_version_file(bezoar-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(TARGETS bezoar EXPORT bezoar-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT bezoar-targets NAMESPACE bezoar:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/bezoar)
  install(FILES ${PROJECT_BINARY_DIR}/bezoar-config.cmake ${PROJECT_BINARY_DIR}/bezoar-config-version.cmake
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/bezoar)
  install(FILES ${PROJECT_BINARY_DIR}/bezoar.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  install(DIRECTORY include/bezoar DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
endif()

if(BEZ_CLI_SOURCES)
  add_executable(bezoar_tool ${BEZ_CLI_SOURCES})
  set_target_properties(bezoar_tool PROPERTIES OUTPUT_NAME bezoar)
  target_link_libraries(bezoar_tool PRIVATE bezoar_internal)
  target_link_options(bezoar_tool PRIVATE ${BEZ_HARDEN_LINK} -pie)
  install(TARGETS bezoar_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
