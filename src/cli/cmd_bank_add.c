/* bezoar bank add: the numbers of known adapters go into a reference bank. */
#include "bezoar/audit.h"
#include "cli/args.h"
#include "cli/say.h"

static const bez_option options[] = {
    {"threads", 0, BEZ_ARG_NUMBER, .value = "N", .help = "Threads; 0 takes all processors.", .fallback = "0"}, {NULL}};

static int run(const bez_args *args) {
  bez_error err = {0};
  bez_buf text = {0};
  bez_bank_result result = {0};
  const char *bank = args->positional[0];
  bez_status st = bez_bank_add(bank, args->positional + 1, args->n_positional - 1,
                               (unsigned)bez_args_number(args, "threads"), &result, &err);
  if (st != BEZ_OK) return bez_say_error(&err, "bank add", NULL);
  bez_buf_printf(&text, "%zu adapter%s put into ", result.added, result.added == 1 ? "" : "s");
  bez_say_safe(&text, bank);
  bez_buf_printf(&text, ", %zu in it now\n", result.total);
  return bez_say(&text, BEZ_EXIT_OK);
}

const bez_command bez_command_bank_add = {
    .name = "bank add",
    .synopsis = "BANK ADAPTER…",
    .summary = "Put adapters into a reference bank, for scan --bank.",
    .description =
        "Takes low-rank adapters (LoRA: PEFT, diffusers, kohya, GGUF) that are known to be ordinary, files or folders "
        "with their adapter_config.json, and puts seven numbers about each into the file BANK: how large its change "
        "is, "
        "how uneven over the modules, how much of it lies in one direction, one row or column. bezoar scan --bank BANK "
        "then says of another adapter that it is larger than so many of so many of them: a rank, and no proof.\n"
        "\n"
        "The bank is worth what is in it: adapters for the same base, of about the same rank and kind of task. 139 of "
        "them are needed before a single number beyond all of them can be a warning. BANK is a text file, one line per "
        "adapter with its SHA-256, replaced whole or not at all; an adapter that is there already is not put in twice.",
    .examples = "bezoar bank add known.bank adapters/* — put a folder's adapters in\n"
                "bezoar scan ./lora --bank known.bank — and compare another with them",
    .options = options,
    .min_positional = 2,
    .max_positional = -1,
    .run = run};
