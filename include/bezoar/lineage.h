/* How data came from data, and models from data: commands that are run over versions and recorded under a signature,
 * models that are bound to what they were trained on, and a data set's description in the formats of others. */
#ifndef BEZOAR_LINEAGE_H
#define BEZOAR_LINEAGE_H

#include "bezoar/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialise for the defaults. Strings are borrowed for the call. */
typedef struct bez_run_options {
  const char *const *inputs; /* "DATA@v" or "DATA@v=PATH": where the command finds it; else under the data set's name */
  size_t n_inputs;
  const char *const *outputs; /* "DATA" or "DATA=PATH": what the command makes; one at least */
  size_t n_outputs;
  const char *const *uses; /* further files that the command needs (scripts, settings): kept with the record */
  size_t n_uses;
  const char *const *variables; /* of the environment, by name: recorded beside the usual ones */
  size_t n_variables;
  const char *const *command; /* its words; the first is looked for in PATH */
  size_t n_command;
  const char *source;  /* the outputs' source; needed */
  const char *message; /* of the commit; NULL: the command */
  bool stage_only;     /* outputs are added and not committed */
  bool aside;          /* the command's standard output goes to standard error */
  bez_vault_who who;
  unsigned threads;
  bez_progress_fn progress;
  void *progress_ctx;
  /* How outputs enter the vault; NULL: bez_vault_add (bez_intake_take scans them first where the policy says so). */
  bez_status (*add)(bez_vault *vault, const char *path, const bez_vault_add_options *options, char **json,
                    bez_error *err);
} bez_run_options;

/* Runs a command in the folder that holds the vault: lays the inputs out where they are not there (what is there must
 * be that version), runs it, and records command, environment, inputs and outputs as an in-toto statement with SLSA
 * provenance v1 in a DSSE envelope, signed by who. Outputs become versions whose submissions name the run. BEZ_IO: the
 * command failed, or changed an input; nothing is recorded then.
 * {"run","statement","command","inputs","outputs","commit"} */
BEZ_API BEZ_MUST_USE bez_status bez_lineage_run(bez_vault *vault, const bez_run_options *options, char **json,
                                                bez_error *err);

typedef struct bez_rerun_options {
  const char *run;    /* id of a run entry, 7 digits at least */
  const char *folder; /* empty or not there yet, and kept: where it runs; NULL: a temporary one that is removed */
  bool aside;
  bool check;           /* the answer has "ok": whether all is the same */
  bez_vault_who reader; /* key NULL: nobody in particular */
  unsigned threads;
  bez_progress_fn progress;
  void *progress_ctx;
} bez_rerun_options;

/* Runs a recorded command once more, in an empty folder with the recorded inputs, files and variables, and compares
 * what it makes with what was recorded, bit for bit. Only commands recorded by somebody who may contribute are run.
 * {"run","command","same","outputs":[{"name","same","why"}],"environment":[what is another than then]} */
BEZ_API BEZ_MUST_USE bez_status bez_lineage_rerun(bez_vault *vault, const bez_rerun_options *options, char **json,
                                                  bez_error *err);

/* What was recorded of a run: the DSSE envelope, as it was signed. Anybody with the signer's public key verifies it. */
BEZ_API BEZ_MUST_USE bez_status bez_lineage_statement(bez_vault *vault, const char *run, char **json, bez_error *err);

/* Binds a model (a file, or a folder by the digest that `bezoar model sign` signs) to versions it was trained on.
 * {"model","name","sha256","trained_on":[{"dataset","version","rows"}]} */
typedef struct bez_model_options {
  const char *name;              /* NULL: the file's own */
  const char *const *trained_on; /* "DATA@v", one at least */
  size_t n_trained_on;
  const char *run; /* id of the run that trained it, NULL none */
  bez_vault_who who;
} bez_model_options;
BEZ_API BEZ_MUST_USE bez_status bez_lineage_model_add(bez_vault *vault, const char *path,
                                                      const bez_model_options *options, char **json, bez_error *err);
/* {"models":[{"entry","time","name","sha256","by","run","trained_on":[…]}]}, oldest first. */
BEZ_API BEZ_MUST_USE bez_status bez_lineage_models(bez_vault *vault, char **json, bez_error *err);

/* A version described for others. form: "croissant" (Croissant 1.0, JSON-LD), "openlineage" (a dataset event),
 * "dta" (Data Provenance Standards of the Data & Trust Alliance), "cyclonedx" (1.6, a data component). */
BEZ_API BEZ_MUST_USE bez_status bez_lineage_metadata(bez_vault *vault, const char *version, const char *form,
                                                     char **json, bez_error *err);

#ifdef __cplusplus
}
#endif
#endif
