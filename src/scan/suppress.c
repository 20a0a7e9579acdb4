/* Suppressions: findings somebody has looked at and answers for, until a date.
 *
 *   suppressions:
 *     - rule: BZ-D001
 *       fingerprint: 3f9a…            # 64 hex digits, or the first 16 or more
 *       owner: data-team@example.org
 *       justification: vendor code 17 really means this
 *       expires: 2027-01-31           # the last day it holds
 *
 * All five are needed. A fingerprint is made of rule, pattern and target, so a suppression survives new rows and does
 * not cover a different trigger. The day after `expires` the finding is raised again. */
#include <ctype.h>
#include <string.h>

#include "base/error.h"
#include "base/yaml.h"
#include "scan/scan.h"

enum { MIN_FINGERPRINT = 16, FULL_FINGERPRINT = 64 };

static bool valid_date(const char *text) {
  static const char shape[] = "dddd-dd-dd";
  if (strlen(text) != sizeof shape - 1) return false;
  for (size_t i = 0; shape[i]; i++)
    if (shape[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != shape[i]) return false;
  static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int month = (text[5] - '0') * 10 + (text[6] - '0'), day = (text[8] - '0') * 10 + (text[9] - '0');
  return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

static bool valid_fingerprint(const char *text) {
  size_t len = strlen(text);
  return len >= MIN_FINGERPRINT && len <= FULL_FINGERPRINT && strspn(text, "0123456789abcdef") == len;
}

/* The text of a field, copied into the report. */
static bez_status take(bez_report *report, const char *path, const bez_yaml *entry, const char *key, const char **out,
                       bez_error *err) {
  const bez_yaml *node = bez_yaml_get(entry, key);
  if (!node || node->kind != BEZ_YAML_SCALAR || !*node->text)
    return bez_fail_at(err, BEZ_USAGE, path, node ? node->line : entry->line, -1,
                       "a suppression needs \"%s\" (as text)", key);
  *out = bez_arena_strdup(&report->arena, node->text);
  return *out ? BEZ_OK : bez_fail_memory(err, strlen(node->text));
}

static bez_status read_entry(bez_report *report, const char *path, const bez_yaml *entry, bez_suppression *s,
                             bez_error *err) {
  static const char *const known[] = {"rule", "fingerprint", "owner", "justification", "expires"};
  bez_status st = BEZ_OK;
  if (entry->kind != BEZ_YAML_MAP)
    return bez_fail_at(err, BEZ_USAGE, path, entry->line, -1,
                       "a suppression is a mapping of rule, fingerprint, owner, justification and expires");
  for (size_t i = 0; i < entry->n_items; i++) {
    bool found = false;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) found = found || !strcmp(entry->keys[i], known[k]);
    if (!found) return bez_fail_at(err, BEZ_USAGE, path, entry->key_lines[i], -1, "unknown key \"%s\"", entry->keys[i]);
  }
  BEZ_TRY(take(report, path, entry, "rule", &s->rule, err));
  BEZ_TRY(take(report, path, entry, "fingerprint", &s->fingerprint, err));
  BEZ_TRY(take(report, path, entry, "owner", &s->owner, err));
  BEZ_TRY(take(report, path, entry, "justification", &s->justification, err));
  BEZ_TRY(take(report, path, entry, "expires", &s->expires, err));
  if (!valid_fingerprint(s->fingerprint))
    BEZ_TRY(bez_fail_at(err, BEZ_USAGE, path, bez_yaml_get(entry, "fingerprint")->line, -1,
                        "a fingerprint is %d to %d lower-case hex digits", MIN_FINGERPRINT, FULL_FINGERPRINT));
  if (!valid_date(s->expires))
    BEZ_TRY(bez_fail_at(err, BEZ_USAGE, path, bez_yaml_get(entry, "expires")->line, -1,
                        "\"%s\" is no date (YYYY-MM-DD)", s->expires));
cleanup:
  return st;
}

static bez_status read_all(bez_report *report, const char *path, const bez_yaml *root, bez_error *err) {
  const bez_yaml *list = bez_yaml_get(root, "suppressions");
  if (root->kind == BEZ_YAML_NULL || (list && list->kind == BEZ_YAML_NULL)) return BEZ_OK;
  if (!list || list->kind != BEZ_YAML_LIST || root->n_items != 1)
    return bez_fail_at(err, BEZ_USAGE, path, root->line, -1,
                       "a suppression file holds one key, \"suppressions\", with a list");
  report->suppressions = bez_arena_array(&report->arena, list->n_items, sizeof *report->suppressions);
  if (!report->suppressions) return bez_fail_memory(err, list->n_items * sizeof *report->suppressions);
  for (size_t i = 0; i < list->n_items; i++) {
    bez_status st = read_entry(report, path, list->items[i], &report->suppressions[i], err);
    if (st != BEZ_OK) return st;
    report->n_suppressions = i + 1;
  }
  return BEZ_OK;
}

static bool matches(const bez_suppression *s, const bez_finding *f) {
  return f->fingerprint && !strcmp(s->rule, f->rule->id) &&
         !strncmp(s->fingerprint, f->fingerprint, strlen(s->fingerprint));
}

/* Whatever is wrong with the file is wrong with what the caller asked for. */
bez_status bez_scan_load_suppressions(bez_report *report, const char *path, bez_error *err) {
  bez_arena arena = {0};
  bez_error why = {0};
  const bez_yaml *root = NULL;
  bez_status st = bez_yaml_read_file(path, &arena, &root, &why);
  if (st == BEZ_OK) st = read_all(report, path, root, &why);
  bez_arena_free(&arena);
  if (st == BEZ_OK || st == BEZ_MEMORY) return st == BEZ_OK ? st : bez_fail_memory(err, 0);
  return bez_fail_at(err, BEZ_USAGE, why.subject, why.line, why.offset, "%s", why.message);
}

bez_status bez_scan_suppress(bez_report *report, const char *today, bez_error *err) {
  for (size_t k = 0; k < report->n_suppressions; k++) {
    bez_suppression *s = &report->suppressions[k];
    s->expired = strcmp(today, s->expires) > 0; /* ISO dates order like text */
    for (size_t i = 0; i < report->n_findings; i++) {
      bez_finding *f = report->findings[i];
      if (!matches(s, f)) continue;
      s->used = true;
      if (s->expired || f->suppressed) continue;
      f->suppressed = true;
      f->suppressed_by = bez_arena_printf(&report->arena, "%s: %s (until %s)", s->owner, s->justification, s->expires);
      if (!f->suppressed_by) return bez_fail_memory(err, 0);
    }
  }
  return BEZ_OK;
}
