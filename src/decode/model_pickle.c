/* Pickles as loaders meet them: one stream or several behind each other, with or without the magic of protocol 2,
 * with joblib's arrays between the opcodes, and with raw bytes behind the end (the storages of old torch files). */
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "decode/model.h"
#include "decode/pickle.h"
#include "decode/pickle_value.h"
#include "decode/torch.h"

#define STREAMS 4096u /* behind each other */

typedef struct watch {
  struct bez_model_out *out;
  const bez_model_input *in;
  uint32_t imports, names, calls; /* names: imports of what is named */
  bool joblib, tensors, quiet;    /* quiet: only counting */
  bez_torch *torch;               /* NULL: no tensors are looked for */
  bool literal;                   /* an array of numbers taken for opcodes */
} watch;

static bool is_joblib(const bez_pickle_event *e) {
  return e->what == BEZ_PICKLE_IMPORT && e->module && strcmp(e->module, "joblib.numpy_pickle") == 0;
}

static bool on_event(void *ctx, const bez_pickle_event *e) {
  static const bez_model_what whats[] = {[BEZ_PICKLE_IMPORT] = BEZ_MODEL_IMPORT,
                                         [BEZ_PICKLE_CALL] = BEZ_MODEL_CALL,
                                         [BEZ_PICKLE_STATE] = BEZ_MODEL_STATE,
                                         [BEZ_PICKLE_EXTENSION] = BEZ_MODEL_EXTENSION};
  watch *w = ctx;
  w->imports += e->what == BEZ_PICKLE_IMPORT || e->what == BEZ_PICKLE_EXTENSION;
  w->names += e->what == BEZ_PICKLE_IMPORT && e->module;
  w->calls += e->what == BEZ_PICKLE_CALL;
  w->joblib |= is_joblib(e);
  w->tensors |= bez_torch_calls(e);
  if (w->torch) bez_torch_event(w->torch, e);
  if (w->quiet || e->what >= BEZ_PICKLE_ITEM) return true;
  if (w->literal && (e->what != BEZ_PICKLE_CALL || !e->module)) return true; /* numbers look up nonsense by chance */
  if (e->what == BEZ_PICKLE_NESTED) {
    (void)bez_model_examine(w->out, w->in->part, w->in->depth + 1, "bytes in a pickle", e->at, e->bytes, e->len);
    return true;
  }
  bez_model_fact fact = {.part = w->in->part,
                         .what = whats[e->what],
                         .known = e->known,
                         .at = e->at,
                         .opcode = e->opcode,
                         .module = e->module,
                         .name = e->name};
  if (bez_model_told(w->out, &fact)) return true;
  bez_buf text = {.ceiling = 4096};
  if (e->what == BEZ_PICKLE_STATE && e->target && e->target->kind == BEZ_PV_STR)
    bez_buf_puts(&text, "what restores an object's state (__setstate__)");
  else
    bez_pickle_write_event(&text, e);
  fact.text = text.data;
  bez_model_tell(w->out, &fact);
  bez_buf_free(&text);
  return true;
}

/* Nothing in it is read differently for what it imports: the stream need not be looked at beforehand. A name that is
 * written otherwise goes unseen here; then joblib's arrays are opcodes that cannot be followed, which is said. */
static bool is_plain(const bez_model_input *in, size_t at) {
  return at == 0 && in->len <= 1u << 20 && !memmem(in->bytes, in->len, "joblib", 6) &&
         !memmem(in->bytes, in->len, "torch", 5) && !bez_torch_legacy(in);
}

/* What a stream would do, without putting it down. */
static watch look(const bez_model_input *in, size_t at, bez_pickle_end *end) {
  watch w = {.in = in, .quiet = true};
  bez_pickle_run(in->bytes, in->len, at, false, on_event, &w, end);
  return w;
}

static bool named_like_one(const char *name) {
  static const char *const extensions[] = {".pkl", ".pickle", ".p",   ".pck",   ".joblib", ".dill", ".pt",
                                           ".pth", ".ckpt",   ".bin", ".model", ".sav",    ".npy"};
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot && i < sizeof extensions / sizeof *extensions; i++)
    if (strcasecmp(dot, extensions[i]) == 0) return true;
  return false;
}

/* Without the magic a file must do something to be worth the name, in its first stream or behind it, or be a whole file
 * of plain values that is named like one. */
static int sniff(const bez_model_input *in) {
  bez_pickle_end end = {0};
  if (!in->len) return 0;
  const bool magic = bez_pickle_magic(in->bytes, in->len);
  if (in->numbers) {
    const watch w = look(in, 0, &end);
    return end.stopped && (magic ? w.imports : w.names && w.calls) ? BEZ_MODEL_SURE : 0;
  }
  if (magic) return 90;
  size_t at = 0;
  for (unsigned i = 0; i < STREAMS && at < in->len; i++, at = (size_t)end.used) {
    watch w = look(in, at, &end);
    if (w.imports && (end.stopped || w.calls || named_like_one(in->name))) return 80;
    if (!end.stopped) return 0;
  }
  return end.stopped && named_like_one(in->name) ? 60 : 0;
}

/* One stream, put down. True: there may be another behind it. */
static bool follow(const bez_model_input *in, struct bez_model_out *out, size_t *at, bez_torch **torch) {
  bez_pickle_end end, plain_end = {0};
  const bool seen = !is_plain(in, *at);
  watch plain = {0}, w = {.out = out, .in = in};
  if (seen) plain = look(in, *at, &plain_end);
  if (!*torch && !plain.joblib && (plain.tensors || (*at == 0 && bez_torch_legacy(in))))
    *torch = bez_torch_create(in, out);
  w.torch = plain.joblib ? NULL : *torch;
  const bool first = *at == 0;
  if (!first && !plain_end.stopped && !plain.calls) return false; /* raw bytes behind the end */
  if (*torch && bez_torch_whole(*torch) && !(plain_end.stopped && plain.imports)) return false;
  bez_pickle_run(in->bytes, in->len, *at, plain.joblib, on_event, &w, &end);
  if (plain.joblib) { /* pickle.load takes joblib's arrays for opcodes: what they would do counts as well */
    watch literal = {.out = out, .in = in, .literal = true};
    bez_pickle_run(in->bytes, in->len, *at, false, on_event, &literal, &plain_end);
  }
  if (w.torch) bez_torch_stream(w.torch, &end);
  if (!end.stopped)
    bez_model_unread(out, in->part, "the pickle cannot be followed beyond byte %llu: %s", (unsigned long long)end.used,
                     end.why);
  if (end.frames_differ)
    bez_model_odd(out, in->part, *at, "frames", "opcodes cross the ends of their frames: readers disagree over them");
  *at = (size_t)end.used;
  return end.stopped;
}

static void read_pickle(const bez_model_input *in, struct bez_model_out *out) {
  bez_torch *torch = NULL;
  size_t at = 0;
  bool more = true;
  for (unsigned i = 0; more && i < STREAMS && at < in->len; i++) more = follow(in, out, &at, &torch);
  if (more && at < in->len) bez_model_unread(out, in->part, "more than %u pickles behind each other", STREAMS);
  if (torch) bez_torch_finish(torch);
  bez_torch_destroy(torch);
}

const bez_model_reader bez_model_reader_pickle = {
    .name = "pickle",
    .title = "Python pickle",
    .summary =
        "Protocols 0 to 5, with or without magic, several streams behind each other, joblib's arrays in between, "
        "raw storages behind the end (old PyTorch files); followed without being carried out.",
    .sniff = sniff,
    .read = read_pickle};
