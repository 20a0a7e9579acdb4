/* Lists of URLs in and out of the vault's objects. */
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/json_bytes.h"
#include "vault/watch.h"

bez_status bez_watchlist_save(const bez_watchlist *list, bez_pack *pack, bez_id *id, bez_error *err) {
  bez_buf part = {0}, head = {0};
  bez_json h = bez_json_make(&head, false);
  bez_status st = BEZ_OK;
  bez_json_open(&h, '{');
  bez_json_kuint(&h, "format", 1);
  bez_json_kuint(&h, "n", list->n);
  bez_json_kuint(&h, "url", list->url_column);
  bez_json_key(&h, "columns");
  bez_json_open(&h, '[');
  for (uint32_t c = 0; c < list->n_columns; c++) bez_json_str(&h, list->columns[c]);
  bez_json_close(&h, ']');
  bez_json_key(&h, "parts");
  bez_json_open(&h, '[');
  for (uint64_t i = 0; i < list->n;) {
    const uint64_t end = list->n - i < BEZ_WATCH_PART ? list->n : i + BEZ_WATCH_PART;
    char hex[65];
    bez_buf_clear(&part);
    part.ceiling = BEZ_WATCH_PART_BYTES;
    for (; i < end; i++) {
      bez_json j = bez_json_make(&part, false);
      bez_watchlist_put_row(&j, list, &list->rows[i]);
      bez_buf_putc(&part, '\n');
    }
    BEZ_TRY(bez_buf_status(&part, err));
    BEZ_TRY(bez_pack_put(pack, BEZ_OBJECT_BLOB, part.data, part.len, id, err));
    bez_hex(id->bytes, BEZ_ID, hex);
    bez_json_str(&h, hex);
  }
  bez_json_close(&h, ']');
  bez_json_close(&h, '}');
  bez_buf_putc(&head, '\n');
  BEZ_TRY(bez_buf_status(&head, err));
  BEZ_TRY(bez_pack_put(pack, BEZ_OBJECT_BLOB, head.data, head.len, id, err));
cleanup:
  bez_buf_free(&part);
  bez_buf_free(&head);
  return st;
}

bez_status bez_watchlist_load(const bez_objects *objects, const bez_id *id, bez_watchlist *out, bez_error *err) {
  bez_buf bytes = {0};
  json_t *head = NULL;
  uint64_t n = 0;
  bez_status st;
  *out = (bez_watchlist){0};
  BEZ_TRY(bez_objects_get(objects, BEZ_OBJECT_BLOB, id, &bytes, err));
  BEZ_TRY(bez_json_parse(bytes.data ? bytes.data : "", bytes.len, "list of URLs", &head, err));
  BEZ_TRY(bez_watchlist_take_head(out, head, "list of URLs", err));
  const json_t *parts = json_object_get(head, "parts");
  for (size_t i = 0; i < json_array_size(parts); i++) {
    const char *hex = json_string_value(json_array_get(parts, i));
    bez_id part;
    if (!hex || !bez_unhex(hex, part.bytes, BEZ_ID)) BEZ_TRY(bez_fail(err, BEZ_FORMAT, "list of URLs", "is damaged"));
    BEZ_TRY(bez_objects_get(objects, BEZ_OBJECT_BLOB, &part, &bytes, err));
    BEZ_TRY(bez_watchlist_take_part(out, bytes.data ? bytes.data : "", bytes.len, "list of URLs", err));
  }
  if (!bez_json_count(json_object_get(head, "n"), &n) || n != out->n)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, "list of URLs", "is damaged"));
cleanup:
  json_decref(head);
  bez_buf_free(&bytes);
  if (st != BEZ_OK) bez_watchlist_free(out);
  return st;
}
