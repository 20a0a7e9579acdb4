# Unit tests: each tests/unit/test_*.c is one cmocka program. Fuzz targets are also built as replays of their corpora.

pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
file(GLOB BEZ_UNIT_SOURCES CONFIGURE_DEPENDS tests/unit/test_*.c)
foreach(source IN LISTS BEZ_UNIT_SOURCES)
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE bezoar_internal PkgConfig::CMOCKA)
  target_include_directories(${name} PRIVATE tests/unit)
  target_compile_definitions(${name} PRIVATE BEZ_SOURCE_DIR="${PROJECT_SOURCE_DIR}" BEZ_BINARY_DIR="${PROJECT_BINARY_DIR}")
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
  if(name MATCHES "^test_(args|contract)$") # these see the command line's tables
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:bezoar_cli>)
  endif()
  if(name STREQUAL "test_contract") # lets each allocation fail in turn
    target_link_options(${name} PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
  endif()
endforeach()

# fuzz/fuzz_NAME.c defines LLVMFuzzerTestOneInput; fuzz/corpus/NAME/ holds its inputs.
file(GLOB BEZ_FUZZ_SOURCES CONFIGURE_DEPENDS fuzz/fuzz_*.c)
foreach(source IN LISTS BEZ_FUZZ_SOURCES)
  get_filename_component(name ${source} NAME_WE)
  string(REPLACE "fuzz_" "" corpus ${name})
  if(BEZ_FUZZ)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE bezoar_internal -fsanitize=fuzzer)
  else()
    add_executable(replay_${corpus} ${source} fuzz/replay.c)
    target_link_libraries(replay_${corpus} PRIVATE bezoar_internal)
    add_test(NAME replay_${corpus} COMMAND replay_${corpus} ${PROJECT_SOURCE_DIR}/fuzz/corpus/${corpus}
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  endif()
endforeach()
