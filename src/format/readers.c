/* The table of readers, expanded from readers.def, and its public view. */
#include "format/reader.h"

const bez_reader *const bez_readers[] = {
#define BEZ_READER(symbol) &symbol,
#include "format/readers.def"
#undef BEZ_READER
    NULL};

size_t bez_format_count(void) {
  return sizeof bez_readers / sizeof *bez_readers - 1;
}

bez_format_info bez_format_get(size_t index) {
  if (index >= bez_format_count()) return (bez_format_info){0};
  const bez_reader *r = bez_readers[index];
  return (bez_format_info){.name = r->name, .title = r->title, .extensions = r->extensions, .summary = r->summary};
}
