/* bezoar vault verify-proof: a proof checked with nothing but keys. */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "bezoar/proof.h"
#include "cli/vault_args.h"

enum { MOST_BYTES = 1 << 30 };

static const bez_option options[] = {
    {"log-key", 0, BEZ_ARG_TEXT, .value = "VKEY",
     .help = "Verifier key of the log, as bezoar vault init told it (needed)."},
    {"row", 0, BEZ_ARG_FILE, .value = "FILE", .help = "The proof must say something about each row in this file."},
    {"allowed-signers", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Whoever signed submission and commit must be in this file (as bezoar vault trust list --allowed-signers "
             "writes it)."},
    {"absent", 0, BEZ_ARG_FLAG, .help = "Every row must be absent: present or included is exit code 1."},
    {"present", 0, BEZ_ARG_FLAG, .help = "Every row must be present or included: absent is exit code 1."},
    {"witness", 0, BEZ_ARG_TEXT, .value = "VKEY", .repeat = true,
     .help = "Verifier key of a witness that may have cosigned the checkpoint."},
    {"quorum", 0, BEZ_ARG_NUMBER, .value = "N", .fallback = "0",
     .help = "So many of the witnesses must have; no more than are named."},
    {"json", 0, BEZ_ARG_FLAG, .help = "Answer as JSON."},
    {NULL}};

/* A proof that does not hold is an answer, not a failure to give one. */
static bez_status answer_no(const bez_error *why, char **json, bez_error *err) {
  json_t *answer = json_pack("{s:b,s:s}", "ok", 0, "why", why->message);
  *json = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
  json_decref(answer);
  return *json ? BEZ_OK : bez_fail_memory(err, 64);
}

static bez_status work(const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_buf proof = {0};
  bez_error why = {0};
  bez_proof_check_options check = {.log_key = bez_args_text(args, "log-key"), .rows = bez_args_text(args, "row")};
  check.allowed_signers = bez_args_text(args, "allowed-signers");
  check.n_witnesses = bez_args_list(args, "witness", &check.witnesses);
  check.quorum = (size_t)bez_args_number(args, "quorum");
  const bool absent = bez_args_flag(args, "absent"), present = bez_args_flag(args, "present");
  check.want = absent ? BEZ_PROOF_ABSENT : present ? BEZ_PROOF_PRESENT : BEZ_PROOF_ANY;
  if (absent && present) return bez_fail(err, BEZ_USAGE, "vault verify-proof", "--absent or --present, not both");
  if (!check.log_key) return bez_fail(err, BEZ_USAGE, "vault verify-proof", "needs --log-key VKEY");
  bez_status st = bez_file_read(args->positional[0], MOST_BYTES, &proof, err);
  if (st == BEZ_OK) {
    st = bez_proof_verify(proof.data ? proof.data : "", proof.len, &check, json, &why);
    if (st == BEZ_FORMAT)
      st = answer_no(&why, json, err);
    else if (st != BEZ_OK && err)
      *err = why;
  }
  bez_buf_free(&proof);
  return st;
}

/* "  submission  entry 10, signed by SHA256:…" */
static void put_signed(bez_buf *out, const json_t *answer, const char *what, const char *index, const char *signers) {
  size_t i;
  json_t *item;
  bez_buf_printf(out, "  %s  entry %llu, signed by ", what, (unsigned long long)bez_answer_number(answer, index));
  json_array_foreach(json_object_get(answer, signers), i, item)
      bez_buf_printf(out, "%s%s", i ? ", " : "", json_string_value(item));
  bez_buf_putc(out, '\n');
}

static void put_row_proof(bez_buf *out, const json_t *answer) {
  size_t i;
  json_t *item;
  bez_buf_puts(out, "Holds: of ");
  bez_answer_put(out, answer, "dataset");
  bez_buf_printf(out, "@%llu, of ", (unsigned long long)bez_answer_number(answer, "version"));
  bez_answer_put(out, answer, "time");
  bez_buf_puts(out, ", in ");
  bez_answer_put(out, answer, "log");
  bez_buf_puts(out, "; of later versions it says nothing\n");
  put_signed(out, answer, "submission", "index", "contributors");
  put_signed(out, answer, "commit    ", "commit_index", "committers");
  bez_buf_puts(out, "  commit id   ");
  bez_answer_put(out, answer, "commit");
  bez_buf_puts(out, json_is_true(json_object_get(answer, "allowed"))
                        ? "\n  both are signed by keys of --allowed-signers alone\n"
                        : "\n  whether these keys might is not asked: --allowed-signers FILE says who may\n");
  const json_t *rows = json_object_get(answer, "rows");
  json_array_foreach(rows ? rows : json_object_get(answer, "claims"), i, item) {
    bez_buf_puts(out, "  ");
    if (rows) bez_buf_printf(out, "row %zu  ", i);
    bez_answer_put(out, item, "claim");
    bez_buf_puts(out, "  ");
    bez_answer_put(out, item, "canonical");
    bez_buf_putc(out, '\n');
  }
}

static void text(bez_buf *out, const json_t *answer) {
  if (!json_is_true(json_object_get(answer, "ok"))) {
    bez_buf_puts(out, "Does not hold: ");
    bez_answer_put(out, answer, "why");
    bez_buf_putc(out, '\n');
  } else if (!strcmp(bez_answer_text(answer, "kind"), "consistency")) {
    const json_t *old = json_object_get(answer, "old"), *now = json_object_get(answer, "new");
    bez_buf_printf(out, "Holds: the log of %llu entries is the beginning of that of %llu, ",
                   (unsigned long long)bez_answer_number(old, "size"),
                   (unsigned long long)bez_answer_number(now, "size"));
    bez_answer_put(out, answer, "log");
    bez_buf_putc(out, '\n');
  } else {
    put_row_proof(out, answer);
  }
}

static int run(const bez_args *args) {
  return bez_vault_run_plain(args, work, text);
}

const bez_command bez_command_vault_verify_proof = {
    .name = "vault verify-proof",
    .synopsis = "FILE --log-key VKEY",
    .summary = "Check a proof with nothing but the log's public key.",
    .description =
        "What bezoar vault prove made is checked from the row up: hashes to the root of the version's tree, the "
        "contributor's signature over that root, the commit that made it a version and its signatures, the places of "
        "both in the log, the log's signature over its checkpoint, "
        "and, with --witness and --quorum, those of witnesses. No vault is needed. Exit code 1: it does not hold.\n"
        "\n"
        "A proof that a row is there holds as well as one that it is not; the answer says which, of each row. --absent "
        "and "
        "--present take one of the two alone.\n"
        "\n"
        "A log takes in what anybody appends: submission and commit count if those who signed them might. That is for "
        "the vault's log of trust to say. The answer names the keys, and --allowed-signers takes those of a file "
        "alone. "
        "A proof is of its version: whether there is a later one it does not say.",
    .examples =
        "bezoar vault verify-proof row.proof --log-key \"$(cat log.vkey)\"\n"
        "bezoar vault verify-proof clean.proof --log-key \"$KEY\" --row bad.csv --absent — about each of these rows",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
