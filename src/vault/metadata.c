/* What there is to say of a version: its columns, who brought its rows in, and from where. */
#include "vault/metadata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "crypto/digest.h"
#include "vault/answer.h"
#include "vault/index.h"
#include "vault/row.h"

static void about_free(bez_about *a) {
  bez_snapshot_free(&a->s);
  bez_entry_free(&a->commit);
  bez_arena_free(&a->arena);
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static bez_about_type type_of(int kind, const char *value, size_t len) {
  switch (kind) {
    case BEZ_FIELD_NONE: return BEZ_ABOUT_NONE;
    case BEZ_FIELD_WORD: return BEZ_ABOUT_BOOLEAN;
    case BEZ_FIELD_NUMBER:
      for (size_t i = 0; i < len; i++)
        if (strchr(".eE", value[i])) return BEZ_ABOUT_FLOAT;
      return BEZ_ABOUT_INTEGER;
    default: /* tables in text do not tell words from texts */
      if ((len == 4 && !memcmp(value, "true", 4)) || (len == 5 && !memcmp(value, "false", 5))) return BEZ_ABOUT_BOOLEAN;
      return BEZ_ABOUT_TEXT;
  }
}

static bez_about_type both(bez_about_type a, bez_about_type b) {
  if (a == b || b == BEZ_ABOUT_NONE) return a;
  if (a == BEZ_ABOUT_NONE) return b;
  bool numbers = (a == BEZ_ABOUT_INTEGER || a == BEZ_ABOUT_FLOAT) && (b == BEZ_ABOUT_INTEGER || b == BEZ_ABOUT_FLOAT);
  return numbers ? BEZ_ABOUT_FLOAT : BEZ_ABOUT_TEXT;
}

typedef struct gatherer {
  bez_about *about;
  bez_buf scratch;
  size_t hint; /* of the next column: rows name them in the same order */
} gatherer;

static bez_status take_field(void *ctx, const char *name, size_t name_len, const char *value, size_t len, int kind,
                             bez_error *err) {
  gatherer *g = ctx;
  bez_about *a = g->about;
  for (size_t i = 0; i < a->n_columns; i++) {
    bez_about_column *c = &a->columns[(g->hint + i) % a->n_columns];
    if (strlen(c->name) != name_len || memcmp(c->name, name, name_len) != 0) continue;
    c->type = both(c->type, type_of(kind, value, len));
    g->hint = (size_t)(c - a->columns) + 1;
    return BEZ_OK;
  }
  if (a->n_columns == BEZ_ABOUT_COLUMNS || !bez_utf8_valid(name, name_len) || memchr(name, 0, name_len)) return BEZ_OK;
  if (!a->columns) a->columns = bez_arena_array(&a->arena, BEZ_ABOUT_COLUMNS, sizeof *a->columns);
  const char *copy = bez_arena_strndup(&a->arena, name, name_len);
  if (!a->columns || !copy) return bez_fail_memory(err, BEZ_ABOUT_COLUMNS * sizeof *a->columns);
  a->columns[a->n_columns++] = (bez_about_column){copy, type_of(kind, value, len)};
  g->hint = a->n_columns;
  return BEZ_OK;
}

static bez_status take_row(void *ctx, uint64_t row, const bez_form_use *form, const bez_item *item, bez_error *err) {
  gatherer *g = ctx;
  if (row >= BEZ_ABOUT_ROWS) return BEZ_CANCELLED; /* enough */
  const bez_form_use pictures = bez_file_row_form();
  const bez_form_use *use = item->type == BEZ_ITEM_FILE_ROW ? &pictures : form; /* no file is around a picture */
  if (!use->form || !use->form->fields) return BEZ_OK;
  g->hint = 0;
  return use->form->fields(use->state, item, &g->scratch, take_field, g, err);
}

static bez_status gather_columns(bez_about *a, bez_error *err) {
  gatherer g = {.about = a};
  bez_status st = bez_rows_each(a->vault->objects, &a->s.rows, take_row, &g, err);
  if (st == BEZ_CANCELLED) {
    bez_error_clear(err);
    st = BEZ_OK;
  }
  bez_buf_free(&g.scratch);
  return st;
}

/* ---- batches ----------------------------------------------------------------------------------------------------- */

typedef struct batch_rows {
  bez_batch batch;
  uint64_t n_rows;
} batch_rows;
typedef struct batch_list {
  batch_rows *items;
  size_t n;
} batch_list;

static bez_status take_run(void *ctx, const bez_run *run, bez_error *err) {
  batch_list *list = ctx;
  for (size_t i = 0; i < list->n; i++)
    if (!memcmp(list->items[i].batch.bytes, run->batch.bytes, sizeof run->batch.bytes)) {
      list->items[i].n_rows += run->n_rows;
      return BEZ_OK;
    }
  if (list->n == BEZ_ABOUT_BATCHES) return bez_fail(err, BEZ_LIMIT, NULL, "too many submissions to describe");
  list->items[list->n++] = (batch_rows){run->batch, run->n_rows};
  return BEZ_OK;
}

static const char *keep(bez_about *a, const char *text) {
  const char *copy = bez_arena_strdup(&a->arena, text);
  return copy ? copy : "";
}

static bez_status describe_batch(bez_about *a, const batch_rows *rows, bez_error *err) {
  bez_query query = {0};
  bez_entry entry = {0};
  bool more = false;
  bez_about_batch *to = &a->batches[a->n_batches];
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(a->vault->index, &query, err, "SELECT submission_i FROM versions WHERE batch=?", "b",
                          (const void *)rows->batch.bytes, sizeof rows->batch.bytes));
  BEZ_TRY(bez_query_next(&query, &more, err));
  if (!more) goto cleanup;
  BEZ_TRY(bez_vault_entry(a->vault, (uint64_t)bez_query_int(&query, 0), &entry, err));
  to->source = keep(a, bez_entry_text(&entry, "source"));
  to->run = keep(a, bez_entry_text(&entry, "run"));
  to->time = keep(a, entry.time);
  to->by = keep(a, entry.n_keys ? bez_trust_principal(a->vault->trust, entry.keys[0]) : "");
  to->fields = bez_trust_source(a->vault->trust, to->source);
  to->n_rows = rows->n_rows;
  a->n_batches++;
cleanup:
  bez_entry_free(&entry);
  bez_query_end(&query);
  return st;
}

static bez_status gather_batches(bez_about *a, bez_error *err) {
  batch_list list = {.items = calloc(BEZ_ABOUT_BATCHES, sizeof *list.items)};
  bez_status st = BEZ_OK;
  if (!list.items) return bez_fail_memory(err, BEZ_ABOUT_BATCHES * sizeof *list.items);
  BEZ_TRY(bez_provenance_each(a->vault->objects, &a->s.provenance, take_run, &list, err));
  a->batches = bez_arena_array(&a->arena, list.n + 1, sizeof *a->batches);
  if (!a->batches) BEZ_TRY(bez_fail_memory(err, list.n * sizeof *a->batches));
  for (size_t i = 0; i < list.n; i++) BEZ_TRY(describe_batch(a, &list.items[i], err));
cleanup:
  free(list.items);
  return st;
}

/* ---- what writers share ------------------------------------------------------------------------------------------ */

const char *bez_about_media_type(const bez_about *about) {
  static const struct {
    const char *ending, *type;
  } types[] = {{".tsv", "text/tab-separated-values"},
               {".csv", "text/csv"},
               {".jsonl", "application/jsonlines"},
               {".ndjson", "application/jsonlines"},
               {".parquet", "application/x-parquet"},
               {".tar", "application/x-tar"},
               {".gz", "application/gzip"},
               {".zst", "application/zstd"},
               {".png", "image/png"},
               {".jpg", "image/jpeg"}};
  const size_t len = strlen(about->file);
  for (size_t i = 0; i < sizeof types / sizeof *types && !about->folder; i++) {
    size_t n = strlen(types[i].ending);
    if (len > n && !strcmp(about->file + len - n, types[i].ending)) return types[i].type;
  }
  if (!strcmp(about->form, "csv")) return "text/csv";
  if (!strcmp(about->form, "jsonl")) return "application/jsonlines";
  return "application/octet-stream";
}

const char *bez_about_said(const bez_about *about, const char *group, const char *member) {
  for (size_t i = 0; i < about->n_batches; i++) {
    const json_t *value = json_object_get(json_object_get(about->batches[i].fields, group), member);
    if (json_is_array(value)) value = json_array_get(value, 0);
    if (json_is_object(value)) value = json_object_get(value, "name");
    if (json_is_string(value) && *json_string_value(value)) return json_string_value(value);
  }
  return NULL;
}

void bez_about_uuid(const char *hex, char out[37]) {
  snprintf(out, 37, "%.8s-%.4s-8%.3s-a%.3s-%.12s", hex, hex + 8, hex + 12, hex + 15, hex + 18);
}

static bez_status gather(bez_about *a, const char *version, bez_error *err) {
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_snapshot_find(a->vault, version, &a->s, err));
  BEZ_TRY(bez_vault_entry(a->vault, a->s.commit_index, &a->commit, err));
  const char *slash = strrchr(a->s.dataset, '/');
  a->file = slash ? slash + 1 : a->s.dataset;
  a->form = bez_entry_text(&a->s.entry, "form");
  a->sha256 = bez_entry_text(&a->s.entry, "sha256");
  a->folder = !*a->sha256;
  a->urn = bez_arena_printf(&a->arena, "urn:bezoar:vault:%s/%s@%llu", a->vault->origin, a->s.dataset,
                            (unsigned long long)a->s.version);
  if (!a->urn) BEZ_TRY(bez_fail_memory(err, strlen(a->s.dataset)));
  bez_hex(a->s.commit.bytes, BEZ_ID, a->commit_hex);
  BEZ_TRY(gather_columns(a, err));
  BEZ_TRY(gather_batches(a, err));
cleanup:
  return st;
}

bez_status bez_lineage_metadata(bez_vault *vault, const char *version, const char *form, char **json, bez_error *err) {
  static const struct {
    const char *name;
    bez_about_writer write;
  } writers[] = {{"croissant", bez_about_croissant},
                 {"openlineage", bez_about_openlineage},
                 {"dta", bez_about_dta},
                 {"cyclonedx", bez_about_cyclonedx}};
  bez_about about = {.vault = vault};
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, true);
  bez_about_writer write = NULL;
  bez_status st = BEZ_OK;
  *json = NULL;
  for (size_t i = 0; i < sizeof writers / sizeof *writers; i++)
    if (!strcmp(writers[i].name, form)) write = writers[i].write;
  if (!write)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, form, "no such form of metadata: croissant, openlineage, dta, cyclonedx"));
  BEZ_TRY(gather(&about, version, err));
  BEZ_TRY(write(&about, &j, err));
  bez_buf_putc(&text, '\n');
  BEZ_TRY(bez_answer(&text, json, err));
cleanup:
  about_free(&about);
  bez_buf_free(&text);
  return st;
}
