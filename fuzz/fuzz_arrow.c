/* Arrow C streams made from the input: formats, lengths, offsets and values are the fuzzer's; only what the interface
 * makes everyone trust is kept true (buffers are as large as length and offset say, text offsets lie in the buffer
 * unless they descend or are negative). */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "bezoar/arrow.h"
#include "bezoar/format.h"

#define MAX_COLUMNS 6
#define MAX_ROWS 40
#define CHARS 256

typedef struct column {
  struct ArrowSchema schema, words;
  struct ArrowArray array, dictionary;
  char format[16], word_format[16];
  const void *buffers[4], *word_buffers[4];
  uint8_t valid[16], values[(2 * MAX_ROWS + 2) * 16], chars[CHARS];
  uint8_t word_valid[16], word_values[(2 * MAX_ROWS + 2) * 16];
  int64_t sizes[1];
} column;

typedef struct input {
  bez_cursor c;
  size_t n;
  int64_t rows;
  int batches;
  column columns[MAX_COLUMNS];
  struct ArrowSchema *schemas[MAX_COLUMNS], inner, *outer[1];
  struct ArrowArray *arrays[MAX_COLUMNS], inner_array, *outer_array[1];
  const void *none[1];
  bool nested;
} input;

static uint8_t byte(input *in) {
  uint8_t b = 0;
  (void)!bez_cursor_u8(&in->c, &b);
  return b;
}

static void fill(input *in, void *out, size_t n) {
  const uint8_t *from;
  size_t have = bez_cursor_left(&in->c);
  if (n > have) n = have;
  if (bez_cursor_take(&in->c, n, &from)) memcpy(out, from, n);
}

static void pick_format(input *in, char out[16]) {
  static const char *const known[] = {"n",   "b",   "c",    "C",       "s",   "S",     "i",  "I",   "l",
                                      "L",   "e",   "f",    "g",       "u",   "U",     "vu", "tdD", "tdm",
                                      "tts", "ttn", "tss:", "tsu:UTC", "tDn", "d:9,3", "z",  "+l"};
  uint8_t b = byte(in);
  if (b < 240) {
    strcpy(out, known[b % (sizeof known / sizeof *known)]);
    return;
  }
  memset(out, 0, 16);
  fill(in, out, 1 + (b & 7));
}

/* Offsets into text stay within the characters; views keep to the one buffer there is. */
static void tame(const char *format, uint8_t *values, int64_t items) {
  for (int64_t i = 0; i <= items; i++) {
    if (format[0] == 'u') {
      int32_t v;
      memcpy(&v, values + i * 4, 4);
      if (v > CHARS) v %= CHARS;
      memcpy(values + i * 4, &v, 4);
    } else if (format[0] == 'U') {
      int64_t v;
      memcpy(&v, values + i * 8, 8);
      if (v > CHARS) v %= CHARS;
      memcpy(values + i * 8, &v, 8);
    }
  }
}

static int64_t n_buffers(const char *format) {
  return format[0] == 'n' ? 0 : format[0] == 'v' ? 4 : format[0] == 'u' || format[0] == 'U' ? 3 : 2;
}

static void make_column(input *in, column *c) {
  uint8_t flags = byte(in);
  pick_format(in, c->format);
  int64_t offset = flags & 7, items = in->rows + offset + 8;
  c->sizes[0] = CHARS;
  fill(in, c->chars, 32);
  fill(in, c->valid, sizeof c->valid);
  fill(in, c->values, (size_t)items * 4);
  tame(c->format, c->values, items);
  const void *buffers[] = {flags & 8 ? c->valid : NULL, c->values, c->chars, c->sizes};
  memcpy(c->buffers, buffers, sizeof buffers);
  c->schema = (struct ArrowSchema){.format = c->format, .name = flags & 16 ? "name" : NULL};
  c->array = (struct ArrowArray){.length = in->rows + (flags & 32 ? 8 : 0),
                                 .null_count = flags & 8 ? -1 : 0,
                                 .offset = offset,
                                 .n_buffers = n_buffers(c->format),
                                 .buffers = c->buffers};
  if (!(flags & 64)) return;
  pick_format(in, c->word_format);
  fill(in, c->word_valid, sizeof c->word_valid);
  fill(in, c->word_values, 64);
  int64_t words = byte(in) % MAX_ROWS;
  tame(c->word_format, c->word_values, words);
  const void *word_buffers[] = {flags & 128 ? c->word_valid : NULL, c->word_values, c->chars, c->sizes};
  memcpy(c->word_buffers, word_buffers, sizeof word_buffers);
  c->words = (struct ArrowSchema){.format = c->word_format, .name = ""};
  c->dictionary = (struct ArrowArray){
      .length = words, .null_count = -1, .n_buffers = n_buffers(c->word_format), .buffers = c->word_buffers};
  c->schema.dictionary = &c->words;
  c->array.dictionary = &c->dictionary;
}

static void schema_done(struct ArrowSchema *s) {
  s->release = NULL;
}
static void array_done(struct ArrowArray *a) {
  a->release = NULL;
}

static int get_schema(struct ArrowArrayStream *s, struct ArrowSchema *out) {
  input *in = s->private_data;
  *out = (struct ArrowSchema){.format = "+s",
                              .name = "",
                              .n_children = in->nested ? 1 : (int64_t)in->n,
                              .children = in->nested ? in->outer : in->schemas,
                              .release = schema_done};
  return 0;
}

static int get_next(struct ArrowArrayStream *s, struct ArrowArray *out) {
  input *in = s->private_data;
  *out = (struct ArrowArray){0};
  if (in->batches-- <= 0) return 0;
  *out = (struct ArrowArray){.length = in->rows,
                             .n_buffers = 1,
                             .buffers = in->none,
                             .n_children = in->nested ? 1 : (int64_t)in->n,
                             .children = in->nested ? in->outer_array : in->arrays,
                             .release = array_done};
  return 0;
}

static const char *last_error(struct ArrowArrayStream *s) {
  (void)s;
  return NULL;
}
static void release(struct ArrowArrayStream *s) {
  s->release = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input *in = calloc(1, sizeof *in);
  if (!in) return 0;
  in->c = (bez_cursor){.data = data, .len = size};
  in->rows = byte(in) % MAX_ROWS;
  in->batches = byte(in) % 3;
  in->nested = byte(in) & 1;
  in->n = byte(in) % (MAX_COLUMNS + 1);
  for (size_t i = 0; i < in->n; i++) {
    make_column(in, &in->columns[i]);
    in->schemas[i] = &in->columns[i].schema;
    in->arrays[i] = &in->columns[i].array;
  }
  in->inner = (struct ArrowSchema){.format = "+s", .name = "s", .n_children = (int64_t)in->n, .children = in->schemas};
  in->inner_array = (struct ArrowArray){
      .length = in->rows, .n_buffers = 1, .buffers = in->none, .n_children = (int64_t)in->n, .children = in->arrays};
  in->outer[0] = &in->inner;
  in->outer_array[0] = &in->inner_array;
  struct ArrowArrayStream stream = {get_schema, get_next, last_error, release, in};
  bez_read_options options = {.threads = 1};
  bez_table *table = NULL;
  bez_error err = {0};
  bez_status st = bez_table_from_arrow(&stream, "input", &options, &table, &err);
  if ((st == BEZ_OK) != (table != NULL) || stream.release) abort();
  bez_table_destroy(table);
  free(in);
  return 0;
}
