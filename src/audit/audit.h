/* A check of a model: one file that ends in one `const bez_check`, and one row in checks.def. It judges what the
 * sandboxed reader saw (format/model.h) and adds findings. */
#ifndef BEZ_AUDIT_AUDIT_H
#define BEZ_AUDIT_AUDIT_H

#include "finding/finding.h"
#include "format/model.h"

/* One file of a set. */
typedef struct bez_audit_file {
  const char *path;   /* as opened */
  const char *name;   /* below the set's root, with '/'; its own name where it was given alone */
  const char *sha256; /* of its bytes, 64 hex digits; "" where it could not be read */
  const char *link;   /* a symbolic link that leads out of the repository, which is not followed: where to; NULL */
  uint64_t size;
  bool listed;            /* it is no model: configuration, text, code; "no reader knows it" is not worth a word */
  const bez_model *model; /* what the sandboxed reader saw; NULL: it could not be read, which has been said */
} bez_audit_file;

/* What was given as one path: a folder with everything in it, or a file alone. */
typedef struct bez_audit_set {
  const char *root;            /* the path as given */
  const char *boundary;        /* what links may lead to: root's real path, or a hub's repository; NULL: a file alone */
  const bez_audit_file *files; /* by name, ascending */
  size_t n;
} bez_audit_set;

/* What a check may need that the scan was given. */
typedef struct bez_audit_context {
  const bez_audit_set *base;               /* --base: the model that this one says it was made from; NULL */
  const char *bank;                        /* --bank: a reference bank of adapters; NULL */
  const struct bez_known_list *known;      /* --known: digests that are known to be good (known_list.h); NULL */
  const struct bez_verify_options *signer; /* who must have signed (bezoar/signing.h); NULL: nobody said */
  unsigned threads;                        /* for bez_parallel */
  uint64_t seed;
  bez_progress_fn progress; /* NULL: nobody; false: stop with BEZ_CANCELLED */
  void *progress_ctx;
} bez_audit_context;

/* In .run: one file. In .run_set: path is the set's root, file and model are NULL. */
typedef struct bez_check_input {
  const char *path;
  const bez_model *model;
  const bez_audit_file *file;
  const bez_audit_set *set;
  const bez_audit_context *context; /* never NULL */
} bez_check_input;

typedef enum bez_check_needs {
  BEZ_CHECK_BASE = 1, /* context->base */
  BEZ_CHECK_BANK = 2,
  BEZ_CHECK_KNOWN = 4
} bez_check_needs;

typedef struct bez_check {
  bez_rule rule;
  const char *cost, *source;
  unsigned needs; /* bez_check_needs: without them it does not run, and the report says so */
  /* One of the two, or both. A check that could not do its work says bez_report_not_checked. */
  bez_status (*run)(const bez_check_input *in, bez_report *report, bez_error *err);
  bez_status (*run_set)(const bez_check_input *in, bez_report *report, bez_error *err);
} bez_check;

/* The input for one file of a set, for a run_set that adds findings about it. */
bez_check_input bez_audit_of(const bez_check_input *set, const bez_audit_file *file);
/* The file of that name below the root; NULL. */
const bez_audit_file *bez_audit_find(const bez_audit_set *set, const char *name);

#define BEZ_CHECK(symbol) extern const bez_check symbol;
#include "audit/checks.def"
#undef BEZ_CHECK

extern const bez_check *const bez_checks[]; /* NULL-terminated, order of checks.def */

/* The finding's place, and its pattern, which its fingerprint is made of: the file's own name, the part and what was
 * found there, so that a model moved to another folder keeps its suppressions. */
void bez_audit_subject(const bez_check_input *in, bez_report *report, bez_finding *finding, uint32_t part,
                       uint64_t byte, const char *what);

/* Says what could not be read: bytes that nobody has examined are never clean. */
void bez_audit_unread(const bez_check_input *in, bez_report *report);

/* "model.pt › archive/data.pkl": in the report's arena; "" when memory is out. */
const char *bez_audit_place(const bez_check_input *in, bez_report *report, uint32_t part);

/* ---- code that formats name (code_kinds.c) ------------------------------------------------------------------------
 */

/* One finding for each BEZ_MODEL_CODE fact whose kind (code_kinds.def) begins with prefix: "jinja-", "remote-",
 * "outside-" have checks of their own; "": all the others. Names that loaders import are judged like those of pickles;
 * what is well known is no finding. */
void bez_audit_code(const bez_check_input *in, bez_report *report, const bez_rule *rule, const char *prefix);

/* ---- names that pickles may use (pickle_names.c) ------------------------------------------------------------------
 */

typedef enum bez_pickle_verdict { BEZ_PICKLE_ALLOWED, BEZ_PICKLE_UNKNOWN, BEZ_PICKLE_DANGEROUS } bez_pickle_verdict;

/* *why: what makes it dangerous, static; "" else. known: of a call, whether its result could be worked out. */
bez_pickle_verdict bez_pickle_judge(const char *module, const char *name, const char **why);

/* Judges the names in a model's facts beforehand, so that the checks need not, one after another: models are read by
 * many threads, and checks run in one. */
void bez_audit_judge_names(bez_model *model);
/* The verdict on a fact that has a module. */
bez_pickle_verdict bez_audit_verdict(const bez_model_fact *fact, const char **why);

#endif
