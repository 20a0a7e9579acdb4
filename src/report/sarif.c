/* SARIF 2.1.0 (OASIS standard, 2020): one result per incident, or per finding of no incident. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "report/groups.h"
#include "report/sarif_where.h"
#include "report/taxonomy.h"
#include "report/visible.h"
#include "report/words.h"
#include "report/writer.h"

enum { MAX_RESULTS = 5000 };

typedef struct bez_sarif {
  bez_json j;
  const bez_report *report;
  const bez_rule **rules; /* those that ran, then those of other findings */
  size_t n_rules;
  bez_sarif_where where;
  bez_buf text; /* scratch */
  bool with_run;
} bez_sarif;

static void kshort(bez_json *j, const char *key, const char *text) {
  bez_json_key(j, key);
  bez_json_open(j, '{');
  bez_json_kstr(j, "text", text ? text : "");
  bez_json_close(j, '}');
}

/* Message strings have a syntax of their own (3.11): links in brackets, placeholders in braces. */
static void put_message(bez_sarif *s, const char *key, const char *text, size_t len) {
  bez_buf seen = {0};
  bez_visible(&seen, text, len, false);
  bez_buf_clear(&s->text);
  for (size_t i = 0; i < seen.len; i++) {
    if (strchr("[]\\", seen.data[i])) bez_buf_putc(&s->text, '\\');
    if (strchr("{}", seen.data[i])) bez_buf_putc(&s->text, seen.data[i]);
    bez_buf_putc(&s->text, seen.data[i]);
  }
  if (seen.failed != BEZ_OK) s->j.out->failed = seen.failed;
  if (s->text.failed != BEZ_OK) s->j.out->failed = s->text.failed;
  kshort(&s->j, key, s->text.data);
  bez_buf_free(&seen);
}

static size_t rule_index(const bez_sarif *s, const bez_rule *rule) {
  size_t i = 0;
  while (i < s->n_rules && strcmp(s->rules[i]->id, rule->id) != 0) i++;
  return i;
}

static bez_status collect_rules(bez_sarif *s, bez_error *err) {
  size_t most = s->report->n_rules_run + s->report->n_findings + 1;
  s->rules = calloc(most, sizeof *s->rules);
  if (!s->rules) return bez_fail_memory(err, most * sizeof *s->rules);
  for (size_t i = 0; i < s->report->n_rules_run; i++) s->rules[s->n_rules++] = s->report->rules_run[i];
  for (size_t i = 0; i < s->report->n_findings; i++)
    if (rule_index(s, s->report->findings[i]->rule) == s->n_rules)
      s->rules[s->n_rules++] = s->report->findings[i]->rule;
  return BEZ_OK;
}

static void put_reference(bez_json *j, const bez_taxonomy *taxonomy) {
  bez_json_open(j, '{');
  bez_json_kstr(j, "name", taxonomy->name);
  bez_json_kuint(j, "index", (uint64_t)(taxonomy - bez_taxonomies));
  bez_json_close(j, '}');
}

static void put_relationships(bez_json *j, const bez_rule *rule) {
  bez_taxon taxon;
  bez_json_key(j, "relationships");
  bez_json_open(j, '[');
  for (const char *at = rule->taxonomy ? rule->taxonomy : ""; bez_taxon_next(&at, &taxon);) {
    if (!taxon.taxonomy) continue;
    bez_json_open(j, '{');
    bez_json_key(j, "target");
    bez_json_open(j, '{');
    bez_json_key(j, "id");
    bez_json_strn(j, taxon.id, taxon.len);
    bez_json_key(j, "toolComponent");
    put_reference(j, taxon.taxonomy);
    bez_json_close(j, '}');
    bez_json_key(j, "kinds");
    bez_json_open(j, '[');
    bez_json_str(j, "relevant");
    bez_json_close(j, ']');
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static void put_rule(bez_sarif *s, const bez_rule *rule) {
  bez_json *j = &s->j;
  bez_json_open(j, '{');
  bez_json_kstr(j, "id", rule->id);
  bez_json_kstr(j, "name", rule->name);
  put_message(s, "shortDescription", rule->title, strlen(rule->title));
  put_message(s, "fullDescription", rule->summary, strlen(rule->summary));
  put_message(s, "help", rule->remedy, strlen(rule->remedy));
  put_relationships(j, rule);
  bez_json_key(j, "properties");
  bez_json_open(j, '{');
  bez_json_key(j, "tags");
  bez_json_open(j, '[');
  bez_json_str(j, "security");
  bez_json_str(j, "data-poisoning");
  bez_json_close(j, ']');
  bez_json_close(j, '}');
  bez_json_close(j, '}');
}

static void put_tool(bez_sarif *s) {
  bez_json *j = &s->j;
  bez_json_key(j, "tool");
  bez_json_open(j, '{');
  bez_json_key(j, "driver");
  bez_json_open(j, '{');
  bez_json_kstr(j, "name", "Bezoar");
  bez_json_kstr(j, "semanticVersion", s->report->tool_version ? s->report->tool_version : BEZ_VERSION_STRING);
  bez_json_key(j, "rules");
  bez_json_open(j, '[');
  for (size_t i = 0; i < s->n_rules; i++) put_rule(s, s->rules[i]);
  bez_json_close(j, ']');
  bez_json_key(j, "notifications");
  bez_json_open(j, '[');
  bez_json_open(j, '{');
  bez_json_kstr(j, "id", "not-checked");
  kshort(j, "shortDescription", "Something was not examined.");
  bez_json_close(j, '}');
  bez_json_close(j, ']');
  bez_json_key(j, "supportedTaxonomies");
  bez_json_open(j, '[');
  for (size_t i = 0; i < bez_taxonomy_count; i++) put_reference(j, &bez_taxonomies[i]);
  bez_json_close(j, ']');
  bez_json_close(j, '}');
  bez_json_close(j, '}');
}

/* True when an earlier rule of the list (or an earlier id of the same rule) named the taxon already. */
static bool named_before(const bez_sarif *s, size_t rule, const char *here, const bez_taxon *taxon) {
  bez_taxon other;
  for (size_t i = 0; i <= rule; i++)
    for (const char *at = s->rules[i]->taxonomy ? s->rules[i]->taxonomy : ""; bez_taxon_next(&at, &other);) {
      if (i == rule && at == here) return false;
      if (other.taxonomy == taxon->taxonomy && other.len == taxon->len && !memcmp(other.id, taxon->id, taxon->len))
        return true;
    }
  return false;
}

static void put_taxa(bez_sarif *s, const bez_taxonomy *taxonomy) {
  bez_json *j = &s->j;
  bez_taxon taxon;
  bez_json_key(j, "taxa");
  bez_json_open(j, '[');
  for (size_t i = 0; i < s->n_rules; i++)
    for (const char *at = s->rules[i]->taxonomy ? s->rules[i]->taxonomy : ""; bez_taxon_next(&at, &taxon);) {
      if (taxon.taxonomy != taxonomy || named_before(s, i, at, &taxon)) continue;
      bez_json_open(j, '{');
      bez_json_key(j, "id");
      bez_json_strn(j, taxon.id, taxon.len);
      if (*taxon.title) bez_json_kstr(j, "name", taxon.title);
      bez_json_close(j, '}');
    }
  bez_json_close(j, ']');
}

static void put_taxonomies(bez_sarif *s) {
  bez_json *j = &s->j;
  bez_json_key(j, "taxonomies");
  bez_json_open(j, '[');
  for (size_t i = 0; i < bez_taxonomy_count; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "name", bez_taxonomies[i].name);
    bez_json_kstr(j, "version", bez_taxonomies[i].version);
    bez_json_kstr(j, "organization", bez_taxonomies[i].organization);
    bez_json_kstr(j, "informationUri", bez_taxonomies[i].uri);
    bez_json_kbool(j, "isComprehensive", false);
    put_taxa(s, &bez_taxonomies[i]);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static void put_invocation(bez_sarif *s) {
  bez_json *j = &s->j;
  bez_json_key(j, "invocations");
  bez_json_open(j, '[');
  bez_json_open(j, '{');
  bez_json_kbool(j, "executionSuccessful", bez_report_unexamined(s->report) == 0);
  bez_json_key(j, "toolExecutionNotifications");
  bez_json_open(j, '[');
  for (const bez_not_checked *item = s->report->not_checked; item; item = item->next) {
    bez_buf line = {0};
    bez_buf_printf(&line, "Not checked: %s: %s", item->what, item->reason);
    bez_json_open(j, '{');
    bez_json_key(j, "descriptor");
    bez_json_open(j, '{');
    bez_json_kstr(j, "id", "not-checked");
    bez_json_kuint(j, "index", 0);
    bez_json_close(j, '}');
    bez_json_kstr(j, "level", item->requested ? "error" : "note");
    put_message(s, "message", line.data ? line.data : "", line.len);
    bez_json_close(j, '}');
    if (line.failed != BEZ_OK) j->out->failed = line.failed;
    bez_buf_free(&line);
  }
  bez_json_close(j, ']');
  if (s->with_run) {
    bez_json_key(j, "properties");
    bez_json_open(j, '{');
    for (size_t i = 0; i < s->report->n_run; i++)
      if (strcmp(s->report->run[i].key, "tags") != 0) /* a property bag's tags are an array of strings */
        bez_json_kstr(j, s->report->run[i].key, s->report->run[i].value);
    bez_json_close(j, '}');
  }
  bez_json_close(j, '}');
  bez_json_close(j, ']');
}

static void put_result_message(bez_sarif *s, const bez_group *g) {
  bez_buf text = {0};
  bez_buf_puts(&text, g->title);
  for (size_t i = 0; i < g->n_members; i++) {
    const bez_finding *f = g->member[i];
    if (f->title != g->title && strcmp(f->title, g->title) != 0)
      bez_buf_printf(&text, "\n%s %s: %s", f->rule->id, f->rule->title, f->title);
  }
  bez_buf_printf(&text, "\nWhat to do: %s", bez_remedy_of(g->lead));
  /* Line breaks are ours: escape line by line. */
  bez_buf seen = {0};
  for (const char *at = text.data ? text.data : ""; *at;) {
    size_t len = strcspn(at, "\n");
    bez_visible(&seen, at, len, false);
    at += len + (at[len] == '\n');
    if (*at) bez_buf_puts(&seen, ". ");
  }
  put_message(s, "message", seen.data ? seen.data : "", seen.len);
  if (text.failed != BEZ_OK || seen.failed != BEZ_OK) s->j.out->failed = BEZ_MEMORY;
  bez_buf_free(&text);
  bez_buf_free(&seen);
}

static void put_suppressions(bez_sarif *s, const bez_group *g) {
  bez_json *j = &s->j;
  bez_json_key(j, "suppressions");
  bez_json_open(j, '[');
  if (!g->active && g->lead->suppressed) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "kind", "external");
    bez_json_kstr(j, "status", "accepted");
    if (g->lead->suppressed_by) bez_json_kstr(j, "justification", g->lead->suppressed_by);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

static void put_member(bez_json *j, const bez_finding *f) {
  bez_json_open(j, '{');
  bez_json_kstr(j, "rule", f->rule->id);
  bez_json_kstr(j, "severity", bez_severity_text(f->severity));
  bez_json_kstr(j, "fingerprint", f->fingerprint);
  if (f->pattern) bez_json_kstr(j, "pattern", f->pattern);
  if (f->target) bez_json_kstr(j, "target", f->target);
  if (!isnan(f->score)) bez_json_knum(j, "score", f->score);
  if (!isnan(f->p_value)) bez_json_knum(j, "pValue", f->p_value);
  if (!isnan(f->q_value)) bez_json_knum(j, "qValue", f->q_value);
  bez_json_kuint(j, "rows", f->n_rows);
  bez_json_key(j, "evidence");
  bez_json_open(j, '[');
  for (const bez_evidence *e = f->evidence; e; e = e->next) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "key", e->key);
    bez_json_kstr(j, "text", e->text);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  bez_json_close(j, '}');
}

static void put_result(bez_sarif *s, const bez_group *g) {
  static const char *const levels[] = {"note", "warning", "error", "none"};
  bez_json *j = &s->j;
  bez_json_open(j, '{');
  bez_json_kstr(j, "ruleId", g->lead->rule->id);
  bez_json_kuint(j, "ruleIndex", rule_index(s, g->lead->rule));
  bez_json_kstr(j, "level", levels[g->severity]);
  put_result_message(s, g);
  bez_sarif_locations(&s->where, j, g->lead);
  bez_json_key(j, "partialFingerprints");
  bez_json_open(j, '{');
  bez_json_kstr(j, "bezoarFinding/v1", g->lead->fingerprint);
  bez_json_close(j, '}');
  put_suppressions(s, g);
  if (s->report->has_baseline) bez_json_kstr(j, "baselineState", g->is_new ? "new" : "unchanged");
  bez_json_key(j, "properties");
  bez_json_open(j, '{');
  if (g->incident) bez_json_kuint(j, "incident", g->incident->id);
  bez_json_kuint(j, "rows", g->n_rows);
  bez_json_key(j, "findings");
  bez_json_open(j, '[');
  for (size_t i = 0; i < g->n_members; i++) put_member(j, g->member[i]);
  bez_json_close(j, ']');
  bez_json_close(j, '}');
  bez_json_close(j, '}');
}

static void put_run_properties(bez_sarif *s, const bez_groups *groups) {
  bez_json *j = &s->j;
  bez_json_key(j, "properties");
  bez_json_open(j, '{');
  bez_json_kuint(j, "ruleset", s->report->ruleset);
  bez_json_kbool(j, "redacted", s->report->redacted);
  bez_json_kuint(j, "rows", s->report->n_rows);
  bez_json_kuint(j, "files", s->report->n_files);
  bez_json_kuint(j, "resultsLeftOut", groups->n > MAX_RESULTS ? groups->n - MAX_RESULTS : 0);
  bez_json_key(j, "options");
  bez_json_open(j, '{');
  for (size_t i = 0; i < s->report->n_options; i++)
    bez_json_kstr(j, s->report->options[i].key, s->report->options[i].value);
  bez_json_close(j, '}');
  bez_json_close(j, '}');
}

static void put_log(bez_sarif *s, const bez_groups *groups) {
  bez_json *j = &s->j;
  bez_json_open(j, '{');
  bez_json_kstr(j, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
  bez_json_kstr(j, "version", "2.1.0");
  bez_json_key(j, "runs");
  bez_json_open(j, '[');
  bez_json_open(j, '{');
  put_tool(s);
  put_invocation(s);
  put_taxonomies(s);
  bez_sarif_artifacts(&s->where, j);
  bez_json_key(j, "results");
  bez_json_open(j, '[');
  for (size_t i = 0; i < groups->n && i < MAX_RESULTS; i++) put_result(s, &groups->item[i]);
  bez_json_close(j, ']');
  put_run_properties(s, groups);
  bez_json_close(j, '}');
  bez_json_close(j, ']');
  bez_json_close(j, '}');
  bez_buf_putc(j->out, '\n');
}

static bez_status render(const bez_report *report, const bez_write_options *options, bez_buf *out, bez_error *err) {
  bez_groups groups = {0};
  bez_sarif s = {.j = bez_json_make(out, true), .report = report, .with_run = !options->without_run};
  bez_status st = BEZ_OK;
  BEZ_TRY(collect_rules(&s, err));
  BEZ_TRY(bez_groups_make(report, &groups, err));
  BEZ_TRY(bez_sarif_where_make(report, groups.item, groups.n < MAX_RESULTS ? groups.n : MAX_RESULTS, &s.where, err));
  put_log(&s, &groups);
cleanup:
  bez_groups_free(&groups);
  bez_buf_free(&s.text);
  free((void *)s.rules);
  bez_sarif_where_free(&s.where);
  return st;
}

const bez_writer bez_writer_sarif = {
    .info = {.name = "sarif",
             .title = "SARIF 2.1.0",
             .extensions = "sarif",
             .summary = "For code-scanning views: one result per incident, at most 5,000, with fingerprints that do "
                        "not depend on row numbers; what was not checked is a notification."},
    .render = render,
};
