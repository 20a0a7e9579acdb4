# The Python extension: one module for CPython 3.11 and later (limited API), beside the package's Python files.
# In a wheel (scikit-build-core) it is installed into the package; in a build folder build/python/ is importable.

if(BEZ_PYTHON_EXTENSION)
  find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)
  file(GLOB BEZ_PYTHON_SOURCES CONFIGURE_DEPENDS python/src/*.c)
  file(GLOB BEZ_PYTHON_FILES CONFIGURE_DEPENDS python/bezoar/*.py python/bezoar/*.pyi python/bezoar/py.typed)
  add_library(bezoar_python MODULE ${BEZ_PYTHON_SOURCES})
  target_compile_definitions(bezoar_python PRIVATE Py_LIMITED_API=0x030B0000)
  target_include_directories(bezoar_python SYSTEM PRIVATE ${Python_INCLUDE_DIRS})
  target_link_libraries(bezoar_python PRIVATE bezoar_internal)
  target_link_options(bezoar_python PRIVATE ${BEZ_HARDEN_LINK} -Wl,--exclude-libs,ALL)
  set_target_properties(bezoar_python PROPERTIES PREFIX "" OUTPUT_NAME _core SUFFIX .abi3.so
                        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/python/bezoar)
  foreach(file IN LISTS BEZ_PYTHON_FILES)
    get_filename_component(name ${file} NAME)
    add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/python/bezoar/${name}
                       COMMAND ${CMAKE_COMMAND} -E create_symlink ${file} ${PROJECT_BINARY_DIR}/python/bezoar/${name}
                       DEPENDS ${file})
    list(APPEND BEZ_PYTHON_COPIES ${PROJECT_BINARY_DIR}/python/bezoar/${name})
  endforeach()
  file(GLOB BEZ_PYTHON_EXAMPLES CONFIGURE_DEPENDS python/bezoar/examples/*.py)
  add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/python/bezoar/examples
                     COMMAND ${CMAKE_COMMAND} -E create_symlink ${PROJECT_SOURCE_DIR}/python/bezoar/examples
                             ${PROJECT_BINARY_DIR}/python/bezoar/examples
                     DEPENDS ${BEZ_PYTHON_EXAMPLES} VERBATIM)
  list(APPEND BEZ_PYTHON_COPIES ${PROJECT_BINARY_DIR}/python/bezoar/examples)
  add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/python/bezoar/bin/bezoar-decode
                     COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/python/bezoar/bin
                     COMMAND ${CMAKE_COMMAND} -E create_symlink $<TARGET_FILE:bezoar_decode>
                             ${PROJECT_BINARY_DIR}/python/bezoar/bin/bezoar-decode
                     DEPENDS bezoar_decode VERBATIM)
  list(APPEND BEZ_PYTHON_COPIES ${PROJECT_BINARY_DIR}/python/bezoar/bin/bezoar-decode)
  add_custom_target(bezoar_python_files ALL DEPENDS ${BEZ_PYTHON_COPIES})
  if(SKBUILD)
    install(TARGETS bezoar_python LIBRARY DESTINATION bezoar COMPONENT python)
    if(TARGET bezoar_tool)
      install(TARGETS bezoar_tool bezoar_decode RUNTIME DESTINATION bezoar/bin COMPONENT python)
    endif()
  endif()
endif()
