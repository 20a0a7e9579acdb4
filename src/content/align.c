/* Patience (unique common elements in order) with E. W. Myers, "An O(ND) difference algorithm and its variations",
 * 1986, where nothing is unique. */
#include "content/align.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { DEEPEST = 24 };

typedef struct spot {
  uint32_t count[2], at[2]; /* how often a name occurs in a range, and where last, on either side */
} spot;

typedef struct aligner {
  uint32_t *a, *b; /* names: equal digests have equal numbers */
  spot *spots;     /* by name; all zero between uses */
  bez_match *out;
  size_t n, cap;
  int32_t most_edits;
  bez_error *err;
} aligner;

typedef struct range {
  size_t a0, a1, b0, b1;
} range;

static bool is_empty(range r) {
  return r.a0 == r.a1 || r.b0 == r.b1;
}

static bez_status add_match(aligner *al, size_t a, size_t b, size_t n) {
  if (!n) return BEZ_OK;
  bez_match *last = al->out && al->n ? &al->out[al->n - 1] : NULL;
  if (last && last->a + last->n == a && last->b + last->n == b) {
    last->n += n;
    return BEZ_OK;
  }
  if (!al->out || al->n == al->cap) {
    size_t cap = al->cap ? al->cap * 2 : 64;
    bez_match *more = realloc(al->out, cap * sizeof *more);
    if (!more) return bez_fail_memory(al->err, cap * sizeof *more);
    al->out = more;
    al->cap = cap;
  }
  al->out[al->n++] = (bez_match){a, b, n};
  return BEZ_OK;
}

/* The name of a digest is the place of its first occurrence, b behind a. */
static bez_status give_names(aligner *al, const uint8_t (*a)[32], size_t na, const uint8_t (*b)[32], size_t nb) {
  size_t cap = 16;
  while (cap < 2 * (na + nb)) cap *= 2;
  uint32_t *table = calloc(cap, sizeof *table); /* places + 1 */
  if (!table) return bez_fail_memory(al->err, cap * sizeof *table);
  for (size_t i = 0; i < na + nb; i++) {
    const uint8_t *digest = i < na ? a[i] : b[i - na];
    uint32_t *name = i < na ? &al->a[i] : &al->b[i - na];
    uint64_t at;
    memcpy(&at, digest + 8, sizeof at); /* the first bytes are alike where digests come sorted */
    for (at &= cap - 1; table[at]; at = (at + 1) & (cap - 1)) {
      size_t other = table[at] - 1;
      if (memcmp(other < na ? a[other] : b[other - na], digest, 32) == 0) break;
    }
    if (!table[at]) table[at] = (uint32_t)i + 1;
    *name = table[at] - 1;
  }
  free(table);
  return BEZ_OK;
}

/* What occurs once on each side of a range, in the order of a. pairs has room for all of a; the number of them. */
static size_t unique_pairs(aligner *al, range r, bez_match *pairs) {
  size_t n = 0;
  for (size_t i = r.a0; i < r.a1; i++) {
    spot *s = &al->spots[al->a[i]];
    s->count[0]++;
    s->at[0] = (uint32_t)i;
  }
  for (size_t i = r.b0; i < r.b1; i++) {
    spot *s = &al->spots[al->b[i]];
    s->count[1]++;
    s->at[1] = (uint32_t)i;
  }
  for (size_t i = r.a0; i < r.a1; i++) {
    const spot *s = &al->spots[al->a[i]];
    if (s->count[0] == 1 && s->count[1] == 1) pairs[n++] = (bez_match){i, s->at[1], 1};
  }
  for (size_t i = r.a0; i < r.a1; i++) al->spots[al->a[i]] = (spot){0};
  for (size_t i = r.b0; i < r.b1; i++) al->spots[al->b[i]] = (spot){0};
  return n;
}

/* Leaves the longest subsequence of pairs that ascends in b as well; its length. */
static bez_status longest_ascending(aligner *al, bez_match *pairs, size_t *n_pairs) {
  size_t n = *n_pairs, longest = 0;
  if (!n) return BEZ_OK;
  size_t *tails = malloc(2 * n * sizeof *tails), *before = tails + n;
  if (!tails) return bez_fail_memory(al->err, 2 * n * sizeof *tails);
  for (size_t i = 0; i < n; i++) {
    size_t low = 0, high = longest;
    while (low < high) {
      size_t mid = (low + high) / 2;
      if (pairs[tails[mid]].b < pairs[i].b)
        low = mid + 1;
      else
        high = mid;
    }
    before[i] = low ? tails[low - 1] : SIZE_MAX;
    tails[low] = i;
    if (low == longest) longest++;
  }
  size_t at = tails[longest - 1];
  for (size_t k = longest; k-- > 0; at = before[at]) tails[k] = at; /* read before it is overwritten: before[] */
  for (size_t k = 0; k < longest; k++) pairs[k] = pairs[tails[k]];
  free(tails);
  *n_pairs = longest;
  return BEZ_OK;
}

/* The furthest place in a on each diagonal, for every number of edits d: 2 d + 1 of them behind each other. */
typedef struct trace {
  int32_t *furthest;
  size_t cap;
} trace;

static int32_t *trace_of(const trace *t, int32_t d) {
  return t->furthest + (size_t)d * (size_t)d + d; /* 1 + 3 + … + (2 d − 1), then the middle */
}

static bool room_for_trace(trace *t, int32_t d) {
  size_t want = (size_t)(d + 1) * (size_t)(d + 1);
  if (want <= t->cap) return true;
  size_t cap = want * 2;
  int32_t *more = realloc(t->furthest, cap * sizeof *more);
  if (!more) return false;
  t->furthest = more;
  t->cap = cap;
  return true;
}

static bool goes_down(const int32_t *before, int32_t d, int32_t k) {
  return k == -d || (k != d && before[k - 1] < before[k + 1]);
}

/* One more edit; true: the end was reached. */
static bool myers_step(const uint32_t *a, int32_t na, const uint32_t *b, int32_t nb, const trace *t, int32_t d) {
  int32_t *now = trace_of(t, d);
  const int32_t *before = d ? trace_of(t, d - 1) : NULL;
  for (int32_t k = -d; k <= d; k++) now[k] = -1;
  for (int32_t k = -d; k <= d; k += 2) {
    int32_t x = !before ? 0 : goes_down(before, d, k) ? before[k + 1] : before[k - 1] + 1;
    int32_t y = x - k;
    while (x < na && y < nb && a[x] == b[y]) {
      x++;
      y++;
    }
    now[k] = x;
    if (x == na && y == nb) return true;
  }
  return false;
}

static bez_status myers_back(aligner *al, range r, const trace *t, int32_t d) {
  bez_match *found = malloc(((size_t)d + 1) * sizeof *found);
  if (!found) return bez_fail_memory(al->err, ((size_t)d + 1) * sizeof *found);
  int32_t x = (int32_t)(r.a1 - r.a0), y = (int32_t)(r.b1 - r.b0);
  size_t n = 0;
  for (; d > 0; d--) {
    const int32_t *before = trace_of(t, d - 1);
    int32_t k = x - y;
    bool down = goes_down(before, d, k);
    int32_t px = down ? before[k + 1] : before[k - 1], py = px - (down ? k + 1 : k - 1);
    int32_t from = down ? px : px + 1;
    found[n++] = (bez_match){r.a0 + (size_t)from, r.b0 + (size_t)(from - k), (size_t)(x - from)};
    x = px;
    y = py;
  }
  found[n++] = (bez_match){r.a0, r.b0, (size_t)x};
  bez_status st = BEZ_OK;
  while (n-- > 0 && st == BEZ_OK) st = add_match(al, found[n].a, found[n].b, found[n].n);
  free(found);
  return st;
}

static bez_status myers(aligner *al, range r) {
  trace t = {0};
  int32_t na = (int32_t)(r.a1 - r.a0), nb = (int32_t)(r.b1 - r.b0);
  bez_status st = BEZ_OK;
  for (int32_t d = 0; d <= al->most_edits && st == BEZ_OK; d++) {
    if (!room_for_trace(&t, d)) {
      st = bez_fail_memory(al->err, t.cap * 2 * sizeof *t.furthest);
    } else if (myers_step(al->a + r.a0, na, al->b + r.b0, nb, &t, d)) {
      st = myers_back(al, r, &t, d);
      break;
    }
  }
  free(t.furthest);
  return st;
}

static bez_status align_range(aligner *al, range r, unsigned depth);

static bez_status align_middle(aligner *al, range r, unsigned depth) {
  size_t n = 0;
  bez_match *pairs = malloc((r.a1 - r.a0) * sizeof *pairs);
  if (!pairs) return bez_fail_memory(al->err, (r.a1 - r.a0) * sizeof *pairs);
  if (depth < DEEPEST) n = unique_pairs(al, r, pairs);
  bez_status st = longest_ascending(al, pairs, &n);
  if (st == BEZ_OK && !n && al->most_edits) st = myers(al, r);
  range gap = r;
  for (size_t i = 0; i < n && st == BEZ_OK; i++) {
    gap.a1 = pairs[i].a;
    gap.b1 = pairs[i].b;
    st = align_range(al, gap, depth + 1);
    if (st == BEZ_OK) st = add_match(al, pairs[i].a, pairs[i].b, 1);
    gap = (range){pairs[i].a + 1, r.a1, pairs[i].b + 1, r.b1};
  }
  if (st == BEZ_OK && n) st = align_range(al, gap, depth + 1);
  free(pairs);
  return st;
}

static bez_status align_range(aligner *al, range r, unsigned depth) {
  size_t front = 0, back = 0;
  while (r.a0 + front < r.a1 && r.b0 + front < r.b1 && al->a[r.a0 + front] == al->b[r.b0 + front]) front++;
  bez_status st = add_match(al, r.a0, r.b0, front);
  r.a0 += front;
  r.b0 += front;
  while (r.a1 > r.a0 && r.b1 > r.b0 && al->a[r.a1 - 1] == al->b[r.b1 - 1]) {
    r.a1--;
    r.b1--;
    back++;
  }
  if (st == BEZ_OK && !is_empty(r)) st = align_middle(al, r, depth);
  return st == BEZ_OK ? add_match(al, r.a1, r.b1, back) : st;
}

bez_status bez_digests_align(const uint8_t (*a)[32], size_t na, const uint8_t (*b)[32], size_t nb, unsigned most_edits,
                             bez_match **out, size_t *n, bez_error *err) {
  *out = NULL;
  *n = 0;
  if (!na || !nb) return BEZ_OK;
  if (na + nb >= (1u << 31)) return bez_fail(err, BEZ_LIMIT, NULL, "too many rows to align at once");
  aligner al = {
      .a = calloc(na, sizeof *al.a), .b = calloc(nb, sizeof *al.b), .most_edits = (int32_t)most_edits, .err = err};
  al.spots = calloc(na + nb, sizeof *al.spots);
  bez_status st = al.a && al.b && al.spots ? BEZ_OK : bez_fail_memory(err, (na + nb) * (sizeof *al.spots + 4));
  if (st == BEZ_OK) st = give_names(&al, a, na, b, nb);
  if (st == BEZ_OK) st = align_range(&al, (range){0, na, 0, nb}, 0);
  free(al.a);
  free(al.b);
  free(al.spots);
  if (st != BEZ_OK) {
    free(al.out);
    return st;
  }
  *out = al.out;
  *n = al.n;
  return BEZ_OK;
}
