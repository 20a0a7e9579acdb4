# What is installed: the shared library, the command, headers, pkg-config, CMake package, man pages, completions.

if(NOT BEZ_FUZZ)
  add_library(bezoar SHARED $<TARGET_OBJECTS:bezoar_objects>)
  target_include_directories(bezoar PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
                             PRIVATE src)
  target_link_libraries(bezoar PRIVATE ${BEZ_LINK_LIBS})
  target_link_options(bezoar PRIVATE ${BEZ_HARDEN_LINK})
  set_target_properties(bezoar PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0)
endif()

if(BEZ_CLI_SOURCES)
  add_executable(bezoar_tool ${BEZ_CLI_SOURCES})
  set_target_properties(bezoar_tool PROPERTIES OUTPUT_NAME bezoar)
  target_link_libraries(bezoar_tool PRIVATE bezoar_internal)
  target_link_options(bezoar_tool PRIVATE ${BEZ_HARDEN_LINK} -pie)
endif()
