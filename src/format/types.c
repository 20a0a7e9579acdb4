/* What a column is and what it is for: type inference, and the guess of the label.
 *
 * Types, in this order; shares are of the rows whose cell is not missing:
 *   numeric      ≥ 98 % read as a number (an integer column that only counts rows is an identifier)
 *   time         ≥ 98 % read as an ISO 8601 date or time
 *   text         on average ≥ 3 words or > 30 bytes, and > 50 % distinct; or any cell above BEZ_MAX_DICT_VALUE
 *   identifier   ≥ 95 % distinct among ≥ 100
 *   categorical  everything else */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/builder_internal.h"

#define MOST 0.98         /* share of cells that decides numeric and time */
#define NEARLY_ALL 0.95   /* share of distinct values, or of steps in one direction */
#define ENOUGH_ROWS 100u  /* below, distinct values prove nothing */
#define LABEL_CLASSES 20u /* a last column with at most so many values may be the label */

/* Names that say "label", strongest first; compared without case, spaces, '-' and '_'. */
static const char *const label_names[] = {
    "label",     "labels",  "target",        "targets", "class",   "classes", "y",        "classlabel", "isspam",
    "isfraud",   "outcome", "incomeperyear", "income",  "spam",    "fraud",   "category", "labelname",  "groundtruth",
    "diagnosis", "species", "sentiment",     "toxic",   "default", "churn",   "survived"};

static const char *const id_names[] = {"id", "uuid", "guid", "rowid", "index", "key", "rownum", "rownumber"};

static void plain_name(const char *name, char *out, size_t cap) {
  size_t n = 0;
  for (; *name && n + 1 < cap; name++)
    if (isalnum((unsigned char)*name)) out[n++] = (char)tolower((unsigned char)*name);
  out[n] = 0;
}

static bool names_an_id(const char *name) {
  char plain[64];
  plain_name(name, plain, sizeof plain);
  for (size_t i = 0; i < sizeof id_names / sizeof *id_names; i++)
    if (!strcmp(plain, id_names[i])) return true;
  size_t n = strlen(name);
  return n > 3 && (!strcasecmp(name + n - 3, "_id") || !strcasecmp(name + n - 3, "-id") ||
                   !strcmp(name + n - 2, "Id") || !strcmp(name + n - 2, "ID"));
}

static bool counts_rows(const char *name, const bez_column_stats *s) {
  if (s->n_integer < s->n_present || s->n_distinct < s->n_present * NEARLY_ALL) return false;
  if (names_an_id(name)) return s->n_present >= 20;
  if (s->n_present < ENOUGH_ROWS || s->n_distinct < s->n_present) return false;
  return s->n_up >= s->n_steps * NEARLY_ALL || s->n_down >= s->n_steps * NEARLY_ALL;
}

bez_column_type bez_infer_type(const char *name, const bez_column_stats *s) {
  if (s->longest > BEZ_MAX_DICT_VALUE) return BEZ_COL_TEXT;
  if (s->n_present == 0) return BEZ_COL_CATEGORICAL;
  double present = (double)s->n_present;
  if ((double)s->n_number >= MOST * present) return counts_rows(name, s) ? BEZ_COL_IDENTIFIER : BEZ_COL_NUMERIC;
  if ((double)s->n_time >= MOST * present) return BEZ_COL_TIME;
  bool wordy = (double)s->words >= 3 * present || (double)s->length > 30 * present;
  if (wordy && (double)s->n_distinct > 0.5 * present && (double)s->words > 1.5 * present) return BEZ_COL_TEXT;
  bool all_distinct = (double)s->n_distinct >= NEARLY_ALL * present;
  if (all_distinct && s->n_present >= (names_an_id(name) ? 20 : ENOUGH_ROWS)) return BEZ_COL_IDENTIFIER;
  return BEZ_COL_CATEGORICAL;
}

static bool parse_type(const char *text, bez_column_type *out) {
  for (int t = BEZ_COL_NUMERIC; t <= BEZ_COL_TIME; t++)
    if (!strcmp(text, bez_column_type_text((bez_column_type)t))) {
      *out = (bez_column_type)t;
      return true;
    }
  return false;
}

bool bez_forced_type(const bez_read_options *o, const char *name, bez_column_type *out) {
  bool forced = false;
  size_t n = strlen(name);
  for (size_t i = 0; i < o->n_types; i++)
    if (!strncmp(o->types[i], name, n) && o->types[i][n] == '=' && parse_type(o->types[i] + n + 1, out)) forced = true;
  if (forced) return true;
  *out = BEZ_COL_CATEGORICAL;
  if ((o->label && !strcmp(o->label, name)) || (o->source && !strcmp(o->source, name))) return true;
  *out = BEZ_COL_IDENTIFIER;
  if (o->id && !strcmp(o->id, name)) return true;
  *out = BEZ_COL_TEXT;
  for (size_t i = 0; i < o->n_text; i++)
    if (!strcmp(o->text[i], name)) return true;
  return false;
}

/* Every column name, as far as the error's text holds them. */
static bez_status no_such_column(const bez_table *table, const char *option, const char *name, bez_error *err) {
  char list[BEZ_ERROR_TEXT - 100];
  size_t n = 0;
  list[0] = 0;
  for (uint32_t c = 0; c < table->n_cols; c++) {
    size_t len = strlen(table->cols[c].name);
    if (n + len + 8 > sizeof list) {
      memcpy(list + n, ", …", sizeof ", …");
      break;
    }
    if (c) memcpy(list + n, ", ", 2), n += 2;
    memcpy(list + n, table->cols[c].name, len + 1);
    n += len;
  }
  return bez_fail(err, BEZ_USAGE, name, "%s: no such column; the data has: %s", option, list);
}

static bez_status give_role(bez_table *table, const char *option, const char *name, bez_column_role role,
                            bez_column_type type, bool set_type, int *index, bez_error *err) {
  int c = bez_table_find(table, name);
  if (c < 0) return no_such_column(table, option, name, err);
  bez_column *col = &table->cols[c];
  if (col->role_given && col->role != role)
    return bez_fail(err, BEZ_USAGE, name, "%s: the column already is the %s", option, bez_column_role_text(col->role));
  col->role = role;
  col->role_given = true;
  if (set_type && !col->type_given) col->type = type;
  if (index) *index = c;
  return BEZ_OK;
}

static bez_status apply_types(bez_table *table, const bez_read_options *o, bez_error *err) {
  for (size_t i = 0; i < o->n_types; i++) {
    const char *eq = strrchr(o->types[i], '=');
    bez_column_type type;
    if (!eq || !parse_type(eq + 1, &type))
      return bez_fail(err, BEZ_USAGE, o->types[i],
                      "--type wants COLUMN=TYPE with numeric, categorical, text, identifier or time");
    char *name = strndup(o->types[i], (size_t)(eq - o->types[i]));
    if (!name) return bez_fail_memory(err, 1);
    int c = bez_table_find(table, name);
    bez_status st = c < 0 ? no_such_column(table, "--type", name, err) : BEZ_OK;
    free(name);
    if (st != BEZ_OK) return st;
    table->cols[c].type = type;
    table->cols[c].type_given = true;
  }
  return BEZ_OK;
}

static bool may_be_label(const bez_column *col, const bez_column_stats *s) {
  if (col->role_given || col->type == BEZ_COL_TEXT || col->type == BEZ_COL_IDENTIFIER || col->type == BEZ_COL_TIME)
    return false;
  return s->n_distinct >= 2 && s->n_distinct <= BEZ_MAX_CLASSES && s->n_distinct * 2 <= s->n_present + 2;
}

/* By name; else the last column if it has 2 … 20 values that are words or whole numbers, or else the first. */
static int guess_label(const bez_table *table, const bez_column_stats *stats) {
  char plain[64];
  for (size_t i = 0; i < sizeof label_names / sizeof *label_names; i++)
    for (uint32_t c = 0; c < table->n_cols; c++) {
      plain_name(table->cols[c].name, plain, sizeof plain);
      if (!strcmp(plain, label_names[i]) && may_be_label(&table->cols[c], &stats[c])) return (int)c;
    }
  uint32_t ends[2] = {table->n_cols - 1, 0};
  for (unsigned k = 0; k < 2 && table->n_cols > 1; k++) {
    const bez_column_stats *s = &stats[ends[k]];
    if (!may_be_label(&table->cols[ends[k]], s) || s->n_distinct > LABEL_CLASSES) continue;
    if (s->n_missing * 10 <= s->n_rows && (s->n_number == 0 || s->n_integer == s->n_number)) return (int)ends[k];
  }
  return -1;
}

static bez_status find_label(bez_table *table, const bez_read_options *o, const bez_column_stats *stats,
                             bez_error *err) {
  if (o->label)
    return give_role(table, "--label", o->label, BEZ_ROLE_LABEL, BEZ_COL_CATEGORICAL, true, &table->label, err);
  int guess = guess_label(table, stats);
  if (guess < 0) return BEZ_OK;
  bez_column *col = &table->cols[guess];
  if (o->no_guess)
    return bez_fail(err, BEZ_USAGE, col->name,
                    "the label column would be a guess (this one); name it with --label, guesses are off here");
  table->label = guess;
  table->label_guessed = true;
  col->role = BEZ_ROLE_LABEL;
  if (!col->type_given) col->type = BEZ_COL_CATEGORICAL;
  return BEZ_OK;
}

static void default_roles(bez_table *table, const bez_read_options *o) {
  for (uint32_t c = 0; c < table->n_cols; c++) {
    bez_column *col = &table->cols[c];
    if (col->role != BEZ_ROLE_FEATURE || col->role_given) continue;
    if (col->type == BEZ_COL_TEXT) col->role = o->n_text ? BEZ_ROLE_IGNORED : BEZ_ROLE_TEXT;
    if (col->type == BEZ_COL_IDENTIFIER) col->role = BEZ_ROLE_IGNORED;
  }
}

bez_status bez_infer_columns(bez_table *table, const bez_read_options *o, const bez_column_stats *stats,
                             bez_error *err) {
  bez_status st;
  table->label = table->source = table->id = -1;
  for (uint32_t c = 0; c < table->n_cols; c++)
    table->cols[c].type = stats[c].decided ? stats[c].type : bez_infer_type(table->cols[c].name, &stats[c]);
  BEZ_TRY(apply_types(table, o, err));
  for (size_t i = 0; i < o->n_text; i++)
    BEZ_TRY(give_role(table, "--text", o->text[i], BEZ_ROLE_TEXT, BEZ_COL_TEXT, true, NULL, err));
  if (o->source)
    BEZ_TRY(give_role(table, "--source", o->source, BEZ_ROLE_SOURCE, BEZ_COL_CATEGORICAL, true, &table->source, err));
  if (o->id) BEZ_TRY(give_role(table, "--id", o->id, BEZ_ROLE_ID, BEZ_COL_IDENTIFIER, true, &table->id, err));
  BEZ_TRY(find_label(table, o, stats, err));
  default_roles(table, o);
cleanup:
  return st;
}
