/* Configurations of models as JSON (model.h): those of transformers, PEFT, diffusers and sentence-transformers, indexes
 * of shards, Hydra's and Lightning's entries. Keys decide, not the file's name. */
#include "decode/model_config.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "decode/json_walk.h"
#include "decode/outside.h"

typedef struct config {
  const bez_model_input *in;
  struct bez_model_out *out;
  bool adapter, diffusers, modules;
  char shard[256];    /* the last one */
  bez_buf name, text; /* of the chat template whose object is open */
  bez_buf library;    /* of a component of diffusers */
} config;

static const char *own_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static bool has(const bez_model_input *in, const char *text) {
  return memmem(in->bytes, in->len, text, strlen(text)) != NULL;
}

static int sniff(const bez_model_input *in) {
  const char *dot = strrchr(in->name, '.');
  size_t at = in->len >= 3 && memcmp(in->bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  if (!dot || strcasecmp(dot, ".json") != 0) return 0;
  while (at < in->len && isspace(in->bytes[at])) at++;
  return at < in->len && (in->bytes[at] == '{' || in->bytes[at] == '[') ? 40 : 0;
}

/* ---- code ---------------------------------------------------------------------------------------------------------
 */

void bez_config_auto_class(struct bez_model_out *out, uint32_t part, uint64_t at, const char *key, const char *value) {
  const char *own = strstr(value, "--");
  if (own)
    bez_model_code(out, part, at, "remote-repo", value,
                   "%.60s is %.80s of another repository, %.*s: trust_remote_code fetches and runs it",
                   *key ? key : "a class", own + 2, (int)(own - value), value);
  else
    bez_model_code(out, part, at, "remote-module", value,
                   "%.60s is %.120s, code beside the model that trust_remote_code runs", *key ? key : "a class", value);
}

bool bez_config_is_target(const char *key) {
  static const char *const keys[] = {"_target_", "class_path", "loader_module"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (!strcmp(key, keys[i])) return true;
  return false;
}

void bez_config_target(struct bez_model_out *out, uint32_t part, uint64_t at, const char *key, const char *value) {
  bez_model_code(out, part, at, "config-target", value,
                 "%.40s is %.160s, which is imported and called when the configuration is used", key, value);
}

/* The last key on the way down to the value. */
static const char *nearest(const bez_json_event *e) {
  for (unsigned i = e->depth; i-- > 0;)
    if (*bez_json_key_at(e, i)) return bez_json_key_at(e, i);
  return "";
}

static void look_for_code(config *c, const bez_json_event *e) {
  const char *key = e->depth ? bez_json_key_at(e, e->depth - 1) : "";
  const uint32_t part = c->in->part;
  if (bez_json_below(e, "auto_map") || (bez_json_below(e, "custom_pipelines") && !strcmp(key, "impl")))
    bez_config_auto_class(c->out, part, e->at, nearest(e), e->text);
  else if (bez_config_is_target(key))
    bez_config_target(c->out, part, e->at, key, e->text);
  else if (!strcmp(key, "parent_library") && bez_json_below(e, "auto_mapping"))
    bez_config_target(c->out, part, e->at, key, e->text);
  else if (c->modules && !strcmp(key, "type") && e->depth == 2 && strstr(e->text, "--"))
    bez_config_auto_class(c->out, part, e->at, key, e->text);
  else if (c->modules && !strcmp(key, "type") && e->depth == 2)
    bez_config_target(c->out, part, e->at, key, e->text);
  else if ((!strcmp(key, "_attn_implementation") || !strcmp(key, "attn_implementation")) && strchr(e->text, '/'))
    bez_model_code(c->out, part, e->at, "remote-kernel", e->text, "%s is %.160s, compiled code of another repository",
                   key, e->text);
}

/* diffusers: "component": ["library", "Class"]; "_class_name" may be such a pair, too, of a file beside it. */
static void component(config *c, const bez_json_event *e) {
  const char *name = bez_json_key_at(e, 0);
  if (e->depth != 2 || e->path[1].object) return;
  if (!strcmp(name, "_class_name") && e->path[1].index == 0)
    bez_config_auto_class(c->out, c->in->part, e->at, name, e->text);
  else if (*name != '_' && e->path[1].index == 0) {
    bez_buf_clear(&c->library);
    bez_buf_puts(&c->library, e->text);
  } else if (*name != '_' && e->path[1].index == 1 && c->library.data)
    bez_model_code(c->out, c->in->part, e->at, "config-library", c->library.data,
                   "%.60s is %.80s of %.80s, which is imported when the pipeline is loaded", name, e->text,
                   c->library.data);
}

/* ---- what it says of itself ---------------------------------------------------------------------------------------
 */

typedef struct saying {
  const char *key, *says;
  unsigned depth; /* steps down to it */
  char what;      /* 's' text, 'n' number or truth, '}' a whole object */
  bool adapter;
} saying;

static const saying sayings[] = {{"architectures", "architecture", 2, 's', false},
                                 {"model_type", "model_type", 1, 's', false},
                                 {"_name_or_path", "base_model", 1, 's', false},
                                 {"base_model_name_or_path", "base_model", 1, 's', true},
                                 {"quant_method", "quantization", 2, 's', false},
                                 {"tokenizer_class", "tokenizer", 1, 's', false},
                                 {"peft_type", "lora.type", 1, 's', true},
                                 {"r", "lora.r", 1, 'n', true},
                                 {"lora_alpha", "lora.alpha", 1, 'n', true},
                                 {"use_rslora", "lora.use_rslora", 1, 'n', true},
                                 {"alpha_pattern", "lora.alpha_pattern", 1, '}', true},
                                 {"rank_pattern", "lora.rank_pattern", 1, '}', true}};

static void tell_about(config *c, const bez_json_event *e) {
  const char what = e->what == 't' || e->what == 'f' ? 'n' : e->what;
  const bool whole = what == '}';
  for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++) {
    const saying *s = &sayings[i];
    if (s->what != what || s->depth != e->depth || (s->adapter && !c->adapter)) continue;
    const bool first = !e->path[e->depth - 1].object && e->path[e->depth - 1].index == 0;
    const char *key = first && e->depth > 1 ? bez_json_key_at(e, e->depth - 2) : bez_json_key_at(e, e->depth - 1);
    if (strcmp(key, s->key) != 0) continue;
    if (!strcmp(key, "quant_method") && !bez_json_below(e, "quantization_config")) continue;
    const char *text = whole ? (const char *)c->in->bytes + e->at : e->text;
    const size_t len = whole ? e->end - e->at : e->len;
    if (len) bez_model_says(c->out, c->in->part, s->says, text, len);
  }
}

static void shard(config *c, const bez_json_event *e) {
  if (e->depth != 2 || strcmp(bez_json_key_at(e, 0), "weight_map") != 0) return;
  if (!strcmp(c->shard, e->text) && e->len < sizeof c->shard) return;
  if (e->len < sizeof c->shard) memcpy(c->shard, e->text, e->len + 1);
  if (!bez_model_outside(c->out, c->in->part, e->at, e->text, e->len, "a shard of the weights"))
    bez_model_says(c->out, c->in->part, "shard", e->text, e->len);
}

/* ---- chat templates -----------------------------------------------------------------------------------------------
 */

static void hand_on(config *c, const char *name, const char *text, size_t len, size_t at) {
  bez_buf part = {0};
  bez_buf_puts(&part, "chat_template");
  if (*name && strcmp(name, "default") != 0) bez_buf_printf(&part, ".%.80s", name);
  bez_buf_puts(&part, ".jinja");
  if (!part.failed)
    (void)bez_model_examine(c->out, c->in->part, c->in->depth + 1, part.data, at, (const uint8_t *)text, len);
  bez_buf_free(&part);
}

/* "chat_template": text, or {name: text}, or [{"name": name, "template": text}]. */
static void template_text(config *c, const bez_json_event *e) {
  const char *key = bez_json_key_at(e, e->depth - 1);
  if (!strcmp(key, "chat_template"))
    hand_on(c, "", e->text, e->len, e->at);
  else if (e->depth > 1 && !strcmp(bez_json_key_at(e, e->depth - 2), "chat_template"))
    hand_on(c, key, e->text, e->len, e->at);
  else if (!strcmp(key, "name") || !strcmp(key, "template")) {
    bez_buf *to = *key == 'n' ? &c->name : &c->text;
    if (*key == 't' && to->len) hand_on(c, "twice", to->data, to->len, e->at);
    bez_buf_clear(to);
    bez_buf_write(to, e->text, e->len);
  }
}

static void template_end(config *c, const bez_json_event *e) {
  if (c->text.failed || c->name.failed)
    bez_model_unread(c->out, c->in->part, "memory is out");
  else if (c->text.len)
    hand_on(c, c->name.len ? c->name.data : "", c->text.data, c->text.len, e->at);
  bez_buf_clear(&c->name);
  bez_buf_clear(&c->text);
}

/* ---- the walk -----------------------------------------------------------------------------------------------------
 */

static void on_event(void *ctx, const bez_json_event *e) {
  config *c = ctx;
  if (!e->depth) return;
  if (e->what == 's') {
    look_for_code(c, e);
    shard(c, e);
    if (c->diffusers) component(c, e);
    if (bez_json_below(e, "chat_template")) template_text(c, e);
  }
  if (e->what == '}' && bez_json_below(e, "chat_template")) template_end(c, e);
  if (e->what == 't' && !strcmp(bez_json_key_at(e, e->depth - 1), "trust_remote_code"))
    bez_model_code(c->out, c->in->part, e->at, "remote-trust", "trust_remote_code",
                   "the configuration asks for trust_remote_code");
  tell_about(c, e);
}

static void read_config(const bez_model_input *in, struct bez_model_out *out) {
  const char *name = own_name(in->name);
  config c = {.in = in,
              .out = out,
              .adapter = has(in, "\"peft_type\"") || has(in, "base_model_name_or_path"),
              .diffusers = has(in, "_diffusers_version") || !strcmp(name, "model_index.json"),
              .modules = !strcmp(name, "modules.json")};
  bez_json_end end;
  bez_json_walk((const char *)in->bytes, in->len, on_event, &c, &end);
  if (end.why) bez_model_unread(out, in->part, "it is no JSON: %s, at byte %zu", end.why, end.where);
  if (end.twice)
    bez_model_odd(out, in->part, 0, "duplicate-key", "%zu key%s twice: programs take the first or the last", end.twice,
                  end.twice == 1 ? " stands there" : "s stand there");
  bez_buf_free(&c.name);
  bez_buf_free(&c.text);
  bez_buf_free(&c.library);
}

const bez_model_reader bez_model_reader_config = {.name = "json",
                                                  .title = "JSON configuration",
                                                  .summary =
                                                      "Code that it names (auto_map, custom pipelines, _target_), chat "
                                                      "templates, shards, and what it says of the model.",
                                                  .shares = true,
                                                  .sniff = sniff,
                                                  .read = read_config};
