/* Lists of URLs as the vault keeps them, and pages that servers answer with. The first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vault/watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_page(const char *bytes, size_t len) {
  char title[40];
  bez_page_title(bytes, len, title, sizeof title);
  if (strlen(title) >= sizeof title) abort();
  (void)bez_page_says_no(title);
  (void)bez_page_is_html(bytes, len);
}

/* A list that is taken is written and taken once more, and is the same. */
static void fuzz_list(const char *bytes, size_t len) {
  const char *end = memchr(bytes, '\n', len);
  bez_watchlist list = {0}, again = {0};
  bez_error err = {0};
  bez_buf out = {0};
  json_t *head = NULL;
  if (!end || bez_json_parse(bytes, (size_t)(end - bytes), "head", &head, &err) != BEZ_OK) return;
  const size_t used = (size_t)(end + 1 - bytes);
  if (bez_watchlist_take_head(&list, head, "head", &err) == BEZ_OK &&
      bez_watchlist_take_part(&list, bytes + used, len - used, "part", &err) == BEZ_OK) {
    for (uint64_t i = 0; i < list.n; i++) {
      bez_json j = bez_json_make(&out, false);
      bez_watchlist_put_row(&j, &list, &list.rows[i]);
      bez_buf_putc(&out, '\n');
    }
    if (bez_watchlist_take_head(&again, head, "head", &err) != BEZ_OK ||
        bez_watchlist_take_part(&again, out.data ? out.data : "", out.len, "part", &err) != BEZ_OK || again.n != list.n)
      abort();
    for (uint64_t i = 0; i < list.n; i++)
      if (again.rows[i].know != list.rows[i].know || strcmp(again.rows[i].url, list.rows[i].url) != 0) abort();
  }
  json_decref(head);
  bez_buf_free(&out);
  bez_watchlist_free(&list);
  bez_watchlist_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  if (data[0] == 'P')
    fuzz_page((const char *)data + 1, size - 1);
  else
    fuzz_list((const char *)data + 1, size - 1);
  return 0;
}
