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

# The command: everything but main() is an object library, so that tests see the parser and the tables.
if(BEZ_CLI_SOURCES)
  set(BEZ_CLI_MAIN ${PROJECT_SOURCE_DIR}/src/cli/main.c)
  list(REMOVE_ITEM BEZ_CLI_SOURCES ${BEZ_CLI_MAIN})
  add_library(bezoar_cli OBJECT ${BEZ_CLI_SOURCES})
  target_link_libraries(bezoar_cli PUBLIC bezoar_internal)
  add_executable(bezoar_tool ${BEZ_CLI_MAIN} $<TARGET_OBJECTS:bezoar_cli>)
  set_target_properties(bezoar_tool PROPERTIES OUTPUT_NAME bezoar)
  target_link_libraries(bezoar_tool PRIVATE bezoar_internal)
  target_link_options(bezoar_tool PRIVATE ${BEZ_HARDEN_LINK} -pie)
  install(TARGETS bezoar_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# The helper that decodes pictures: the only program that gives foreign bytes to libpng, libjpeg and
# libwebp. Tests and fuzzers see all of it but main().
set(BEZ_DECODE_MAIN ${PROJECT_SOURCE_DIR}/src/decode/main.c)
list(REMOVE_ITEM BEZ_DECODE_SOURCES ${BEZ_DECODE_MAIN})
add_library(bezoar_decode_objects OBJECT ${BEZ_DECODE_SOURCES})
target_link_libraries(bezoar_decode_objects PUBLIC bezoar_internal PkgConfig::PICTURES PkgConfig::ARCHIVE)
add_executable(bezoar_decode ${BEZ_DECODE_MAIN} $<TARGET_OBJECTS:bezoar_decode_objects>)
set_target_properties(bezoar_decode PROPERTIES OUTPUT_NAME bezoar-decode)
target_link_libraries(bezoar_decode PRIVATE bezoar_internal PkgConfig::PICTURES PkgConfig::ARCHIVE PkgConfig::SECCOMP)
target_link_options(bezoar_decode PRIVATE ${BEZ_HARDEN_LINK} -pie -Wl,--gc-sections)
install(TARGETS bezoar_decode RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/bezoar)

# Man pages and completions, written by the command from its own tables.
if(BEZ_CLI_SOURCES AND NOT BEZ_FUZZ AND NOT CMAKE_CROSSCOMPILING)
  set(BEZ_MAN ${PROJECT_BINARY_DIR}/man)
  set(BEZ_COMPLETIONS ${PROJECT_BINARY_DIR}/completions)
  add_custom_command(
    OUTPUT ${BEZ_MAN}/bezoar.1 ${BEZ_COMPLETIONS}/bezoar ${BEZ_COMPLETIONS}/_bezoar ${BEZ_COMPLETIONS}/bezoar.fish
    COMMAND ${CMAKE_COMMAND} -E make_directory ${BEZ_MAN} ${BEZ_COMPLETIONS}
    COMMAND bezoar_tool man --into ${BEZ_MAN}
    COMMAND bezoar_tool completion bash > ${BEZ_COMPLETIONS}/bezoar
    COMMAND bezoar_tool completion zsh > ${BEZ_COMPLETIONS}/_bezoar
    COMMAND bezoar_tool completion fish > ${BEZ_COMPLETIONS}/bezoar.fish
    DEPENDS bezoar_tool VERBATIM)
  add_custom_target(bezoar_pages ALL DEPENDS ${BEZ_MAN}/bezoar.1)
  install(DIRECTORY ${BEZ_MAN}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")
  install(FILES ${BEZ_COMPLETIONS}/bezoar DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${BEZ_COMPLETIONS}/_bezoar DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${BEZ_COMPLETIONS}/bezoar.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
