/* The rows of a file outside the vault, as the vault would name them. */
#include "base/error.h"
#include "content/ingest_parts.h"
#include "vault/proof.h"
#include "vault/row.h"

typedef struct taker {
  bez_form_use form;
  bez_canonical *canonical;
  bez_status (*fn)(void *ctx, const uint8_t canonical[32], bez_error *err);
  void *ctx;
} taker;

static bez_status take_items(taker *t, const bez_slab *slab, bez_error *err) {
  bez_cursor c = {slab->bytes, slab->len, 0};
  bez_item item;
  bez_status st = BEZ_OK;
  while (st == BEZ_OK && bez_cursor_left(&c)) {
    uint8_t digest[32];
    if (!bez_item_next(&c, &item)) return bez_fail(err, BEZ_INTERNAL, NULL, "an item that cannot be read back");
    if (item.type == BEZ_ITEM_FILE) {
      bez_form_close(&t->form);
      st = bez_form_open_json(item.body, item.body_len, &t->form, err);
    } else if (bez_item_is_row(item.type)) {
      st = bez_row_canonical(&t->form, &item, t->canonical, digest, err);
      if (st == BEZ_OK) st = t->fn(t->ctx, digest, err);
    }
  }
  return st;
}

bez_status bez_rows_of_file(const char *path, bez_status (*fn)(void *ctx, const uint8_t canonical[32], bez_error *err),
                            void *ctx, bez_error *err) {
  taker t = {.fn = fn, .ctx = ctx};
  bez_listing list = {0};
  bez_reader *reader = NULL;
  bez_slab slab = {0};
  const bez_ingest_options options = {.threads = 1};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_canonical_create(&t.canonical, err));
  BEZ_TRY(bez_listing_make(path, &list, err));
  BEZ_TRY(bez_reader_open(&list, &options, &reader, err));
  while (!slab.last) {
    bez_slab_clear(&slab);
    BEZ_TRY(bez_reader_load(reader, err));
    BEZ_TRY(bez_reader_cut(reader, &slab, err));
    BEZ_TRY(take_items(&t, &slab, err));
  }
cleanup:
  bez_reader_close(reader);
  bez_listing_free(&list);
  bez_slab_free(&slab);
  bez_form_close(&t.form);
  bez_canonical_free(t.canonical);
  return st;
}
