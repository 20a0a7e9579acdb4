/* Runs of commands over versions (include/bezoar/lineage.h).
 *
 * run.c lays out, runs and records; run_environment.c describes the machine; run_statement.c writes and reads the
 * statement; run_child.c starts the
 * command; run_digest.c digests files and folders; rerun.c runs again. */
#ifndef BEZ_VAULT_RUN_H
#define BEZ_VAULT_RUN_H

#include "base/arena.h"
#include "base/json.h"
#include "bezoar/lineage.h"
#include "content/object.h"

#define BEZ_RUN_PREDICATE "https://slsa.dev/provenance/v1"
#define BEZ_RUN_BUILD "urn:bezoar:run:1"
#define BEZ_MAX_USED (64u << 20) /* bytes of a file that is kept with a run */
#define BEZ_MAX_MADE 100000u     /* files of one output */

/* A file with its digest; of a folder, its members in bytewise order of their names. */
typedef struct bez_made {
  const char *name; /* "" the file itself */
  char sha256[65];
} bez_made;
typedef struct bez_made_list {
  bez_made *items;
  size_t n;
  char sha256[65]; /* of one file its own; of a folder, SHA-256 over the digests of its files in that order */
  bool folder;
  bez_arena arena;
} bez_made_list; /* zero-initialise; release with bez_made_free */
/* model: a folder as `bezoar model sign` lists it: without .git and the like, and without model.sig. */
BEZ_MUST_USE bez_status bez_made_digest(const char *path, bool model, bez_made_list *out, bez_error *err);
void bez_made_free(bez_made_list *made);

typedef struct bez_run_input {
  const char *dataset, *path; /* path: relative to where the command runs */
  uint64_t version;
  char rows[65], commit[65]; /* ids */
  const char *sha256;        /* of a single file; "" none */
} bez_run_input;
typedef struct bez_run_output {
  const char *dataset, *path;
  bez_made_list made;
} bez_run_output;
typedef struct bez_run_use {
  const char *path;
  char sha256[65]; /* which is also the id of the object */
  uint64_t mode;   /* its permissions */
} bez_run_use;
typedef struct bez_run_pair {
  const char *name, *value;
} bez_run_pair;

/* What is recorded of a run. */
typedef struct bez_run_record {
  bez_arena arena;
  const char **command;
  size_t n_command;
  bez_run_input *inputs;
  size_t n_inputs;
  bez_run_output *outputs;
  size_t n_outputs;
  bez_run_use *uses;
  size_t n_uses;
  bez_run_pair *variables; /* that are set */
  size_t n_variables;
  bez_run_pair *facts; /* of the machine: "executable.sha256", "system", "package NAME" … */
  size_t n_facts;
  char environment[65]; /* SHA-256 over facts and variables */
  int64_t started, finished;
} bez_run_record; /* zero-initialise; release with bez_run_free */
void bez_run_free(bez_run_record *run);

/* Variables of the usual names and of `more` that are set; facts of program and machine. folder: where it runs. */
BEZ_MUST_USE bez_status bez_run_environment(bez_run_record *run, const char *folder, const char *const *more, size_t n,
                                            bez_error *err);
/* Where PATH has the command; a name with a slash is taken as it is, from `folder`. */
BEZ_MUST_USE bez_status bez_run_find(const char *command, const char *folder, char **out, bez_error *err);

/* The statement, in one line; and back from hostile bytes. */
BEZ_MUST_USE bez_status bez_run_statement(const bez_run_record *run, const char *origin, bez_buf *out, bez_error *err);
BEZ_MUST_USE bez_status bez_run_parse(const char *bytes, size_t len, bez_run_record *out, bez_error *err);

#endif
