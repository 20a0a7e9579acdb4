/* Files that are nothing else: kept whole, without rows. */
#include "content/form.h"

static int file_sniff(const char *path, const uint8_t *head, size_t len, bool whole) {
  return 1;
}

static bez_status file_open(const char *path, const char *head, size_t len, bool whole, void **state, bez_error *err) {
  *state = NULL;
  return BEZ_OK;
}

static bez_status file_open_json(const json_t *params, void **state, bez_error *err) {
  *state = NULL;
  return BEZ_OK;
}

static void file_close(void *state) {}

static void file_params(const void *state, bez_json *j) {}

const bez_form bez_form_file = {
    .name = "file",
    .summary = "Any other file: no rows, its bytes are cut by content.",
    .sniff = file_sniff,
    .open = file_open,
    .open_json = file_open_json,
    .close = file_close,
    .params = file_params,
};
