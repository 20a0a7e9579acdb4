/* CycloneDX 1.6 (ECMA-424, 1st edition): what was scanned as a bill of materials. One component per file, the model
 * they make up with what it says of itself, and findings as vulnerabilities that name the file they are in. */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "report/paths.h"
#include "report/visible.h"
#include "report/words.h"
#include "report/writer.h"

enum { MAX_COMPONENTS = 100000, MAX_SAID = 16 /* distinct values of one key */ };

typedef struct bez_sbom {
  bez_json j;
  const bez_report *report;
  bez_paths paths;
  size_t n; /* files listed */
  bool models, with_run;
} bez_sbom;

static void open_list(bez_json *j, const char *key) {
  bez_json_key(j, key);
  bez_json_open(j, '[');
}

static void put_property(bez_json *j, const char *name, const char *value) {
  bez_json_open(j, '{');
  bez_json_kstr(j, "name", name);
  bez_json_kstr(j, "value", value ? value : "");
  bez_json_close(j, '}');
}

static void put_number_property(bez_json *j, const char *name, uint64_t value) {
  bez_buf text = {0};
  bez_buf_printf(&text, "%llu", (unsigned long long)value);
  put_property(j, name, text.data);
  if (text.failed != BEZ_OK) j->out->failed = text.failed;
  bez_buf_free(&text);
}

/* A reference of our own making: names from the data never become identifiers. */
static void put_ref(bez_json *j, const char *key, const char *kind, uint64_t number) {
  bez_buf text = {0};
  bez_buf_printf(&text, "%s-%llu", kind, (unsigned long long)number);
  if (key)
    bez_json_kstr(j, key, text.data ? text.data : "");
  else
    bez_json_str(j, text.data ? text.data : "");
  if (text.failed != BEZ_OK) j->out->failed = text.failed;
  bez_buf_free(&text);
}

/* ---- what the model says of itself --------------------------------------------------------------------------------
 */

/* The distinct values of a key over all files, in their order. */
static size_t said(const bez_report *r, const char *key, const char *out[MAX_SAID]) {
  size_t n = 0;
  for (size_t i = 0; i < r->n_files; i++)
    for (size_t k = 0; k < r->files[i].n_about && n < MAX_SAID; k++) {
      const bez_kv *kv = &r->files[i].about[k];
      bool known = !*kv->value || strcmp(kv->key, key) != 0;
      for (size_t m = 0; m < n && !known; m++) known = !strcmp(out[m], kv->value);
      if (!known) out[n++] = kv->value;
    }
  return n;
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The SPDX identifier that a model card means by its lower-case form; NULL: a licence of another kind. */
static const char *spdx(const char *text) {
  static const char *const ids[] = {"Apache-2.0",
                                    "MIT",
                                    "BSD-2-Clause",
                                    "BSD-3-Clause",
                                    "CC0-1.0",
                                    "CC-BY-4.0",
                                    "CC-BY-SA-4.0",
                                    "CC-BY-NC-4.0",
                                    "CC-BY-ND-4.0",
                                    "CC-BY-3.0",
                                    "CC-BY-NC-SA-4.0",
                                    "CC-BY-NC-ND-4.0",
                                    "AFL-3.0",
                                    "Artistic-2.0",
                                    "BSL-1.0",
                                    "ECL-2.0",
                                    "EUPL-1.1",
                                    "EUPL-1.2",
                                    "AGPL-3.0-only",
                                    "GPL-2.0-only",
                                    "GPL-3.0-only",
                                    "LGPL-3.0-only",
                                    "MPL-2.0",
                                    "ISC",
                                    "Unlicense",
                                    "WTFPL",
                                    "Zlib",
                                    "OSL-3.0",
                                    "MS-PL",
                                    "NCSA",
                                    "CDLA-Permissive-2.0",
                                    "CDLA-Sharing-1.0"};
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
    size_t k = 0;
    while (text[k] && lower(text[k]) == lower(ids[i][k])) k++;
    if (!text[k] && !ids[i][k]) return ids[i];
  }
  return NULL;
}

static void put_licenses(bez_json *j, const bez_report *r) {
  const char *values[MAX_SAID];
  size_t n = said(r, "license", values);
  if (!n) return;
  open_list(j, "licenses");
  for (size_t i = 0; i < n; i++) {
    const char *id = spdx(values[i]);
    bez_json_open(j, '{');
    bez_json_key(j, "license");
    bez_json_open(j, '{');
    bez_json_kstr(j, id ? "id" : "name", id ? id : values[i]);
    bez_json_kstr(j, "acknowledgement", "declared");
    bez_json_close(j, '}');
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
}

/* The base model that it names: nobody has shown that it comes from there. */
static void put_pedigree(bez_json *j, const bez_report *r) {
  const char *values[MAX_SAID];
  size_t n = said(r, "base_model", values);
  if (!n) return;
  bez_json_key(j, "pedigree");
  bez_json_open(j, '{');
  open_list(j, "ancestors");
  for (size_t i = 0; i < n; i++) {
    bez_json_open(j, '{');
    bez_json_kstr(j, "type", "machine-learning-model");
    bez_json_kstr(j, "name", values[i]);
    bez_json_close(j, '}');
  }
  bez_json_close(j, ']');
  bez_json_kstr(j, "notes", "As the files say of themselves.");
  bez_json_close(j, '}');
}

static void put_card(bez_json *j, const bez_report *r) {
  const char *architecture[MAX_SAID], *family[MAX_SAID];
  size_t n = said(r, "architecture", architecture), m = said(r, "model_type", family);
  if (!n && !m) return;
  bez_json_key(j, "modelCard");
  bez_json_open(j, '{');
  bez_json_key(j, "modelParameters");
  bez_json_open(j, '{');
  if (m) bez_json_kstr(j, "architectureFamily", family[0]);
  if (n) bez_json_kstr(j, "modelArchitecture", architecture[0]);
  bez_json_close(j, '}');
  bez_json_close(j, '}');
}

/* ---- the whole ----------------------------------------------------------------------------------------------------
 */

/* The folder that all files share, by its own name; of one file the file's. */
static void put_name(bez_sbom *s) {
  const bez_report *r = s->report;
  const char *first = r->n_files ? r->files[0].path : "nothing";
  const char *named[MAX_SAID];
  size_t len = strlen(first);
  for (size_t i = 1; i < r->n_files; i++) {
    size_t k = 0;
    while (k < len && r->files[i].path[k] == first[k]) k++;
    len = k;
  }
  if (r->n_files > 1)
    while (len && first[len - 1] != '/') len--;
  while (len > 1 && first[len - 1] == '/') len--;
  size_t begin = len;
  while (begin && first[begin - 1] != '/') begin--;
  bez_json_key(&s->j, "name");
  if (said(r, "name", named) == 1)
    bez_json_str(&s->j, named[0]);
  else if (len > begin && strspn(first + begin, ".") < len - begin)
    bez_json_strn(&s->j, first + begin, len - begin);
  else
    bez_json_str(&s->j, s->models ? "models" : "data");
}

static void put_whole(bez_sbom *s) {
  bez_json *j = &s->j;
  bez_json_key(j, "component");
  bez_json_open(j, '{');
  bez_json_kstr(j, "type", s->models ? "machine-learning-model" : "data");
  bez_json_kstr(j, "bom-ref", "whole");
  put_name(s);
  if (s->models) {
    put_licenses(j, s->report);
    put_pedigree(j, s->report);
    put_card(j, s->report);
  }
  bez_json_close(j, '}');
}

static void put_check(bez_json *j, const bez_report *r, const bez_rule *rule) {
  bez_buf name = {0}, value = {0};
  size_t n = 0;
  for (size_t i = 0; i < r->n_findings; i++) n += !strcmp(r->findings[i]->rule->id, rule->id);
  bez_buf_printf(&name, "bezoar:check:%s", rule->id);
  bez_buf_printf(&value, "ran: %s; ", rule->name);
  bez_put_counted(&value, n, "finding");
  put_property(j, name.data, value.data);
  if (name.failed != BEZ_OK || value.failed != BEZ_OK) j->out->failed = BEZ_MEMORY;
  bez_buf_free(&name);
  bez_buf_free(&value);
}

/* Checks that ran, and what was not checked: a bill without findings is not one that was looked at. */
static void put_run_properties(bez_sbom *s) {
  const bez_report *r = s->report;
  bez_tally t = bez_tally_of(r);
  open_list(&s->j, "properties");
  put_property(&s->j, "bezoar:verdict", bez_verdict(r, &t));
  put_number_property(&s->j, "bezoar:ruleset", r->ruleset);
  if (s->n < r->n_files) put_number_property(&s->j, "bezoar:files-left-out", r->n_files - s->n);
  for (size_t i = 0; i < r->n_rules_run; i++) put_check(&s->j, r, r->rules_run[i]);
  for (const bez_not_checked *item = r->not_checked; item; item = item->next) {
    bez_buf text = {0};
    bez_buf_printf(&text, "%s: %s%s", item->what, item->reason, item->requested ? " (requested)" : "");
    put_property(&s->j, "bezoar:not-checked", text.data);
    if (text.failed != BEZ_OK) s->j.out->failed = text.failed;
    bez_buf_free(&text);
  }
  bez_json_close(&s->j, ']');
}

/* "2030-01-02T03:04:05Z" and nothing else: a report that was read back says what it likes. */
static const char *finished(const bez_sbom *s) {
  static const char shape[] = "0000-00-00T00:00:00Z";
  for (size_t i = 0; s->with_run && i < s->report->n_run; i++) {
    const char *value = s->report->run[i].value;
    if (strcmp(s->report->run[i].key, "finished") != 0 || strlen(value) != sizeof shape - 1) continue;
    size_t k = 0;
    while (shape[k] && (shape[k] == '0' ? value[k] >= '0' && value[k] <= '9' : value[k] == shape[k])) k++;
    return shape[k] ? NULL : value;
  }
  return NULL;
}

static void put_metadata(bez_sbom *s) {
  bez_json *j = &s->j;
  const char *time = finished(s);
  bez_json_key(j, "metadata");
  bez_json_open(j, '{');
  if (time) bez_json_kstr(j, "timestamp", time);
  bez_json_key(j, "tools");
  bez_json_open(j, '{');
  open_list(j, "components");
  bez_json_open(j, '{');
  bez_json_kstr(j, "type", "application");
  bez_json_kstr(j, "name", "bezoar");
  bez_json_kstr(j, "version", s->report->tool_version ? s->report->tool_version : BEZ_VERSION_STRING);
  bez_json_close(j, '}');
  bez_json_close(j, ']');
  bez_json_close(j, '}');
  put_whole(s);
  put_run_properties(s);
  bez_json_close(j, '}');
}

/* ---- files --------------------------------------------------------------------------------------------------------
 */

static void put_file_properties(bez_sbom *s, const bez_report_file *f) {
  bez_json *j = &s->j;
  const char *why = bez_file_unchecked(s->report, f);
  bez_buf key = {0};
  open_list(j, "properties");
  put_property(j, "bezoar:reader", f->format);
  put_number_property(j, "bezoar:bytes", f->bytes);
  if (!bez_file_is_model(f)) put_number_property(j, "bezoar:rows", f->n_rows);
  if (why) put_property(j, "bezoar:not-checked", why);
  for (size_t i = 0; i < f->n_about; i++) {
    bez_buf_clear(&key);
    bez_buf_printf(&key, "bezoar:about:%s", f->about[i].key);
    put_property(j, key.data, f->about[i].value);
    if (key.failed != BEZ_OK) j->out->failed = key.failed;
  }
  bez_buf_free(&key);
  bez_json_close(j, ']');
}

static bool has_sha256(const bez_report_file *f) {
  return f->sha256 && strlen(f->sha256) == 64 && strspn(f->sha256, "0123456789abcdef") == 64;
}

static void put_file(bez_sbom *s, const bez_report_file *f) {
  bez_json *j = &s->j;
  bez_json_open(j, '{');
  bez_json_kstr(j, "type", "file");
  put_ref(j, "bom-ref", "file", (uint64_t)(f - s->report->files) + 1);
  bez_json_kstr(j, "name", f->path);
  if (has_sha256(f)) {
    open_list(j, "hashes");
    bez_json_open(j, '{');
    bez_json_kstr(j, "alg", "SHA-256");
    bez_json_kstr(j, "content", f->sha256);
    bez_json_close(j, '}');
    bez_json_close(j, ']');
  }
  put_file_properties(s, f);
  bez_json_close(j, '}');
}

static void put_files(bez_sbom *s) {
  bez_json *j = &s->j;
  open_list(j, "components");
  for (size_t i = 0; i < s->n; i++) put_file(s, &s->report->files[i]);
  bez_json_close(j, ']');
  open_list(j, "dependencies");
  bez_json_open(j, '{');
  bez_json_kstr(j, "ref", "whole");
  open_list(j, "dependsOn");
  for (size_t i = 0; i < s->n; i++) put_ref(j, NULL, "file", i + 1);
  bez_json_close(j, ']');
  bez_json_close(j, '}');
  bez_json_close(j, ']');
}

/* ---- findings -----------------------------------------------------------------------------------------------------
 */

/* The file by its place; of rows, the file of the first; else the whole. */
static void put_affected(bez_sbom *s, const bez_finding *f) {
  uint64_t local;
  const bez_report_file *file = f->n_rows ? bez_report_locate(s->report, f->rows[0].row, &local) : NULL;
  if (f->place.file) file = bez_paths_find(&s->paths, f->place.file);
  open_list(&s->j, "affects");
  bez_json_open(&s->j, '{');
  if (file && (size_t)(file - s->report->files) < s->n)
    put_ref(&s->j, "ref", "file", (uint64_t)(file - s->report->files) + 1);
  else
    bez_json_kstr(&s->j, "ref", "whole");
  bez_json_close(&s->j, '}');
  bez_json_close(&s->j, ']');
}

static void put_finding_properties(bez_sbom *s, const bez_finding *f) {
  bez_json *j = &s->j;
  open_list(j, "properties");
  put_property(j, "bezoar:fingerprint", f->fingerprint);
  if (f->place.file && *f->place.part) put_property(j, "bezoar:part", f->place.part);
  if (f->place.file) put_number_property(j, "bezoar:byte", f->place.byte);
  if (f->n_rows) put_number_property(j, "bezoar:rows", f->n_rows);
  for (const char *at = f->rule->taxonomy ? f->rule->taxonomy : ""; *at;) {
    bez_buf id = {0};
    size_t len = strcspn(at, " ");
    bez_buf_write(&id, at, len);
    if (len) put_property(j, "bezoar:taxonomy", id.data);
    if (id.failed != BEZ_OK) j->out->failed = id.failed;
    bez_buf_free(&id);
    at += len + (at[len] == ' ');
  }
  for (const bez_evidence *e = f->evidence; e; e = e->next) {
    bez_buf key = {0};
    bez_buf_printf(&key, "bezoar:evidence:%s", e->key);
    put_property(j, key.data, e->text);
    if (key.failed != BEZ_OK) j->out->failed = key.failed;
    bez_buf_free(&key);
  }
  bez_json_close(j, ']');
}

static void put_visible(bez_json *j, const char *key, const char *text) {
  bez_buf seen = {0};
  bez_visible(&seen, text, strlen(text), false);
  bez_json_kstr(j, key, seen.data ? seen.data : "");
  if (seen.failed != BEZ_OK) j->out->failed = seen.failed;
  bez_buf_free(&seen);
}

static void put_finding(bez_sbom *s, const bez_finding *f, size_t number) {
  static const char *const levels[] = {"info", "medium", "high", "none"};
  bez_json *j = &s->j;
  bez_json_open(j, '{');
  put_ref(j, "bom-ref", "finding", number);
  bez_json_kstr(j, "id", f->rule->id);
  bez_json_key(j, "source");
  bez_json_open(j, '{');
  bez_json_kstr(j, "name", "bezoar");
  bez_json_close(j, '}');
  open_list(j, "ratings");
  bez_json_open(j, '{');
  bez_json_kstr(j, "severity", levels[f->severity]);
  bez_json_kstr(j, "method", "other");
  bez_json_close(j, '}');
  bez_json_close(j, ']');
  put_visible(j, "description", f->title);
  bez_json_kstr(j, "detail", f->rule->summary);
  put_visible(j, "recommendation", bez_remedy_of(f));
  if (f->suppressed) {
    bez_json_key(j, "analysis");
    bez_json_open(j, '{');
    open_list(j, "response");
    bez_json_str(j, "will_not_fix");
    bez_json_close(j, ']');
    put_visible(j, "detail", f->suppressed_by ? f->suppressed_by : "suppressed");
    bez_json_close(j, '}');
  }
  put_affected(s, f);
  put_finding_properties(s, f);
  bez_json_close(j, '}');
}

/* ---- the document -------------------------------------------------------------------------------------------------
 */

/* RFC 9562, version 8, from what the bill is about: the same input has the same number, and other findings on the same
 * files have another. */
static bez_status put_serial(bez_sbom *s, bez_error *err) {
  const bez_report *r = s->report;
  char hex[65];
  bez_buf all = {0};
  bez_status st = BEZ_OK;
  bez_buf_printf(&all, "bezoar cyclonedx 1.6\n%s\n%u\n", r->tool_version ? r->tool_version : BEZ_VERSION_STRING,
                 r->ruleset);
  for (size_t i = 0; i < r->n_files; i++)
    bez_buf_printf(&all, "%zu:%s %llu %s %s\n", strlen(r->files[i].path), r->files[i].path,
                   (unsigned long long)r->files[i].bytes, r->files[i].digest ? r->files[i].digest : "",
                   r->files[i].sha256 ? r->files[i].sha256 : "");
  for (size_t i = 0; i < r->n_findings; i++)
    bez_buf_printf(&all, "%s %d\n", r->findings[i]->fingerprint, r->findings[i]->suppressed);
  for (const bez_not_checked *item = r->not_checked; item; item = item->next)
    bez_buf_printf(&all, "%s: %s\n", item->what, item->reason);
  BEZ_TRY(bez_buf_status(&all, err));
  if (bez_sha256_hex(all.data, all.len, hex) != 0)
    BEZ_TRY(bez_fail(err, BEZ_MEMORY, "CycloneDX", "SHA-256 could not be computed"));
  hex[12] = '8';
  hex[16] = "89ab"[hex[16] & 3];
  bez_buf_clear(&all);
  bez_buf_printf(&all, "urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
  BEZ_TRY(bez_buf_status(&all, err));
  bez_json_kstr(&s->j, "serialNumber", all.data);
cleanup:
  bez_buf_free(&all);
  return st;
}

static bez_status put_document(bez_sbom *s, bez_error *err) {
  bez_json *j = &s->j;
  bez_json_open(j, '{');
  bez_json_kstr(j, "$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json");
  bez_json_kstr(j, "bomFormat", "CycloneDX");
  bez_json_kstr(j, "specVersion", "1.6");
  bez_status st = put_serial(s, err);
  if (st != BEZ_OK) return st;
  bez_json_kuint(j, "version", 1);
  put_metadata(s);
  put_files(s);
  open_list(j, "vulnerabilities");
  for (size_t i = 0; i < s->report->n_findings; i++) put_finding(s, s->report->findings[i], i + 1);
  bez_json_close(j, ']');
  bez_json_close(j, '}');
  bez_buf_putc(j->out, '\n');
  return BEZ_OK;
}

static bez_status render(const bez_report *report, const bez_write_options *options, bez_buf *out, bez_error *err) {
  bez_sbom s = {.j = bez_json_make(out, true), .report = report, .with_run = !options->without_run};
  s.n = report->n_files < MAX_COMPONENTS ? report->n_files : MAX_COMPONENTS;
  bez_status st = bez_paths_make(report, s.n, &s.paths, err);
  if (st != BEZ_OK) return st;
  for (size_t i = 0; i < s.n && !s.models; i++) s.models = bez_file_is_model(&report->files[i]);
  st = put_document(&s, err);
  bez_paths_free(&s.paths);
  return st;
}

const bez_writer bez_writer_cyclonedx = {
    .info = {.name = "cyclonedx",
             .title = "CycloneDX 1.6",
             .extensions = "cdx",
             .summary = "A bill of materials for models (ML-BOM): every file with its SHA-256 and reader, base model, "
                        "licence and architecture as the files state them, findings as vulnerabilities (--sbom)."},
    .render = render,
};
