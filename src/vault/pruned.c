/* Which versions gc removed the data of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vault/gc.h"
#include "vault/index.h"

static int by_version(const void *a, const void *b) {
  const bez_pruned_version *x = a, *y = b;
  int order = strcmp(x->dataset, y->dataset);
  return order ? order : (x->version > y->version) - (x->version < y->version);
}

void bez_pruned_free(bez_pruned *pruned) {
  for (size_t i = 0; i < pruned->n; i++) free(pruned->items[i].dataset);
  free(pruned->items);
  *pruned = (bez_pruned){0};
}

static bez_status add(bez_pruned *out, const char *dataset, uint64_t version, const char *time, bez_error *err) {
  if (out->n == out->cap) {
    size_t cap = out->cap ? out->cap * 2 : 16;
    bez_pruned_version *items = realloc(out->items, cap * sizeof *items);
    if (!items) return bez_fail_memory(err, cap * sizeof *items);
    out->items = items;
    out->cap = cap;
  }
  bez_pruned_version *item = &out->items[out->n];
  *item = (bez_pruned_version){.dataset = strdup(dataset), .version = version};
  snprintf(item->time, sizeof item->time, "%s", time);
  if (!item->dataset) return bez_fail_memory(err, strlen(dataset));
  out->n++;
  return BEZ_OK;
}

/* {"versions":[{"dataset","version"}],…} */
static bez_status take_list(bez_vault *vault, const bez_entry *entry, bez_pruned *out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf bytes = {0};
  json_t *list = NULL, *item;
  bez_id id;
  size_t i;
  BEZ_TRY(bez_entry_hex(entry, "removed", id.bytes, BEZ_ID, err));
  BEZ_TRY(bez_objects_get(vault->objects, BEZ_OBJECT_BLOB, &id, &bytes, err));
  BEZ_TRY(bez_json_parse(bytes.data ? bytes.data : "", bytes.len, "list of what gc removed", &list, err));
  json_array_foreach(json_object_get(list, "versions"), i, item) {
    const char *dataset = json_string_value(json_object_get(item, "dataset"));
    json_int_t version = json_integer_value(json_object_get(item, "version"));
    if (dataset && version > 0) BEZ_TRY(add(out, dataset, (uint64_t)version, entry->time, err));
  }
cleanup:
  json_decref(list);
  bez_buf_free(&bytes);
  return st;
}

bez_status bez_pruned_read(bez_vault *vault, bez_pruned *out, bez_error *err) {
  bez_query query = {0};
  bez_entry entry = {0};
  bool more = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(vault->index, &query, err,
                          "SELECT i FROM entries WHERE type='gc' AND void IS NULL ORDER BY i", ""));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    BEZ_TRY(bez_vault_entry(vault, (uint64_t)bez_query_int(&query, 0), &entry, err));
    BEZ_TRY(take_list(vault, &entry, out, err));
    bez_entry_free(&entry);
    entry = (bez_entry){0};
  }
  if (out->n) qsort(out->items, out->n, sizeof *out->items, by_version);
cleanup:
  bez_entry_free(&entry);
  bez_query_end(&query);
  if (st != BEZ_OK) bez_pruned_free(out);
  return st;
}

const bez_pruned_version *bez_pruned_find(const bez_pruned *pruned, const char *dataset, uint64_t version) {
  size_t lo = 0, hi = pruned->n;
  while (lo < hi) {
    size_t at = lo + (hi - lo) / 2;
    int order = strcmp(pruned->items[at].dataset, dataset);
    if (order == 0) order = (pruned->items[at].version > version) - (pruned->items[at].version < version);
    if (order == 0) return &pruned->items[at];
    if (order < 0)
      lo = at + 1;
    else
      hi = at;
  }
  return NULL;
}

bez_status bez_pruned_refuse(bez_vault *vault, const bez_snapshot *version, bez_error *err) {
  bez_pruned pruned = {0};
  bez_status st = bez_pruned_read(vault, &pruned, err);
  const bez_pruned_version *one = bez_pruned_find(&pruned, version->dataset, version->version);
  if (st == BEZ_OK && one)
    st = bez_fail(err, BEZ_USAGE, version->dataset, "the data of version %llu were pruned by gc at %s",
                  (unsigned long long)version->version, one->time);
  bez_pruned_free(&pruned);
  return st;
}
