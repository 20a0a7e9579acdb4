/* Models among what is scanned: collected while paths are sorted, then read all at once by sandboxed helpers, one per
 * thread, and judged by the checks of src/audit/, in the order in which they were given. */
#ifndef BEZ_SCAN_MODELS_H
#define BEZ_SCAN_MODELS_H

#include "audit/audit.h"
#include "format/helper.h"
#include "scan/scan.h"

typedef struct bez_scan_file {
  const char *path, *name, *link; /* as in bez_audit_file; the report's */
  uint64_t size;
  bool listed;
  bez_model model; /* as far as it could be read */
  bool known;      /* it was read */
  char sha256[65];
  uint64_t stamp[2]; /* of the file while it was read, and while it was hashed */
  char *why;         /* it could not be read; in the model's arena */
} bez_scan_file;

/* What was given as one path. */
typedef struct bez_scan_set {
  const char *root;
  const char *boundary; /* symbolic links are followed within it */
  bez_scan_file *files; /* owned */
  size_t n, room;
} bez_scan_set;

typedef struct bez_scan_models {
  bez_scan_set *sets; /* owned; in the order in which they were given */
  size_t n, room;
  bez_scan_set base; /* --base; root NULL: none */
} bez_scan_models;

void bez_scan_models_destroy(bez_scan_models *models); /* NULL is fine */

/* ---- collecting -------------------------------------------------------------------------------------------------- */

/* Recognised by its first bytes, or by a name that nothing but a model has. */
bool bez_scan_is_model(const char *path);
bool bez_scan_named_model(const char *path);
bool bez_scan_is_packed(const char *path); /* tar, gzip, bzip2, xz, lzma, zstd */
bool bez_scan_is_beside(const char *path);

/* A file alone. */
BEZ_MUST_USE bez_status bez_scan_add_model(bez_scan *scan, const char *path, bez_error *err);

/* A folder: where models are in it, they and what lies beside them become a set. *all: nothing else is in it. The files
 * of the set are those from `first` on of the last set. */
typedef struct bez_scan_folder {
  bool models, others;
} bez_scan_folder;
BEZ_MUST_USE bez_status bez_scan_add_folder(bez_scan *scan, const char *path, bez_scan_folder *out, bez_error *err);

/* Fills the set from a file or folder, whatever is in it (walk.c). */
BEZ_MUST_USE bez_status bez_scan_walk(bez_scan *scan, const char *path, bez_scan_set *set, bez_scan_folder *out,
                                      bez_error *err);
BEZ_MUST_USE bez_status bez_scan_set_add(bez_scan_set *set, const bez_scan_file *file, bez_error *err);

/* ---- reading and judging ----------------------------------------------------------------------------------------- */

/* What a model says of itself becomes file->about: short values, once each; strings are the report's. */
BEZ_MUST_USE bez_status bez_scan_about(bez_report *report, const bez_model *model, bez_report_file *file,
                                       bez_error *err);

/* Whether a model of the set says that its numbers lie in the file of that name, below the root (external.c). */
bool bez_scan_holds_numbers(const bez_audit_set *set, const char *name);

/* Reads and hashes the files of all sets. Files that could not be read say why. */
BEZ_MUST_USE bez_status bez_scan_read_models(bez_scan *scan, bez_error *err);

/* A set that was read as the checks see it; in the report's arena. */
BEZ_MUST_USE bez_status bez_scan_show_set(bez_scan *scan, const bez_scan_set *set, bez_audit_set *out, bez_error *err);

/* One question for all of them; each is small. False: one of them stopped it, and nothing is known of any. */
bool bez_scan_is_small(const bez_scan_file *file);
bool bez_scan_read_small(bez_scan_file *const *files, size_t n, bez_helper *helper);

/* All of it: reads, runs the checks, and lists the files in the report, behind the table's. */
BEZ_MUST_USE bez_status bez_scan_audit(bez_scan *scan, bez_error *err);

#endif
