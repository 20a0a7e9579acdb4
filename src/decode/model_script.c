/* Python beside a model (model.h): what it imports, and which of the calls it names run programs, evaluate code or
 * reach the network, when it is imported or later. Names as they are written, through "import … as": a script that
 * hides them is not found out, so no script is ever called harmless. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "decode/model.h"

#define ALIASES 256u
#define MOST_BYTES (1u << 20)
#define DEEP 64u /* functions within functions */

typedef struct script {
  const bez_model_input *in;
  struct bez_model_out *out;
  bez_arena arena;
  const char *text;
  size_t len, at;
  unsigned brackets;
  struct {
    const char *name, *stands_for;
  } aliases[ALIASES];
  unsigned n_aliases;
  size_t functions[DEEP]; /* indentation of each "def" that is open */
  unsigned n_functions;
  bool in_line_function; /* "def f(): …" on one line, or behind "lambda" */
  bez_buf imports, at_import, later;
} script;

/* Names worth a word: all below "x.*", or the name itself. */
static const char *const telling[] = {"os.system",
                                      "os.popen",
                                      "os.exec*",
                                      "os.spawn*",
                                      "os.posix_spawn*",
                                      "os.fork*",
                                      "os.startfile",
                                      "subprocess.*",
                                      "pty.*",
                                      "commands.*",
                                      "eval",
                                      "exec",
                                      "compile",
                                      "execfile",
                                      "__import__",
                                      "builtins.*",
                                      "importlib.*",
                                      "runpy.*",
                                      "imp.*",
                                      "code.*",
                                      "marshal.*",
                                      "pickle.load*",
                                      "dill.load*",
                                      "cloudpickle.load*",
                                      "joblib.load",
                                      "torch.load",
                                      "torch.hub.*",
                                      "ctypes.*",
                                      "cffi.*",
                                      "socket.*",
                                      "requests.*",
                                      "urllib.request.*",
                                      "urllib2.*",
                                      "urllib3.*",
                                      "http.client.*",
                                      "httpx.*",
                                      "aiohttp.*",
                                      "ftplib.*",
                                      "smtplib.*",
                                      "telnetlib.*",
                                      "paramiko.*",
                                      "websocket.*",
                                      "websockets.*",
                                      "webbrowser.*",
                                      "shutil.rmtree",
                                      "os.remove",
                                      "os.unlink",
                                      "base64.b64decode",
                                      "zlib.decompress",
                                      "codecs.decode",
                                      "multiprocessing.Process",
                                      "pip.*"};

static bool worth_a_word(const char *name) {
  for (size_t i = 0; i < sizeof telling / sizeof *telling; i++) {
    const size_t n = strlen(telling[i]);
    const bool open = telling[i][n - 1] == '*';
    if (open ? !strncmp(name, telling[i], n - 1) : !strcmp(name, telling[i])) return true;
  }
  return false;
}

/* ---- tokens -------------------------------------------------------------------------------------------------------
 */

static char now(const script *s) {
  return s->at < s->len ? s->text[s->at] : 0;
}

static bool is_name(char c) {
  return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* At a quote: behind the string. Escapes matter for quotes alone. */
static void skip_string(script *s) {
  const char quote = now(s);
  const bool three = s->len - s->at >= 3 && s->text[s->at + 1] == quote && s->text[s->at + 2] == quote;
  for (s->at += three ? 3 : 1; s->at < s->len; s->at++) {
    if (s->text[s->at] == '\\') {
      s->at++;
    } else if (s->text[s->at] == quote &&
               (!three || (s->len - s->at >= 3 && s->text[s->at + 1] == quote && s->text[s->at + 2] == quote))) {
      s->at += three ? 3 : 1;
      return;
    } else if (!three && s->text[s->at] == '\n') {
      return;
    }
  }
}

/* Blanks within a line, comments, lines that go on. */
static void skip_blank(script *s) {
  for (; s->at < s->len; s->at++) {
    const char c = s->text[s->at];
    if (c == '#')
      while (s->at + 1 < s->len && s->text[s->at + 1] != '\n') s->at++;
    else if (c == '\\' && s->at + 1 < s->len && s->text[s->at + 1] == '\n')
      s->at++;
    else if (c != ' ' && c != '\t' && c != '\r' && c != '\f' && !(c == '\n' && s->brackets))
      return;
  }
}

/* "a.b.c", blanks around the dots; "" where no name stands. */
static const char *dotted(script *s) {
  bez_buf name = {.ceiling = 256};
  skip_blank(s);
  for (;;) {
    const size_t from = s->at;
    while (is_name(now(s))) s->at++;
    bez_buf_write(&name, s->text + from, s->at - from);
    const size_t back = s->at;
    skip_blank(s);
    if (s->at == from || now(s) != '.') {
      s->at = back;
      break;
    }
    s->at++;
    skip_blank(s);
    if (is_name(now(s))) bez_buf_putc(&name, '.');
  }
  const char *kept = name.data && !name.failed ? bez_arena_strdup(&s->arena, name.data) : "";
  bez_buf_free(&name);
  return kept ? kept : "";
}

/* ---- imports ------------------------------------------------------------------------------------------------------
 */

static void alias(script *s, const char *name, const char *stands_for) {
  if (s->n_aliases == ALIASES) {
    bez_model_unread(s->out, s->in->part, "it has more than %u imports", ALIASES);
    return;
  }
  s->aliases[s->n_aliases].name = name;
  s->aliases[s->n_aliases++].stands_for = stands_for;
}

static void list_import(script *s, const char *module) {
  const size_t n = strcspn(module, ".");
  const char *top = bez_arena_strndup(&s->arena, module, n);
  if (!top || !n) return;
  const char *found = s->imports.data ? strstr(s->imports.data, top) : NULL;
  if (found && (found == s->imports.data || found[-1] == ' ') && (!found[n] || found[n] == ',')) return;
  bez_buf_printf(&s->imports, "%s%s", s->imports.len ? ", " : "", top);
}

static bool word(script *s, const char *text) {
  const size_t back = s->at, n = strlen(text);
  skip_blank(s);
  if (s->len - s->at >= n && memcmp(s->text + s->at, text, n) == 0 &&
      (s->at + n == s->len || !is_name(s->text[s->at + n])))
    return s->at += n, true;
  s->at = back;
  return false;
}

/* Behind "import": "a.b as c, d". */
static void import(script *s) {
  do {
    const char *module = dotted(s);
    if (!*module) return;
    const char *as = word(s, "as") ? dotted(s) : NULL;
    const size_t top = strcspn(module, ".");
    list_import(s, module);
    if (as)
      alias(s, as, module);
    else if ((as = bez_arena_strndup(&s->arena, module, top)) != NULL)
      alias(s, as, as);
    skip_blank(s);
  } while (now(s) == ',' && s->at++ < s->len);
}

/* Behind "from": "a.b import c as d, e"; relative ones are beside it. */
static void import_from(script *s) {
  skip_blank(s);
  const bool relative = now(s) == '.';
  while (now(s) == '.' || now(s) == ' ') s->at++;
  const char *module = dotted(s);
  if (!word(s, "import")) return;
  if (!relative) list_import(s, module);
  skip_blank(s);
  if (now(s) == '(') s->at++, s->brackets++;
  do {
    const char *name = dotted(s), *as = word(s, "as") ? dotted(s) : name;
    const char *whole = *name ? bez_arena_printf(&s->arena, "%s%s.%s", relative ? "." : "", module, name) : NULL;
    if (whole) alias(s, as, whole);
    skip_blank(s);
  } while (now(s) == ',' && s->at++ < s->len);
}

/* ---- calls --------------------------------------------------------------------------------------------------------
 */

static const char *full_name(script *s, const char *name) {
  const size_t n = strcspn(name, ".");
  for (unsigned i = s->n_aliases; i-- > 0;)
    if (strlen(s->aliases[i].name) == n && memcmp(s->aliases[i].name, name, n) == 0) {
      const char *full = bez_arena_printf(&s->arena, "%s%s", s->aliases[i].stands_for, name + n);
      return full ? full : name;
    }
  return name;
}

static void note(bez_buf *list, const char *name) {
  if (list->data && strstr(list->data, name)) return;
  if (list->len < 120) bez_buf_printf(list, "%s%.60s", list->len ? ", " : "", name);
}

/* A name, called or only named: both count, as it may be called under another name. */
static void named(script *s, size_t from, const char *name) {
  const char *full = full_name(s, name);
  if (!worth_a_word(full)) return;
  skip_blank(s);
  const bool dot = strchr(full, '.') != NULL;
  if (!dot && now(s) != '(') return; /* "eval" may be anybody's word */
  const bool inside = s->n_functions || s->in_line_function;
  note(inside ? &s->later : &s->at_import, full);
  if (!inside)
    bez_model_code(s->out, s->in->part, from, "remote-script-import", full, "it calls %.160s when it is imported",
                   full);
}

static void function(script *s, size_t indent) {
  if (s->n_functions < DEEP) s->functions[s->n_functions++] = indent;
}

static void statement_word(script *s, size_t from, size_t indent, bool first) {
  const char *name = dotted(s);
  if (first && !strcmp(name, "import"))
    import(s);
  else if (first && !strcmp(name, "from"))
    import_from(s);
  else if (!strcmp(name, "def"))
    function(s, indent);
  else if (!strcmp(name, "lambda"))
    s->in_line_function = true;
  else
    named(s, from, name);
}

/* One logical line. */
static void line(script *s) {
  size_t indent = 0;
  for (; now(s) == ' ' || now(s) == '\t'; s->at++) indent += now(s) == '\t' ? 8 : 1;
  if (now(s) == '\n' || now(s) == '\r' || now(s) == '#') indent = SIZE_MAX; /* an empty line ends nothing */
  while (s->n_functions && indent <= s->functions[s->n_functions - 1]) s->n_functions--;
  s->in_line_function = false;
  s->brackets = 0;
  for (bool first = true; s->at < s->len;) {
    skip_blank(s);
    const char c = now(s);
    const size_t from = s->at;
    if (c == '\n' || s->at >= s->len) break;
    if (c == '"' || c == '\'')
      skip_string(s);
    else if (is_name(c) && !isdigit((unsigned char)c))
      statement_word(s, from, indent, first);
    else
      s->at++;
    if (c && strchr("([{", c)) s->brackets++;
    if (c && strchr(")]}", c) && s->brackets) s->brackets--;
    first = c == ';' || (c == ':' && !s->brackets);
    if (s->at == from) s->at++;
  }
  if (s->at < s->len) s->at++;
}

static int sniff(const bez_model_input *in) {
  const char *dot = strrchr(in->name, '.');
  /* What TorchScript archives hold under these names is compiled, and no Python. */
  if (strstr(in->name, "code/__torch__")) return 0;
  return dot && (!strcasecmp(dot, ".py") || !strcasecmp(dot, ".pyw")) ? 40 : 0;
}

static const char *or_nothing(const bez_buf *text) {
  return text->len ? text->data : "nothing on our list";
}

static void read_script(const bez_model_input *in, struct bez_model_out *out) {
  script s = {
      .in = in, .out = out, .text = (const char *)in->bytes, .len = in->len < MOST_BYTES ? in->len : MOST_BYTES};
  if (in->len > MOST_BYTES)
    bez_model_unread(out, in->part, "only the first %u MiB of the script were read", MOST_BYTES >> 20);
  s.imports.ceiling = 2048;
  while (s.at < s.len) line(&s);
  bez_model_code(out, in->part, 0, "remote-script", in->name,
                 "Python code; when it is imported it names %.130s, in functions %.130s; it imports %.100s",
                 or_nothing(&s.at_import), or_nothing(&s.later), s.imports.len ? s.imports.data : "nothing");
  bez_buf_free(&s.imports);
  bez_buf_free(&s.at_import);
  bez_buf_free(&s.later);
  bez_arena_free(&s.arena);
}

const bez_model_reader bez_model_reader_script = {
    .name = "python-script",
    .title = "Python script",
    .summary = "Which telling names it uses when it is imported, and which later; never proof that it is harmless.",
    .shares = true,
    .sniff = sniff,
    .read = read_script};
