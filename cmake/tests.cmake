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
  if(name MATCHES "^test_(args|catalogue)$") # these see the command line's tables
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:bezoar_cli>)
  endif()
  if(name MATCHES "^test_(picture|graph_bytes)") # these call the decoders without the helper around them
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:bezoar_decode_objects>)
    target_link_libraries(${name} PRIVATE PkgConfig::PICTURES PkgConfig::ARCHIVE)
  endif()
  add_dependencies(${name} bezoar_decode)
  if(name MATCHES "^test_contract") # lets each allocation fail in turn
    target_link_options(${name} PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
  endif()
endforeach()

# The sandbox's test finds another helper beside it: the shipped one's main() around readers that try to get out.
# They come first, so that the library's own table of readers is not taken.
add_library(bezoar_decode_library STATIC $<TARGET_OBJECTS:bezoar_decode_objects>)
add_executable(bezoar_decode_probe ${BEZ_DECODE_MAIN} tests/sandbox/probe_readers.c)
set_target_properties(bezoar_decode_library PROPERTIES ARCHIVE_OUTPUT_DIRECTORY probe)
set_target_properties(bezoar_decode_probe PROPERTIES OUTPUT_NAME bezoar-decode RUNTIME_OUTPUT_DIRECTORY probe)
set_target_properties(test_sandbox PROPERTIES RUNTIME_OUTPUT_DIRECTORY probe)
target_link_libraries(bezoar_decode_probe PRIVATE bezoar_decode_library bezoar_internal PkgConfig::PICTURES PkgConfig::ARCHIVE PkgConfig::SECCOMP)
add_dependencies(test_sandbox bezoar_decode_probe)

# fuzz/fuzz_NAME.c defines LLVMFuzzerTestOneInput; fuzz/corpus/NAME/ holds its inputs.
file(GLOB BEZ_FUZZ_SOURCES CONFIGURE_DEPENDS fuzz/fuzz_*.c)
foreach(source IN LISTS BEZ_FUZZ_SOURCES)
  get_filename_component(name ${source} NAME_WE)
  string(REPLACE "fuzz_" "" corpus ${name})
  if(BEZ_FUZZ)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE bezoar_internal -fsanitize=fuzzer)
    set(target ${name})
  else()
    add_executable(replay_${corpus} ${source} fuzz/replay.c)
    target_link_libraries(replay_${corpus} PRIVATE bezoar_internal)
    add_test(NAME replay_${corpus} COMMAND replay_${corpus} ${PROJECT_SOURCE_DIR}/fuzz/corpus/${corpus}
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set(target replay_${corpus})
  endif()
  if(corpus MATCHES "^(picture|model)$")
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:bezoar_decode_objects>)
    target_link_libraries(${target} PRIVATE PkgConfig::PICTURES PkgConfig::ARCHIVE)
  endif()
endforeach()

# The benchmark of aggregation, and a trial of it at a thousandth of its size so that it cannot rot.
file(GLOB BEZ_BENCH_AGGREGATE CONFIGURE_DEPENDS bench/aggregate/*.c)
if(BEZ_BENCH_AGGREGATE AND NOT BEZ_FUZZ)
  add_executable(bench_aggregate ${BEZ_BENCH_AGGREGATE})
  target_link_libraries(bench_aggregate PRIVATE bezoar_internal)
  add_test(NAME bench_aggregate COMMAND bench_aggregate --size 0.001 --rounds 1 --folder ${PROJECT_BINARY_DIR})
endif()

# The comparison of a model with its base beside a plain sum over both.
if(EXISTS ${PROJECT_SOURCE_DIR}/bench/audit/base_compare.c AND NOT BEZ_FUZZ)
  add_executable(bench_base bench/audit/base_compare.c)
  target_link_libraries(bench_base PRIVATE bezoar_internal)
  add_dependencies(bench_base bezoar_decode)
endif()

# Preloaded by the crash tests of the vault. It stands in for libc's functions, so none of libc's checks belong in it.
if(NOT BEZ_SANITIZE AND NOT BEZ_FUZZ)
  add_library(crash_shim SHARED tests/vault/crash_shim.c)
  target_compile_options(crash_shim PRIVATE -U_FORTIFY_SOURCE -fno-builtin)
endif()
