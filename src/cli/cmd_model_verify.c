/* bezoar model verify: is this model what its signer signed? */
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/json.h"
#include "bezoar/signing.h"
#include "cli/args.h"
#include "cli/progress.h"
#include "cli/say.h"

static const bez_option options[] = {
    {"key", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Public key that must have signed, PEM."},
    {"certificate-chain", 0, BEZ_ARG_FILE, .repeat = true, .value = "FILE",
     .help = "Root certificates that are trusted, PEM: the signature's own certificates must lead to one."},
    {"at", 0, BEZ_ARG_TEXT, .value = "DATE",
     .help = "Day (YYYY-MM-DD, UTC) on which the certificates must be valid, where something else proves that the "
             "signature is older. Default: today."},
    {"certificate-identity", 0, BEZ_ARG_TEXT, .value = "NAME",
     .help = "Sigstore: the email address or URI that must have signed, exactly."},
    {"certificate-oidc-issuer", 0, BEZ_ARG_TEXT, .value = "URL",
     .help = "Sigstore: the issuer that vouched for the identity, exactly."},
    {"trusted-root", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Sigstore: trusted_root.json with the authorities and logs that are trusted. Nothing is fetched."},
    {"signature", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "The signature. Default: model.sig in the folder, FILE.sig beside a file."},
    {"ignore", 0, BEZ_ARG_FILE, .repeat = true, .value = "PATH",
     .help = "A file or folder below the model that is not looked at (no pattern), beside those that the signature "
             "leaves out."},
    {"ignore-unsigned-files", 0, BEZ_ARG_FLAG, .help = "Files that the signature does not name are fine."},
    {"allow-symlinks", 0, BEZ_ARG_FLAG,
     .help = "Follow links to files, as a Hugging Face cache has them, even where the signature does not."},
    {"format", 0, BEZ_ARG_CHOICE, .value = "FORMAT", .choices = "text json", .fallback = "text",
     .help = "Form of the answer."},
    {"threads", 0, BEZ_ARG_NUMBER, .value = "N", .help = "Threads; 0 takes all processors.", .fallback = "0"},
    {"progress", 0, BEZ_ARG_CHOICE, .value = "HOW", .choices = "auto plain none", .fallback = "auto",
     .help = "Progress on standard error for work above a second."},
    {NULL}};

static bool parse_day(const char *text, int64_t *out) {
  struct tm day = {0};
  const char *end = strptime(text, "%Y-%m-%d", &day);
  if (!end || *end || strlen(text) != 10) return false;
  *out = (int64_t)timegm(&day);
  return true;
}

static bez_status plan(const bez_args *args, bez_progress *progress, bez_verify_options *o, bez_error *err) {
  const char *at = bez_args_text(args, "at");
  const uint64_t threads = bez_args_number(args, "threads");
  *o = (bez_verify_options){.key = bez_args_text(args, "key"),
                            .signature = bez_args_text(args, "signature"),
                            .ignore_unsigned = bez_args_flag(args, "ignore-unsigned-files"),
                            .allow_symlinks = bez_args_flag(args, "allow-symlinks"),
                            .threads = threads < UINT32_MAX ? (unsigned)threads : UINT32_MAX,
                            .progress = bez_progress_step,
                            .progress_ctx = progress};
  o->identity = bez_args_text(args, "certificate-identity");
  o->oidc_issuer = bez_args_text(args, "certificate-oidc-issuer");
  o->trusted_root = bez_args_text(args, "trusted-root");
  o->n_roots = bez_args_list(args, "certificate-chain", &o->roots);
  o->n_ignore = bez_args_list(args, "ignore", &o->ignore);
  o->at_given = at != NULL;
  if (at && !parse_day(at, &o->at)) return bez_fail(err, BEZ_USAGE, "--at", "wants YYYY-MM-DD, not \"%s\"", at);
  return BEZ_OK;
}

static const char *what_text(bez_verify_what what) {
  switch (what) {
    case BEZ_VERIFY_SIGNATURE: return "signature";
    case BEZ_VERIFY_CHANGED: return "changed";
    case BEZ_VERIFY_MISSING: return "missing";
    case BEZ_VERIFY_UNSIGNED: return "unsigned";
  }
  return "";
}

static void put_text(bez_buf *out, const bez_verification *v) {
  bez_say_safe(out, v->signature);
  bez_buf_puts(out, v->holds ? ": verified\n" : ": NOT VERIFIED\n");
  if (*v->who) bez_buf_puts(out, "  signed by  ");
  bez_say_safe(out, v->who);
  if (*v->who) bez_buf_putc(out, '\n');
  if (*v->digest)
    bez_buf_printf(out, "  model      sha256:%s\n  as signed  %llu file%s (%llu bytes)\n", v->digest,
                   (unsigned long long)v->n_files, v->n_files == 1 ? "" : "s", (unsigned long long)v->bytes);
  for (size_t i = 0; i < v->n_problems; i++) {
    bez_buf_printf(out, "  %-9s  ", what_text(v->problems[i].what));
    const bool file = v->problems[i].what != BEZ_VERIFY_SIGNATURE; /* the signature's name stands on the first line */
    bez_say_safe(out, file ? v->problems[i].name : "");
    bez_buf_puts(out, file ? " " : "");
    bez_say_safe(out, v->problems[i].why);
    bez_buf_putc(out, '\n');
  }
  if (v->n_more) bez_buf_printf(out, "  and %llu more\n", (unsigned long long)v->n_more);
  for (size_t i = 0; i < v->n_ignored && i < 20; i++) {
    bez_buf_puts(out, i ? ", " : "  left out   ");
    bez_say_safe(out, v->ignored[i]);
  }
  if (v->n_ignored > 20) bez_buf_printf(out, " and %zu more", v->n_ignored - 20);
  if (v->n_ignored) bez_buf_puts(out, " (not signed, not looked at)\n");
  if (v->n_outside)
    bez_buf_printf(out, "  %llu link%s out of the model\n", (unsigned long long)v->n_outside,
                   v->n_outside == 1 ? " leads" : "s lead");
}

static void put_json(bez_buf *out, const bez_verification *v) {
  bez_json j = bez_json_make(out, true);
  bez_json_open(&j, '{');
  bez_json_kbool(&j, "verified", v->holds);
  bez_json_kstr(&j, "signature", v->signature);
  bez_json_kstr(&j, "signed_by", *v->who ? v->who : NULL);
  bez_json_kstr(&j, "model_sha256", *v->digest ? v->digest : NULL);
  bez_json_kuint(&j, "files", v->n_files);
  bez_json_kuint(&j, "bytes", v->bytes);
  bez_json_key(&j, "problems");
  bez_json_open(&j, '[');
  for (size_t i = 0; i < v->n_problems; i++) {
    bez_json_open(&j, '{');
    bez_json_kstr(&j, "what", what_text(v->problems[i].what));
    bez_json_kstr(&j, "name", v->problems[i].name);
    bez_json_kstr(&j, "why", v->problems[i].why);
    bez_json_close(&j, '}');
  }
  bez_json_close(&j, ']');
  bez_json_kuint(&j, "more_problems", v->n_more);
  bez_json_key(&j, "left_out");
  bez_json_open(&j, '[');
  for (size_t i = 0; i < v->n_ignored; i++) bez_json_str(&j, v->ignored[i]);
  bez_json_close(&j, ']');
  bez_json_kuint(&j, "links_out", v->n_outside);
  bez_json_close(&j, '}');
  bez_buf_putc(out, '\n');
}

static int run(const bez_args *args) {
  bez_error err = {0};
  bez_verify_options o;
  bez_verification v = {0};
  bez_progress progress;
  bez_buf out = {0};
  bez_status st = plan(args, &progress, &o, &err);
  if (st != BEZ_OK) return bez_say_error(&err, "model verify", NULL);
  bez_signals_watch();
  bez_progress_start(&progress, bez_args_text(args, "progress"));
  st = bez_model_verify(args->positional[0], &o, &v, &err);
  bez_progress_end(&progress);
  int code;
  if (st == BEZ_OK) {
    if (!strcmp(bez_args_text(args, "format"), "json"))
      put_json(&out, &v);
    else
      put_text(&out, &v);
    code = bez_say(&out, v.holds ? BEZ_EXIT_OK : BEZ_EXIT_FINDINGS);
  } else {
    code = bez_say_error(&err, "model verify", NULL);
  }
  bez_verification_free(&v);
  bez_signals_finish();
  return code;
}

const bez_command bez_command_model_verify = {
    .name = "model verify",
    .synopsis = "MODEL",
    .summary = "Verify that a model is what its publisher signed.",
    .description =
        "Verifies a signature of OpenSSF Model Signing 1.0 over a folder or a file: that it was made by the key, or "
        "under the roots, that are named here; that what was signed is a list of a model's files; that every file on "
        "it is there and unchanged; and that nothing else is there. Each way in which it fails is said, with the "
        "file.\n"
        "\n"
        "A signature says who, so somebody must say whom to expect: without --key, --certificate-chain or "
        "--certificate-identity (with --certificate-oidc-issuer and --trusted-root) nothing is verified. (bezoar scan "
        "compares files with a signature's list even so, and says that nobody verified the "
        "list.)\n"
        "\n"
        "Certificates must be valid now. The standard asks for no trusted time of signing; --at takes your word for "
        "one. Exit code 0: verified; 1: not; 2: wrong use; 3: something could not be read, so nobody knows.",
    .examples = "bezoar model verify ./model --key k.pub — signed by this key?\n"
                "bezoar model verify ./model --certificate-chain root.pem — under this root?\n"
                "bezoar model verify ./model --key k.pub --ignore-unsigned-files — other files may be there\n"
                "bezoar model verify w.gguf --key k.pub --format json — for programs",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
