/* Texts made from the command table: help, man pages, shell completions, reference pages. */
#ifndef BEZ_CLI_HELP_H
#define BEZ_CLI_HELP_H

#include "base/buf.h"
#include "bezoar/detect.h"
#include "cli/command.h"

#define BEZ_HELP_WIDTH 80u

void bez_help_overview(bez_buf *out);
void bez_help_command(bez_buf *out, const bez_command *command);
/* "-o, --output FILE" */
void bez_help_option_name(bez_buf *out, const bez_option *option);
/* The option's sentence with its default and choices. */
void bez_help_option_text(bez_buf *out, const bez_option *option);

/* "a label column, pictures": what a detector cannot do without. */
void bez_help_needs(bez_buf *out, const bez_detector_info *detector);

/* One page in roff: bezoar(1) for NULL, bezoar-scan(1) for a command. */
void bez_man_page(bez_buf *out, const bez_command *command);

/* "bash", "zsh", "fish"; false: another shell. */
bool bez_completion(bez_buf *out, const char *shell);

/* Reference pages in Markdown: name is "commands/scan.md", "detectors.md", "attacks.md", "formats.md" …
 * Calls put(ctx, name, text) for each; stops and returns false when put does. */
typedef bool (*bez_docs_put)(void *ctx, const char *name, const char *text);
bool bez_docs_pages(bez_docs_put put, void *ctx);

#endif
