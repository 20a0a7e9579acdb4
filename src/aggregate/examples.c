/* How many examples clients declare: {"client-07.safetensors": 600, …}, by the path of an update or its file name. */
#include "aggregate/examples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregator.h"
#include "base/error.h"
#include "base/json.h"

typedef struct called {
  const char *name;
  bool path; /* else the file name alone */
  size_t update;
} called;

static int by_name(const void *a, const void *b) {
  const called *x = a, *y = b;
  int order = strcmp(x->name, y->name);
  return order ? order : (int)y->path - (int)x->path; /* a path before the file name of another */
}

/* Both names of every update, sorted; the caller's to free. */
static called *names_of(const bez_update *updates, size_t n) {
  called *list = calloc(2 * n + 1, sizeof *list);
  for (size_t i = 0; list && i < n; i++) {
    const char *slash = strrchr(updates[i].client, '/');
    list[2 * i] = (called){updates[i].client, true, i};
    list[2 * i + 1] = (called){slash ? slash + 1 : updates[i].client, false, i};
  }
  if (list) qsort(list, 2 * n, sizeof *list, by_name);
  return list;
}

static bez_status find(const called *list, size_t n, const char *name, const char *path, size_t *update,
                       bez_error *err) {
  size_t low = 0, high = n;
  while (low < high) { /* the first that is not below */
    size_t middle = low + (high - low) / 2;
    if (strcmp(list[middle].name, name) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == n || strcmp(list[low].name, name) != 0)
    return bez_fail(err, BEZ_USAGE, path, "\"%s\" is none of the updates", name);
  *update = list[low].update;
  if (!list[low].path && low + 1 < n && !strcmp(list[low + 1].name, name))
    return bez_fail(err, BEZ_USAGE, path, "several updates are called \"%s\": their paths are needed", name);
  return BEZ_OK;
}

static bez_status take(const json_t *count, const char *path, bez_update *update, bez_error *err) {
  const double value = json_number_value(count);
  if (!json_is_number(count) || !(value > 0) || !isfinite(value)) {
    if (json_is_number(count))
      return bez_fail(err, BEZ_USAGE, path, "\"%s\" has %g examples; a positive number is needed", update->client,
                      value);
    return bez_fail(err, BEZ_USAGE, path, "\"%s\": its examples are no number", update->client);
  }
  if (update->n_examples > 0) return bez_fail(err, BEZ_USAGE, path, "\"%s\" has two counts", update->client);
  update->n_examples = value;
  return BEZ_OK;
}

bez_status bez_examples_read(const char *path, const char *rule, bez_update *updates, size_t n, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_aggregator *known = rule ? bez_aggregator_find(rule, false) : NULL;
  called *list = NULL;
  json_t *counts = NULL, *count;
  const char *name;
  if (known && !known->info.weighted)
    return bez_fail(err, BEZ_USAGE, rule, "gives no client more weight for its examples; counts would change nothing");
  BEZ_TRY(bez_json_read_file(path, &counts, err));
  if (!json_is_object(counts)) BEZ_TRY(bez_fail(err, BEZ_FORMAT, path, "is to be an object, {\"UPDATE\": NUMBER, …}"));
  list = names_of(updates, n);
  if (!list) BEZ_TRY(bez_fail_memory(err, 2 * n * sizeof *list));
  json_object_foreach(counts, name, count) {
    size_t update = 0;
    BEZ_TRY(find(list, 2 * n, name, path, &update, err));
    BEZ_TRY(take(count, path, &updates[update], err));
  }
  for (size_t i = 0; i < n; i++)
    if (updates[i].n_examples == 0)
      BEZ_TRY(bez_fail(err, BEZ_USAGE, path, "says nothing of \"%s\"", updates[i].client));
cleanup:
  free(list);
  json_decref(counts);
  return st;
}
