/* bezoar.yaml:
 *
 *   fail-on: warning        # an option: holds for every command that has it
 *   scan:                   # a command: holds for that command alone
 *     label: income
 *     only: [BZ-D001, BZ-D004]
 *     redact: true
 */
#include "cli/config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/yaml.h"

static void variable_name(const char *option, char *out, size_t cap) {
  int n = snprintf(out, cap, "BEZOAR_%s", option);
  for (int i = 0; i < n && (size_t)i < cap - 1; i++)
    out[i] = out[i] == '-' ? '_' : (char)toupper((unsigned char)out[i]);
}

/* An option that may be repeated, but whose values may hold commas, takes one value per line. */
static bez_status apply_lines(bez_args *args, int option, const char *value, const char *subject, bez_error *err) {
  bez_status st = BEZ_OK;
  for (const char *p = value; st == BEZ_OK && *p;) {
    size_t len = strcspn(p, "\n");
    char *line = bez_arena_strndup(&args->arena, p, len);
    if (!line) return bez_fail_memory(err, len + 1);
    if (len) st = bez_args_add(args, option, BEZ_FROM_ENVIRONMENT, line, subject, -1, err);
    p += len + (p[len] == '\n');
  }
  return st;
}

static bez_status apply_environment(bez_args *args, bez_error *err) {
  const bez_option *options = args->command->options;
  for (int i = 0; options[i].name; i++) {
    char name[80];
    variable_name(options[i].name, name, sizeof name);
    const char *value = getenv(name);
    if (!value || !*value) continue;
    if (options[i].kind == BEZ_ARG_FLAG) { /* BEZOAR_REDACT=1 */
      if (!strcmp(value, "1")) value = "true";
      if (!strcmp(value, "0")) value = "false";
    }
    bez_status st = options[i].repeat && !options[i].list
                        ? apply_lines(args, i, value, name, err)
                        : bez_args_add(args, i, BEZ_FROM_ENVIRONMENT, value, name, -1, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bez_status apply_value(bez_args *args, int option, bez_origin origin, const char *path, const bez_yaml *node,
                              bez_error *err) {
  const bez_option *o = &args->command->options[option];
  bez_status st = BEZ_OK;
  if (node->kind == BEZ_YAML_SCALAR) return bez_args_add(args, option, origin, node->text, path, node->line, err);
  if (node->kind != BEZ_YAML_LIST || !(o->repeat || o->list))
    return bez_fail_at(err, BEZ_USAGE, path, node->line, -1, "\"%s\" needs %s", o->name,
                       o->repeat || o->list ? "a value or a list" : "one value");
  for (size_t i = 0; i < node->n_items && st == BEZ_OK; i++) {
    const bez_yaml *item = node->items[i];
    st = item->kind == BEZ_YAML_SCALAR
             ? bez_args_add(args, option, origin, item->text, path, item->line, err)
             : bez_fail_at(err, BEZ_USAGE, path, item->line, -1, "\"%s\" needs a list of plain values", o->name);
  }
  return st;
}

static bool known_anywhere(const char *name) {
  for (size_t i = 0; bez_commands[i]; i++)
    if (!bez_commands[i]->hidden && bez_args_option(bez_commands[i], name) >= 0) return true;
  return false;
}

static bez_status fail_unknown(const bez_command *command, const char *path, const char *key, int64_t line,
                               bez_error *err) {
  const char *names[128];
  size_t n = 0;
  for (int i = 0; command->options[i].name && n < 128; i++) names[n++] = command->options[i].name;
  const char *near = bez_nearest(key, names, n);
  if (near)
    return bez_fail_at(err, BEZ_USAGE, path, line, -1, "unknown option \"%s\"; did you mean \"%s\"?", key, near);
  return bez_fail_at(err, BEZ_USAGE, path, line, -1, "unknown option \"%s\"", key);
}

/* The options of one mapping. A command's own section must fit the command; the top level may hold options that only
 * other commands have. */
static bez_status apply_map(bez_args *args, const char *path, const bez_yaml *map, bez_origin origin, bez_error *err) {
  bool own = origin == BEZ_FROM_FILE_SECTION;
  for (size_t i = 0; i < map->n_items; i++) {
    const char *key = map->keys[i];
    int option = bez_args_option(args->command, key);
    if (!own && bez_command_find(key)) continue;
    if (!strcmp(key, "config"))
      return bez_fail_at(err, BEZ_USAGE, path, map->key_lines[i], -1, "a configuration file names no other one");
    if (option < 0 && (own || !known_anywhere(key)))
      return fail_unknown(args->command, path, key, map->key_lines[i], err);
    if (option < 0 || map->items[i]->kind == BEZ_YAML_NULL) continue;
    bez_status st = apply_value(args, option, origin, path, map->items[i], err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bez_status apply_file(bez_args *args, const char *path, bez_error *err) {
  const bez_yaml *root = NULL;
  bez_status st = bez_yaml_read_file(path, &args->arena, &root, err);
  if (st != BEZ_OK) return st;
  if (root->kind == BEZ_YAML_NULL) return BEZ_OK;
  if (root->kind != BEZ_YAML_MAP)
    return bez_fail_at(err, BEZ_USAGE, path, root->line, -1, "a configuration file is a mapping of options");
  const bez_yaml *own = bez_yaml_get(root, args->command->name);
  if (own && own->kind != BEZ_YAML_NULL && own->kind != BEZ_YAML_MAP)
    return bez_fail_at(err, BEZ_USAGE, path, own->line, -1, "\"%s\" needs a mapping of options", args->command->name);
  if (own && own->kind == BEZ_YAML_MAP) st = apply_map(args, path, own, BEZ_FROM_FILE_SECTION, err);
  return st == BEZ_OK ? apply_map(args, path, root, BEZ_FROM_FILE, err) : st;
}

bez_status bez_config_apply(bez_args *args, bez_error *err) {
  bez_status st = apply_environment(args, err);
  if (st != BEZ_OK) return st;
  const char *path = bez_args_text(args, "config");
  return path ? apply_file(args, path, err) : BEZ_OK;
}
