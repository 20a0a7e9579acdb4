/* A picture file is one row: its bytes and its label (content/labels.h). */
#include "content/digest_team.h"
#include "crypto/sha256.h"
#include "format/image_wire.h"

static int picture_sniff(const char *path, const uint8_t *head, size_t len, bool whole) {
  return bez_picture_sniff(head, len) == BEZ_PICTURE_NONE ? 0 : 100;
}

static bez_status picture_open(const char *path, const char *head, size_t len, bool whole, void **state,
                               bez_error *err) {
  *state = NULL;
  return BEZ_OK;
}

static bez_status picture_open_json(const json_t *params, void **state, bez_error *err) {
  *state = NULL;
  return BEZ_OK;
}

static void picture_close(void *state) {}

static void picture_params(const void *state, bez_json *j) {}

/* *label NULL: there is none. */
static void split_head(const bez_item *row, const char **label, size_t *label_len) {
  size_t name = bez_item_name_len(row);
  *label = name < row->head_len ? row->head + name + 1 : NULL;
  *label_len = *label ? row->head_len - name - 1 : 0;
}

static bez_status picture_canonical(const void *state, const bez_item *row, bez_canonical *c, uint8_t out[32],
                                    bez_error *err) {
  uint8_t digest[BEZ_SHA256];
  const char *label;
  size_t label_len;
  bez_sha256(row->body, row->body_len, digest);
  split_head(row, &label, &label_len);
  bez_canonical_begin(c);
  bez_canonical_field(c, "image", 5, (const char *)digest, sizeof digest, BEZ_FIELD_DIGEST);
  if (label) bez_canonical_field(c, "label", 5, label, label_len, BEZ_FIELD_TEXT);
  return bez_canonical_finish(c, out, err);
}

/* The name is told, too, though it is no part of what the row is: a picture that moved is the same picture. */
static bez_status picture_fields(const void *state, const bez_item *row, bez_buf *scratch, bez_field_fn fn, void *ctx,
                                 bez_error *err) {
  uint8_t digest[BEZ_SHA256];
  const char *label;
  size_t label_len;
  split_head(row, &label, &label_len);
  bez_sha256(row->body, row->body_len, digest);
  bez_status st = fn(ctx, "file", 4, row->head, bez_item_name_len(row), BEZ_FIELD_TEXT, err);
  if (st == BEZ_OK) st = fn(ctx, "image", 5, (const char *)digest, sizeof digest, BEZ_FIELD_DIGEST, err);
  if (st == BEZ_OK && label) st = fn(ctx, "label", 5, label, label_len, BEZ_FIELD_TEXT, err);
  return st;
}

const bez_form bez_form_picture = {
    .name = "picture",
    .summary = "A PNG, JPEG, WebP or PNM file: a row of its bytes and its label.",
    .file_row = true,
    .sniff = picture_sniff,
    .open = picture_open,
    .open_json = picture_open_json,
    .close = picture_close,
    .params = picture_params,
    .canonical = picture_canonical,
    .fields = picture_fields,
};
