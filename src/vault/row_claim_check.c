/* Claims read and verified: lines in, the id of a tree out. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "content/sorted_leaf.h"
#include "crypto/merkle.h"
#include "crypto/sha256.h"
#include "ledger/proof_text.h"
#include "vault/row_claim.h"

enum { MOST_HEAD = 8192, MOST_LINES = 4096 };

typedef struct check {
  bez_row_claim *claim;
  bez_tree_kind tree;
  uint8_t value[32]; /* of the subtree that the lines so far lead to */
  uint8_t left[32];  /* of the neighbour to the left of it */
  bool has_left;     /* the two have not met yet */
  bool met;          /* they have: the neighbour before the digest is shown */
  bool fresh;        /* the next line may show the left neighbour: nothing of this level was used */
  bool at_entry;     /* the last line was an entry */
  bool empty;        /* nothing is there, and no item was read: the only claim that a tree of height 0 bears out */
  bool end;          /* the digest lies behind the last one: the top's entry says so */
  bez_tree_entry entry;
  unsigned levels;
  const char *wrong;
} check;

static bool take_word(const char **at, size_t max, const char **word, size_t *len) {
  *word = *at;
  *len = strcspn(*at, " \n");
  *at += *len;
  return *len > 0 && *len <= max;
}

/* A number and what stands behind it, a blank or a line end. */
static bool take_number(const char **at, uint64_t *out) {
  const char *word;
  size_t len;
  *out = 0;
  if (!take_word(at, 20, &word, &len) || (word[0] == '0' && len > 1)) return false;
  for (size_t i = 0; i < len; i++) {
    if (word[i] < '0' || word[i] > '9') return false;
    if (__builtin_mul_overflow(*out, 10u, out) || __builtin_add_overflow(*out, (uint64_t)(word[i] - '0'), out))
      return false;
  }
  return true;
}

/* Base64 in the one form that it has: the bits that are left over are zero. */
static bool take_bytes(const char **at, uint8_t *out, size_t want) {
  const char *word;
  size_t len;
  bez_buf again = {0};
  if (!take_word(at, (want + 2) / 3 * 4, &word, &len) || !bez_base64_get(word, len, out, want)) return false;
  bez_base64_put(&again, out, want);
  bool same = again.data && again.len == len && memcmp(again.data, word, len) == 0;
  bez_buf_free(&again);
  return same;
}

static bool take_entry(const char **at, bez_tree_kind kind, bez_tree_entry *out) {
  if (!bez_text_skip(at, "entry ") || !take_number(at, &out->items) || !bez_text_skip(at, " ")) return false;
  if (!take_number(at, &out->rows) || !bez_text_skip(at, " ")) return false;
  bool rest = kind == BEZ_TREE_SORTED ? take_bytes(at, out->last, 32) : take_number(at, &out->bytes);
  return rest && bez_text_skip(at, "\n");
}

static bool take_head(const char **at, bez_item *item, uint8_t *head) {
  if (bez_text_skip(at, "\n")) return true;
  const char *word = *at + 1;
  size_t len = strcspn(word, " \n");
  if (!bez_text_skip(at, " ") || len > MOST_HEAD || !bez_base64_size(word, len, &item->head_len)) return false;
  if (!item->head_len || !take_bytes(at, head, item->head_len)) return false;
  item->head = (const char *)head;
  return bez_text_skip(at, "\n");
}

static bool take_item(const char **at, check *c) {
  uint64_t type;
  uint8_t head[MOST_HEAD];
  bez_item item = {0};
  if (!bez_text_skip(at, "item ") || !take_number(at, &type) || type > BEZ_ITEM_DIGEST) return false;
  item.type = (bez_item_type)type;
  if (!bez_item_is_row(item.type)) return false;
  if (!bez_text_skip(at, " ") || !take_bytes(at, c->claim->raw, 32)) return false;
  if (!bez_text_skip(at, " ") || !take_bytes(at, c->claim->canonical, 32)) return false;
  if (!take_head(at, &item, head)) return false;
  c->claim->type = item.type;
  bez_item_hash(&item, c->claim->raw, c->claim->canonical, c->value);
  return true;
}

static bool take_sorted_item(const char **at, const char *word, uint8_t digest[32], uint64_t *count, uint8_t hash[32]) {
  if (!bez_text_skip(at, word) || !take_bytes(at, digest, 32) || !bez_text_skip(at, " ")) return false;
  if (!take_number(at, count) || !*count || !bez_text_skip(at, "\n")) return false;
  bez_sorted_hash(digest, *count, hash);
  return true;
}

/* The lines before the first level. false: malformed; wrong: it does not prove what it claims. */
static bool take_begin(const char **at, check *c) {
  uint8_t digest[32];
  uint64_t count;
  c->fresh = true;
  if (bez_text_skip(at, "claim included\n")) {
    c->claim->kind = BEZ_CLAIM_INCLUDED;
    c->tree = BEZ_TREE_ROWS;
    return take_item(at, c);
  }
  c->tree = BEZ_TREE_SORTED;
  if (bez_text_skip(at, "claim present\n")) {
    c->claim->kind = BEZ_CLAIM_PRESENT;
    return take_sorted_item(at, "item ", c->claim->canonical, &c->claim->count, c->value);
  }
  c->claim->kind = BEZ_CLAIM_ABSENT;
  if (!bez_text_skip(at, "claim absent\ndigest ") || !take_bytes(at, c->claim->canonical, 32)) return false;
  if (!bez_text_skip(at, "\n")) return false;
  if (bez_text_skip(at, "root ")) { /* the end: the top's entry, whose last digest is smaller */
    c->end = true;
    if (!take_bytes(at, c->value, 32) || !bez_text_skip(at, "\n")) return false;
    const char *ahead = *at;
    bez_tree_entry top = {0};
    if (!take_entry(&ahead, BEZ_TREE_SORTED, &top) || !bez_text_skip(&ahead, "top ")) return false;
    if (memcmp(top.last, c->claim->canonical, 32) >= 0) c->wrong = "the last digest is not smaller";
    return true;
  }
  c->empty = strncmp(*at, "top 0\n", 6) == 0;
  if (c->empty) return true;
  if (!take_sorted_item(at, "item ", digest, &count, c->value)) return false;
  if (memcmp(digest, c->claim->canonical, 32) <= 0) c->wrong = "the digest behind it is not larger";
  return true;
}

/* The neighbour to the left: an item at the first level, an entry above. */
static bool take_left(const char **at, check *c) {
  uint8_t last[32];
  if (c->claim->kind != BEZ_CLAIM_ABSENT || !c->fresh || c->end || c->met || c->has_left) return false;
  if (!c->levels) {
    uint64_t count;
    if (!take_sorted_item(at, "left ", last, &count, c->left)) return false;
  } else {
    bez_tree_entry left = {0};
    if (!bez_text_skip(at, "left ") || !take_bytes(at, left.root, 32) || !bez_text_skip(at, "\n")) return false;
    if (!take_entry(at, BEZ_TREE_SORTED, &left)) return false;
    bez_tree_entry_hash(BEZ_TREE_SORTED, &left, c->left);
    memcpy(last, left.last, 32);
  }
  if (memcmp(last, c->claim->canonical, 32) >= 0) c->wrong = "the digest before it is not smaller";
  c->has_left = true;
  c->fresh = false;
  return true;
}

static bool take_hash(const char **at, check *c) {
  uint8_t hash[32];
  bool left = **at == 'l';
  *at += 1;
  if (!bez_text_skip(at, " ") || !take_bytes(at, hash, 32) || !bez_text_skip(at, "\n")) return false;
  if (left && c->has_left)
    bez_merkle_node(hash, c->left, c->left);
  else if (left)
    bez_merkle_node(hash, c->value, c->value);
  else
    bez_merkle_node(c->value, hash, c->value);
  if (left && !c->has_left && !c->met && c->claim->kind == BEZ_CLAIM_ABSENT)
    c->wrong = "something unknown stands before the digest behind it";
  c->fresh = false;
  return true;
}

static bool take_level(const char **at, check *c) {
  bez_tree_entry entry = {0};
  if (c->has_left || c->levels == BEZ_TREE_HEIGHT || !take_entry(at, c->tree, &entry)) return false;
  memcpy(entry.root, c->value, 32);
  bez_tree_entry_hash(c->tree, &entry, c->value);
  c->entry = entry;
  c->levels++;
  c->fresh = true;
  return true;
}

/* One line; false: malformed. */
static bool take_line(const char **at, check *c) {
  bool was_entry = **at == 'e';
  bool ok = false;
  if (strncmp(*at, "left ", 5) == 0)
    ok = take_left(at, c);
  else if (**at == 'l' || **at == 'r')
    ok = take_hash(at, c);
  else if (was_entry)
    ok = take_level(at, c);
  else if (c->has_left && bez_text_skip(at, "=\n")) {
    bez_merkle_node(c->left, c->value, c->value);
    c->has_left = false;
    c->met = ok = true;
  }
  c->at_entry = was_entry;
  return ok;
}

/* The root object, whose digest names the tree. Its height is the number of levels that led here; at the end of a
 * sorted tree, where the top's own entry says all, there was but one. The root of height 0 holds no hash that an item
 * could be tied to: it bears out the absence of a digest, and nothing else. */
static bool take_top(const char **at, check *c) {
  uint64_t height;
  bez_tree tree = {.kind = c->tree, .top = c->entry};
  bez_buf root = {0};
  if (c->has_left || !bez_text_skip(at, "top ") || !take_number(at, &height) || height > BEZ_TREE_HEIGHT) return false;
  if (c->empty ? height != 0 : height == 0) return false;
  if (c->end ? c->levels != 1 : c->levels != height || (height && !c->at_entry)) return false;
  tree.height = (uint8_t)height;
  if (height && (!bez_text_skip(at, " ") || !take_bytes(at, tree.top.id.bytes, 32))) return false;
  if (!bez_text_skip(at, "\n")) return false;
  bez_tree_root_write(&root, &tree);
  bool ok = root.data && root.failed == BEZ_OK;
  if (ok) bez_sha256(root.data, root.len, c->claim->tree.bytes);
  bez_buf_free(&root);
  return ok;
}

bez_status bez_claim_check(const char **text, bez_row_claim *claim, bez_error *err) {
  check c = {.claim = claim};
  const char *at = *text;
  *claim = (bez_row_claim){0};
  bool ok = take_begin(&at, &c);
  for (size_t i = 0; ok && strncmp(at, "top ", 4) != 0; i++) ok = i < MOST_LINES && take_line(&at, &c);
  ok = ok && take_top(&at, &c);
  if (!ok) return bez_fail_at(err, BEZ_FORMAT, "proof", -1, at - *text, "a malformed line in a claim");
  if (c.wrong) return bez_fail(err, BEZ_FORMAT, "proof", "the proof does not prove what it claims: %s", c.wrong);
  *text = at;
  return BEZ_OK;
}
