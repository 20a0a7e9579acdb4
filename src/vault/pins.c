/* Pins: who keeps what, and why, as signed entries. */
#include "vault/pins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vault/answer.h"
#include "vault/index.h"
#include "vault/work.h"

void bez_pins_free(bez_pins *pins) {
  for (size_t i = 0; i < pins->n; i++) {
    free(pins->items[i].dataset);
    free(pins->items[i].why);
  }
  free(pins->items);
  *pins = (bez_pins){0};
}

static bez_status add(bez_pins *pins, const char *dataset, uint64_t version, const char *prefix, const char *why,
                      bez_error *err) {
  if (pins->n == pins->cap) {
    size_t cap = pins->cap ? pins->cap * 2 : 16;
    bez_pin *items = realloc(pins->items, cap * sizeof *items);
    if (!items) return bez_fail_memory(err, cap * sizeof *items);
    pins->items = items;
    pins->cap = cap;
  }
  bez_pin *pin = &pins->items[pins->n];
  *pin = (bez_pin){.dataset = strdup(dataset), .version = version};
  if (asprintf(&pin->why, "%s%s", prefix, why) < 0) pin->why = NULL;
  if (pin->dataset && pin->why) {
    pins->n++;
    return BEZ_OK;
  }
  free(pin->dataset);
  free(pin->why);
  return bez_fail_memory(err, strlen(dataset));
}

static void drop(bez_pins *pins, const char *dataset, uint64_t version) {
  size_t kept = 0;
  for (size_t i = 0; i < pins->n; i++) {
    bez_pin *pin = &pins->items[i];
    if (pin->version == version && !strcmp(pin->dataset, dataset)) {
      free(pin->dataset);
      free(pin->why);
    } else {
      pins->items[kept++] = *pin;
    }
  }
  pins->n = kept;
}

bool bez_pin_split(const char *what, char *dataset, size_t cap, uint64_t *version) {
  const char *at = strrchr(what, '@');
  size_t len = at ? (size_t)(at - what) : strlen(what);
  if (!len || len >= cap) return false;
  memcpy(dataset, what, len);
  dataset[len] = '\0';
  *version = at ? strtoull(at + 1, NULL, 10) : 0;
  return !at || *version;
}

static bez_status take_pin(bez_pins *pins, const bez_entry *entry, bez_error *err) {
  char dataset[4096];
  uint64_t version = 0;
  if (!bez_pin_split(bez_entry_text(entry, "what"), dataset, sizeof dataset, &version)) return BEZ_OK;
  if (!strcmp(entry->type, "pin")) return add(pins, dataset, version, "pinned: ", bez_entry_text(entry, "reason"), err);
  drop(pins, dataset, version);
  return BEZ_OK;
}

static bez_status take_trained_on(bez_pins *pins, const bez_entry *entry, const json_t *on, bez_error *err) {
  const char *dataset = json_string_value(json_object_get(on, "dataset"));
  uint64_t version = (uint64_t)json_integer_value(json_object_get(on, "version"));
  if (!dataset || !version) return BEZ_OK;
  return add(pins, dataset, version, "a model was trained on it: ", bez_entry_text(entry, "name"), err);
}

/* One version, or a list of them. */
static bez_status take_model(bez_pins *pins, const bez_entry *entry, bez_error *err) {
  const json_t *on = json_object_get(entry->body, "trained_on"), *one;
  bez_status st = BEZ_OK;
  size_t i;
  if (json_is_object(on)) return take_trained_on(pins, entry, on, err);
  json_array_foreach(on, i, one) {
    st = take_trained_on(pins, entry, one, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

bez_status bez_pins_read(bez_vault *vault, bez_pins *out, bez_error *err) {
  bez_query query = {0};
  bez_entry entry = {0};
  bool more = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(vault->index, &query, err,
                          "SELECT i FROM entries WHERE type IN ('pin','unpin','model') AND void IS NULL ORDER BY i",
                          ""));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    BEZ_TRY(bez_vault_entry(vault, (uint64_t)bez_query_int(&query, 0), &entry, err));
    BEZ_TRY(!strcmp(entry.type, "model") ? take_model(out, &entry, err) : take_pin(out, &entry, err));
    bez_entry_free(&entry);
    entry = (bez_entry){0};
  }
cleanup:
  bez_entry_free(&entry);
  bez_query_end(&query);
  if (st != BEZ_OK) bez_pins_free(out);
  return st;
}

const bez_pin *bez_pins_find(const bez_pins *pins, const char *dataset, uint64_t version) {
  for (size_t i = 0; i < pins->n; i++)
    if ((!pins->items[i].version || pins->items[i].version == version) && !strcmp(pins->items[i].dataset, dataset))
      return &pins->items[i];
  return NULL;
}

/* What is written into the log: the data set, and the number of the version unless all are meant. */
static bez_status resolve(bez_vault *vault, const char *what, char out[4200], bez_error *err) {
  bez_snapshot s = {0};
  bez_status st = bez_snapshot_find(vault, what, &s, err);
  if (st == BEZ_OK && strrchr(what, '@'))
    snprintf(out, 4200, "%s@%llu", s.dataset, (unsigned long long)s.version);
  else if (st == BEZ_OK)
    snprintf(out, 4200, "%s", s.dataset);
  bez_snapshot_free(&s);
  return st;
}

typedef struct pin_words {
  const char *what, *reason;
} pin_words;

static void write_pin(bez_json *j, const void *ctx) {
  const pin_words *words = ctx;
  bez_json_kstr(j, "what", words->what);
  bez_json_kstr(j, "reason", words->reason);
}

static bez_status answer(const char *op, const char *what, const char *reason, const bez_id *id, char **json,
                         bez_error *err) {
  bez_buf out = {0};
  bez_json j = bez_json_make(&out, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "op", op);
  bez_json_kstr(&j, "what", what);
  bez_json_kstr(&j, "reason", reason);
  bez_json_khex(&j, "entry", id->bytes, BEZ_ID);
  bez_json_close(&j, '}');
  return bez_answer(&out, json, err);
}

bez_status bez_vault_pin(bez_vault *vault, const char *what, bool unpin, const char *reason, const bez_vault_who *who,
                         char **json, bez_error *err) {
  const char *op = unpin ? "unpin" : "pin";
  char exact[4200] = "", dataset[4096];
  uint64_t version = 0;
  bez_signer *signer = NULL;
  bez_pins pins = {0};
  bez_id id;
  bez_status st = BEZ_OK;
  if (!reason || !*reason) return bez_fail(err, BEZ_USAGE, op, "say why: --reason");
  BEZ_TRY(bez_vault_lock(vault, err));
  BEZ_TRY(bez_vault_signer(vault, who, &signer, err));
  BEZ_TRY(resolve(vault, what, exact, err));
  if (!bez_pin_split(exact, dataset, sizeof dataset, &version)) BEZ_TRY(bez_fail(err, BEZ_USAGE, op, "no such name"));
  const bez_claim claim = {op, dataset, NULL, BEZ_MAY_COMMIT};
  BEZ_TRY(bez_vault_ask(vault, &claim, signer, err));
  BEZ_TRY(bez_pins_read(vault, &pins, err));
  size_t before = pins.n;
  drop(&pins, dataset, version);
  if (unpin && pins.n == before) BEZ_TRY(bez_fail(err, BEZ_USAGE, exact, "is not pinned"));
  const pin_words words = {exact, reason};
  BEZ_TRY(bez_vault_say(vault, op, signer, write_pin, &words, &id, err));
  st = answer(op, exact, reason, &id, json, err);
cleanup:
  bez_pins_free(&pins);
  bez_vault_act(vault, NULL);
  bez_signer_close(signer);
  bez_vault_unlock(vault);
  return st;
}
