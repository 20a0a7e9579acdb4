/* Jinja templates among model files (model.h): chat templates, which programs render with whatever they hold. */
#include <string.h>
#include <strings.h>

#include "decode/jinja.h"

static int sniff(const bez_model_input *in) {
  static const char *const endings[] = {".jinja", ".jinja2", ".j2"};
  const char *dot = strrchr(in->name, '.');
  for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
    if (!strcasecmp(dot, endings[i])) return 70;
  return 0;
}

static void read_jinja(const bez_model_input *in, struct bez_model_out *out) {
  bez_arena arena = {0};
  jinja_tokens tokens = {0};
  jinja_tree tree = {0};
  const char *text = (const char *)in->bytes;
  bez_model_says(out, in->part, "chat_template", text, in->len);
  if (!bez_jinja_lex(text, in->len, &arena, &tokens))
    bez_model_unread(out, in->part, "it is no template that can be read: %s, at byte %u", tokens.why, tokens.where);
  else if (!bez_jinja_parse(&tokens, &arena, &tree))
    bez_model_unread(out, in->part, "it is no template that can be read: %s, at byte %u", tree.why, tree.where);
  else
    bez_jinja_look(&tree, &arena, out, in->part);
  bez_jinja_tokens_free(&tokens);
  bez_arena_free(&arena);
}

const bez_model_reader bez_model_reader_jinja = {
    .name = "jinja",
    .title = "Jinja template",
    .summary =
        "Chat templates: statements, expressions, what a name could be; nothing is rendered. What is no template "
        "is not checked.",
    .sniff = sniff,
    .read = read_jinja};
