/* Reading policy.yaml; docs/vault/keys.md describes it. */
#include "ledger/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/yaml.h"

enum { MOST_SIGNATURES = 16, MOST_RULES = 1000 };
#define MOST_DELAY (10.0 * 366 * 86400) /* seconds */

void bez_policy_default(bez_policy *out) {
  *out = (bez_policy){.signatures = 1, .require_source = true, .scan_fail_on = "error"};
}

typedef struct reader {
  const char *subject;
  bez_arena *arena;
  bez_policy *policy;
  bez_error *err;
} reader;

static bez_status wrong(const reader *r, int64_t line, const char *key, const char *want) {
  return bez_fail_at(r->err, BEZ_FORMAT, r->subject, line, -1, "%s must be %s", key, want);
}

static bez_status read_bool(const reader *r, const char *key, const bez_yaml *node, bool *out) {
  const bool scalar = node->kind == BEZ_YAML_SCALAR;
  *out = scalar && !strcmp(node->text, "true");
  if (*out || (scalar && !strcmp(node->text, "false"))) return BEZ_OK;
  return wrong(r, node->line, key, "true or false");
}

static bez_status read_signatures(const reader *r, const char *key, const bez_yaml *node) {
  char *end = NULL;
  const unsigned long n =
      node->kind == BEZ_YAML_SCALAR && *node->text >= '0' && *node->text <= '9' ? strtoul(node->text, &end, 10) : 0;
  if (!end || *end || n < 1 || n > MOST_SIGNATURES) return wrong(r, node->line, key, "a number from 1 to 16");
  r->policy->signatures = (unsigned)n;
  return BEZ_OK;
}

static bez_status read_reader(const reader *r, const char *key, const bez_yaml *node) {
  return read_bool(r, key, node, &r->policy->require_reader);
}

static bez_status read_scan(const reader *r, const char *key, const bez_yaml *node) {
  return read_bool(r, key, node, &r->policy->require_scan);
}

/* Sources are always required; the key is there so that a policy can say so. */
static bez_status read_source(const reader *r, const char *key, const bez_yaml *node) {
  bool asked = false;
  bez_status st = read_bool(r, key, node, &asked);
  if (st != BEZ_OK || asked) return st;
  return wrong(r, node->line, key, "true: every submission names a source");
}

static bez_status read_fail_on(const reader *r, const char *key, const bez_yaml *node) {
  static const char *const levels[] = {"error", "warning", "note"};
  for (size_t i = 0; node->kind == BEZ_YAML_SCALAR && i < sizeof levels / sizeof *levels; i++)
    if (!strcmp(node->text, levels[i])) {
      r->policy->scan_fail_on = levels[i];
      return BEZ_OK;
    }
  return wrong(r, node->line, key, "error, warning or note");
}

static bool is_rule(const bez_yaml *node) {
  return node->kind == BEZ_YAML_SCALAR && !strncmp(node->text, "BZ-", 3) && strlen(node->text) <= 16 &&
         strspn(node->text + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(node->text + 3);
}

static bez_status read_rules(const reader *r, const char *key, const bez_yaml *node) {
  if (node->kind != BEZ_YAML_LIST || node->n_items > MOST_RULES)
    return wrong(r, node->line, key, "a list of rule ids, such as [BZ-D001]");
  const char **rules = bez_arena_array(r->arena, node->n_items + 1, sizeof *rules);
  if (!rules) return bez_fail_memory(r->err, node->n_items * sizeof *rules);
  for (size_t i = 0; i < node->n_items; i++) {
    if (!is_rule(node->items[i])) return wrong(r, node->items[i]->line, key, "a list of rule ids, such as [BZ-D001]");
    rules[i] = bez_arena_strdup(r->arena, node->items[i]->text);
    if (!rules[i]) return bez_fail_memory(r->err, 16);
  }
  r->policy->scan_rules = rules;
  r->policy->n_scan_rules = node->n_items;
  return BEZ_OK;
}

/* "90s", "30m", "12h", "7d", "0". */
static bez_status read_delay(const reader *r, const char *key, const bez_yaml *node) {
  static const struct {
    char unit;
    double seconds;
  } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  const char *text = node->kind == BEZ_YAML_SCALAR ? node->text : "";
  const size_t n = strspn(text, "0123456789");
  double factor = n == 1 && !strcmp(text, "0") ? 1 : 0;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (n && n < 10 && text[n] == units[i].unit && !text[n + 1]) factor = units[i].seconds;
  const double seconds = factor > 0 ? factor * (double)strtoul(text, NULL, 10) : -1;
  if (seconds < 0 || seconds > MOST_DELAY) return wrong(r, node->line, key, "a time such as 90s, 30m, 12h or 7d");
  r->policy->delay_seconds = seconds;
  return BEZ_OK;
}

static const struct {
  const char *key;
  bez_status (*read)(const reader *r, const char *key, const bez_yaml *node);
} settings[] = {{"signatures", read_signatures},
                {"require_source", read_source},
                {"require_reader", read_reader},
                {"require_scan", read_scan},
                {"scan_fail_on", read_fail_on},
                {"scan_rules", read_rules},
                {"delay", read_delay}};

static bez_status read_setting(const reader *r, const char *key, int64_t line, const bez_yaml *node) {
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    if (!strcmp(settings[i].key, key)) return settings[i].read(r, key, node);
  return bez_fail_at(r->err, BEZ_FORMAT, r->subject, line, -1,
                     "unknown key %.60s (there are signatures, require_source, require_reader, require_scan, "
                     "scan_fail_on, scan_rules and delay)",
                     key);
}

bez_status bez_policy_parse(const char *yaml, size_t len, const char *subject, bez_arena *arena, bez_policy *out,
                            bez_error *err) {
  const reader r = {subject, arena, out, err};
  const bez_yaml *root = NULL;
  bez_policy_default(out);
  bez_status st = bez_yaml_parse(yaml, len, subject, arena, &root, err);
  if (st != BEZ_OK || root->kind == BEZ_YAML_NULL) return st;
  if (root->kind != BEZ_YAML_MAP)
    return bez_fail_at(err, BEZ_FORMAT, subject, root->line, -1, "is no list of settings");
  for (size_t i = 0; i < root->n_items && st == BEZ_OK; i++)
    st = read_setting(&r, root->keys[i], root->key_lines[i], root->items[i]);
  return st;
}

void bez_policy_write(const bez_policy *policy, bez_json *j) {
  bez_json_open(j, '{');
  bez_json_kuint(j, "signatures", policy->signatures);
  bez_json_kbool(j, "require_source", policy->require_source);
  bez_json_kbool(j, "require_reader", policy->require_reader);
  bez_json_kbool(j, "require_scan", policy->require_scan);
  bez_json_kstr(j, "scan_fail_on", policy->scan_fail_on);
  bez_json_key(j, "scan_rules");
  bez_json_open(j, '[');
  for (size_t i = 0; i < policy->n_scan_rules; i++) bez_json_str(j, policy->scan_rules[i]);
  bez_json_close(j, ']');
  bez_json_knum(j, "delay_seconds", policy->delay_seconds);
  bez_json_close(j, '}');
}
