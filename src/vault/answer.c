/* Answers of the public functions. */
#include "vault/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bezoar/vault.h"

void bez_text_free(char *text) {
  free(text);
}

bez_status bez_answer(bez_buf *buf, char **json, bez_error *err) {
  bez_status st = bez_buf_status(buf, err);
  if (st == BEZ_OK && !buf->data) bez_buf_puts(buf, "{}");
  if (st == BEZ_OK) st = bez_buf_status(buf, err);
  if (st == BEZ_OK) {
    *json = buf->data;
    buf->data = NULL;
  }
  bez_buf_free(buf);
  return st;
}

bez_status bez_refuse(bez_error *err, bez_status st) {
  static const char refused[] = "refused: ";
  enum { N = sizeof refused - 1 };
  if (st != BEZ_USAGE || !err || !strncmp(err->message, refused, N)) return st;
  memmove(err->message + N, err->message, sizeof err->message - N - 1);
  err->message[sizeof err->message - 1] = 0;
  memcpy(err->message, refused, N);
  return st;
}
