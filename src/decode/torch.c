/* The tree of what a torch pickle gives, and the tensors in it (torch.h). The pickle machine remembers little of its
 * containers, so what is put into what is written down here, and walked through once the stream is whole. */
#include "decode/torch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/torch_tensor.h"

#define MAX_EDGES (1u << 20)
#define VISITS 65536u /* of what is shared; and a few for everything that is put into something */
#define MAX_STORAGES (1u << 20)
#define DEPTH 48u
#define NAME 1000u
#define LEGACY_STREAMS 5u

typedef struct edge {
  const bez_pickle_node *parent;
  bez_pickle_value key, child; /* key: MARK for a state */
  uint32_t number;             /* in the order of events */
} edge;

struct bez_torch {
  const bez_model_input *in;
  struct bez_model_out *out;
  bez_arena arena;
  edge *edges;
  uint32_t n_edges, edge_room;
  bez_torch_tensor *tensors;
  uint32_t n_tensors, tensor_room;
  bez_torch_storage *storages;
  uint32_t n_storages, storage_room;
  const char **keys; /* of storages, in the order of the older format */
  size_t n_keys;
  unsigned streams;
  uint64_t behind; /* the pickles of the older format */
  uint32_t visits;
  char name[NAME + 1];
  bool big_endian, too_many, out_of_memory;
};

bool bez_torch_calls(const bez_pickle_event *e) {
  return e->what == BEZ_PICKLE_CALL && e->module && !strncmp(e->module, "torch", 5) && e->name &&
         !strncmp(e->name, "_rebuild", 8);
}

/* A long number that no other file begins with. */
bool bez_torch_legacy(const bez_model_input *in) {
  static const uint8_t magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
  return in->len > 32 && in->bytes[0] == 0x80 && memmem(in->bytes, 32, magic, sizeof magic) != NULL;
}

bez_torch *bez_torch_create(const bez_model_input *in, struct bez_model_out *out) {
  bez_torch *t = calloc(1, sizeof *t);
  if (t) *t = (bez_torch){.in = in, .out = out};
  return t;
}

void bez_torch_destroy(bez_torch *t) {
  if (!t) return;
  free(t->edges);
  free(t->tensors);
  free(t->storages);
  bez_arena_free(&t->arena);
  free(t);
}

/* Room for one more of *array; false, and noted: there is none. */
static bool room(bez_torch *t, void **array, uint32_t n, uint32_t *have, uint32_t most, size_t size) {
  t->too_many |= n == most;
  if (n == most) return false;
  if (n < *have) return true;
  const uint32_t want = *have ? 2 * *have : 64;
  void *more = realloc(*array, want * size);
  if (!more) t->out_of_memory = true;
  if (!more) return false;
  *array = more;
  *have = want;
  return true;
}

/* ---- the tree -----------------------------------------------------------------------------------------------------
 */

static int by_parent(const void *a, const void *b) {
  const edge *x = a, *y = b;
  if (x->parent != y->parent) return (uintptr_t)x->parent < (uintptr_t)y->parent ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

/* The first edge of a node, in sorted edges. */
static const edge *first_of(const bez_torch *t, const bez_pickle_node *node) {
  uint32_t low = 0, high = t->n_edges;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if ((uintptr_t)t->edges[middle].parent < (uintptr_t)node)
      low = middle + 1;
    else
      high = middle;
  }
  return low ? t->edges + low : t->edges; /* NULL where there are none */
}

static const edge *end_of(const bez_torch *t) {
  return t->n_edges ? t->edges + t->n_edges : t->edges;
}

/* A recurrent module keeps its parameters a second time, as a list. */
static bool is_second(const bez_pickle_value *key) {
  static const char name[] = "_flat_weights";
  return key->kind == BEZ_PV_STR && key->n == strlen(name) && !memcmp(key->as.s, name, key->n);
}

/* The path so far with one more key; modules keep parameters, buffers and modules in dictionaries of their own, which
 * state dictionaries do not name. Returns its length. */
static size_t add_key(bez_torch *t, size_t at, const bez_pickle_value *key) {
  static const char *const silent[] = {"_parameters", "_buffers", "_modules"};
  char digits[32];
  const char *text = "?";
  size_t n = 1;
  if (key->kind == BEZ_PV_MARK) return at;
  if (key->kind == BEZ_PV_STR) text = (const char *)key->as.s, n = key->n;
  if (key->kind == BEZ_PV_INT) n = (size_t)snprintf(digits, sizeof digits, "%lld", (long long)key->as.i), text = digits;
  for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
    if (n == strlen(silent[i]) && !memcmp(text, silent[i], n)) return at;
  if (at && at < NAME) t->name[at++] = '.';
  if (n > NAME - at) n = NAME - at;
  memcpy(t->name + at, text, n);
  return at + n;
}

static bool is_call(const bez_pickle_value *v, const char *module, const char *name) {
  const bez_pickle_node *node = v->as.node;
  if (v->kind != BEZ_PV_CALL || !node->kept || node->items[0].kind != BEZ_PV_GLOBAL) return false;
  const bez_pickle_node *global = node->items[0].as.node;
  if (!global->kept || !global->items[2].as.i) return false;
  const char *where = (const char *)global->items[0].as.s;
  return !strncmp(where, module, strlen(module)) && !strcmp((const char *)global->items[1].as.s, name);
}

static void put_down(bez_torch *t, size_t at, const bez_pickle_value *arguments, uint32_t n, bool typed,
                     const char *instead) {
  bez_torch_tensor x = {.key = "", .dtype = "unknown", .item = 1};
  if (!instead && !bez_torch_take_tensor(arguments, n, typed, &t->arena, &x))
    x = (bez_torch_tensor){.key = "", .dtype = "unknown", .item = 1};
  if (instead) x.dtype = instead;
  x.name = bez_arena_strndup(&t->arena, t->name, at);
  if (!x.name) t->out_of_memory = true;
  if (x.name && room(t, (void **)&t->tensors, t->n_tensors, &t->tensor_room, BEZ_MAX_MODEL_TENSORS, sizeof x))
    t->tensors[t->n_tensors++] = x;
}

static void visit(bez_torch *t, const bez_pickle_value *v, size_t at, unsigned depth);

/* OrderedDict([('name', tensor), …]), as Python 2 wrote it. */
static void visit_pairs(bez_torch *t, const bez_pickle_value *list, size_t at, unsigned depth) {
  if (list->kind != BEZ_PV_LIST) return;
  for (const edge *e = first_of(t, list->as.node); e < end_of(t) && e->parent == list->as.node; e++) {
    const bool pair = (e->child.kind == BEZ_PV_TUPLE || e->child.kind == BEZ_PV_LIST) && e->child.as.node->kept == 2;
    if (pair) visit(t, &e->child.as.node->items[1], add_key(t, at, &e->child.as.node->items[0]), depth + 1);
  }
}

/* True: it is a tensor, or stands for one. */
static bool visit_tensor(bez_torch *t, const bez_pickle_value *v, size_t at, unsigned depth) {
  static const struct {
    const char *name, *instead;
  } others[] = {{"_rebuild_qtensor", "quantized"},
                {"_rebuild_sparse_tensor", "sparse"},
                {"_rebuild_sparse_csr_tensor", "sparse"},
                {"_rebuild_nested_tensor", "nested"},
                {"_rebuild_wrapper_subclass", "wrapped"},
                {"_rebuild_meta_tensor_no_storage", "meta"},
                {"_rebuild_device_tensor_from_numpy", "array"}};
  const bez_pickle_value *a = v->as.node->items + 1;
  const uint32_t n = v->as.node->kept ? v->as.node->kept - 1 : 0;
  const bool v2 = is_call(v, "torch", "_rebuild_tensor_v2") || is_call(v, "torch", "_rebuild_tensor");
  if (v2 || is_call(v, "torch", "_rebuild_tensor_v3")) return put_down(t, at, a, n, !v2, NULL), true;
  if (n && (is_call(v, "torch", "_rebuild_parameter") || is_call(v, "torch", "_rebuild_parameter_with_state")))
    return visit(t, a, at, depth + 1), true;
  if (n > 2 && is_call(v, "torch", "_rebuild_from_type_v2") && a[2].kind == BEZ_PV_TUPLE)
    return put_down(t, at, a[2].as.node->items, a[2].as.node->kept, false, NULL), true;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (is_call(v, "torch", others[i].name)) return put_down(t, at, NULL, 0, false, others[i].instead), true;
  return false;
}

/* What lies under a value, in the order in which it was put there. */
static void visit(bez_torch *t, const bez_pickle_value *v, size_t at, unsigned depth) {
  if (!bez_pickle_has_node(v)) return;
  const bool far = depth > DEPTH || t->visits++ > VISITS + 4 * t->n_edges;
  t->too_many |= far;
  if (far) return;
  const bez_pickle_node *node = v->as.node;
  if (v->kind == BEZ_PV_CALL && visit_tensor(t, v, at, depth)) return;
  if (is_call(v, "collections", "OrderedDict") && node->kept > 1) visit_pairs(t, &node->items[1], at, depth);
  for (uint32_t i = 0; v->kind == BEZ_PV_TUPLE && i < node->kept; i++)
    visit(t, &node->items[i], add_key(t, at, &(bez_pickle_value){.kind = BEZ_PV_INT, .as.i = i}), depth + 1);
  for (const edge *e = first_of(t, node); e < end_of(t) && e->parent == node; e++)
    if (!is_second(&e->key)) visit(t, &e->child, add_key(t, at, &e->key), depth + 1);
}

/* ---- what the older format has around it --------------------------------------------------------------------------
 */

/* {'protocol_version': 1001, 'little_endian': True, …} */
static void take_system(bez_torch *t, const bez_pickle_value *v) {
  static const char key[] = "little_endian";
  for (uint32_t i = 0; v->kind == BEZ_PV_DICT && i + 1 < v->as.node->kept; i += 2) {
    const bez_pickle_value *k = &v->as.node->items[i];
    if (k->kind == BEZ_PV_STR && k->n == strlen(key) && !memcmp(k->as.s, key, k->n))
      t->big_endian = k[1].kind == BEZ_PV_BOOL && !k[1].as.i;
  }
}

static void take_keys(bez_torch *t, const bez_pickle_value *v) {
  if (v->kind != BEZ_PV_LIST || t->keys) return;
  t->keys = bez_arena_array(&t->arena, (size_t)t->n_edges + 1, sizeof *t->keys);
  for (const edge *e = first_of(t, v->as.node); t->keys && e < end_of(t) && e->parent == v->as.node; e++) {
    const bool text = e->child.kind == BEZ_PV_STR && e->child.n < 256;
    const char *key = text ? bez_arena_strndup(&t->arena, (const char *)e->child.as.s, e->child.n) : "";
    t->keys[t->n_keys++] = key ? key : "";
  }
}

/* ---- events -------------------------------------------------------------------------------------------------------
 */

static void take_end(bez_torch *t, const bez_pickle_value *v) {
  const bool legacy = bez_torch_legacy(t->in);
  if (t->n_edges) qsort(t->edges, t->n_edges, sizeof *t->edges, by_parent);
  if (legacy && t->streams == 2) take_system(t, v);
  if (legacy && t->streams == 4) take_keys(t, v);
  visit(t, v, 0, 0);
}

void bez_torch_event(bez_torch *t, const bez_pickle_event *e) {
  bez_torch_storage s;
  if (e->what == BEZ_PICKLE_ITEM &&
      room(t, (void **)&t->edges, t->n_edges, &t->edge_room, MAX_EDGES, sizeof *t->edges)) {
    t->edges[t->n_edges] = (edge){.parent = e->target->as.node, .child = *e->arguments, .number = t->n_edges};
    if (e->key) t->edges[t->n_edges].key = *e->key;
    t->n_edges++;
  }
  if (e->what == BEZ_PICKLE_PERSISTENT && bez_torch_take_storage(e->target, &t->arena, &s) && *s.key &&
      room(t, (void **)&t->storages, t->n_storages, &t->storage_room, MAX_STORAGES, sizeof s))
    t->storages[t->n_storages++] = s;
  if (e->what == BEZ_PICKLE_END) take_end(t, e->target);
}

void bez_torch_stream(bez_torch *t, const bez_pickle_end *end) {
  t->n_edges = 0;
  t->too_many |= end->crowded;
  if (++t->streams == LEGACY_STREAMS) t->behind = end->used;
}

bool bez_torch_whole(const bez_torch *t) {
  return t->behind && bez_torch_legacy(t->in);
}

static int by_key(const void *a, const void *b) {
  const bez_torch_storage *x = a, *y = b;
  const int order = strcmp(x->key, y->key);
  if (order || x->items != y->items) return order ? order : (x->items > y->items) - (x->items < y->items);
  return (x->item > y->item) - (x->item < y->item);
}

/* Each storage once; tensors that share one need not agree on the type of its numbers. */
static void sort_storages(bez_torch *t) {
  uint32_t n = 0;
  if (t->n_storages) qsort(t->storages, t->n_storages, sizeof *t->storages, by_key);
  for (uint32_t i = 0; i < t->n_storages; i++)
    if (!n || strcmp(t->storages[n - 1].key, t->storages[i].key) != 0) t->storages[n++] = t->storages[i];
  t->n_storages = n;
}

static void place(bez_torch *t, const bez_torch_tensor *x) {
  const bez_torch_storage *s = bez_torch_storage_of(t->storages, t->n_storages, x->key);
  uint64_t from = 0, bytes = 0;
  bez_model_tensor out = {
      .part = t->in->part, .name = x->name, .dtype = x->dtype, .n_dims = x->n_dims, .strided = x->strided};
  memcpy(out.shape, x->shape, sizeof out.shape);
  const bool countable =
      !__builtin_mul_overflow(x->span, x->item, &bytes) && !__builtin_mul_overflow(x->offset, x->item, &from);
  const bool found = s && (s->bytes || s->len), inside = found && countable && from <= s->len && bytes <= s->len - from;
  if (found && !inside)
    bez_model_odd(t->out, t->in->part, 0, "beyond", "tensor \"%.80s\" reaches beyond the end of its storage", x->name);
  out.bytes = countable ? bytes : 0;
  bez_model_tensor_at(t->out, &out, inside && s->bytes && !t->big_endian ? s->bytes + from : NULL);
}

void bez_torch_finish(bez_torch *t) {
  sort_storages(t);
  if (bez_torch_whole(t))
    bez_torch_find_behind(t->in, t->out, t->behind, t->keys, t->n_keys, t->storages, t->n_storages);
  else
    bez_torch_find_entries(t->in, t->out, t->storages, t->n_storages);
  for (uint32_t i = 0; i < t->n_tensors; i++) place(t, &t->tensors[i]);
  if (t->out_of_memory) bez_model_unread(t->out, t->in->part, "memory is out");
  if (t->too_many) bez_model_unread(t->out, t->in->part, "more is in it than is followed for tensors");
}
