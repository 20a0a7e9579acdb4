/* The table-driven parser of the command line. */
#include "cli/args.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

const char *bez_origin_text(bez_origin origin) {
  switch (origin) {
    case BEZ_FROM_FILE:
    case BEZ_FROM_FILE_SECTION: return "file";
    case BEZ_FROM_ENVIRONMENT: return "environment";
    case BEZ_FROM_FLAG: return "flag";
    default: return "default";
  }
}

int bez_args_option(const bez_command *command, const char *name) {
  for (int i = 0; command->options[i].name; i++)
    if (!strcmp(command->options[i].name, name)) return i;
  return -1;
}

static bool is_choice(const char *choices, const char *value) {
  size_t len = strlen(value);
  for (const char *p = choices; *p;) {
    size_t word = strcspn(p, " ");
    if (word == len && !memcmp(p, value, len)) return true;
    p += word + strspn(p + word, " ");
  }
  return false;
}

static bool is_number(const char *value, bool whole) {
  char *end = NULL;
  errno = 0;
  if (!isdigit((unsigned char)*value) && (whole || *value != '.')) return false;
  if (whole) {
    (void)strtoull(value, &end, 10);
    return !*end && !errno;
  }
  double number = strtod(value, &end);
  return end != value && !*end && isfinite(number) && number >= 0;
}

static bez_status check_value(const bez_option *o, const char *value, const char *subject, int64_t line,
                              bez_error *err) {
  uint64_t size;
  double seconds;
  switch (o->kind) {
    case BEZ_ARG_FLAG:
      if (is_choice("true false", value)) return BEZ_OK;
      return bez_fail_at(err, BEZ_USAGE, subject, line, -1, "\"%s\" is neither true nor false", value);
    case BEZ_ARG_NUMBER:
      if (is_number(value, true)) return BEZ_OK;
      return bez_fail_at(err, BEZ_USAGE, subject, line, -1, "\"%s\" is no whole number", value);
    case BEZ_ARG_REAL:
      if (is_number(value, false)) return BEZ_OK;
      return bez_fail_at(err, BEZ_USAGE, subject, line, -1, "\"%s\" is no number", value);
    case BEZ_ARG_SIZE:
      if (bez_args_bytes(value, &size)) return BEZ_OK;
      return bez_fail_at(err, BEZ_USAGE, subject, line, -1, "\"%s\" is no size (such as 512M or 2G)", value);
    case BEZ_ARG_TIME:
      if (bez_args_seconds(value, &seconds)) return BEZ_OK;
      return bez_fail_at(err, BEZ_USAGE, subject, line, -1, "\"%s\" is no time (such as 30s or 5m)", value);
    case BEZ_ARG_CHOICE:
      if (is_choice(o->choices, value)) return BEZ_OK;
      return bez_fail_at(err, BEZ_USAGE, subject, line, -1, "\"%s\" is none of: %s", value, o->choices);
    default: break;
  }
  if (*value) return BEZ_OK;
  return bez_fail_at(err, BEZ_USAGE, subject, line, -1, "the value is empty");
}

static bez_status push(bez_args *args, bez_arg_slot *slot, const char *value, size_t len, bez_error *err) {
  if (slot->n == slot->cap) {
    size_t cap = slot->cap ? 2 * slot->cap : 4;
    const char **values = bez_arena_array(&args->arena, cap, sizeof *values);
    if (!values) return bez_fail_memory(err, cap * sizeof *values);
    if (slot->n) memcpy(values, slot->values, slot->n * sizeof *values);
    slot->values = values;
    slot->cap = cap;
  }
  char *copy = bez_arena_strndup(&args->arena, value, len);
  if (!copy) return bez_fail_memory(err, len + 1);
  slot->values[slot->n++] = copy;
  return BEZ_OK;
}

bez_status bez_args_add(bez_args *args, int option, bez_origin origin, const char *value, const char *subject,
                        int64_t line, bez_error *err) {
  const bez_option *o = &args->command->options[option];
  bez_arg_slot *slot = &args->slots[option];
  bez_status st = check_value(o, value, subject, line, err);
  if (st != BEZ_OK) return st;
  if (slot->n && slot->origin > origin) return BEZ_OK; /* a stronger origin stays … */
  if (slot->origin < origin) slot->n = 0;              /* … and replaces */
  slot->origin = origin;
  if (slot->n && !o->repeat && !o->list) return bez_fail_at(err, BEZ_USAGE, subject, line, -1, "is given twice");
  if (!o->list) return push(args, slot, value, strlen(value), err);
  for (const char *p = value; st == BEZ_OK;) {
    size_t len = strcspn(p, ",");
    if (len) st = push(args, slot, p, len, err);
    if (!p[len]) break;
    p += len + 1;
  }
  return st;
}

/* `--labl`: what was meant? */
static bez_status fail_unknown(const bez_command *command, const char *given, bez_error *err) {
  const char *names[128];
  size_t n = 0;
  for (int i = 0; command->options[i].name && n < 127; i++) names[n++] = command->options[i].name;
  names[n++] = "help";
  char word[64], subject[80];
  snprintf(word, sizeof word, "%s", given);
  word[strcspn(word, "=")] = '\0';
  snprintf(subject, sizeof subject, "--%s", word);
  const char *near = bez_nearest(word, names, n);
  if (near) return bez_fail(err, BEZ_USAGE, subject, "unknown option; did you mean --%s?", near);
  return bez_fail(err, BEZ_USAGE, subject, "unknown option");
}

typedef struct walker {
  int argc, at;
  const char *const *argv;
} walker;

/* The value of an option: behind "=", or the next argument unless that is an option itself. */
static bez_status take_value(walker *w, const char *inline_value, const char *subject, const bez_option *o,
                             const char **out, bez_error *err) {
  if (inline_value) {
    *out = inline_value;
    return BEZ_OK;
  }
  const char *next = w->at < w->argc ? w->argv[w->at] : NULL;
  bool is_option = next && next[0] == '-' && next[1] == '-';
  if (!next || is_option) return bez_fail(err, BEZ_USAGE, subject, "needs a value (%s)", o->value ? o->value : "VALUE");
  w->at++;
  *out = next;
  return BEZ_OK;
}

static bez_status parse_long(bez_args *args, walker *w, const char *arg, bez_error *err) {
  char name[64], subject[80];
  const char *equals = strchr(arg, '=');
  size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
  if (len >= sizeof name) return fail_unknown(args->command, arg, err);
  memcpy(name, arg, len);
  name[len] = '\0';
  if (!strcmp(name, "help")) {
    args->help = true;
    return BEZ_OK;
  }
  snprintf(subject, sizeof subject, "--%s", name);
  int option = bez_args_option(args->command, name);
  bool off = option < 0 && !strncmp(name, "no-", 3);
  if (off) option = bez_args_option(args->command, name + 3);
  if (option < 0 || (off && args->command->options[option].kind != BEZ_ARG_FLAG))
    return fail_unknown(args->command, name, err);
  const bez_option *o = &args->command->options[option];
  const char *value = off ? "false" : "true";
  if (o->kind == BEZ_ARG_FLAG && equals)
    return bez_fail(err, BEZ_USAGE, subject, "takes no value (--%s or --no-%s)", o->name, o->name);
  if (o->kind != BEZ_ARG_FLAG) {
    bez_status st = take_value(w, equals ? equals + 1 : NULL, subject, o, &value, err);
    if (st != BEZ_OK) return st;
  }
  return bez_args_add(args, option, BEZ_FROM_FLAG, value, subject, -1, err);
}

static bez_status parse_short(bez_args *args, walker *w, const char *arg, bez_error *err) {
  char subject[] = {'-', arg[1], '\0'};
  if (arg[1] == 'h' && !arg[2]) {
    args->help = true;
    return BEZ_OK;
  }
  for (int i = 0; args->command->options[i].name; i++) {
    const bez_option *o = &args->command->options[i];
    if (o->letter != arg[1]) continue;
    const char *value = "true";
    if (o->kind == BEZ_ARG_FLAG && arg[2]) break;
    if (o->kind != BEZ_ARG_FLAG) {
      bez_status st = take_value(w, arg[2] ? arg + 2 + (arg[2] == '=') : NULL, subject, o, &value, err);
      if (st != BEZ_OK) return st;
    }
    return bez_args_add(args, i, BEZ_FROM_FLAG, value, subject, -1, err);
  }
  return bez_fail(err, BEZ_USAGE, arg, "unknown option");
}

static bez_status check_positional(const bez_args *args, bez_error *err) {
  const bez_command *c = args->command;
  if (args->help) return BEZ_OK;
  if (args->n_positional < (size_t)c->min_positional) return bez_fail(err, BEZ_USAGE, c->name, "needs %s", c->synopsis);
  if (c->max_positional >= 0 && args->n_positional > (size_t)c->max_positional)
    return bez_fail(err, BEZ_USAGE, args->positional[c->max_positional], "one argument too many");
  return BEZ_OK;
}

bez_status bez_args_parse(const bez_command *command, int argc, const char *const *argv, bez_args *out,
                          bez_error *err) {
  size_t n_options = 0;
  while (command->options[n_options].name) n_options++;
  *out = (bez_args){.command = command};
  out->slots = bez_arena_array(&out->arena, n_options + 1, sizeof *out->slots);
  out->positional = bez_arena_array(&out->arena, (size_t)argc + 1, sizeof *out->positional);
  if (!out->slots || !out->positional) return bez_fail_memory(err, n_options * sizeof *out->slots);
  walker w = {.argc = argc, .argv = argv};
  bool only_positional = false;
  while (w.at < argc) {
    const char *arg = argv[w.at++];
    bez_status st = BEZ_OK;
    if (only_positional || arg[0] != '-' || !arg[1])
      out->positional[out->n_positional++] = arg;
    else if (!strcmp(arg, "--"))
      only_positional = true;
    else if (arg[1] == '-')
      st = parse_long(out, &w, arg + 2, err);
    else
      st = parse_short(out, &w, arg, err);
    if (st != BEZ_OK) return st;
  }
  return check_positional(out, err);
}

void bez_args_free(bez_args *args) {
  bez_arena_free(&args->arena);
  *args = (bez_args){0};
}

static const bez_arg_slot *slot_of(const bez_args *args, const char *name) {
  int i = bez_args_option(args->command, name);
  return i < 0 ? NULL : &args->slots[i];
}

bool bez_args_given(const bez_args *args, const char *name) {
  const bez_arg_slot *slot = slot_of(args, name);
  return slot && slot->n > 0;
}

const char *bez_args_text(const bez_args *args, const char *name) {
  int i = bez_args_option(args->command, name);
  if (i < 0) return NULL;
  const bez_arg_slot *slot = &args->slots[i];
  return slot->n ? slot->values[slot->n - 1] : args->command->options[i].fallback;
}

bool bez_args_flag(const bez_args *args, const char *name) {
  const char *text = bez_args_text(args, name);
  return text && !strcmp(text, "true");
}

uint64_t bez_args_number(const bez_args *args, const char *name) {
  const char *text = bez_args_text(args, name);
  int i = bez_args_option(args->command, name);
  uint64_t value = 0;
  if (!text) return 0;
  if (args->command->options[i].kind == BEZ_ARG_SIZE) return bez_args_bytes(text, &value) ? value : 0;
  return strtoull(text, NULL, 10);
}

double bez_args_real(const bez_args *args, const char *name) {
  const char *text = bez_args_text(args, name);
  int i = bez_args_option(args->command, name);
  double value = 0;
  if (!text) return 0;
  if (args->command->options[i].kind == BEZ_ARG_TIME) return bez_args_seconds(text, &value) ? value : 0;
  return strtod(text, NULL);
}

size_t bez_args_list(const bez_args *args, const char *name, const char *const **out) {
  const bez_arg_slot *slot = slot_of(args, name);
  *out = slot && slot->n ? slot->values : NULL;
  return slot ? slot->n : 0;
}
