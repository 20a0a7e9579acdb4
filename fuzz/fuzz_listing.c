/* What services answer: the first byte chooses S3's XML, Google's or the hub's JSON, or header lines. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/listing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bez_status on_entry(void *ctx, const bez_entry *entry, bez_error *err) {
  size_t *n = ctx;
  (void)err;
  if (!entry->name || !*entry->name || entry->size > INT64_MAX) abort();
  *n += strlen(entry->name);
  return BEZ_OK;
}

static void read_headers(const uint8_t *data, size_t size) {
  bez_response r = {0};
  for (size_t at = 0; at < size;) {
    const uint8_t *end = memchr(data + at, '\n', size - at);
    size_t len = end ? (size_t)(end - data) + 1 - at : size - at;
    bez_response_header(&r, (const char *)data + at, len);
    at += len;
  }
  bez_response_code(&r, (const char *)data, size);
  if (r.has_range && r.last < r.first) abort();
  if (r.has_range && r.has_total && r.last >= r.total) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t n = 0;
  bez_error err = {0};
  bez_listing l = {.shown = "fuzz", .entry = on_entry, .ctx = &n};
  bez_status st = BEZ_OK;
  const char *commit;
  if (!size) return 0;
  /* A copy without a byte to spare: reading past it shows. */
  size_t len = size - 1;
  char *bytes = malloc(len ? len : 1);
  if (!bytes) return 0;
  memcpy(bytes, data + 1, len);
  switch (data[0] % 6) {
    case 0: st = bez_listing_s3(&l, bytes, len, &err); break;
    case 1: st = bez_listing_gs(&l, bytes, len, &err); break;
    case 2: st = bez_listing_hf(&l, bytes, len, &err); break;
    case 3: st = bez_listing_gs_one(&l, bytes, len, &err); break;
    case 4: st = bez_listing_hf_commit(&l, bytes, len, &commit, &err); break;
    default: read_headers((const uint8_t *)bytes, len);
  }
  if (st != BEZ_OK && (err.code != st || !err.message[0])) abort();
  bez_arena_free(&l.arena);
  free(bytes);
  return 0;
}
