/* The Data Provenance Standards of the Data & Trust Alliance, 1.0.0: what is said of the sources, brought together for
 * a version. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ledger/source.h"
#include "vault/metadata.h"

/* Lists are joined, each item once; of what is one value, the first counts. */
static bool join(json_t *to, const json_t *from) {
  const char *name;
  json_t *value, *item;
  size_t i, k;
  json_object_foreach((json_t *)from, name, value) {
    json_t *have = json_object_get(to, name);
    if (!have && json_object_set_new(to, name, json_deep_copy(value)) != 0) return false;
    if (!have || !json_is_array(have) || !json_is_array(value)) continue;
    json_array_foreach(value, i, item) {
      bool known = false;
      for (k = 0; k < json_array_size(have) && !known; k++) known = json_equal(json_array_get(have, k), item);
      if (!known && json_array_append_new(have, json_deep_copy(item)) != 0) return false;
    }
  }
  return true;
}

/* What the vault knows itself. */
static bool put_own(const bez_about *a, json_t *source, json_t *provenance) {
  const char *message = bez_entry_text(&a->commit, "message");
  char day[11] = "";
  json_t *formats = json_array();
  memcpy(day, a->commit.time, strlen(a->commit.time) < 10 ? strlen(a->commit.time) : 10);
  bool good = formats && json_array_append_new(formats, json_string(bez_about_media_type(a))) == 0;
  good = json_object_set_new(provenance, "format", formats) == 0 && good;
  return json_object_set_new(source, "version", json_string(BEZ_DTA_VERSION)) == 0 &&
         json_object_set_new(source, "title", json_string(a->s.dataset)) == 0 &&
         json_object_set_new(source, "id", json_string(a->urn)) == 0 &&
         json_object_set_new(provenance, "date", json_string(day)) == 0 &&
         (json_object_get(source, "description") ||
          json_object_set_new(source, "description", json_string(message)) == 0) &&
         good;
}

bez_status bez_about_dta(const bez_about *a, bez_json *j, bez_error *err) {
  static const char *const groups[] = {"source", "provenance", "use"};
  json_t *all = json_object();
  bool good = all != NULL;
  for (size_t g = 0; g < 3 && good; g++) {
    json_t *group = json_object();
    good = json_object_set_new(all, groups[g], group) == 0;
    for (size_t i = 0; i < a->n_batches && good; i++)
      good = join(group, json_object_get(a->batches[i].fields, groups[g]));
  }
  good = good && put_own(a, json_object_get(all, "source"), json_object_get(all, "provenance"));
  char *text = good ? json_dumps(all, JSON_INDENT(2)) : NULL;
  bez_status st = text ? bez_source_check(all, a->s.dataset, err) : bez_fail_memory(err, 4096);
  if (st == BEZ_OK) bez_json_raw(j, text, strlen(text));
  free(text);
  json_decref(all);
  return st;
}
