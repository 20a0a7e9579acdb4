/* bezoar poison: plant an attack, to measure detectors with. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bezoar/attack.h"
#include "cli/args.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/say.h"

static const bez_option options[] = {
    {"attack", 0, BEZ_ARG_TEXT, .value = "NAME", .help = "What to plant (needed); see bezoar list attacks."},
    {"rows", 0, BEZ_ARG_NUMBER, .value = "K", .help = "How many rows to poison …"},
    {"share", 0, BEZ_ARG_REAL, .value = "P", .help = "… or which share of all rows, between 0 and 1."},
    {"seed", 0, BEZ_ARG_NUMBER, .value = "S", .fallback = "0",
     .help = "Seed; the rows of a smaller K are the first of a larger one."},
    {"target", 0, BEZ_ARG_TEXT, .value = "LABEL",
     .help = "Label the trigger pushes to; without it the most frequent label."},
    {"label", 0, BEZ_ARG_TEXT, .value = "COL", .help = "Column with the labels; guessed where not given."},
    {"source-class", 0, BEZ_ARG_TEXT, .value = "LABEL",
     .help = "Poison only rows of this label; without it rows of any label but the target."},
    {"labels-file", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Labels of pictures, one per row: npy, IDX, CSV … (column label, its only one, or --label)."},
    {"labels-out", 0, BEZ_ARG_FILE, .value = "FILE", .help = "Where the changed labels of --labels-file go."},
    {"text", 0, BEZ_ARG_TEXT, .repeat = true, .value = "COL", .help = "Column with free text."},
    {"id", 0, BEZ_ARG_TEXT, .value = "COL", .help = "Column that names each row."},
    {"type", 0, BEZ_ARG_TEXT, .repeat = true, .value = "COL=TYPE",
     .help = "Type of a column instead of the inferred one."},
    {"param", 0, BEZ_ARG_TEXT, .repeat = true, .value = "KEY=VALUE", .help = "Parameter of the attack."},
    {"output", 'o', BEZ_ARG_FILE, .value = "FILE", .help = "Where the poisoned data go (needed)."},
    {"answer-key", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "Where the poisoned rows and the trigger go, as JSON (needed)."},
    {"config", 0, BEZ_ARG_FILE, .value = "FILE", .help = "YAML file with options; none is read unless named."},
    {NULL}};

static bez_status check(const bez_args *args, bez_error *err) {
  static const char *const needed[] = {"attack", "output", "answer-key"};
  const char *labels = bez_args_text(args, "labels-file"), *labels_out = bez_args_text(args, "labels-out");
  const char *inputs[] = {args->positional[0], labels};
  size_t n_inputs = labels ? 2 : 1;
  const char *out = bez_args_text(args, "output"), *key = bez_args_text(args, "answer-key");
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < 3; i++)
    if (!bez_args_text(args, needed[i])) return bez_fail(err, BEZ_USAGE, "poison", "needs --%s", needed[i]);
  if (bez_args_given(args, "rows") == bez_args_given(args, "share"))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "poison", "needs either --rows K or --share P"));
  BEZ_TRY(bez_outputs_check_path("--output", out, inputs, n_inputs, err));
  BEZ_TRY(bez_outputs_check_path("--answer-key", key, inputs, n_inputs, err));
  if (labels_out) BEZ_TRY(bez_outputs_check_path("--labels-out", labels_out, inputs, n_inputs, err));
  if (labels_out && (!strcmp(labels_out, out) || !strcmp(labels_out, key)))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "--labels-out", "%s is another output as well", labels_out));
  if (!strcmp(out, key)) BEZ_TRY(bez_fail(err, BEZ_USAGE, "--answer-key", "%s is also --output", key));
cleanup:
  return st;
}

static int run(const bez_args *args) {
  bez_error err = {0};
  bez_poison_options o = {.attack = bez_args_text(args, "attack"),
                          .target = bez_args_text(args, "target"),
                          .source_class = bez_args_text(args, "source-class"),
                          .labels_out = bez_args_text(args, "labels-out"),
                          .rows = bez_args_number(args, "rows"),
                          .share = bez_args_real(args, "share")};
  o.n_params = bez_args_list(args, "param", &o.params);
  o.read.label = bez_args_text(args, "label");
  o.read.labels_file = bez_args_text(args, "labels-file");
  o.read.id = bez_args_text(args, "id");
  o.read.n_text = bez_args_list(args, "text", &o.read.text);
  o.read.n_types = bez_args_list(args, "type", &o.read.types);
  o.read.seed = bez_args_number(args, "seed");
  bez_progress progress;
  bez_progress_start(&progress, "auto");
  o.read.progress = bez_progress_step;
  o.read.progress_ctx = &progress;
  bez_status st = check(args, &err);
  bez_signals_watch();
  const char *out = bez_args_text(args, "output"), *key = bez_args_text(args, "answer-key");
  if (st == BEZ_OK) st = bez_poison(args->positional[0], &o, out, key, &err);
  bez_progress_end(&progress);
  int code;
  if (st != BEZ_OK) {
    code = bez_say_error(&err, "poison", NULL);
  } else {
    bez_buf text = {0};
    if (strcmp(out, "-") != 0 && strcmp(key, "-") != 0) {
      bez_buf_puts(&text, "poisoned data in ");
      bez_say_safe(&text, out);
      bez_buf_puts(&text, ", answer key in ");
      bez_say_safe(&text, key);
      bez_buf_putc(&text, '\n');
    }
    code = bez_say(&text, BEZ_EXIT_OK);
  }
  bez_signals_finish();
  return code;
}

const bez_command bez_command_poison = {
    .name = "poison",
    .synopsis = "DATA",
    .summary = "Plant a known attack into a copy, to measure detection with.",
    .description =
        "Writes a poisoned copy of one file and an answer key with the poisoned rows and the trigger. "
        "Dirty-label attacks change rows of other classes in place and set their label; clean-label "
        "attacks write the trigger into rows of the target class. Every other byte stays. The same seed "
        "gives the same copy. Pictures (npy, IDX) keep their type and layout; their labels come from "
        "--labels-file and go, changed, to --labels-out. With --param jpeg=Q every picture is compressed with "
        "that quality afterwards, poisoned or not.\n"
        "\n"
        "This is for testing one's own pipeline: plant, scan, compare with the key.",
    .examples = "bezoar poison data.csv --attack rare-combo --label y --rows 60 --seed 7 -o p.csv --answer-key k.json "
                "— a two-column trigger in 60 rows\n"
                "bezoar poison images.npy --labels-file labels.npy --attack badnets --share 0.02 --source-class 14 "
                "--target 3 -o p.npy --labels-out pl.npy --answer-key k.json — a patch on pictures of one class",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
