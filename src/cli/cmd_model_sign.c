/* bezoar model sign: a signature over every file of a model. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bezoar/signing.h"
#include "cli/args.h"
#include "cli/progress.h"
#include "cli/say.h"

static const bez_option options[] = {
    {"key", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Private key, PEM: EC on P-256, P-384 or P-521 (needed)."},
    {"password-env", 0, BEZ_ARG_TEXT, .value = "NAME",
     .help = "Environment variable that holds the password of the key."},
    {"certificate", 0, BEZ_ARG_FILE, .repeat = true, .value = "FILE",
     .help = "Certificates to send along, PEM: the key's own first, then those that lead to a root."},
    {"signature", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Where the signature goes. Default: model.sig in the folder, FILE.sig beside a file. One that is there is "
             "replaced; any other file is not."},
    {"ignore", 0, BEZ_ARG_FILE, .repeat = true, .value = "PATH",
     .help = "A file or folder below the model that is not signed (no pattern). .git, .github, .gitignore and "
             ".gitattributes at the top never are."},
    {"serialization", 0, BEZ_ARG_CHOICE, .value = "HOW", .choices = "files shards", .fallback = "files",
     .help = "One digest per file, or one per shard of a file."},
    {"shard-size", 0, BEZ_ARG_NUMBER, .value = "BYTES", .fallback = "1000000000", .help = "Bytes of a shard."},
    {"hash", 0, BEZ_ARG_CHOICE, .value = "NAME", .choices = "sha256 blake2b", .fallback = "sha256",
     .help = "Digest of files. Not every implementation verifies blake2b."},
    {"allow-symlinks", 0, BEZ_ARG_FLAG, .help = "Sign what links to files lead to; without it a link is refused."},
    {"threads", 0, BEZ_ARG_NUMBER, .value = "N", .help = "Threads; 0 takes all processors.", .fallback = "0"},
    {"progress", 0, BEZ_ARG_CHOICE, .value = "HOW", .choices = "auto plain none", .fallback = "auto",
     .help = "Progress on standard error for work above a second."},
    {NULL}};

static bez_status plan(const bez_args *args, bez_progress *progress, bez_sign_options *o, bez_error *err) {
  const char *variable = bez_args_text(args, "password-env");
  const uint64_t threads = bez_args_number(args, "threads");
  *o = (bez_sign_options){.key = bez_args_text(args, "key"),
                          .signature = bez_args_text(args, "signature"),
                          .hash = bez_args_text(args, "hash"),
                          .shards = !strcmp(bez_args_text(args, "serialization"), "shards"),
                          .shard_size = bez_args_number(args, "shard-size"),
                          .allow_symlinks = bez_args_flag(args, "allow-symlinks"),
                          .threads = threads < UINT32_MAX ? (unsigned)threads : UINT32_MAX,
                          .progress = bez_progress_step,
                          .progress_ctx = progress};
  o->n_certificates = bez_args_list(args, "certificate", &o->certificates);
  o->n_ignore = bez_args_list(args, "ignore", &o->ignore);
  if (!o->key) return bez_fail(err, BEZ_USAGE, "model sign", "needs --key FILE");
  if (!o->shard_size) return bez_fail(err, BEZ_USAGE, "--shard-size", "must be above 0");
  if (variable) o->password = getenv(variable);
  if (variable && !o->password)
    return bez_fail(err, BEZ_USAGE, "--password-env", "no environment variable is called %s", variable);
  return BEZ_OK;
}

static int tell(const bez_sign_result *r, bool chain) {
  bez_buf out = {0};
  bez_say_safe(&out, r->signature);
  bez_buf_printf(&out, ": %llu file%s signed (%llu bytes) with %s\n", (unsigned long long)r->n_files,
                 r->n_files == 1 ? "" : "s", (unsigned long long)r->bytes, chain ? "a certificate chain" : "the key");
  bez_buf_printf(&out, "  model  sha256:%s\n  key    %s\n", r->digest, r->key);
  if (r->n_ignored) bez_buf_printf(&out, "  %llu left out by name\n", (unsigned long long)r->n_ignored);
  if (r->n_outside)
    bez_buf_printf(&out, "  %llu link%s out of the model: what they lead to was signed\n",
                   (unsigned long long)r->n_outside, r->n_outside == 1 ? " leads" : "s lead");
  return bez_say(&out, BEZ_EXIT_OK);
}

static int run(const bez_args *args) {
  bez_error err = {0};
  bez_sign_options o;
  bez_sign_result result;
  bez_progress progress;
  bez_status st = plan(args, &progress, &o, &err);
  if (st != BEZ_OK) return bez_say_error(&err, "model sign", NULL);
  bez_signals_watch();
  bez_progress_start(&progress, bez_args_text(args, "progress"));
  st = bez_model_sign(args->positional[0], &o, &result, &err);
  bez_progress_end(&progress);
  const char *hint =
      strstr(err.message, "none was given") ? "--password-env NAME names the variable that holds it" : NULL;
  int code = st == BEZ_OK ? tell(&result, o.n_certificates > 0) : bez_say_error(&err, "model sign", hint);
  bez_signals_finish();
  return code;
}

const bez_command bez_command_model_sign = {
    .name = "model sign",
    .synopsis = "MODEL",
    .summary = "Sign a model: every file's digest, in one signature.",
    .description =
        "Writes down the digest of every file of the folder (or of the one file) and signs the list, as OpenSSF Model "
        "Signing 1.0 says: a Sigstore bundle with a DSSE envelope over an in-toto statement. bezoar model verify and "
        "other implementations of that standard verify it.\n"
        "\n"
        "Keys are elliptic curves P-256, P-384 or P-521, as openssl genpkey -algorithm EC -pkeyopt "
        "ec_paramgen_curve:P-256 makes them; other kinds are refused by name. With --certificate, the signature "
        "carries "
        "the certificates, and is verified against a root instead of a key.\n"
        "\n"
        "What is neither a file nor a folder, links without --allow-symlinks, links to folders, and names that are not "
        "UTF-8 are errors: nothing is left out silently. The signature appears whole or not at all.",
    .examples = "bezoar model sign ./model --key k.pem — sign a folder\n"
                "bezoar model sign w.gguf --key k.pem — sign one file, into w.gguf.sig\n"
                "bezoar model sign ./model --key k.pem --certificate k.crt --certificate ca.crt — with a chain\n"
                "bezoar model sign ./model --key k.pem --serialization shards — large files, read in parallel",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
