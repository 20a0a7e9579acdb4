/* What readers of models have seen so far (model.h): parts and facts, facts counted, everything within ceilings. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "decode/inflate.h"
#include "decode/model.h"

typedef struct kept_fact {
  bez_model_fact fact;
  uint64_t hash;
} kept_fact;

typedef struct bez_model_out {
  bez_arena arena;
  bez_model_part *parts;
  kept_fact *facts;
  uint32_t *table; /* 1 + number of a fact, by hash; 0 empty; more than half of it is */
  bez_model_tensor *tensors;
  uint32_t n_parts, n_facts, n_tensors, part_room, fact_room, table_room, tensor_room, n_odd;
  const uint8_t *bytes; /* of the file itself */
  size_t len;
  const bez_model_folder *folder; /* the archive that is being read */
  uint64_t unpacked;
  uint64_t left; /* bytes that may still be examined: entries that share bytes would make it endless */
  bool full, out_of_memory;
} bez_model_out;

/* Most files have one part and a few facts: everything begins small. */
bez_model_out *bez_model_out_create(void) {
  return calloc(1, sizeof(bez_model_out));
}

void bez_model_out_destroy(bez_model_out *out) {
  if (!out) return;
  free(out->parts);
  free(out->facts);
  free(out->table);
  free(out->tensors);
  bez_arena_free(&out->arena);
  free(out);
}

static const char *keep(bez_model_out *out, const char *text) {
  if (!text || !*text) return "";
  const char *copy = bez_arena_strdup(&out->arena, text);
  if (!copy) out->out_of_memory = true;
  return copy ? copy : "";
}

void bez_model_unread(bez_model_out *out, uint32_t part, const char *fmt, ...) {
  char text[256];
  va_list args;
  if (*out->parts[part].unread) return;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  out->parts[part].unread = keep(out, text);
}

static uint64_t mix(uint64_t hash, const char *text) {
  for (; text && *text; text++) hash = (hash ^ (uint8_t)*text) * 0x100000001b3ull;
  return (hash ^ 0xff) * 0x100000001b3ull;
}

static uint64_t hash_of(const bez_model_fact *f) {
  uint64_t hash = 0xcbf29ce484222325ull ^ f->part * 0x9e3779b97f4a7c15ull ^ (uint64_t)f->what << 1 ^ f->known;
  hash = mix(mix(hash, f->module), f->name);
  /* Without names it is the expression that tells one from another. */
  return f->module && *f->module ? hash : mix(hash, f->text);
}

static bool same(const char *a, const char *b) {
  return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Room for one more of an array that holds n and has room for *room. False: memory is out. */
static bool grow(bez_model_out *out, void **array, uint32_t n, uint32_t *room, size_t size) {
  if (n < *room) return true;
  const uint32_t wanted = *room ? 2 * *room : 16;
  void *more = realloc(*array, wanted * size);
  if (!more) out->out_of_memory = true;
  if (!more) return false;
  *array = more;
  *room = wanted;
  return true;
}

/* Room in the table for one more fact; it is built anew where that makes it more than half full. */
static bool table_room(bez_model_out *out) {
  if (2 * (out->n_facts + 1) <= out->table_room) return true;
  const uint32_t room = out->table_room ? 4 * out->table_room : 64;
  uint32_t *table = calloc(room, sizeof *table);
  if (!table) out->out_of_memory = true;
  if (!table) return false;
  for (uint32_t i = 0; i < out->n_facts; i++) {
    uint32_t at = (uint32_t)(out->facts[i].hash % room);
    while (table[at]) at = (at + 1) % room;
    table[at] = i + 1;
  }
  free(out->table);
  out->table = table;
  out->table_room = room;
  return true;
}

static bool fact_room(bez_model_out *out, uint32_t part) {
  if (out->n_facts == BEZ_MAX_MODEL_FACTS)
    bez_model_unread(out, part, "more than %u different facts", BEZ_MAX_MODEL_FACTS);
  if (out->n_facts == BEZ_MAX_MODEL_FACTS) return false;
  void *facts = out->facts;
  const bool good = grow(out, &facts, out->n_facts, &out->fact_room, sizeof *out->facts);
  out->facts = facts;
  return good;
}

/* Where the fact is in the table, or the free place that it would have. */
static uint32_t place_of(const bez_model_out *out, const bez_model_fact *fact, uint64_t hash) {
  uint32_t at = (uint32_t)(hash % out->table_room);
  for (; out->table[at]; at = (at + 1) % out->table_room) {
    const kept_fact *k = &out->facts[out->table[at] - 1];
    if (k->hash == hash && k->fact.part == fact->part && k->fact.what == fact->what &&
        same(k->fact.module, fact->module) && same(k->fact.name, fact->name))
      break;
  }
  return at;
}

bool bez_model_told(bez_model_out *out, const bez_model_fact *fact) {
  if (!out->table_room || !fact->module || !*fact->module) return false;
  const uint32_t at = place_of(out, fact, hash_of(fact));
  if (out->table[at]) out->facts[out->table[at] - 1].fact.count++;
  return out->table[at] != 0;
}

void bez_model_tell(bez_model_out *out, const bez_model_fact *fact) {
  if (!table_room(out)) return;
  const uint64_t hash = hash_of(fact);
  const uint32_t at = place_of(out, fact, hash);
  if (out->table[at]) {
    out->facts[out->table[at] - 1].fact.count++;
    return;
  }
  if (!fact_room(out, fact->part)) return;
  kept_fact *k = &out->facts[out->n_facts++];
  out->table[at] = out->n_facts;
  *k = (kept_fact){.fact = *fact, .hash = hash};
  k->fact.count = 1;
  k->fact.opcode = keep(out, fact->opcode);
  k->fact.module = keep(out, fact->module);
  k->fact.name = keep(out, fact->name);
  k->fact.text = keep(out, fact->text);
}

void bez_model_odd(bez_model_out *out, uint32_t part, uint64_t at, const char *which, const char *fmt, ...) {
  char text[320];
  va_list args;
  if (out->n_odd++ >= BEZ_MAX_MODEL_ODD) {
    bez_model_unread(out, part, "more than %u oddities", BEZ_MAX_MODEL_ODD);
    return;
  }
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  bez_model_tell(out, &(bez_model_fact){.part = part, .what = BEZ_MODEL_ODD, .at = at, .name = which, .text = text});
}

void bez_model_code(bez_model_out *out, uint32_t part, uint64_t at, const char *kind, const char *what, const char *fmt,
                    ...) {
  char text[400];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  bez_model_tell(out, &(bez_model_fact){
                          .part = part, .what = BEZ_MODEL_CODE, .at = at, .name = kind, .module = what, .text = text});
}

void bez_model_says(bez_model_out *out, uint32_t part, const char *key, const char *value, size_t len) {
  char *text = len <= BEZ_MAX_MODEL_ABOUT ? bez_arena_strndup(&out->arena, value, len) : NULL;
  if (len > BEZ_MAX_MODEL_ABOUT)
    bez_model_unread(out, part, "what it says of %s is longer than %u KiB", key, BEZ_MAX_MODEL_ABOUT >> 10);
  else if (!text)
    out->out_of_memory = true;
  else
    bez_model_tell(out, &(bez_model_fact){.part = part, .what = BEZ_MODEL_ABOUT, .name = key, .text = text});
}

/* Room for one more tensor; false, and said: there is none. */
static bool tensor_room(bez_model_out *out, uint32_t part) {
  if (out->n_tensors == BEZ_MAX_MODEL_TENSORS)
    bez_model_unread(out, part, "more than %u tensors", BEZ_MAX_MODEL_TENSORS);
  if (out->n_tensors == BEZ_MAX_MODEL_TENSORS) return false;
  void *tensors = out->tensors;
  const bool good = grow(out, &tensors, out->n_tensors, &out->tensor_room, sizeof *out->tensors);
  out->tensors = tensors;
  return good;
}

/* The same of parts, said of the parent. */
static bool part_room(bez_model_out *out, uint32_t parent) {
  if (out->n_parts == BEZ_MAX_MODEL_PARTS) bez_model_unread(out, parent, "more than %u parts", BEZ_MAX_MODEL_PARTS);
  if (out->n_parts == BEZ_MAX_MODEL_PARTS) return false;
  void *parts = out->parts;
  const bool good = grow(out, &parts, out->n_parts, &out->part_room, sizeof *out->parts);
  out->parts = parts;
  return good;
}

void bez_model_tensor_at(bez_model_out *out, const bez_model_tensor *tensor, const uint8_t *data) {
  if (!tensor_room(out, tensor->part)) return;
  bez_model_tensor *t = &out->tensors[out->n_tensors++];
  *t = *tensor;
  t->name = keep(out, tensor->name);
  t->dtype = keep(out, tensor->dtype);
  t->file = keep(out, tensor->file);
  if (*t->file) return;
  const uintptr_t from = (uintptr_t)out->bytes, where = (uintptr_t)data;
  const bool inside = data && where >= from && where - from <= out->len && t->bytes <= out->len - (where - from);
  t->at = inside ? where - from : UINT64_MAX;
}

const char *bez_model_kind_of(const bez_model_out *out, uint32_t part) {
  return out->parts[part].kind;
}

void bez_model_enter(bez_model_out *out, bez_model_folder *folder) {
  folder->outer = out->folder;
  out->folder = folder;
}

void bez_model_leave(bez_model_out *out, const bez_model_folder *folder) {
  out->folder = folder->outer;
}

bool bez_model_beside(const bez_model_out *out, uint32_t part, const char *name, const uint8_t **bytes, uint64_t *len) {
  const bez_model_folder *f = out->folder;
  *bytes = NULL;
  *len = 0;
  return part && f && out->parts[part].parent == f->part && f->find(f->ctx, name, bytes, len);
}

/* Room doubles as it is needed, so that half of it may be empty. */
bool bez_model_may_unpack(bez_model_out *out, uint32_t part, uint64_t bytes) {
  if (bez_is_bomb(out, part, out->len, (out->unpacked + bytes) / 2)) return false; /* all entries together */
  if (bytes <= BEZ_MAX_UNPACKED - out->unpacked) {
    out->unpacked += bytes;
    return true;
  }
  bez_model_unread(out, part, "more than %u MiB would have to be unpacked", BEZ_MAX_UNPACKED >> 20);
  return false;
}

/* By each reader that knows it. */
static bool carries(const bez_model_reader *a, const bez_model_reader *b) {
  return a->carries && !strcmp(a->carries, b->name);
}

static void read_part(bez_model_out *out, const bez_model_input *in) {
  const bez_model_reader *first = NULL;
  for (size_t i = 0; bez_model_readers[i]; i++) {
    const bez_model_reader *reader = bez_model_readers[i];
    if (reader->sniff(in) < (in->numbers ? BEZ_MODEL_SURE : 1)) continue;
    if (first && !first->shares && !reader->shares && !carries(first, reader) && !carries(reader, first))
      bez_model_odd(out, in->part, 0, "polyglot", "also a %s: programs may read it as one or the other", reader->title);
    if (!first || first->shares || carries(reader, first)) {
      out->parts[in->part].kind = reader->name;
      first = reader;
    }
    reader->read(in, out);
  }
}

static uint32_t examine(bez_model_out *out, uint32_t parent, unsigned depth, const char *name, uint64_t at,
                        const uint8_t *bytes, size_t len, bool numbers) {
  if (!part_room(out, parent)) return parent;
  const uint32_t part = out->n_parts++;
  const bez_model_input in = {
      .bytes = bytes, .len = len, .name = name, .part = part, .depth = depth, .numbers = numbers};
  out->parts[part] = (bez_model_part){
      .parent = part ? parent : 0, .name = keep(out, name), .kind = "", .at = at, .size = len, .unread = ""};
  if (depth > BEZ_MAX_MODEL_DEPTH) {
    bez_model_unread(out, part, "packed more than %u levels deep", BEZ_MAX_MODEL_DEPTH);
    return part;
  }
  if (part == 0) out->bytes = bytes, out->len = len;
  if (part == 0) out->left = BEZ_MAX_EXAMINED_TIMES * (uint64_t)len + 2 * (uint64_t)BEZ_MAX_UNPACKED;
  if (len > out->left) {
    bez_model_unread(out, part, "its parts share so many bytes that they would be examined more than %u times",
                     BEZ_MAX_EXAMINED_TIMES);
    return part;
  }
  out->left -= len;
  read_part(out, &in);
  return part;
}

uint32_t bez_model_examine(bez_model_out *out, uint32_t parent, unsigned depth, const char *name, uint64_t at,
                           const uint8_t *bytes, size_t len) {
  return examine(out, parent, depth, name, at, bytes, len, false);
}

uint32_t bez_model_examine_numbers(bez_model_out *out, uint32_t parent, unsigned depth, const char *name, uint64_t at,
                                   const uint8_t *bytes, size_t len) {
  return examine(out, parent, depth, name, at, bytes, len, true);
}

/* ---- as bytes -----------------------------------------------------------------------------------------------------
 */

static void put_text(bez_buf *b, const char *text) {
  size_t n = strlen(text);
  bez_put_le32(b, (uint32_t)n);
  bez_buf_write(b, text, n);
}

bez_status bez_model_save(const bez_model_out *out, bez_buf *b, bez_error *err) {
  bez_put_le32(b, out->n_parts);
  bez_put_le32(b, out->n_facts);
  bez_put_le32(b, out->n_tensors);
  for (uint32_t i = 0; i < out->n_parts; i++) {
    const bez_model_part *p = &out->parts[i];
    bez_put_le32(b, p->parent);
    bez_put_le64(b, p->at);
    bez_put_le64(b, p->size);
    put_text(b, p->name);
    put_text(b, p->kind);
    put_text(b, p->unread);
  }
  for (uint32_t i = 0; i < out->n_facts; i++) {
    const bez_model_fact *f = &out->facts[i].fact;
    bez_put_le32(b, f->part);
    bez_put_le32(b, (uint32_t)f->what << 1 | f->known);
    bez_put_le64(b, f->at);
    bez_put_le64(b, f->count);
    put_text(b, f->opcode);
    put_text(b, f->module);
    put_text(b, f->name);
    put_text(b, f->text);
  }
  for (uint32_t i = 0; i < out->n_tensors; i++) {
    const bez_model_tensor *t = &out->tensors[i];
    bez_put_le32(b, t->part);
    bez_put_le32(b, t->strided);
    bez_put_le32(b, t->n_dims);
    bez_put_le64(b, t->at);
    bez_put_le64(b, t->bytes);
    for (uint32_t d = 0; d < t->n_dims; d++) bez_put_le64(b, t->shape[d]);
    put_text(b, t->name);
    put_text(b, t->dtype);
    put_text(b, t->file);
  }
  if (out->out_of_memory) b->failed = BEZ_MEMORY;
  return bez_buf_status(b, err);
}
