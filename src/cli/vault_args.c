/* What all commands of the vault share. */
#include "cli/vault_args.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

bez_status bez_vault_args_who(const bez_args *args, const char *option, bez_vault_who *who, bez_error *err) {
  const char *variable = bez_args_text(args, "password-env");
  *who = (bez_vault_who){.key = bez_args_text(args, option)};
  if (!variable) return BEZ_OK;
  who->password = getenv(variable);
  if (who->password) return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, "--password-env", "no environment variable is called %s", variable);
}

static int say_failure(const bez_args *args, const bez_error *err) {
  static const char refused[] = "refused: ";
  bool refusal = err->code == BEZ_USAGE && !strncmp(err->message, refused, sizeof refused - 1);
  int code = bez_say_error(err, args->command->name,
                           refusal ? "bezoar vault trust list and source list show who may do what" : NULL);
  return refusal ? BEZ_EXIT_FINDINGS : code;
}

static int say_answer(const bez_args *args, const char *json, bez_vault_text text) {
  bez_error err = {0};
  bez_buf out = {0};
  json_t *answer = NULL;
  bez_status st = bez_json_parse(json, strlen(json), "answer", &answer, &err);
  if (st != BEZ_OK) return bez_say_error(&err, args->command->name, NULL);
  if (bez_args_flag(args, "json")) {
    bez_buf_puts(&out, json);
    if (!out.len || out.data[out.len - 1] != '\n') bez_buf_putc(&out, '\n');
  } else {
    text(&out, answer);
  }
  int code = json_is_false(json_object_get(answer, "ok")) ? BEZ_EXIT_FINDINGS : BEZ_EXIT_OK;
  if (code == BEZ_EXIT_OK && json_is_false(json_object_get(answer, "complete"))) code = BEZ_EXIT_UNEXAMINED;
  json_decref(answer);
  return bez_say(&out, code);
}

typedef struct vault_job {
  bez_vault_work work; /* one of the two */
  bez_vault_plain_work plain;
} vault_job;

static bez_status do_job(const bez_args *args, vault_job job, bez_progress *progress, char **json, bez_error *err) {
  bez_vault *vault = NULL;
  if (job.plain) return job.plain(args, progress, json, err);
  bez_status st = bez_vault_open(bez_args_text(args, "vault"), &vault, err);
  if (st == BEZ_OK && job.work) st = job.work(vault, args, progress, json, err);
  bez_vault_close(vault);
  return st;
}

static int run_job(const bez_args *args, vault_job job, bez_vault_text text) {
  bez_error err = {0};
  bez_progress progress;
  char *json = NULL;
  const char *how = bez_args_text(args, "progress");
  bez_signals_watch();
  bez_progress_start(&progress, how ? how : "none");
  bez_status st = do_job(args, job, &progress, &json, &err);
  bez_progress_end(&progress);
  int code = BEZ_EXIT_OK;
  if (st != BEZ_OK)
    code = say_failure(args, &err);
  else if (json)
    code = say_answer(args, json, text);
  bez_text_free(json);
  bez_signals_finish();
  return code;
}

int bez_vault_run(const bez_args *args, bez_vault_work work, bez_vault_text text) {
  return run_job(args, (vault_job){.work = work}, text);
}

int bez_vault_run_plain(const bez_args *args, bez_vault_plain_work work, bez_vault_text text) {
  return run_job(args, (vault_job){.plain = work}, text);
}

const char *bez_answer_text(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

void bez_answer_put(bez_buf *out, const json_t *object, const char *key) {
  bez_say_safe(out, bez_answer_text(object, key));
}

uint64_t bez_answer_number(const json_t *object, const char *key) {
  json_int_t n = json_integer_value(json_object_get(object, key));
  return n > 0 ? (uint64_t)n : 0;
}

void bez_answer_count(bez_buf *out, uint64_t n, const char *one, const char *many) {
  bez_buf_printf(out, "%llu %s", (unsigned long long)n, n == 1 ? one : many);
}
