/* What is this path, when it is no table? By its first bytes. Models go to the audit; what nothing here reads is said
 * to be unexamined, and never called clean. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "format/array.h"
#include "format/source.h"
#include "format/zip.h"
#include "scan/models.h"

typedef struct magic {
  unsigned offset, len;
  const char *bytes;
  const char *what;
} magic;

/* Order matters: a longer sign stands before a shorter one it contains. */
static const magic signs[] = {
    {0, 6, "GIF87a", "a GIF image"},
    {0, 6, "GIF89a", "a GIF image"},
    {0, 4, "II*\0", "a TIFF image"},
    {0, 4, "MM\0*", "a TIFF image"},
    {0, 8, "\x89HDF\r\n\x1a\n", "an HDF5 file (a Keras model?)"},
    {0, 4, "GGUF", "a GGUF model"},
    {0, 4, "ggml", "a GGML model"},
    {4, 4, "TFL3", "a TensorFlow Lite model"},
    {0, 4,
     "\x7f"
     "ELF",
     "an executable"},
    {0, 2, "MZ", "an executable"},
    {0, 4, "%PDF", "a PDF document"},
    {0, 6, "7z\xbc\xaf\x27\x1c", "a 7z archive"},
    {0, 6,
     "\xfd"
     "7zXZ\0",
     "an xz archive"},
    {0, 3, "BZh", "a bzip2 archive"},
};

/* A pickle begins with PROTO and a protocol number, and goes on with an opcode that a protocol ≥ 2 stream may
 * begin with. */
static bool is_pickle(const unsigned char *head, size_t len) {
  return len >= 3 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5 &&
         strchr("\x95}](cX\x8cN)KMJG", head[2]) != NULL && head[2] != 0;
}

/* safetensors: length of a JSON header (64 bits, little endian), then its opening brace. */
static bool is_safetensors(const unsigned char *head, size_t len, uint64_t size) {
  if (len < 10 || head[8] != '{') return false;
  uint64_t n = 0;
  for (int i = 7; i >= 0; i--) n = n << 8 | head[i];
  return n >= 2 && n <= size - 8;
}

static bool contains(const unsigned char *head, size_t len, const char *text) {
  return memmem(head, len, text, strlen(text)) != NULL;
}

/* A ZIP is a table when it is an npz; otherwise its first member tells. */
static const char *identify_zip(const unsigned char *head, size_t len) {
  if (len < 4 || memcmp(head, "PK\3\4", 4) != 0) return NULL;
  if (contains(head, len, "data.pkl") || contains(head, len, "/version")) return "a PyTorch model (ZIP)";
  if (contains(head, len, ".npy")) return NULL;
  if (contains(head, len, ".keras") || contains(head, len, "model.weights.h5") || contains(head, len, "metadata.json"))
    return "a Keras model (ZIP)";
  return "a ZIP archive";
}

const char *bez_scan_identify(const bez_spool *spool, const char *path) {
  unsigned char head[512];
  uint64_t size;
  size_t len = bez_source_head(spool, path, head, sizeof head, &size);
  if (!len) return NULL;
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
    if (len >= signs[i].offset + signs[i].len && !memcmp(head + signs[i].offset, signs[i].bytes, signs[i].len))
      return signs[i].what;
  if (is_pickle(head, len)) return "a pickle (a model or Python objects)";
  if (is_safetensors(head, len, size)) return "a safetensors model";
  return identify_zip(head, len);
}

/* Protocol 0 and 1 have no magic: GLOBAL and two lines that are names, and an opcode that may follow. */
static bool is_lookup(const unsigned char *head, size_t len) {
  size_t i = 1;
  if (len < 8 || head[0] != 'c') return false;
  for (unsigned lines = 0; lines < 2; lines++, i++) {
    size_t from = i;
    while (i < len && (isalnum(head[i]) || head[i] == '_' || head[i] == '.')) i++;
    if (i == from || i >= len || head[i] != '\n') return false;
  }
  return i < len && strchr("(qpXVS)]}N.0\x80\x8c\x85\x93", head[i]) && head[i];
}

/* A lookup behind the first opcodes, in a file that begins as a pickle of protocol 0 or 1 may and a table hardly does.
 */
static bool is_text_pickle(const unsigned char *head, size_t len) {
  const bool begins =
      len > 8 && (head[0] == '(' || head[0] == ']' || head[0] == '}' ||
                  ((head[0] == 'S' || head[0] == 'V' || head[0] == 'I') && memchr(head, '\n', len < 64 ? len : 64)));
  for (size_t i = 1; begins && i + 4 < len; i++) {
    if ((head[i] != 'c' && head[i] != 'i') || !strchr("\n(0]}).", head[i - 1])) continue;
    if (head[0] != '(' && head[0] != ']' && head[0] != '}' && head[i - 1] != '0') continue;
    size_t end = i + 1;
    unsigned lines = 0;
    for (; lines < 2 && end < len; lines++) {
      const size_t from = end;
      while (end < len && (isalnum(head[end]) || head[end] == '_' || head[end] == '.')) end++;
      if (end == from || end >= len || head[end++] != '\n') break;
    }
    if (lines == 2 && end < len && (head[i] == 'i' || strchr("(qpXVS)]}N.0\x80\x8c\x85\x93", head[end]))) return true;
  }
  return false;
}

/* Protocol Buffers that begin with a version, as ONNX models and saved models do: no text begins like that. */
static bool is_versioned_graph(const unsigned char *head, size_t len) {
  return len >= 16 && head[0] == 0x08 && head[1] >= 1 && head[1] < 0x20 && strchr("\x12\x1a\x22\x3a\x42", head[2]) &&
         head[2];
}

/* A name that nothing but a model has, be it packed. */
bool bez_scan_named_model(const char *path) {
  static const char *const names[] = {".sav",    ".pck",  ".pkl",  ".pickle",      ".pt",   ".pth",  ".ckpt",
                                      ".joblib", ".dill", ".bin",  ".safetensors", ".gguf", ".onnx", ".tflite",
                                      ".keras",  ".h5",   ".hdf5", ".pb",          ".nemo", ".mar",  ".pbtxt"};
  static const char *const packed[] = {".gz", ".bz2", ".xz", ".zst", ".lzma"};
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
  size_t len = strlen(name);
  for (size_t i = 0; dot && i < sizeof packed / sizeof *packed; i++)
    if (!strcasecmp(dot, packed[i])) len -= strlen(packed[i]);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t n = strlen(names[i]);
    if (len > n && !strncasecmp(name + len - n, names[i], n)) return true;
  }
  return false;
}

/* An array of Python objects is a pickle behind a header. A header that does not end here is looked at as text. */
static bool holds_objects(const unsigned char *head, size_t len) {
  bez_arena arena = {0};
  bez_npy_outline outline;
  bez_error ignored = {0};
  if (len < 10 || memcmp(head, "\x93NUMPY", 6) != 0) return false;
  const bez_status st = bez_npy_outline_read(head, len, "", &arena, &outline, &ignored);
  const bool objects = st == BEZ_OK ? outline.objects : contains(head, len, "O'") || contains(head, len, "O\"");
  bez_arena_free(&arena);
  return objects;
}

/* An npz file with such an array in it, or one that two programs could read differently. */
static bool is_npz_of_objects(const char *path) {
  unsigned char head[512];
  bez_source source = {.fd = -1};
  bez_arena arena = {0};
  bez_zip zip = {0};
  bez_error ignored = {0};
  size_t got = 0;
  if (bez_source_open(path, NULL, &source, &ignored) != BEZ_OK) return false;
  const bez_status st = bez_zip_open(&source, &arena, &zip, &ignored);
  bool found = st == BEZ_FORMAT;
  for (uint32_t i = 0; st == BEZ_OK && i < zip.n && !found; i++)
    found =
        bez_zip_peek(&source, &zip.entries[i], head, sizeof head, &got, &ignored) == BEZ_OK && holds_objects(head, got);
  bez_arena_free(&arena);
  bez_source_close(&source);
  return found;
}

/* Given alone: a template, a script or a configuration that no table is read from. In a folder it is no model. */
bool bez_scan_is_beside(const char *path) {
  static const char *const endings[] = {".jinja", ".jinja2", ".j2",         ".py",
                                        ".yaml",  ".yml",    ".index.json", "_config.json"};
  static const char *const names[] = {"MLmodel", "config.json", "modules.json", "model_index.json",
                                      "chat_template.json"};
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  const size_t len = strlen(name);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(name, names[i])) return true;
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    const size_t n = strlen(endings[i]);
    if (len > n && !strcasecmp(name + len - n, endings[i])) return true;
  }
  return false;
}

/* What the sandboxed reader of models is asked about: by the first bytes, or by its name. */
bool bez_scan_is_model(const char *path) {
  static const char *const kinds[] = {"a pickle (a model or Python objects)",
                                      "a safetensors model",
                                      "a GGUF model",
                                      "a PyTorch model (ZIP)",
                                      "a Keras model (ZIP)",
                                      "a ZIP archive",
                                      "a 7z archive",
                                      "an xz archive",
                                      "a bzip2 archive",
                                      "a TensorFlow Lite model",
                                      "an HDF5 file (a Keras model?)"};
  const char *what = bez_scan_identify(NULL, path);
  unsigned char head[4096];
  uint64_t size;
  for (size_t i = 0; what && i < sizeof kinds / sizeof *kinds; i++)
    if (!strcmp(what, kinds[i])) return true;
  size_t len = bez_source_head(NULL, path, head, sizeof head, &size);
  if (!what && len > 4 && !memcmp(head, "PK\3\4", 4)) return is_npz_of_objects(path);
  return len && (bez_scan_named_model(path) || is_lookup(head, len) || is_text_pickle(head, len) ||
                 holds_objects(head, len) || is_versioned_graph(head, len));
}

bool bez_scan_is_packed(const char *path) {
  static const magic packed[] = {{0, 3, "\x1f\x8b\x08", ""},     {0, 3, "BZh", ""},     {0, 6, "\xfd\x37zXZ", ""},
                                 {0, 4, "\x28\xb5\x2f\xfd", ""}, {257, 5, "ustar", ""}, {0, 3, "\x5d\0\0", ""}};
  unsigned char head[512];
  uint64_t size;
  const size_t len = bez_source_head(NULL, path, head, sizeof head, &size); /* of regular files, never waiting */
  for (size_t i = 0; i < sizeof packed / sizeof *packed; i++)
    if (len >= packed[i].offset + packed[i].len && !memcmp(head + packed[i].offset, packed[i].bytes, packed[i].len))
      return true;
  return false;
}
