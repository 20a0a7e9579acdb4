/* What all commands of the vault share: where it lies, --json or text for people, and what the exit code says.
 *
 *   0  done
 *   1  refused (an error whose message begins with "refused: "), or the answer says "ok": false (verify, rerun --check)
 *   2  the command line was wrong (other BEZ_USAGE)
 *   3  what was asked for could not be delivered: damaged, unreadable; or the answer says "complete": false */
#ifndef BEZ_CLI_VAULT_ARGS_H
#define BEZ_CLI_VAULT_ARGS_H

#include "base/json.h"
#include "bezoar/vault.h"
#include "cli/args.h"
#include "cli/progress.h"
#include "cli/say.h"

/* Rows for a command's table of options. */
#define BEZ_VAULT_OPTIONS                                                                                              \
  {"vault", 0, BEZ_ARG_FILE, .value = "PATH",                                                                          \
   .help = "The folder that holds .bezoar. Default: found upwards from the working folder."},                          \
  {                                                                                                                    \
    "json", 0, BEZ_ARG_FLAG, .help = "Answer as JSON."                                                                 \
  }
#define BEZ_VAULT_KEY_OPTIONS                                                                                          \
  {"key", 0, BEZ_ARG_TEXT, .value = "KEY",                                                                             \
   .help = "Who signs: a key file, a fingerprint, or the name of a key in the folder of keys. Default: \"default\"."}, \
      BEZ_VAULT_PASSWORD_OPTION
#define BEZ_VAULT_READER_OPTIONS                                                                                       \
  {"as", 0, BEZ_ARG_TEXT, .value = "KEY",                                                                              \
   .help = "Who reads: a key as for --key. Default: the default key, else nobody."},                                   \
      BEZ_VAULT_PASSWORD_OPTION
#define BEZ_VAULT_PASSWORD_OPTION                                                                                      \
  { "password-env", 0, BEZ_ARG_TEXT, .value = "NAME", .help = "Environment variable that holds the key's passphrase." }
#define BEZ_VAULT_PROGRESS_OPTION                                                                                      \
  {                                                                                                                    \
    "progress", 0, BEZ_ARG_CHOICE, .value = "HOW", .choices = "auto plain none", .fallback = "auto",                   \
                                   .help = "Progress on standard error for work above a second."                       \
  }

/* The key that --key (or --as: option) names, with its passphrase. key is NULL where none was named. */
BEZ_MUST_USE bez_status bez_vault_args_who(const bez_args *args, const char *option, bez_vault_who *who,
                                           bez_error *err);

/* Text for people from an answer; newline-terminated. */
typedef void (*bez_vault_text)(bez_buf *out, const json_t *answer);

/* What a command does with an open vault; *json is the answer (bez_text_free). */
typedef bez_status (*bez_vault_work)(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json,
                                     bez_error *err);
/* Opens the vault that --vault names, works, answers; the exit code. */
int bez_vault_run(const bez_args *args, bez_vault_work work, bez_vault_text text);

/* The same without an open vault (key new, verify-proof …). */
typedef bez_status (*bez_vault_plain_work)(const bez_args *args, bez_progress *progress, char **json, bez_error *err);
int bez_vault_run_plain(const bez_args *args, bez_vault_plain_work work, bez_vault_text text);

/* For renderers: a member's text ("" where there is none), the same put harmless for a terminal, and a number. */
const char *bez_answer_text(const json_t *object, const char *key);
void bez_answer_put(bez_buf *out, const json_t *object, const char *key);
uint64_t bez_answer_number(const json_t *object, const char *key);
/* "1 row", "12 rows". */
void bez_answer_count(bez_buf *out, uint64_t n, const char *one, const char *many);

#endif
