/* An attack: one file that ends in one `const bez_attack`, and one row in attacks.def. On data, it looks at the clean
 * table and plans edits, which src/format/rewrite.h carries out; on model updates, it looks at those of the honest
 * clients and crafts its own (attack/updates.h). */
#ifndef BEZ_ATTACK_ATTACK_H
#define BEZ_ATTACK_ATTACK_H

#include "base/json.h"
#include "base/rng.h"
#include "bezoar/attack.h"
#include "format/rewrite.h"
#include "format/table.h"

/* What attackers on updates see: all of the honest ones. */
typedef struct bez_honest_updates {
  const double *row;  /* n × d, row major, within ±BEZ_UPDATE_MOST */
  const double *mean; /* d */
  size_t n, d;
} bez_honest_updates;

typedef struct bez_attack_input {
  const bez_table *table;           /* attacks on data; NULL on updates */
  const bez_honest_updates *honest; /* attacks on updates; NULL on data */
  uint32_t target;   /* label code; meaningless when the table has no label (only label_optional attacks see that) */
  bool target_given; /* false: target is the most frequent label */
  uint32_t source;   /* only rows of this label are poisoned … */
  bool source_given; /* … where it was given */
  uint64_t rows;     /* how many to poison, or updates to craft, ≥ 1 */
  uint64_t seed;
  const char *const *params;
  size_t n_params;
} bez_attack_input;

/* What the attack decided; strings live in the plan's arena. */
typedef struct bez_attack_plan {
  bez_arena arena;
  bez_rewrite rewrite; /* of pictures: .painting; label edits go to the labels file */
  uint64_t *rows;      /* poisoned rows of the output file, ascending */
  size_t n_rows;
  uint64_t *natural; /* rows that equal trigger and target without us, ascending: scored neither way */
  size_t n_natural;
  const char *trigger; /* printable */
  json_t *detail;      /* object with attack-specific facts (columns, values, token); owned */
} bez_attack_plan;

typedef struct bez_attack {
  bez_attack_info info;
  bool label_optional; /* works on a table without a label column */
  /* Attacks on data. */
  bez_status (*plan)(const bez_attack_input *in, bez_attack_plan *plan, bez_error *err);
  /* Attacks on updates; out: in->rows × d. Exactly one of the two is there. */
  bez_status (*craft)(const bez_attack_input *in, double *out, bez_error *err);
} bez_attack;

#define BEZ_ATTACK(symbol) extern const bez_attack symbol;
#include "attack/attacks.def"
#undef BEZ_ATTACK

extern const bez_attack *const bez_attacks[]; /* NULL-terminated */

/* The attack of that name; NULL. */
const bez_attack *bez_attack_find(const char *name);

#endif
