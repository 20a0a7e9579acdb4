/* bez_poison: read, plan, rewrite, write the answer key. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attack/jpeg.h"
#include "attack/plan.h"
#include "base/error.h"
#include "base/file.h"
#include "format/images.h"
#include "format/source.h"

/* The code of a label; BEZ_USAGE when no row has it. */
static bez_status find_label(const bez_table *table, const char *name, uint32_t *code, bez_error *err) {
  const bez_column *label = &table->cols[table->label];
  for (*code = BEZ_CODE_FIRST; *code < label->n_values; ++*code) {
    size_t len;
    const char *value = bez_value(label, *code, &len);
    if (len == strlen(name) && memcmp(value, name, len) == 0) return BEZ_OK;
  }
  return bez_fail(err, BEZ_USAGE, name, "the label column %s does not hold this target", label->name);
}

/* Target and source: codes of the labels named; without a name the most frequent label is the target (the first of
 * equals). */
static bez_status find_labels(const bez_poison_options *options, bez_attack_input *in, bez_error *err) {
  const bez_column *label = &in->table->cols[in->table->label];
  bez_status st = BEZ_OK;
  if (!label->width || label->n_values <= BEZ_CODE_FIRST)
    return bez_fail(err, BEZ_USAGE, label->name, "the label column holds no classes");
  in->target = BEZ_CODE_FIRST;
  for (uint32_t code = BEZ_CODE_FIRST; code < label->n_values; code++)
    if (label->count[code] > label->count[in->target]) in->target = code;
  if (options->target) st = find_label(in->table, options->target, &in->target, err);
  in->source_given = options->source_class != NULL;
  if (st == BEZ_OK && in->source_given) st = find_label(in->table, options->source_class, &in->source, err);
  if (st == BEZ_OK && in->source_given && in->source == in->target)
    st = bez_fail(err, BEZ_USAGE, options->source_class, "source class and target are the same label");
  return st;
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

static void write_label(bez_json *j, const char *key, const bez_attack_input *in, uint32_t code) {
  size_t len;
  bez_json_key(j, key);
  if (in->table->label < 0) {
    bez_json_null(j);
    return;
  }
  const char *value = bez_value(&in->table->cols[in->table->label], code, &len);
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
  write_label(&j, "target", in, in->target);
  if (in->source_given) write_label(&j, "source_class", in, in->source);
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
  const char *labels = options->read.labels_file;
  *attack = options->attack ? bez_attack_find(options->attack) : NULL;
  if (!*attack) return bez_fail(err, BEZ_USAGE, options->attack, "there is no such attack");
  if (!(*attack)->plan)
    return bez_fail(err, BEZ_USAGE, options->attack,
                    "this is an attack on model updates, not on data (bezoar.attack_updates crafts them)");
  if (!path || !out_path) return bez_fail(err, BEZ_USAGE, NULL, "an input and an output are needed");
  if (strcmp(path, out_path) == 0) return bez_fail(err, BEZ_USAGE, out_path, "the output would replace the input");
  if (options->labels_out && !labels)
    return bez_fail(err, BEZ_USAGE, options->labels_out, "there is no labels file to write changed");
  if (options->labels_out && (!strcmp(options->labels_out, labels) || !strcmp(options->labels_out, out_path)))
    return bez_fail(err, BEZ_USAGE, options->labels_out, "the output of the labels would replace another file");
  if (options->source_class && (*attack)->info.clean_label)
    return bez_fail(err, BEZ_USAGE, options->source_class, "this attack poisons rows of the target: no source class");
  return BEZ_OK;
}

static bez_status check_table(const char *path, const bez_table *table, const bez_attack *attack,
                              const bez_poison_options *options, bez_error *err) {
  const char *kind = attack->info.kind;
  if (table->n_files != 1) return bez_fail(err, BEZ_USAGE, path, "one file can be poisoned at a time");
  if (strcmp(kind, "any") != 0 && (table->images != NULL) != (strcmp(kind, "image") == 0))
    return bez_fail(err, BEZ_UNSUPPORTED, path,
                    table->images ? "this attack is none on pictures" : "holds no pictures");
  if (table->label < 0 && !attack->label_optional)
    return bez_fail(err, BEZ_USAGE, path, "this attack needs %s",
                    table->images ? "labels: name their file with --labels-file"
                                  : "a label column: name it with --label");
  if (table->label < 0 && (options->target || options->source_class))
    return bez_fail(err, BEZ_USAGE, options->target ? options->target : options->source_class,
                    "there is no label column");
  return BEZ_OK;
}

static bez_status rewrite_whole(const char *path, const bez_rewrite *plan, const char *out_path, uint64_t n_rows,
                                bez_error *err) {
  bez_rewrite_result result;
  bez_status st = bez_rewrite_file(path, plan, out_path, NULL, &result, err);
  if (st == BEZ_OK && result.n_rows != n_rows)
    st = bez_fail(err, BEZ_INTERNAL, path, "%llu rows were read and %llu rewritten", (unsigned long long)n_rows,
                  (unsigned long long)result.n_rows);
  return st;
}

/* The labels of pictures: the same edits, in the label column of their own file. */
static bez_status write_labels(const bez_poison_options *options, const bez_rewrite *changes, uint64_t n_rows,
                               bez_error *err) {
  bez_status st = BEZ_OK;
  bez_table *labels = NULL;
  bez_edit *edits = NULL;
  BEZ_TRY(bez_labels_open(&options->read, &labels, err));
  edits = malloc((changes->n_edits + 1) * sizeof *edits);
  if (!edits) BEZ_TRY(bez_fail_memory(err, changes->n_edits * sizeof *edits));
  for (size_t i = 0; i < changes->n_edits; i++) {
    edits[i] = changes->edits[i];
    edits[i].col = (uint32_t)labels->label;
  }
  bez_rewrite plan = {
      .edits = edits, .n_edits = changes->n_edits, .copies = changes->copies, .n_copies = changes->n_copies};
  BEZ_TRY(rewrite_whole(options->read.labels_file, &plan, options->labels_out, n_rows, err));
cleanup:
  free(edits);
  bez_table_destroy(labels);
  return st;
}

static bez_status write_pictures(const char *path, const bez_poison_options *options, const bez_rewrite *plan,
                                 const char *out_path, uint64_t n_rows, bez_error *err) {
  if (!options->labels_out && (plan->n_edits || (plan->n_copies && options->read.labels_file)))
    return bez_fail(err, BEZ_USAGE, path,
                    options->read.labels_file ? "this attack changes labels: say where they go with --labels-out"
                                              : "this attack changes labels, and they are in no file of their own");
  bez_rewrite pictures = {.copies = plan->copies,
                          .n_copies = plan->n_copies,
                          .painting = plan->painting,
                          .progress = plan->progress,
                          .progress_ctx = plan->progress_ctx};
  bez_status st = rewrite_whole(path, &pictures, out_path, n_rows, err);
  return st == BEZ_OK && options->labels_out ? write_labels(options, plan, n_rows, err) : st;
}

/* The parameter jpeg= belongs to every attack on pictures, so no attack sees it: it is taken out of the list, which is
 * copied to `kept`. quality 0: not given. */
static bez_status take_jpeg(bez_attack_input *in, const char **kept, int *quality, bez_error *err) {
  size_t n = 0;
  double given = 0;
  *quality = 0;
  if (!in->table->images) return BEZ_OK;
  bez_status st = bez_attack_number(in, "jpeg", 1, 100, &given, err);
  for (size_t i = 0; i < in->n_params; i++)
    if (strncmp(in->params[i], "jpeg=", 5) != 0) kept[n++] = in->params[i];
  in->params = kept;
  in->n_params = n;
  *quality = (int)given;
  return st;
}

bez_status bez_poison(const char *path, const bez_poison_options *options, const char *out_path, const char *key_path,
                      bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_attack *attack;
  bez_table *table = NULL;
  bez_attack_plan plan = {0};
  const char **kept;
  int quality;
  bez_read_options read = options->read;
  read.sample = 0;    /* rows are named as the file counts them … */
  read.n_columns = 0; /* … and so are columns */
  bez_attack_input in = {.seed = read.seed,
                         .params = options->params,
                         .n_params = options->n_params,
                         .target_given = options->target != NULL};
  BEZ_TRY(bez_source_must_be_local(path, err));
  BEZ_TRY(check_options(path, options, out_path, &attack, err));
  BEZ_TRY(bez_table_open(&path, 1, &read, &table, err));
  in.table = table;
  BEZ_TRY(check_table(path, table, attack, options, err));
  if (table->label >= 0) BEZ_TRY(find_labels(options, &in, err));
  BEZ_TRY(how_many(options, table->n_rows, &in.rows, err));
  kept = bez_arena_array(&plan.arena, in.n_params + 1, sizeof *kept);
  if (!kept) BEZ_TRY(bez_fail_memory(err, in.n_params * sizeof *kept));
  BEZ_TRY(take_jpeg(&in, kept, &quality, err));
  BEZ_TRY(attack->plan(&in, &plan, err));
  if (quality) BEZ_TRY(bez_jpeg_after(table->images, quality, &plan, err));
  plan.rewrite.progress = read.progress;
  plan.rewrite.progress_ctx = read.progress_ctx;
  if (table->images)
    BEZ_TRY(write_pictures(path, options, &plan.rewrite, out_path, table->n_rows, err));
  else
    BEZ_TRY(rewrite_whole(path, &plan.rewrite, out_path, table->n_rows, err));
  if (key_path) BEZ_TRY(write_key(attack, &in, &plan, key_path, err));
cleanup:
  json_decref(plan.detail);
  bez_arena_free(&plan.arena);
  bez_table_destroy(table);
  return st;
}
