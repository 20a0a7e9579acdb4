/* GGUF files, versions 2 and 3 (ggml-org/ggml, docs/gguf.md; what llama.cpp accepts is in its gguf.cpp): keys and
 * values, a table of tensors, then the tensors, each at a multiple of the alignment right behind the one before. */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "decode/gguf_about.h"
#include "decode/model.h"
#include "format/ggml_types.h"

#define MAX_KEYS 1048576u
#define MAX_NAME 63u   /* bytes of a tensor's name: llama.cpp refuses more */
#define MAX_KEY 65535u /* bytes of a key */
#define MAX_RANK 4u    /* dimensions of a tensor */
#define MAX_NESTED 4u  /* arrays in arrays */
#define PLAIN_ALIGNMENT 32u

typedef struct tensor {
  bez_gguf_text name;
  const bez_ggml_type *type; /* NULL: unknown */
  uint32_t type_id, n_dims;
  uint64_t shape[BEZ_MAX_MODEL_DIMS]; /* outermost first */
  uint64_t offset, at;                /* in the data; of its entry in the table */
} tensor;

typedef struct gguf {
  const bez_model_input *in;
  struct bez_model_out *out;
  bez_cursor c;
  uint64_t n_keys, n_tensors;
  bez_gguf_text *names; /* of keys, then of tensors: to find those that come twice */
  tensor *tensors;
  bez_gguf_about about;
  uint64_t alignment, data_at;
  bool nested;
} gguf;

static int sniff(const bez_model_input *in) {
  return in->len >= 8 && memcmp(in->bytes, "GGUF", 4) == 0 ? 95 : 0;
}

static bool cut(gguf *g, const char *where) {
  bez_model_unread(g->out, g->in->part, "it breaks off in %s, at byte %zu", where, g->c.pos);
  return false;
}

static bool take_text(gguf *g, bez_gguf_text *out) {
  uint64_t n;
  const uint8_t *p;
  if (!bez_cursor_le64(&g->c, &n) || n > bez_cursor_left(&g->c) || !bez_cursor_take(&g->c, (size_t)n, &p)) return false;
  *out = (bez_gguf_text){.bytes = p, .len = (size_t)n};
  return true;
}

/* ---- keys and values ----------------------------------------------------------------------------------------------
 */

static unsigned scalar_size(uint32_t type) {
  static const uint8_t sizes[] = {[BEZ_GGUF_U8] = 1,  [BEZ_GGUF_I8] = 1,  [BEZ_GGUF_U16] = 2, [BEZ_GGUF_I16] = 2,
                                  [BEZ_GGUF_U32] = 4, [BEZ_GGUF_I32] = 4, [BEZ_GGUF_F32] = 4, [BEZ_GGUF_BOOL] = 1,
                                  [BEZ_GGUF_U64] = 8, [BEZ_GGUF_I64] = 8, [BEZ_GGUF_F64] = 8};
  return type < sizeof sizes ? sizes[type] : 0;
}

static bool skip_array(gguf *g, unsigned depth) {
  uint32_t type;
  uint64_t n, bytes;
  bez_gguf_text unused;
  if (!bez_cursor_le32(&g->c, &type) || !bez_cursor_le64(&g->c, &n)) return false;
  const unsigned size = scalar_size(type);
  if (size)
    return !__builtin_mul_overflow(n, size, &bytes) && bytes <= bez_cursor_left(&g->c) &&
           bez_cursor_skip(&g->c, (size_t)bytes);
  if (type == BEZ_GGUF_TEXT && n <= bez_cursor_left(&g->c) / 8) {
    for (uint64_t i = 0; i < n; i++)
      if (!take_text(g, &unused)) return false;
    return true;
  }
  g->nested |= type == BEZ_GGUF_ARRAY;
  if (type != BEZ_GGUF_ARRAY || depth == MAX_NESTED || n > bez_cursor_left(&g->c) / 12) return false;
  for (uint64_t i = 0; i < n; i++)
    if (!skip_array(g, depth + 1)) return false;
  return true;
}

static bool take_value(gguf *g, bez_gguf_value *v) {
  const uint8_t *p;
  if (!bez_cursor_le32(&g->c, &v->type)) return false;
  v->at = g->c.pos;
  if (v->type == BEZ_GGUF_TEXT) {
    const bool good = take_text(g, &v->text);
    v->at = good ? (uint64_t)(v->text.bytes - g->in->bytes) : v->at;
    return good;
  }
  if (v->type == BEZ_GGUF_ARRAY) return skip_array(g, 0);
  const unsigned size = scalar_size(v->type);
  if (!size || !bez_cursor_take(&g->c, size, &p)) return false;
  for (unsigned i = size; i-- > 0;) v->bits = v->bits << 8 | p[i];
  return true;
}

static bool key_is(const bez_gguf_text *key, const char *name) {
  return key->len == strlen(name) && memcmp(key->bytes, name, key->len) == 0;
}

static void take_alignment(gguf *g, const bez_gguf_value *v) {
  const bool whole = v->type == BEZ_GGUF_U32 && v->bits && !(v->bits & (v->bits - 1));
  if (whole)
    g->alignment = v->bits;
  else
    bez_model_odd(g->out, g->in->part, v->at, "alignment",
                  "general.alignment is no power of two: loaders refuse it, or look for the tensors elsewhere");
}

static bool take_keys(gguf *g) {
  for (uint64_t i = 0; i < g->n_keys; i++) {
    bez_gguf_value v = {0};
    const size_t at = g->c.pos;
    if (!take_text(g, &g->names[i])) return cut(g, "a key");
    if (g->names[i].len > MAX_KEY)
      bez_model_odd(g->out, g->in->part, at, "key", "a key of %zu bytes: loaders refuse it", g->names[i].len);
    if (!take_value(g, &v)) return cut(g, "a value, or its type is not known");
    if (key_is(&g->names[i], "general.alignment")) take_alignment(g, &v);
    bez_gguf_about_take(&g->about, &g->names[i], &v);
  }
  if (g->nested)
    bez_model_odd(g->out, g->in->part, 0, "nested-arrays", "a value is an array of arrays: not every loader reads it");
  return true;
}

static int by_name(const void *a, const void *b) {
  const bez_gguf_text *x = a, *y = b;
  const size_t n = x->len < y->len ? x->len : y->len;
  const int order = n ? memcmp(x->bytes, y->bytes, n) : 0;
  return order ? order : (x->len > y->len) - (x->len < y->len);
}

static void say_twice(gguf *g, size_t n, const char *what) {
  if (n) qsort(g->names, n, sizeof *g->names, by_name);
  for (size_t i = 1; i < n; i++) {
    if (by_name(&g->names[i - 1], &g->names[i]) != 0) continue;
    const bez_gguf_text *name = &g->names[i];
    bez_model_odd(g->out, g->in->part, (uint64_t)(name->bytes - g->in->bytes), "twice",
                  "two %s are named \"%.*s\": readers take one or the other", what,
                  (int)(name->len < 80 ? name->len : 80), (const char *)name->bytes);
  }
}

/* ---- tensors ------------------------------------------------------------------------------------------------------
 */

static bool take_tensor(gguf *g, tensor *t) {
  t->at = g->c.pos;
  if (!take_text(g, &t->name) || !bez_cursor_le32(&g->c, &t->n_dims)) return cut(g, "the table of tensors");
  if (t->name.len > MAX_NAME)
    bez_model_odd(g->out, g->in->part, t->at, "name", "a tensor's name has %zu bytes: loaders refuse it", t->name.len);
  if (t->n_dims > MAX_RANK) {
    bez_model_unread(g->out, g->in->part, "tensor \"%.*s\" is to have %u dimensions",
                     (int)(t->name.len < 80 ? t->name.len : 80), (const char *)t->name.bytes, t->n_dims);
    return false;
  }
  for (uint32_t d = t->n_dims; d-- > 0;)
    if (!bez_cursor_le64(&g->c, &t->shape[d])) return cut(g, "the table of tensors");
  if (!bez_cursor_le32(&g->c, &t->type_id) || !bez_cursor_le64(&g->c, &t->offset))
    return cut(g, "the table of tensors");
  t->type = bez_ggml_type_of(t->type_id);
  return true;
}

static bool take_table(gguf *g) {
  for (uint64_t i = 0; i < g->n_tensors; i++) {
    if (!take_tensor(g, &g->tensors[i])) return false;
    g->names[i] = g->tensors[i].name;
  }
  return true;
}

/* Blocks run along the innermost dimension. */
static bool bytes_of(const tensor *t, uint64_t *out) {
  uint64_t items = 1;
  for (uint32_t d = 0; d < t->n_dims; d++)
    if (__builtin_mul_overflow(items, t->shape[d], &items)) return false;
  const uint64_t row = t->n_dims ? t->shape[t->n_dims - 1] : 1;
  return row % t->type->items == 0 && !__builtin_mul_overflow(items / t->type->items, t->type->bytes, out);
}

static void odd_tensor(gguf *g, const tensor *t, const char *what) {
  bez_model_odd(g->out, g->in->part, t->at, "gguf", "tensor \"%.*s\": %s", (int)(t->name.len < 80 ? t->name.len : 80),
                (const char *)t->name.bytes, what);
}

/* Puts one down; *next: where the one behind it is to begin. Returns whether that can be told. */
static bool place(gguf *g, const tensor *t, uint64_t *next) {
  char name[MAX_NAME + 1], type[32];
  const size_t n = t->name.len < MAX_NAME ? t->name.len : MAX_NAME;
  const uint64_t data = g->in->len - g->data_at;
  bez_model_tensor out = {.part = g->in->part, .name = name, .n_dims = t->n_dims, .dtype = type};
  memcpy(name, t->name.bytes, n);
  name[n] = 0;
  memcpy(out.shape, t->shape, sizeof out.shape);
  if (!t->type) {
    bez_model_unread(g->out, g->in->part, "tensor \"%s\" has the unknown type %u", name, t->type_id);
    return false;
  }
  memcpy(type, t->type->name, strlen(t->type->name) + 1);
  const bool fits = bytes_of(t, &out.bytes), inside = fits && t->offset <= data && out.bytes <= data - t->offset;
  if (!fits)
    odd_tensor(g, t, "its shape does not fit its type");
  else if (!inside)
    odd_tensor(g, t, "lies beyond the end of the file");
  else if (t->offset != *next)
    odd_tensor(g, t, t->offset < *next ? "overlaps another tensor" : "leaves a gap before it");
  bez_model_tensor_at(g->out, &out, inside ? g->in->bytes + g->data_at + t->offset : NULL);
  if (!inside) bez_model_unread(g->out, g->in->part, "tensor \"%s\" is not within the file", name);
  if (!inside) return false;
  *next = t->offset + out.bytes;
  return true;
}

static uint64_t aligned(const gguf *g, uint64_t at) {
  return (at + g->alignment - 1) & ~(g->alignment - 1);
}

static void place_all(gguf *g) {
  uint64_t next = 0;
  g->data_at = aligned(g, g->c.pos);
  if (g->data_at > g->in->len) {
    if (g->n_tensors) (void)cut(g, "front of the tensors");
    return;
  }
  for (uint64_t i = 0; i < g->n_tensors; i++) {
    if (!place(g, &g->tensors[i], &next)) return;
    if (i + 1 < g->n_tensors) next = aligned(g, next);
  }
  const uint64_t data = g->in->len - g->data_at;
  if (data > aligned(g, next))
    bez_model_odd(g->out, g->in->part, g->data_at + aligned(g, next), "trailing", "%llu bytes behind the last tensor",
                  (unsigned long long)(data - aligned(g, next)));
}

/* ---- the whole ----------------------------------------------------------------------------------------------------
 */

/* False, and said: nothing more can be read. */
static bool take_head(gguf *g) {
  uint32_t version = 0;
  g->c = (bez_cursor){.data = g->in->bytes, .len = g->in->len, .pos = 4};
  if (!bez_cursor_le32(&g->c, &version)) return cut(g, "its head");
  if (version && !(version & 0xffff)) {
    bez_model_unread(g->out, g->in->part, "it is written for big-endian machines");
    return false;
  }
  if (version < 2 || version > 3) {
    bez_model_unread(g->out, g->in->part, "version %u of GGUF is not read", version);
    return false;
  }
  if (!bez_cursor_le64(&g->c, &g->n_tensors) || !bez_cursor_le64(&g->c, &g->n_keys)) return cut(g, "its head");
  /* A key takes 13 bytes, an entry of the table 24. */
  const size_t left = bez_cursor_left(&g->c);
  const bool lie = g->n_keys > left / 13 || g->n_tensors > left / 24;
  if (lie)
    bez_model_odd(g->out, g->in->part, 8, "count", "%llu tensors and %llu keys are said to be in %zu bytes",
                  (unsigned long long)g->n_tensors, (unsigned long long)g->n_keys, g->in->len);
  if (lie || g->n_keys > MAX_KEYS || g->n_tensors > BEZ_MAX_MODEL_TENSORS)
    bez_model_unread(g->out, g->in->part, "%llu tensors and %llu keys", (unsigned long long)g->n_tensors,
                     (unsigned long long)g->n_keys);
  return !lie && g->n_keys <= MAX_KEYS && g->n_tensors <= BEZ_MAX_MODEL_TENSORS;
}

static void read_gguf(const bez_model_input *in, struct bez_model_out *out) {
  gguf g = {.in = in, .out = out, .alignment = PLAIN_ALIGNMENT};
  if (!take_head(&g)) return;
  g.about = (bez_gguf_about){.in = in, .out = out};
  const uint64_t names = g.n_keys > g.n_tensors ? g.n_keys : g.n_tensors;
  g.names = calloc(names + 1, sizeof *g.names);
  g.tensors = calloc(g.n_tensors + 1, sizeof *g.tensors);
  if (!g.names || !g.tensors) bez_model_unread(out, in->part, "memory is out");
  bool good = g.names && g.tensors && take_keys(&g);
  if (good) {
    say_twice(&g, (size_t)g.n_keys, "keys");
    bez_gguf_about_end(&g.about);
    good = take_table(&g);
  }
  if (good) say_twice(&g, (size_t)g.n_tensors, "tensors");
  if (good) place_all(&g);
  free(g.names);
  free(g.tensors);
}

const bez_model_reader bez_model_reader_gguf = {
    .name = "gguf",
    .title = "GGUF file",
    .summary = "Versions 2 and 3, little endian: keys and values, tensors of every type of ggml; keys or tensors named "
               "twice, overlaps, gaps, bytes behind the end and alignments that loaders take differently are reported. "
               "Chat templates are examined as what they are.",
    .sniff = sniff,
    .read = read_gguf};
