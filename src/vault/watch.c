/* Lists of URLs in a vault: added, checked, corrected; each step a signed entry of the log. */
#include "vault/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "crypto/digest.h"
#include "vault/answer.h"
#include "vault/index.h"
#include "vault/standing.h"
#include "vault/work.h"

/* A list as the log has it last. */
typedef struct kept {
  char *name, *source; /* owned; name NULL: there is none */
  bez_id id;
  bez_watchlist list;
} kept;

static void kept_free(kept *k) {
  free(k->name);
  free(k->source);
  bez_watchlist_free(&k->list);
}

static bez_status take_kept(const bez_entry *entry, kept *out, bez_error *err) {
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_entry_hex(entry, "list", out->id.bytes, BEZ_ID, err));
  out->name = strdup(bez_entry_text(entry, "name"));
  out->source = strdup(bez_entry_text(entry, "source"));
  if (!out->name || !out->source) BEZ_TRY(bez_fail_memory(err, 64));
cleanup:
  return st;
}

/* Whether an entry takes the place of what was kept: it stands, and so does the list it was made from. A check by
 * somebody honest does not make the list of a stolen key theirs. */
static bez_status follows(bez_vault *vault, uint64_t index, const bez_entry *entry, const kept *now, bool *yes,
                          bez_error *err) {
  char hex[2 * BEZ_ID + 1] = "";
  const char *from = bez_entry_text(entry, "from");
  if (now->name) bez_hex(now->id.bytes, BEZ_ID, hex);
  bez_status st = bez_entry_stands(vault, index, entry, yes, err);
  if (*from && strcmp(from, hex) != 0) *yes = false;
  return st;
}

/* What a list of the vault is now, not read here; name NULL: the only list. */
static bez_status find_kept(bez_vault *vault, const char *name, kept *out, bez_error *err) {
  bez_query query = {0};
  bez_entry entry = {0};
  bool more = false, yes = false;
  bez_status st = BEZ_OK;
  *out = (kept){0};
  BEZ_TRY(bez_query_begin(vault->index, &query, err,
                          "SELECT i FROM entries WHERE type='watch' AND void IS NULL ORDER BY i", ""));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    bez_entry_free(&entry);
    entry = (bez_entry){0};
    const uint64_t index = (uint64_t)bez_query_int(&query, 0);
    BEZ_TRY(bez_vault_entry(vault, index, &entry, err));
    const char *called = bez_entry_text(&entry, "name");
    if (!*bez_entry_text(&entry, "list") || (name && strcmp(called, name) != 0)) continue;
    if (out->name && strcmp(called, out->name) != 0)
      BEZ_TRY(
          bez_fail(err, BEZ_USAGE, "--name", "there are several lists: \"%.100s\", \"%.100s\" …", out->name, called));
    BEZ_TRY(follows(vault, index, &entry, out, &yes, err));
    if (!yes) continue;
    kept_free(out);
    *out = (kept){0};
    BEZ_TRY(take_kept(&entry, out, err));
  }
cleanup:
  bez_entry_free(&entry);
  bez_query_end(&query);
  if (st != BEZ_OK) {
    kept_free(out);
    *out = (kept){0};
  }
  return st;
}

/* What one step brings into the log. */
typedef struct step {
  const char *name, *source, *op;
  uint64_t n_urls;
  bez_id list, from, result; /* from: the list that this one was made of */
  bool has_list, has_from, has_result;
} step;

static void write_step(bez_json *j, const void *ctx) {
  const step *s = ctx;
  bez_json_kstr(j, "name", s->name);
  bez_json_kstr(j, "source", s->source);
  bez_json_kstr(j, "op", s->op);
  bez_json_kuint(j, "n_urls", s->n_urls);
  if (s->has_list) bez_json_khex(j, "list", s->list.bytes, BEZ_ID);
  if (s->has_list && s->has_from) bez_json_khex(j, "from", s->from.bytes, BEZ_ID);
  if (s->has_result) bez_json_khex(j, "result", s->result.bytes, BEZ_ID);
}

static bez_status load_kept(bez_vault *vault, const char *name, kept *out, bez_error *err) {
  bez_status st = find_kept(vault, name, out, err);
  return st == BEZ_OK && out->name ? bez_watchlist_load(vault->objects, &out->id, &out->list, err) : st;
}

/* Asking takes hours: whether the list is still the one that it began with. */
static bez_status is_same(bez_vault *vault, const char *name, const kept *old, bool *same, bez_error *err) {
  kept now = {0};
  bez_status st = find_kept(vault, name, &now, err);
  *same = !now.name == !old->name && (!now.name || !bez_id_compare(&now.id, &old->id));
  kept_free(&now);
  return st;
}

/* Objects first, then the entry that names them. list NULL: what was found alone is kept. */
static bez_status keep_locked(bez_vault *vault, step *s, const bez_watchlist *list, const kept *old,
                              const bez_buf *result, const bez_signer *signer, bez_error *err) {
  bez_pack *pack = NULL;
  bool same = true;
  bez_status st = BEZ_OK;
  if (list) BEZ_TRY(is_same(vault, s->name, old, &same, err));
  if (!same)
    BEZ_TRY(
        bez_fail(err, BEZ_USAGE, s->name, "somebody else changed the list meanwhile: nothing was kept, do it again"));
  BEZ_TRY(bez_pack_begin(vault->objects, &pack, err));
  if (list) BEZ_TRY(bez_watchlist_save(list, pack, &s->list, err));
  if (result) BEZ_TRY(bez_pack_put(pack, BEZ_OBJECT_BLOB, result->data, result->len, &s->result, err));
  s->has_list = list != NULL;
  s->has_result = result != NULL;
  st = bez_pack_finish(pack, NULL, err);
  pack = NULL;
  if (st == BEZ_OK) st = bez_vault_say(vault, "watch", signer, write_step, s, NULL, err);
cleanup:
  bez_pack_abandon(pack);
  return st;
}

static bez_status keep(bez_vault *vault, step *s, const bez_watchlist *list, const kept *old, const bez_buf *result,
                       const bez_signer *signer, bez_error *err) {
  bez_status st = bez_vault_lock(vault, err);
  if (st != BEZ_OK) return st;
  st = keep_locked(vault, s, list, old, result, signer, err);
  bez_vault_unlock(vault);
  return st;
}

/* Rows by their URL. */
typedef struct by_url {
  uint64_t *slot, mask; /* row + 1, 0: free */
} by_url;

static bez_status index_urls(const bez_watchlist *list, by_url *out, bez_error *err) {
  out->mask = 15;
  while (out->mask < 2 * list->n) out->mask = 2 * out->mask + 1;
  out->slot = calloc(out->mask + 1, sizeof *out->slot);
  if (!out->slot) return bez_fail_memory(err, (out->mask + 1) * sizeof *out->slot);
  for (uint64_t row = 0; row < list->n; row++) {
    const char *url = list->rows[row].url;
    uint64_t i = bez_hash64(url, strlen(url), 3) & out->mask;
    while (out->slot[i]) i = (i + 1) & out->mask;
    out->slot[i] = row + 1;
  }
  return BEZ_OK;
}

/* The next row of that URL; *at begins at UINT64_MAX. */
static bez_watched *next_of(const by_url *index, bez_watchlist *list, const char *url, uint64_t *at) {
  uint64_t i = *at == UINT64_MAX ? bez_hash64(url, strlen(url), 3) & index->mask : (*at + 1) & index->mask;
  for (; index->slot[i]; i = (i + 1) & index->mask) {
    bez_watched *row = &list->rows[index->slot[i] - 1];
    *at = i;
    if (!strcmp(row->url, url)) return row;
  }
  return NULL;
}

/* Whether digests that both know are the same; false also where there is none of a kind. */
static bool agree(const bez_watched *a, const bez_watched *b) {
  const unsigned both = a->know & b->know;
  return (both & BEZ_KNOW_DIGEST) && (!(both & BEZ_KNOW_SHA256) || !memcmp(a->sha256, b->sha256, 32)) &&
         (!(both & BEZ_KNOW_SHA512) || !memcmp(a->sha512, b->sha512, 64)) &&
         (!(both & BEZ_KNOW_MD5) || !memcmp(a->md5, b->md5, 16));
}

/* What is known of a row but its cells. */
static void copy_knowledge(bez_watched *to, const bez_watched *from) {
  const char *const *cells = to->cells;
  const char *url = to->url;
  *to = *from;
  to->cells = cells;
  to->url = url;
}

/* A new list that says nothing of a URL, or the same, keeps what is known of it: adding a list once more is no way to
 * have new content taken for the old. */
static bez_status inherit(bez_watchlist *list, bez_watchlist *old, bool *any, bez_error *err) {
  by_url index = {0};
  bez_status st = index_urls(old, &index, err);
  for (uint64_t i = 0; st == BEZ_OK && i < list->n; i++) {
    bez_watched *row = &list->rows[i];
    uint64_t at = UINT64_MAX;
    const bez_watched *known = next_of(&index, old, row->url, &at);
    if (!known || !known->know) continue;
    *any = true;
    if (!(row->know & BEZ_KNOW_DIGEST)) {
      copy_knowledge(row, known);
    } else if (agree(row, known)) {
      const int64_t learned = row->learned;
      const unsigned had = row->know;
      bez_watched said = *row;
      copy_knowledge(row, known);
      row->learned = learned; /* the list vouches for it now */
      if (had & BEZ_KNOW_SHA256) memcpy(row->sha256, said.sha256, 32);
      if (had & BEZ_KNOW_SHA512) memcpy(row->sha512, said.sha512, 64);
      if (had & BEZ_KNOW_MD5) memcpy(row->md5, said.md5, 16);
      row->know |= had;
    }
  }
  free(index.slot);
  return st;
}

/* Digests that a trusted key vouches for, whatever the delay. *n: how many URLs they were for. */
static bez_status correct(bez_watchlist *list, const bez_watchlist *corrections, uint64_t *n, bez_error *err) {
  by_url index = {0};
  bez_status st = index_urls(list, &index, err);
  *n = 0;
  for (uint64_t i = 0; st == BEZ_OK && i < corrections->n; i++) {
    const bez_watched *said = &corrections->rows[i];
    uint64_t at = UINT64_MAX;
    bez_watched *row;
    if (!(said->know & BEZ_KNOW_DIGEST)) {
      st = bez_fail(err, BEZ_USAGE, said->url, "a correction without a digest");
      break;
    }
    bool found = false;
    while ((row = next_of(&index, list, said->url, &at))) {
      copy_knowledge(row, said);
      found = true;
    }
    if (!found) st = bez_fail(err, BEZ_USAGE, said->url, "is not in the list that is to be corrected");
    *n += found;
  }
  free(index.slot);
  return st;
}

static const char *base_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash && slash[1] ? slash + 1 : path;
}

static bool lacks_digest(const bez_watched *row) {
  return !(row->know & BEZ_KNOW_DIGEST);
}

static double delay_of(const bez_vault *vault, const bez_watch_options *o) {
  return o->delay >= 0 ? o->delay : bez_trust_policy(vault->trust)->delay_seconds;
}

/* New content that has stood for the delay becomes what is listed; a page that stands in never does. */
static uint64_t adopt(bez_watchlist *list, const bez_checked *checked) {
  uint64_t n = 0;
  for (uint64_t i = 0; i < list->n; i++) {
    const bez_checked *c = &checked[i];
    bez_watched *row = &list->rows[i];
    if (c->verdict != BEZ_SEEN_NEAR && c->verdict != BEZ_SEEN_DIFFERENT) continue;
    if (c->held || c->page != BEZ_PAGE_NONE) continue;
    memcpy(row->sha256, row->seen, 32);
    row->learned = row->seen_since;
    row->phash = c->phash;
    row->know = BEZ_KNOW_SHA256 | (c->has_phash ? BEZ_KNOW_PHASH : 0u);
    n++;
  }
  return n;
}

/* Asks for the rows that are wanted and learns from the answers. */
static bez_status look(bez_vault *vault, bez_watchlist *list, const bez_watch_options *options,
                       bool (*wanted)(const bez_watched *), bez_checked **out, bez_error *err) {
  bez_watch_options o = *options;
  o.seed = bez_watch_seed(o.seed);
  if (o.output) {
    bez_status st = bez_watch_folder(o.output, err);
    if (st != BEZ_OK) return st;
  }
  *out = calloc(list->n + 1, sizeof **out);
  if (!*out) return bez_fail_memory(err, list->n * sizeof **out);
  bez_status st = bez_watch_check(list, &o, wanted, *out, err);
  if (st == BEZ_OK) bez_watch_learn(list, *out, bez_vault_now(), delay_of(vault, &o));
  if (st == BEZ_OK && o.output) st = bez_watch_write_lists(o.output, list, *out, err);
  return st;
}

static void begin_answer(bez_json *j, const step *s, const bez_watchlist *list, const bez_checked *checked,
                         bool kept_it, bez_watch_result *result) {
  bez_json_open(j, '{');
  bez_json_kstr(j, "list", s->name);
  bez_json_kstr(j, "source", s->source);
  bez_watch_tell(list, checked, kept_it, j, result);
}

/* An addition in the making. */
typedef struct addition {
  bez_signer *signer;
  bez_watchlist list;
  kept old;
  bez_checked *checked;
  bez_buf text;
} addition;

static void addition_free(bez_vault *vault, addition *a) {
  bez_vault_act(vault, NULL);
  bez_signer_close(a->signer);
  if (a->checked) bez_checked_free(a->checked, a->list.n);
  bez_watchlist_free(&a->list);
  kept_free(&a->old);
  bez_buf_free(&a->text);
}

static bez_status ask(bez_vault *vault, const char *op, const char *source, const bez_signer *signer, bez_error *err) {
  const bez_claim claim = {op, NULL, source, BEZ_MAY_CONTRIBUTE};
  if (source && *source && !bez_trust_source(vault->trust, source))
    return bez_refuse(err, bez_fail(err, BEZ_USAGE, source,
                                    "no source of that name is known: bezoar vault source add describes one"));
  return bez_vault_ask(vault, &claim, signer, err);
}

/* Corrections go into the list that is there; every other list takes its place. */
static bez_status add_correction(bez_vault *vault, addition *a, step *s, bez_watch_result *result, bez_error *err) {
  uint64_t n = 0;
  bez_json j = bez_json_make(&a->text, false);
  if (!a->old.name) return bez_fail(err, BEZ_USAGE, s->name, "no list of that name is kept: nothing to correct");
  s->op = "correct";
  s->from = a->old.id;
  s->has_from = true;
  s->n_urls = a->old.list.n;
  bez_status st = correct(&a->old.list, &a->list, &n, err);
  if (st == BEZ_OK) st = keep(vault, s, &a->old.list, &a->old, NULL, a->signer, err);
  *result = (bez_watch_result){.n_urls = a->old.list.n};
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "list", s->name);
  bez_json_kstr(&j, "source", s->source);
  bez_json_kuint(&j, "n_urls", a->old.list.n);
  bez_json_kuint(&j, "corrected", n);
  bez_json_close(&j, '}');
  return st;
}

static bez_status add_list(bez_vault *vault, addition *a, step *s, const bez_watch_options *o, bez_watch_result *result,
                           bez_error *err) {
  bez_status st = BEZ_OK;
  s->op = "add";
  s->n_urls = a->list.n;
  if (a->old.name) BEZ_TRY(inherit(&a->list, &a->old.list, &s->has_from, err));
  s->from = a->old.id;
  uint64_t asked = a->list.n;
  for (uint64_t i = 0; i < a->list.n && !o->fetch; i++) asked -= !lacks_digest(&a->list.rows[i]);
  BEZ_TRY(look(vault, &a->list, o, o->fetch ? NULL : lacks_digest, &a->checked, err));
  BEZ_TRY(keep(vault, s, &a->list, &a->old, NULL, a->signer, err));
  bez_json j = bez_json_make(&a->text, false);
  begin_answer(&j, s, &a->list, a->checked, true, result);
  bez_json_kuint(&j, "asked", asked);
  bez_json_close(&j, '}');
cleanup:
  return st;
}

bez_status bez_watch_add(bez_vault *vault, const char *path, const bez_vault_who *who, const bez_watch_options *options,
                         bez_watch_result *result, char **json, bez_error *err) {
  addition a = {0};
  step s = {.name = options->name ? options->name : base_of(path), .source = options->source ? options->source : ""};
  bez_status st = BEZ_OK;
  *json = NULL;
  BEZ_TRY(bez_vault_signer(vault, who, &a.signer, err));
  BEZ_TRY(ask(vault, "watch add", s.source, a.signer, err));
  BEZ_TRY(load_kept(vault, s.name, &a.old, err));
  /* who may write for one source may not replace the list of another */
  if (a.old.name && strcmp(a.old.source, s.source) != 0) BEZ_TRY(ask(vault, "watch add", a.old.source, a.signer, err));
  BEZ_TRY(bez_watchlist_read(path, &options->columns, &a.list, err));
  BEZ_TRY(options->correct ? add_correction(vault, &a, &s, result, err)
                           : add_list(vault, &a, &s, options, result, err));
  BEZ_TRY(bez_answer(&a.text, json, err));
cleanup:
  addition_free(vault, &a);
  return st;
}

/* Who checks may be nobody, or somebody who may not contribute: what was found is told then, and the list stays as it
 * is. */
static bool may_keep(bez_vault *vault, const bez_vault_who *who, const char *source, bez_signer **signer,
                     bez_error *why) {
  if (!who || bez_vault_signer(vault, who, signer, why) != BEZ_OK) return false;
  const int64_t now = bez_vault_now();
  const bez_asked asked = {.key = bez_signer_public(*signer),
                           .role = BEZ_MAY_CONTRIBUTE,
                           .source = source,
                           .at = now > vault->ruled ? now : vault->ruled};
  return bez_trust_may(vault->trust, &asked, why) == BEZ_OK;
}

bez_status bez_watch_verify(bez_vault *vault, const bez_vault_who *who, const bez_watch_options *options,
                            bez_watch_result *result, char **json, bez_error *err) {
  addition a = {0};
  bez_error why = {0};
  step s = {.op = "verify"};
  uint64_t adopted = 0;
  bez_status st = BEZ_OK;
  *json = NULL;
  BEZ_TRY(load_kept(vault, options->name, &a.old, err));
  if (!a.old.name)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, options->name ? options->name : vault->folder,
                     "no such list of URLs is kept: bezoar watch add keeps one"));
  s.name = a.old.name;
  s.source = a.old.source;
  s.n_urls = a.old.list.n;
  s.from = a.old.id;
  s.has_from = true;
  const bool may = may_keep(vault, who, s.source, &a.signer, &why);
  if (!may && who && who->key && !a.signer) BEZ_TRY(bez_fail(err, why.code, why.subject, "%s", why.message));
  BEZ_TRY(look(vault, &a.old.list, options, NULL, &a.checked, err));
  bez_json j = bez_json_make(&a.text, false);
  begin_answer(&j, &s, &a.old.list, a.checked, may, result);
  if (options->adopt && may) adopted = adopt(&a.old.list, a.checked);
  bez_json_kuint(&j, "adopted", adopted);
  bez_json_kbool(&j, "kept", may);
  if (!may) bez_json_kstr(&j, "note", "nothing is kept of it: no key that may contribute to the source");
  bez_json_close(&j, '}');
  BEZ_TRY(bez_buf_status(&a.text, err));
  BEZ_TRY(keep(vault, &s, may ? &a.old.list : NULL, &a.old, &a.text, a.signer, err));
  BEZ_TRY(bez_answer(&a.text, json, err));
cleanup:
  if (a.checked) bez_checked_free(a.checked, a.old.list.n);
  a.checked = NULL;
  addition_free(vault, &a);
  return st;
}
