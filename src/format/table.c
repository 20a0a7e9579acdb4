/* What a finished table offers: look-ups, printable cells, and the memory behind it. */
#include "format/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "format/builder_internal.h"

#define SMALL_ARRAY (256u << 10) /* arrays below this are plain allocations: a mapping each would be too many */

static void release_owned(void *owned) {
  bez_owned *o = owned;
  for (size_t i = 0; i < o->n; i++) bez_store_free(&o->stores[i]);
  for (size_t i = 0; i < o->n_blocks; i++) free(o->blocks[i]);
  free(o->stores);
  free(o->blocks);
  pthread_mutex_destroy(&o->lock);
  free(o);
}

bez_status bez_owned_create(bez_table *table, bez_error *err) {
  bez_owned *o = calloc(1, sizeof *o);
  if (!o) return bez_fail_memory(err, sizeof *o);
  pthread_mutex_init(&o->lock, NULL);
  o->budget = &table->budget;
  table->owned = o;
  table->release = release_owned;
  return BEZ_OK;
}

static bool room_for_one(void *items, size_t *cap, size_t n, size_t size) {
  if (n < *cap) return true;
  size_t more = *cap ? *cap * 2 : 32;
  void *grown = realloc(*(void **)items, more * size);
  if (!grown) return false;
  *(void **)items = grown;
  *cap = more;
  return true;
}

bez_status bez_owned_alloc(bez_table *table, uint64_t bytes, void *out, bez_error *err) {
  bez_owned *o = table->owned;
  bez_status st = BEZ_OK;
  void *data = NULL;
  pthread_mutex_lock(&o->lock);
  if (!room_for_one(&o->blocks, &o->cap_blocks, o->n_blocks, sizeof *o->blocks) ||
      !room_for_one(&o->stores, &o->cap, o->n, sizeof *o->stores)) {
    st = bez_fail_memory(err, sizeof *o->stores);
  } else if (bytes < SMALL_ARRAY) {
    data = calloc(1, bytes ? bytes : 1);
    if (data)
      o->blocks[o->n_blocks++] = data;
    else
      st = bez_fail_memory(err, bytes);
  } else {
    bez_store_init(&o->stores[o->n], o->budget);
    st = bez_store_grow(&o->stores[o->n], bytes, err);
    if (st == BEZ_OK) data = o->stores[o->n++].data;
  }
  pthread_mutex_unlock(&o->lock);
  *(void **)out = data;
  return st;
}

bez_status bez_owned_adopt(bez_table *table, bez_store *store, bez_error *err) {
  bez_owned *o = table->owned;
  if (!room_for_one(&o->stores, &o->cap, o->n, sizeof *o->stores)) return bez_fail_memory(err, sizeof *o->stores);
  o->stores[o->n++] = *store;
  bez_store_init(store, NULL);
  return BEZ_OK;
}

void bez_table_destroy(bez_table *table) {
  if (!table) return;
  if (table->release) table->release(table->owned);
  bez_arena_free(&table->arena);
  free(table);
}

uint64_t bez_table_rows(const bez_table *table) {
  return table->n_rows;
}

uint32_t bez_table_columns(const bez_table *table) {
  return table->n_cols;
}

const char *bez_table_column_name(const bez_table *table, uint32_t col) {
  return col < table->n_cols ? table->cols[col].name : NULL;
}

bez_column_type bez_table_column_type(const bez_table *table, uint32_t col) {
  return col < table->n_cols ? table->cols[col].type : BEZ_COL_CATEGORICAL;
}

const char *bez_column_type_text(bez_column_type type) {
  static const char *const text[] = {"numeric", "categorical", "text", "identifier", "time"};
  return (unsigned)type < sizeof text / sizeof *text ? text[type] : "unknown";
}

const char *bez_column_role_text(bez_column_role role) {
  static const char *const text[] = {"feature", "label", "text", "source", "id", "ignored"};
  return (unsigned)role < sizeof text / sizeof *text ? text[role] : "unknown";
}

const char *bez_cell(const bez_table *table, uint32_t col, uint64_t row, size_t *len) {
  *len = 0;
  if (col >= table->n_cols || row >= table->n_rows) return "";
  const bez_column *c = &table->cols[col];
  if (c->text_at) return bez_text_cell(c, row, len);
  if (!c->width) return "";
  return bez_value(c, bez_code(c, row), len);
}

int bez_table_find(const bez_table *table, const char *name) {
  if (!name) return -1;
  for (uint32_t c = 0; c < table->n_cols; c++)
    if (!strcmp(table->cols[c].name, name)) return (int)c;
  return -1;
}
