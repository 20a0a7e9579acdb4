/* bez_poison: read, plan, rewrite, write the answer key. */
#include <math.h>
#include <string.h>

#include "attack/attack.h"
#include "base/error.h"
#include "base/file.h"

/* The code of the target: the one named, else the most frequent label (the first of equals). */
static bez_status find_target(const bez_table *table, const char *name, uint32_t *target, bez_error *err) {
  const bez_column *label = &table->cols[table->label];
  *target = BEZ_CODE_FIRST;
  if (!label->width || label->n_values <= BEZ_CODE_FIRST)
    return bez_fail(err, BEZ_USAGE, label->name, "the label column holds no classes");
  for (uint32_t code = BEZ_CODE_FIRST; code < label->n_values; code++) {
    size_t len;
    const char *value = bez_value(label, code, &len);
    if (name && len == strlen(name) && memcmp(value, name, len) == 0) {
      *target = code;
      return BEZ_OK;
    }
    if (!name && label->count[code] > label->count[*target]) *target = code;
  }
  return name ? bez_fail(err, BEZ_USAGE, name, "the label column %s does not hold this target", label->name) : BEZ_OK;
}

static bez_status how_many(const bez_poison_options *options, uint64_t n_rows, uint64_t *rows, bez_error *err) {
  bool by_rows = options->rows != 0, by_share = options->share != 0;
  if (by_rows == by_share)
    return bez_fail(err, BEZ_USAGE, NULL, "give a number of rows or a share of all rows, one of the two");
  if (by_share && !(options->share > 0 && options->share < 1))
    return bez_fail(err, BEZ_USAGE, "share", "a share lies between 0 and 1");
  *rows = by_rows ? options->rows : (uint64_t)llround(options->share * (double)n_rows);
  if (*rows == 0) *rows = 1;
  if (*rows > n_rows) return bez_fail(err, BEZ_USAGE, NULL, "the file has only %llu rows", (unsigned long long)n_rows);
  return BEZ_OK;
}

static void write_rows(bez_json *j, const char *key, const uint64_t *rows, size_t n) {
  bez_json_key(j, key);
  bez_json_open(j, '[');
  for (size_t i = 0; i < n; i++) bez_json_uint(j, rows[i]);
  bez_json_close(j, ']');
}

static void write_value(bez_json *j, const json_t *value) {
  size_t i;
  const char *key;
  json_t *item;
  switch (json_typeof(value)) {
    case JSON_OBJECT:
      bez_json_open(j, '{');
      json_object_foreach((json_t *)value, key, item) {
        bez_json_key(j, key);
        write_value(j, item);
      }
      bez_json_close(j, '}');
      break;
    case JSON_ARRAY:
      bez_json_open(j, '[');
      json_array_foreach(value, i, item) write_value(j, item);
      bez_json_close(j, ']');
      break;
    case JSON_STRING: bez_json_str(j, json_string_value(value)); break;
    case JSON_INTEGER: bez_json_int(j, json_integer_value(value)); break;
    case JSON_REAL: bez_json_num(j, json_real_value(value)); break;
    case JSON_NULL: bez_json_null(j); break;
    default: bez_json_bool(j, json_is_true(value));
  }
}

static void write_target(bez_json *j, const bez_attack_input *in) {
  size_t len;
  bez_json_key(j, "target");
  if (in->table->label < 0) {
    bez_json_null(j);
    return;
  }
  const char *value = bez_value(&in->table->cols[in->table->label], in->target, &len);
  bez_json_strn(j, value, len);
}

/* schema: "bezoar-answer-key-1". The attack's own facts (columns, values, …) stand beside the common ones. */
static bez_status write_key(const bez_attack *attack, const bez_attack_input *in, const bez_attack_plan *plan,
                            const char *path, bez_error *err) {
  bez_buf buf = {0};
  bez_json j = bez_json_make(&buf, true);
  const char *key;
  json_t *value;
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "schema", "bezoar-answer-key-1");
  bez_json_kstr(&j, "attack", attack->info.name);
  bez_json_kuint(&j, "seed", in->seed);
  bez_json_kbool(&j, "clean_label", attack->info.clean_label);
  write_target(&j, in);
  bez_json_kstr(&j, "label", in->table->label < 0 ? NULL : in->table->cols[in->table->label].name);
  bez_json_kstr(&j, "trigger", plan->trigger);
  json_object_foreach(plan->detail, key, value) {
    bez_json_key(&j, key);
    write_value(&j, value);
  }
  bez_json_kuint(&j, "n_rows", in->table->n_rows);
  write_rows(&j, "rows", plan->rows, plan->n_rows);
  write_rows(&j, "natural", plan->natural, plan->n_natural);
  bez_json_close(&j, '}');
  bez_buf_putc(&buf, '\n');
  bez_status st = bez_buf_status(&buf, err);
  if (st == BEZ_OK) st = bez_file_write(path, buf.data, buf.len, err);
  bez_buf_free(&buf);
  return st;
}

static bez_status check_options(const char *path, const bez_poison_options *options, const char *out_path,
                                const bez_attack **attack, bez_error *err) {
  *attack = options->attack ? bez_attack_find(options->attack) : NULL;
  if (!*attack) return bez_fail(err, BEZ_USAGE, options->attack, "there is no such attack");
  if (!path || !out_path) return bez_fail(err, BEZ_USAGE, NULL, "an input and an output are needed");
  if (strcmp(path, out_path) == 0) return bez_fail(err, BEZ_USAGE, out_path, "the output would replace the input");
  return BEZ_OK;
}

bez_status bez_poison(const char *path, const bez_poison_options *options, const char *out_path, const char *key_path,
                      bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_attack *attack;
  bez_table *table = NULL;
  bez_attack_plan plan = {0};
  bez_rewrite_result result;
  bez_read_options read = options->read;
  read.sample = 0;    /* rows are named as the file counts them … */
  read.n_columns = 0; /* … and so are columns */
  bez_attack_input in = {.seed = read.seed,
                         .params = options->params,
                         .n_params = options->n_params,
                         .target_given = options->target != NULL};
  BEZ_TRY(check_options(path, options, out_path, &attack, err));
  BEZ_TRY(bez_table_open(&path, 1, &read, &table, err));
  in.table = table;
  if (table->n_files != 1) BEZ_TRY(bez_fail(err, BEZ_USAGE, path, "one file can be poisoned at a time"));
  if (table->label < 0 && !attack->label_optional)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, path, "this attack needs a label column: name it with --label"));
  if (table->label < 0 && options->target)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, options->target, "there is no label column"));
  if (table->label >= 0) BEZ_TRY(find_target(table, options->target, &in.target, err));
  BEZ_TRY(how_many(options, table->n_rows, &in.rows, err));
  BEZ_TRY(attack->plan(&in, &plan, err));
  plan.rewrite.progress = read.progress;
  plan.rewrite.progress_ctx = read.progress_ctx;
  BEZ_TRY(bez_rewrite_file(path, &plan.rewrite, out_path, NULL, &result, err));
  if (result.n_rows != table->n_rows)
    BEZ_TRY(bez_fail(err, BEZ_INTERNAL, path, "%llu rows were read and %llu rewritten",
                     (unsigned long long)table->n_rows, (unsigned long long)result.n_rows));
  if (key_path) BEZ_TRY(write_key(attack, &in, &plan, key_path, err));
cleanup:
  json_decref(plan.detail);
  bez_arena_free(&plan.arena);
  bez_table_destroy(table);
  return st;
}
