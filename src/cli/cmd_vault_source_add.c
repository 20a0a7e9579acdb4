/* bezoar vault source add: where data comes from. */
#include "cli/trust_say.h"

static const bez_option options[] = {
    {"uri", 0, BEZ_ARG_TEXT, .value = "URL",
     .help = "Where the data, or its metadata, is published (source.location)."},
    {"publisher", 0, BEZ_ARG_TEXT, .repeat = true, .value = "NAME", .help = "Who issued it (source.issuer)."},
    {"title", 0, BEZ_ARG_TEXT, .value = "TEXT", .help = "Its name (source.title). Default: ID."},
    {"identifier", 0, BEZ_ARG_TEXT, .value = "TEXT",
     .help = "Of the metadata, such as a UUID or DOI (source.id). Default: ID."},
    {"description", 0, BEZ_ARG_TEXT, .value = "TEXT", .help = "What it holds (source.description)."},
    {"licence", 0, BEZ_ARG_TEXT, .repeat = true, .value = "NAME", .help = "Terms of use (use.license)."},
    {"method", 0, BEZ_ARG_TEXT, .repeat = true, .value = "NAME",
     .help = "How it was collected (provenance.generation-method)."},
    {"geography", 0, BEZ_ARG_TEXT, .repeat = true, .value = "COUNTRY",
     .help = "Where it was collected (provenance.origin-geography)."},
    {"collected-from", 0, BEZ_ARG_TEXT, .value = "DATE",
     .help = "When it was collected (provenance.generation-period)."},
    {"collected-to", 0, BEZ_ARG_TEXT, .value = "DATE", .help = "… until."},
    {"date", 0, BEZ_ARG_TEXT, .value = "DATE", .help = "When it was issued (provenance.date)."},
    {"previous-date", 0, BEZ_ARG_TEXT, .value = "DATE", .help = "When its last version was issued."},
    {"origin", 0, BEZ_ARG_TEXT, .repeat = true, .value = "NAME",
     .help = "Whom the data is from, if not its publisher (provenance.origin)."},
    {"lineage", 0, BEZ_ARG_TEXT, .value = "URL", .help = "Metadata of what it was made from (provenance.source)."},
    {"format", 0, BEZ_ARG_TEXT, .repeat = true, .value = "NAME",
     .help = "What kind of data it is (provenance.format)."},
    {"purpose", 0, BEZ_ARG_TEXT, .repeat = true, .value = "TEXT",
     .help = "What it is meant for (use.intended-purpose)."},
    {"consent", 0, BEZ_ARG_TEXT, .repeat = true, .value = "URL", .help = "Where consent is documented (use.consents)."},
    {"rights", 0, BEZ_ARG_TEXT, .repeat = true, .value = "TEXT", .help = "Copyright in it (use.copyright)."},
    {"from-file", 0, BEZ_ARG_FILE, .value = "FILE",
     .help = "JSON with the groups source, provenance and use; options add to it."},
    BEZ_VAULT_OPTIONS,
    BEZ_VAULT_KEY_OPTIONS,
    {NULL}};

static bez_source_list list_of(const bez_args *args, const char *name) {
  bez_source_list list = {0};
  list.n = bez_args_list(args, name, &list.items);
  return list;
}

static bez_status work(bez_vault *vault, const bez_args *args, bez_progress *progress, char **json, bez_error *err) {
  (void)progress;
  bez_source_options o = {.id = args->positional[0],
                          .title = bez_args_text(args, "title"),
                          .identifier = bez_args_text(args, "identifier"),
                          .uri = bez_args_text(args, "uri"),
                          .description = bez_args_text(args, "description"),
                          .lineage = bez_args_text(args, "lineage"),
                          .date = bez_args_text(args, "date"),
                          .previous_date = bez_args_text(args, "previous-date"),
                          .collected_from = bez_args_text(args, "collected-from"),
                          .collected_to = bez_args_text(args, "collected-to"),
                          .publishers = list_of(args, "publisher"),
                          .origins = list_of(args, "origin"),
                          .geographies = list_of(args, "geography"),
                          .methods = list_of(args, "method"),
                          .formats = list_of(args, "format"),
                          .licences = list_of(args, "licence"),
                          .purposes = list_of(args, "purpose"),
                          .consents = list_of(args, "consent"),
                          .rights = list_of(args, "rights"),
                          .from_file = bez_args_text(args, "from-file")};
  bez_status st = bez_vault_args_who(args, "key", &o.who, err);
  return st == BEZ_OK ? bez_vault_source_add(vault, &o, json, err) : st;
}

static int run(const bez_args *args) {
  return bez_vault_run(args, work, bez_say_source);
}

const bez_command bez_command_vault_source_add = {
    .name = "vault source add",
    .synopsis = "ID",
    .summary = "Describe a source that data may come from.",
    .description =
        "Every submission names a source, and a source that the vault does not know is refused. What is said of it are "
        "the fields of the Data & Trust Alliance's Data Provenance Standards 1.0.0; the answer names those that the "
        "standards ask for and that are not stated. Saying it again replaces what was said; the log keeps both.\n"
        "\n"
        "Only admins add sources.",
    .examples =
        "bezoar vault source add news --uri https://example.org/news --publisher ACME --licence CC-BY-4.0 — a feed\n"
        "bezoar vault source add census --from-file census.json — all fields from a file",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
