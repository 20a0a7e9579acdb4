/* Signatures that lie beside what they sign: the list of digests in them against the files, even where nobody said
 * whose signature it must be; a file that changed after it was signed is wrong whoever signed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/audit.h"
#include "audit/signing.h"
#include "base/error.h"

#define SHOWN 10u /* names in a title */

static bez_status run_set(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_signature = {
    .rule = {.id = "BZ-M013",
             .name = "signature",
             .title = "Model that is not what was signed",
             .summary =
                 "A signature (OpenSSF Model Signing) lies beside the model, and files differ from the digests in it, "
                 "are missing, or are not covered by it; or it was not made by whom it must be.",
             .remedy = "Fetch the model again from its publisher, and verify it with bezoar model verify and the "
                       "publisher's key. Do not load a file that changed after it was signed.",
             .example = "a: differs from what its publisher signed (model.sig)",
             .taxonomy = "ATLAS:AML.T0010 NIST:NISTAML.05 OWASP:LLM03 OWASP-ML:ML06"},
    .cost = "digests of the files, which the scan has already",
    .source = "OpenSSF Model Signing Specification 1.0",
    .run_set = run_set};

/* What the signatures of a set say together, where somebody is expected to have signed it. */
typedef struct expectation {
  bool *covered; /* per file: as its expected signer signed it, or found to differ, which has been said */
  bool open;     /* whose a signature is could not be told, which has been said */
} expectation;

/* A signature of the set. */
typedef struct found {
  const bez_check_input *in;
  bez_report *report;
  expectation *expected;   /* NULL: nobody is */
  bool verified;           /* the expected signer's */
  const char *only;        /* the one file that is signed, by its name in the set; NULL: a folder is */
  const char *path, *name; /* name: below the set's root */
  size_t below;            /* bytes of name in front of the signed folder's own names */
  bez_bundle bundle;
  bez_manifest manifest;
  bez_arena arena;
  bez_verification v;
} found;

static const char *base_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static int by_name(const void *name, const void *file) {
  return strcmp(name, ((const bez_audit_file *)file)->name);
}

static const bez_audit_file *file_of(const found *f, const char *name) {
  const bez_audit_set *set = f->in->set;
  char full[4096];
  if (f->only && strcmp(name, ".") != 0 && strcmp(name, base_of(f->only)) != 0) return NULL;
  const int n = f->only ? snprintf(full, sizeof full, "%s", f->only)
                        : snprintf(full, sizeof full, "%.*s%s", (int)f->below, f->name, name);
  if (n < 0 || (size_t)n >= sizeof full || !set->n) return NULL;
  return bsearch(full, set->files, set->n, sizeof *set->files, by_name);
}

static const char *sha256_of(void *ctx, const char *name) {
  const bez_audit_file *file = file_of(ctx, name);
  return file && file->sha256 && *file->sha256 ? file->sha256 : NULL;
}

static void as_signed(void *ctx, const char *name) {
  const found *f = ctx;
  const bez_audit_file *file = f->verified ? file_of(f, name) : NULL;
  if (file) f->expected->covered[file - f->in->set->files] = true;
}

/* ---- what is found ------------------------------------------------------------------------------------------------
 */

static bez_finding *add(const found *f, bez_severity severity, const char *what) {
  bez_finding *x = bez_report_add(f->report, &bez_check_signature.rule, severity);
  bez_finding_subject(f->report, x, bez_arena_printf(&f->report->arena, "%s: %s", base_of(f->path), what), NULL);
  bez_finding_place(f->report, x, f->path, "", 0);
  return x;
}

static void tell_changed(const found *f, const bez_verify_problem *p) {
  const bez_audit_file *file = file_of(f, p->name);
  if (!strcmp(p->why, BEZ_SIGNING_LEADS_OUT)) {
    bez_report_not_checked(f->report, true, file ? file->path : f->path, "%s: %s", p->name, p->why);
    return;
  }
  if (file && f->verified) f->expected->covered[file - f->in->set->files] = true;
  bez_finding *x = add(f, BEZ_SEV_ERROR, p->name);
  bez_finding_title(f->report, x, "%s: differs from what its publisher signed (%s)", p->name, base_of(f->path));
  bez_finding_text(f->report, x, "why", "%s", p->why);
  if (file) bez_finding_place(f->report, x, file->path, "", 0);
}

/* Code and models that nobody signed would be loaded all the same; a note or a picture would not. */
static bool matters(const found *f, const char *name) {
  const bez_audit_file *file = file_of(f, name);
  const char *dot = strrchr(name, '.');
  return (file && !file->listed) || (dot && (!strcmp(dot, ".py") || !strcmp(dot, ".so") || !strcmp(dot, ".jinja")));
}

/* One finding for all problems of a kind. */
static void tell_all(const found *f, bez_verify_what what, const char *text, bool always) {
  bez_buf names = {0};
  size_t n = 0;
  bool bad = always;
  for (size_t i = 0; i < f->v.n_problems; i++) {
    const bez_verify_problem *p = &f->v.problems[i];
    if (p->what != what || (i && !strcmp(p->name, p[-1].name))) continue;
    bad = bad || matters(f, p->name);
    if (n++ < SHOWN) bez_buf_printf(&names, "%s%s", n > 1 ? ", " : "", p->name);
  }
  if (n) {
    bez_finding *x = add(f, bad ? BEZ_SEV_WARNING : BEZ_SEV_NOTE, text);
    bez_finding_title(f->report, x, "%s: %zu file%s %s: %s%s", base_of(f->path), n, n == 1 ? "" : "s", text,
                      names.data ? names.data : "", n > SHOWN ? " …" : "");
    bez_finding_number(f->report, x, "files", (double)n);
  }
  bez_buf_free(&names);
}

/* A signer may leave out what it likes; whoever copied the folder may put a model under such a name. */
static void tell_left_out(const found *f) {
  bez_buf names = {0};
  size_t n = 0;
  bool bad = false;
  for (size_t i = 0; i < f->v.n_ignored; i++) {
    if (bez_signing_is_gits(f->v.ignored[i])) continue;
    bad = bad || matters(f, f->v.ignored[i]);
    if (n++ < SHOWN) bez_buf_printf(&names, "%s%s", n > 1 ? ", " : "", f->v.ignored[i]);
  }
  if (n) {
    bez_finding *x = add(f, bad ? BEZ_SEV_WARNING : BEZ_SEV_NOTE, "left out");
    bez_finding_remedy(f->report, x, "Remember that nobody signed them.");
    bez_finding_title(f->report, x, "%s: leaves out what is there: %s%s", base_of(f->path),
                      names.data ? names.data : "", n > SHOWN ? " …" : "");
  }
  bez_buf_free(&names);
}

static void tell_files(const found *f) {
  for (size_t i = 0; i < f->v.n_problems; i++) {
    const bez_verify_problem *p = &f->v.problems[i];
    if (p->what == BEZ_VERIFY_CHANGED && (!i || strcmp(p->name, p[-1].name) != 0)) tell_changed(f, p);
  }
  tell_all(f, BEZ_VERIFY_MISSING, "missing that it covers", true);
  tell_all(f, BEZ_VERIFY_UNSIGNED, "not covered by it", false);
  tell_left_out(f);
  if (f->v.n_more)
    bez_report_not_checked(f->report, false, f->path, "%llu more files that differ, are missing or not covered",
                           (unsigned long long)f->v.n_more);
}

static void tell_signer(const found *f, const char *who) {
  bez_finding *x = add(f, BEZ_SEV_NOTE, "signed");
  bez_finding_remedy(f->report, x, "Nothing, where that is who must have signed it.");
  bez_finding_title(f->report, x, "%s: signed by %s; %llu file%s as signed", base_of(f->path), who,
                    (unsigned long long)f->v.n_files, f->v.n_files == 1 ? " is" : "s are");
  bez_finding_text(f->report, x, "model sha256", "%s", f->v.digest);
}

/* ---- one signature ------------------------------------------------------------------------------------------------
 */

/* A file of the standard's own name that is no signature wants a person's eye; any other may be of another kind, and
 * covers nothing then. */
static void tell_unusable(const found *f, bez_status st, const bez_error *why) {
  if (st == BEZ_FORMAT && !strcmp(base_of(f->path), "model.sig")) {
    bez_finding *x = add(f, f->expected ? BEZ_SEV_ERROR : BEZ_SEV_WARNING, "unusable");
    bez_finding_title(f->report, x, "%s: no usable signature: %s", base_of(f->path), why->message);
  } else {
    bez_report_not_checked(f->report, f->expected && st != BEZ_FORMAT, f->path, "the signature: %s", why->message);
  }
}

/* Whose it is. false: refused, which has been said. */
static bool check_signer(found *f, char *who, size_t size) {
  bez_error why = {0};
  *who = '\0';
  if (!f->expected) {
    bez_report_not_checked(f->report, false, f->path,
                           "who signed it (give the signer's key: --signature-key, or bezoar model verify)");
    return true;
  }
  bez_status st = bez_signing_signer(&f->bundle, f->in->context->signer, f->path, who, size, &why);
  f->verified = st == BEZ_OK;
  if (st == BEZ_OK) return true;
  if (st == BEZ_FORMAT) {
    bez_finding *x = add(f, BEZ_SEV_ERROR, "signer");
    bez_finding_title(f->report, x, "%s: not the expected signature: %s", base_of(f->path), why.message);
    return false;
  }
  f->expected->open = true;
  bez_report_not_checked(f->report, true, f->path, "who signed it: %s", why.message);
  return true;
}

/* What is signed: the one file beside the signature, or the folder that it lies in. On the arena. */
static const char *root_of(found *f) {
  const char *base = base_of(f->path);
  const size_t stem = strlen(base) - strlen(".sig");
  const char *only = f->manifest.resources[0].name;
  for (size_t i = 1; i < f->manifest.n; i++)
    if (strcmp(f->manifest.resources[i].name, only) != 0) only = "";
  const bool beside = !strcmp(only, ".") || (strlen(only) == stem && !strncmp(only, base, stem));
  if (beside) {
    f->only = bez_arena_strndup(&f->arena, f->name, strlen(f->name) - strlen(".sig"));
    return f->only ? bez_arena_strndup(&f->arena, f->path, strlen(f->path) - strlen(".sig")) : NULL;
  }
  if (base == f->path) return bez_arena_strdup(&f->arena, ".");
  f->below = strlen(f->name) > strlen(base) ? strlen(f->name) - strlen(base) : 0;
  return bez_arena_strndup(&f->arena, f->path, (size_t)(base - f->path) - (base - f->path > 1));
}

/* A file alone was given by its name, and no boundary is drawn around it. */
static bool leads_out(const found *f, const char *root) {
  const char *boundary = f->in->set->boundary;
  char *real = boundary ? realpath(root, NULL) : NULL;
  const bool out = boundary && (!real || !bez_signing_within(real, boundary));
  free(real);
  return out;
}

static bez_status compare(found *f, bez_error *err) {
  const bez_audit_context *c = f->in->context;
  struct stat info;
  const char *root = root_of(f);
  if (!root) return bez_fail_memory(err, strlen(f->path));
  if (stat(root, &info) != 0) {
    bez_report_not_checked(f->report, false, f->path, "what it signs is not beside it");
    return BEZ_OK;
  }
  if (leads_out(f, root)) {
    bez_report_not_checked(f->report, true, f->path, "what it signs %s", BEZ_SIGNING_LEADS_OUT);
    return BEZ_OK;
  }
  const bez_compare how = {.manifest = &f->manifest,
                           .root = root,
                           .signature = f->path,
                           .allow_symlinks = true, /* a cache of a hub is made of them */
                           .boundary = f->in->set->boundary,
                           .sha256_of = sha256_of,
                           .as_signed = as_signed,
                           .ctx = f,
                           .threads = c->threads,
                           .progress = c->progress,
                           .progress_ctx = c->progress_ctx};
  return bez_signing_compare(&how, &f->arena, &f->v, err);
}

static bez_status examine(const bez_check_input *in, const char *path, const char *name, expectation *expected,
                          bez_report *report, bez_error *err) {
  found f = {
      .in = in, .report = report, .expected = expected, .path = path, .name = name, .v = {.digest = "", .who = ""}};
  bez_error why = {0};
  char who[512];
  bez_status st = bez_bundle_read(path, &f.bundle, &why);
  if (st == BEZ_OK) st = bez_manifest_parse(&f.bundle, path, &f.manifest, &why);
  if (st == BEZ_MEMORY) BEZ_TRY(bez_fail_memory(err, 0));
  if (st != BEZ_OK) {
    tell_unusable(&f, st, &why);
    BEZ_TRY(bez_report_status(report, err));
    goto cleanup;
  }
  const bool accepted = check_signer(&f, who, sizeof who);
  if (accepted) BEZ_TRY(compare(&f, err)); /* a stranger's list says nothing of the files */
  tell_files(&f);
  if (accepted && *who && !f.v.n_problems) tell_signer(&f, who);
  BEZ_TRY(bez_report_status(report, err));
cleanup:
  bez_bundle_free(&f.bundle);
  bez_manifest_free(&f.manifest);
  bez_arena_free(&f.arena);
  return st;
}

static bool is_signature(const char *name) {
  const size_t n = strlen(name);
  return n > 4 && !strcmp(name + n - 4, ".sig");
}

/* Every signature of the set. *any: there is one. */
static bez_status examine_all(const bez_check_input *in, expectation *expected, bool *any, bez_report *report,
                              bez_error *err) {
  const bez_audit_set *set = in->set;
  struct stat info;
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < set->n && st == BEZ_OK; i++)
    if (is_signature(set->files[i].name) && !set->files[i].link) {
      *any = true;
      st = examine(in, set->files[i].path, set->files[i].name, expected, report, err);
    }
  if (st != BEZ_OK || *any || set->n != 1 || strcmp(set->files[0].path, set->root) != 0) return st;
  const char *beside = bez_arena_printf(&report->arena, "%s.sig", set->root);
  if (!beside) return bez_fail_memory(err, strlen(set->root));
  *any = stat(beside, &info) == 0 && S_ISREG(info.st_mode);
  return *any ? examine(in, beside, base_of(beside), expected, report, err) : BEZ_OK;
}

/* A signature over something else, or by somebody else, says nothing of a model. */
static void tell_uncovered(const bez_check_input *in, const expectation *expected, bez_report *report) {
  const bez_audit_set *set = in->set;
  bez_buf names = {0};
  size_t n = 0;
  for (size_t i = 0; i < set->n; i++)
    if (!set->files[i].listed && !expected->covered[i] && n++ < SHOWN)
      bez_buf_printf(&names, "%s%s", n > 1 ? ", " : "", set->files[i].name);
  if (n) {
    bez_finding *x = bez_report_add(report, &bez_check_signature.rule, BEZ_SEV_ERROR);
    bez_finding_subject(report, x, "not covered by a signature of the expected signer", NULL);
    bez_finding_place(report, x, set->root, "", 0);
    bez_finding_title(report, x, "%zu file%s not covered by a signature of the expected signer: %s%s", n,
                      n == 1 ? "" : "s", names.data ? names.data : "", n > SHOWN ? " …" : "");
    bez_finding_number(report, x, "files", (double)n);
  }
  bez_buf_free(&names);
}

static bez_status run_set(const bez_check_input *in, bez_report *report, bez_error *err) {
  const bez_audit_set *set = in->set;
  const bool asked = in->context->signer && bez_signing_expects(in->context->signer);
  expectation expected = {0};
  bool any = false;
  if (asked) expected.covered = bez_arena_array(&report->arena, set->n + 1, sizeof *expected.covered);
  if (asked && !expected.covered) return bez_fail_memory(err, set->n);
  bez_status st = examine_all(in, asked ? &expected : NULL, &any, report, err);
  if (st != BEZ_OK || !asked || !set->n) return st;
  if (!any)
    bez_report_not_checked(report, true, set->root, "no signature lies beside it, so nobody knows who made it");
  else if (!expected.open)
    tell_uncovered(in, &expected, report);
  return bez_report_status(report, err);
}
