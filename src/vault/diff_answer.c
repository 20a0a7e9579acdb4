/* bezoar vault diff: what two versions differ in, with the rows. */
#include <string.h>

#include "base/error.h"
#include "content/diff.h"
#include "crypto/digest.h"
#include "vault/answer.h"
#include "vault/work.h"

#define MOST_SHOWN 4096u /* bytes of one row */

typedef struct teller {
  bez_json *j;
  uint64_t limit, told, added, removed, changed;
  bez_buf other; /* objects of what differs and is no row, behind one another */
  uint64_t n_other;
} teller;

static void put_row(bez_json *j, const char *key, const bez_item *item) {
  char digits[65];
  if (item->type == BEZ_ITEM_DIGEST && item->body_len == 32) {
    bez_hex((const uint8_t *)item->body, 32, digits);
    bez_json_kstr(j, key, digits);
    return;
  }
  bool picture = item->type == BEZ_ITEM_FILE_ROW; /* its name says more than its bytes */
  const char *text = picture ? item->head : item->body;
  size_t len = picture ? bez_item_name_len(item) : item->body_len;
  while (!picture && len && (text[len - 1] == '\n' || text[len - 1] == '\r')) len--;
  bez_json_key(j, key);
  bez_json_strn(j, text, len < MOST_SHOWN ? len : MOST_SHOWN);
}

static void tell(teller *t, const bez_diff_row *old, const bez_diff_row *new) {
  t->added += !old;
  t->removed += !new;
  t->changed += old && new;
  if (t->limit && t->told >= t->limit) return;
  t->told++;
  bez_json_open(t->j, '{');
  bez_json_kstr(t->j, "kind", !old ? "added" : !new ? "removed" : "changed");
  if (old) bez_json_kuint(t->j, "old_row", old->row);
  if (new) bez_json_kuint(t->j, "new_row", new->row);
  if (old) put_row(t->j, "old", &old->item);
  if (new) put_row(t->j, "new", &new->item);
  bez_json_close(t->j, '}');
}

static bez_status take_hunk(void *ctx, const bez_hunk *h, bez_error *err) {
  teller *t = ctx;
  if (h->kind == BEZ_HUNK_SAME) return BEZ_OK;
  uint64_t n = h->n_old > h->n_new ? h->n_old : h->n_new;
  for (uint64_t i = 0; i < n; i++)
    tell(t, i < h->n_old ? &h->old_rows[i] : NULL, i < h->n_new ? &h->new_rows[i] : NULL);
  return bez_buf_status(t->j->out, err);
}

/* Headers, blank lines, files that came, went or are of another form. */
static void take_other(void *ctx, bool of_new, const bez_item *item) {
  teller *t = ctx;
  const bool file = item->type == BEZ_ITEM_FILE;
  bez_json j = bez_json_make(&t->other, false);
  t->n_other++;
  if (t->limit && t->n_other > t->limit) return;
  if (t->other.len) bez_buf_putc(&t->other, ',');
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "of", of_new ? "new" : "old");
  bez_json_kstr(&j, "kind", file ? "file" : "bytes");
  bez_json_key(&j, "text");
  if (file)
    bez_json_strn(&j, item->head, bez_item_name_len(item));
  else
    bez_json_strn(&j, item->body, item->body_len < MOST_SHOWN ? item->body_len : MOST_SHOWN);
  bez_json_close(&j, '}');
}

static void put_side(bez_json *j, const char *key, const bez_snapshot *s) {
  bez_json_key(j, key);
  bez_json_open(j, '{');
  bez_json_kstr(j, "dataset", s->dataset);
  bez_json_kuint(j, "version", s->version);
  bez_json_kuint(j, "n_rows", s->rows.top.rows);
  bez_json_close(j, '}');
}

bez_status bez_vault_diff(bez_vault *vault, const char *a, const char *b, uint64_t limit, const bez_vault_who *reader,
                          char **json, bez_error *err) {
  bez_look look = {0}, other = {0};
  bez_snapshot old = {0}, new = {0};
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  teller t = {.j = &j, .limit = limit};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_snapshot_find(vault, a, &old, err));
  BEZ_TRY(bez_snapshot_find(vault, b, &new, err));
  BEZ_TRY(bez_look_begin(vault, "diff", old.dataset, reader, &look, err));
  if (strcmp(old.dataset, new.dataset) != 0) BEZ_TRY(bez_look_begin(vault, "diff", new.dataset, reader, &other, err));
  bez_json_open(&j, '{');
  put_side(&j, "a", &old);
  put_side(&j, "b", &new);
  bez_json_key(&j, "rows");
  bez_json_open(&j, '[');
  BEZ_TRY(bez_tree_diff(vault->objects, &old.rows, &new.rows, take_hunk, take_other, &t, err));
  BEZ_TRY(bez_buf_status(&t.other, err));
  bez_json_close(&j, ']');
  bez_json_key(&j, "other");
  bez_json_open(&j, '[');
  if (t.other.len) bez_json_raw(&j, t.other.data, t.other.len);
  bez_json_close(&j, ']');
  bez_json_kuint(&j, "added", t.added);
  bez_json_kuint(&j, "removed", t.removed);
  bez_json_kuint(&j, "changed", t.changed);
  bez_json_kuint(&j, "more", t.added + t.removed + t.changed - t.told);
  bez_json_close(&j, '}');
  BEZ_TRY(bez_look_record(vault, &look, &old, a, err));
  BEZ_TRY(bez_look_record(vault, &look, &new, b, err));
  BEZ_TRY(bez_answer(&text, json, err));
cleanup:
  bez_look_end(vault, &other);
  bez_look_end(vault, &look);
  bez_buf_free(&text);
  bez_buf_free(&t.other);
  bez_snapshot_free(&old);
  bez_snapshot_free(&new);
  return st;
}
