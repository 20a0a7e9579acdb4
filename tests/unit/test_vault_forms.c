/* Files as rows: tar archives, pictures with labels, files without rows, packed tables. The archives are the fuzzer's
 * corpus. */
#include "form_help.h"

#include <zlib.h>

#include "base/file.h"
#include "base/hash.h"
#include "content/chunk.h"
#include "content/labels.h"
#include "crypto/sha256.h"

#define CORPUS "fuzz/corpus/webdataset/"

static void digest_of(const bez_form *form, const void *state, const bez_item *row, uint8_t out[32]) {
  bez_error err = {0};
  bez_canonical *c = NULL;
  assert_ok(bez_canonical_create(&c, &err));
  assert_ok(form->canonical(state, row, c, out, &err));
  bez_canonical_free(c);
}

static void read_corpus(const char *name, bez_buf *out) {
  char path[256];
  bez_error err = {0};
  snprintf(path, sizeof path, CORPUS "%s", name);
  assert_ok(bez_file_read(path, 1 << 24, out, &err));
}

static bez_status cut_archive(const bez_buf *tar, size_t slab, size_t cap, cut_list *out, bez_error *err) {
  void *state = NULL;
  const bez_form *form = bez_form_named("webdataset");
  assert_int_equal(form->open("a.tar", tar->data, tar->len, true, &state, err), BEZ_OK);
  bez_status st = cut_in_slabs(form, state, tar->data, tar->len, slab, cap, out, err);
  form->close(state);
  return st;
}

static size_t count_rows(const cut_list *list) {
  size_t n = 0;
  for (size_t i = 0; i < list->n; i++) n += list->items[i].type == BEZ_ITEM_ROW;
  return n;
}

static void samples_are_rows(void **state) {
  static const struct {
    const char *name;
    size_t rows;
  } archives[] = {{"ustar", 3}, {"base256", 3}, {"open", 3}, {"tail", 3}, {"gnu", 1}, {"pax", 1}, {"json", 3}};
  for (size_t i = 0; i < sizeof archives / sizeof *archives; i++) {
    bez_buf tar = {0};
    bez_error err = {0};
    cut_list list;
    read_corpus(archives[i].name, &tar);
    assert_true(bez_form_named("webdataset")->sniff("x", (const uint8_t *)tar.data, tar.len, true) > 90);
    assert_ok(cut_archive(&tar, tar.len, 100, &list, &err));
    assert_int_equal(count_rows(&list), archives[i].rows);
    const bez_span *end = &list.items[list.n - 1];
    assert_int_equal(end->begin + end->len, tar.len);
    free(list.items);
    bez_buf_free(&tar);
  }
}

static void the_same_cuts_for_any_slab(void **state) {
  static const char *const names[] = {"ustar", "base256", "open", "tail", "gnu", "pax", "json", "folders", "odd"};
  static const size_t slabs[] = {1, 7, 511, 512, 513, 1024, 1500, 4096};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    bez_buf tar = {0};
    bez_error err = {0};
    cut_list whole, list;
    read_corpus(names[i], &tar);
    assert_ok(cut_archive(&tar, tar.len, 1000, &whole, &err));
    for (size_t k = 0; k < sizeof slabs / sizeof *slabs; k++) {
      assert_ok(cut_archive(&tar, slabs[k], k % 2 ? 1 : 1000, &list, &err));
      assert_int_equal(list.n, whole.n);
      assert_memory_equal(list.items, whole.items, whole.n * sizeof *whole.items);
      free(list.items);
    }
    free(whole.items);
    bez_buf_free(&tar);
  }
}

static void damaged_archives_are_refused_where_they_are(void **state) {
  bez_buf tar = {0};
  bez_error err = {0};
  cut_list list;
  read_corpus("ustar", &tar);
  assert_ok(cut_archive(&tar, tar.len, 100, &list, &err));
  size_t second = 0;
  for (size_t i = 1; i < list.n && !second; i++)
    if (list.items[i].type == BEZ_ITEM_ROW) second = list.items[i].begin;
  free(list.items);
  tar.data[second + 3] ^= 1; /* a letter of the name: the checksum is wrong */
  assert_int_equal(cut_archive(&tar, 700, 100, &list, &err), BEZ_FORMAT);
  free(list.items);
  assert_int_equal(err.offset, second);
  assert_non_null(strstr(err.message, "checksum"));
  assert_non_null(strstr(err.message, "--form file"));
  memset(&err, 0, sizeof err);
  tar.data[second + 3] ^= 1;
  tar.len = second + 512; /* a member goes on behind the end */
  assert_int_equal(cut_archive(&tar, 700, 100, &list, &err), BEZ_FORMAT);
  free(list.items);
  bez_buf_free(&tar);
}

/* A sample's digest is of its key and its members, not of headers: times, owners, kinds of long names. */
static void headers_are_no_part_of_a_sample(void **state) {
  const bez_form *form = bez_form_named("webdataset");
  bez_buf a = {0}, b = {0};
  bez_error err = {0};
  cut_list list_a, list_b;
  void *open_state = NULL;
  uint8_t digest_a[32], digest_b[32];
  read_corpus("ustar", &a);
  read_corpus("base256", &b);
  assert_ok(cut_archive(&a, a.len, 100, &list_a, &err));
  assert_ok(cut_archive(&b, b.len, 100, &list_b, &err));
  assert_ok(bez_form_named("webdataset")->open_json(NULL, &open_state, &err));
  bez_item row_a = {.type = BEZ_ITEM_ROW, .body = a.data + list_a.items[0].begin, .body_len = list_a.items[0].len};
  bez_item row_b = {.type = BEZ_ITEM_ROW, .body = b.data + list_b.items[0].begin, .body_len = list_b.items[0].len};
  digest_of(form, open_state, &row_a, digest_a);
  digest_of(form, open_state, &row_b, digest_b);
  assert_int_not_equal(memcmp(row_a.body, row_b.body, 512), 0);
  assert_memory_equal(digest_a, digest_b, 32);
  a.data[list_a.items[0].begin + 512] ^= 1; /* a byte of the first member */
  digest_of(form, open_state, &row_a, digest_a);
  assert_int_not_equal(memcmp(digest_a, digest_b, 32), 0);
  form->close(open_state);
  free(list_a.items);
  free(list_b.items);
  bez_buf_free(&a);
  bez_buf_free(&b);
}

static void picture_digest(const bez_file_labels *labels, const char *name, const char *bytes, uint8_t out[32]) {
  bez_buf head = {0};
  bez_error err = {0};
  assert_ok(bez_file_labels_head(labels, name, &head, &err));
  bez_item row = {
      .type = BEZ_ITEM_FILE_ROW, .head = head.data, .head_len = head.len, .body = bytes, .body_len = strlen(bytes)};
  assert_int_equal(bez_item_name_len(&row), strlen(name));
  digest_of(bez_form_named("picture"), NULL, &row, out);
  bez_buf_free(&head);
}

static void pictures_are_their_bytes_and_label(void **state) {
  bez_file_labels *labels = NULL;
  bez_error err = {0};
  uint8_t cat[32], moved[32], dog[32], other[32], none[32];
  assert_ok(bez_file_labels_open(NULL, &labels, &err));
  picture_digest(labels, "train/cat/1.png", "pixels", cat);
  picture_digest(labels, "test/cat/images/2.png", "pixels", moved);
  picture_digest(labels, "train/dog/1.png", "pixels", dog);
  picture_digest(labels, "train/cat/1.png", "others", other);
  picture_digest(labels, "1.png", "pixels", none);
  assert_memory_equal(cat, moved, 32);
  assert_int_not_equal(memcmp(cat, dog, 32), 0);
  assert_int_not_equal(memcmp(cat, other, 32), 0);
  assert_int_not_equal(memcmp(cat, none, 32), 0);
  bez_file_labels_free(labels);
}

static void check_head(const bez_file_labels *labels, const char *name, const char *head, size_t len) {
  bez_buf out = {0};
  bez_error err = {0};
  assert_ok(bez_file_labels_head(labels, name, &out, &err));
  assert_int_equal(out.len, len);
  assert_memory_equal(out.data, head, len);
  bez_buf_free(&out);
}

static bez_status labels_from(const char *text, bez_file_labels **labels, bez_error *err) {
  char path[] = "/tmp/bezoar-labels-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
  memset(err, 0, sizeof *err);
  *labels = NULL;
  bez_status st = bez_file_labels_open(path, labels, err);
  unlink(path);
  return st;
}

static void labels_come_from_a_table(void **state) {
  bez_file_labels *labels;
  bez_error err;
  assert_ok(labels_from("split,File_Name,label\ntrain,a/1.png,cat\ntest,./b/1.png,\"big, black dog\"\nx,2.png,\n",
                        &labels, &err));
  check_head(labels, "a/1.png", "a/1.png\0cat", 11);
  check_head(labels, "b/1.png", "b/1.png\0big, black dog", 22);
  check_head(labels, "c/2.png", "c/2.png", 7);
  check_head(labels, "c/1.png", "c/1.png", 7);
  bez_file_labels_free(labels);
  assert_ok(
      labels_from("{\"image\": \"1.png\", \"class\": 3}\n{\"image\": \"2.png\", \"class\": null}\n", &labels, &err));
  check_head(labels, "any/1.png",
             "any/1.png\0"
             "3",
             11);
  bez_file_labels_free(labels);
  assert_int_equal(labels_from("file,label\n1.png,cat\n1.png,dog\n", &labels, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "1.png"));
  assert_int_equal(labels_from("picture,weight\n1.png,cat\n", &labels, &err), BEZ_FORMAT);
}

/* Digests of the rows of a packed file, and those of the file in it. */
typedef struct seen {
  uint8_t digests[8][32];
  size_t n;
} seen;

static bez_status keep(void *ctx, const uint8_t (*canonical)[32], size_t n, bez_error *err) {
  seen *s = ctx;
  for (size_t i = 0; i < n && s->n < 8; i++) memcpy(s->digests[s->n++], canonical[i], 32);
  return BEZ_OK;
}

static void packed_tables_have_the_rows_of_the_table(void **state) {
  static const char lines[] = "{\"a\": 1.50}\n{\"a\": \"x\"}\n{\"a\": null}\n";
  const bez_form *packed = bez_form_named("packed"), *plain = bez_form_named("jsonl");
  char path[] = "/tmp/bezoar-packed-XXXXXX";
  bez_error err = {0};
  uint8_t bytes[256], expected[32];
  seen s = {0};
  void *open_state = NULL, *plain_state = NULL;
  z_stream z = {
      .next_in = (Bytef *)(uintptr_t)lines, .avail_in = sizeof lines - 1, .next_out = bytes, .avail_out = 256};
  assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
  size_t len = sizeof bytes - z.avail_out;
  deflateEnd(&z);
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, bytes, len), len);
  close(fd);
  assert_true(packed->sniff(path, bytes, len, true) > 1);
  assert_ok(packed->open(path, (char *)bytes, len, true, &open_state, &err));
  for (int round = 0; round < 2; round++) {
    s.n = 0;
    assert_ok(packed->digests(open_state, path, keep, &s, &err));
    assert_int_equal(s.n, 3);
  }
  assert_ok(plain->open("x.jsonl", lines, sizeof lines - 1, true, &plain_state, &err));
  bez_item row = {.type = BEZ_ITEM_ROW, .body = lines + 12, .body_len = 11};
  digest_of(plain, plain_state, &row, expected);
  assert_memory_equal(s.digests[1], expected, 32);
  bez_buf params = {0};
  bez_json j = bez_json_make(&params, false);
  bez_form_use again = {0};
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "form", "packed");
  packed->params(open_state, &j);
  bez_json_close(&j, '}');
  assert_ok(bez_form_open_json(params.data, params.len, &again, &err));
  bez_form_close(&again);
  bez_buf_free(&params);
  plain->close(plain_state);
  packed->close(open_state);
  unlink(path);
}

static void hostile_parameters_are_refused(void **state) {
  static const char *const bad[] = {"{\"form\":\"packed\"}",
                                    "{\"form\":\"packed\",\"rows\":{\"form\":\"packed\"}}",
                                    "{\"form\":\"packed\",\"rows\":{\"form\":\"picture\"}}",
                                    "{\"form\":\"packed\",\"rows\":7}",
                                    "{\"form\":\"nothing\"}",
                                    "[]",
                                    ""};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    bez_form_use use = {0};
    bez_error err = {0};
    assert_int_equal(bez_form_open_json(bad[i], strlen(bad[i]), &use, &err), BEZ_FORMAT);
    bez_form_close(&use);
  }
}

static void fill(uint8_t *bytes, size_t len, uint64_t seed) {
  for (size_t i = 0; i < len; i++) bytes[i] = (uint8_t)bez_mix64(seed + i * 0x9e3779b97f4a7c15u);
}

static size_t cuts_of(const bez_chunker *chunker, const uint8_t *bytes, size_t len, size_t *cuts) {
  size_t n = 0;
  for (size_t at = 0; at < len;) {
    size_t chunk = bez_chunk_length(chunker, bytes + at, len - at);
    assert_true(chunk <= BEZ_CHUNK_MAX && (chunk >= BEZ_CHUNK_MIN || at + chunk == len));
    at += chunk;
    cuts[n++] = at;
  }
  return n;
}

static void chunks_follow_the_content_and_the_key(void **state) {
  const size_t len = 16u << 20, place = 5u << 20, more = 1000;
  uint8_t *bytes = malloc(len + more);
  size_t *before = calloc(2048, sizeof *before), *after = calloc(2048, sizeof *after);
  bez_chunker one, two;
  assert_true(bytes && before && after);
  fill(bytes, len, 1);
  bez_chunker_make(&one, (bez_sipkey){1, 2});
  bez_chunker_make(&two, (bez_sipkey){1, 3});
  size_t n = cuts_of(&one, bytes, len, before), n_two = cuts_of(&two, bytes, len, after), same = 0;
  assert_true(len / n > (48u << 10) && len / n < (96u << 10));
  for (size_t i = 0, k = 0; i < n && k < n_two; before[i] < after[k] ? i++ : k++) same += before[i] == after[k];
  assert_true(same <= 2); /* the end, and hardly another */
  memmove(bytes + place + more, bytes + place, len - place);
  fill(bytes + place, more, 99);
  size_t n_after = cuts_of(&one, bytes, len + more, after);
  same = 0;
  for (size_t i = 0, k = 0; i < n && k < n_after;) {
    size_t moved = after[k] > place ? after[k] - more : after[k];
    same += before[i] == moved;
    if (before[i] < moved)
      i++;
    else
      k++;
  }
  assert_true(same + 8 > n); /* a handful of chunks around the insertion are new */
  free(before);
  free(after);
  free(bytes);
}

/* What is sniffed as what. */
static void forms_know_their_files(void **state) {
  static const struct {
    const char *form, *head;
    size_t len;
  } heads[] = {{"picture", "\x89PNG\r\n\x1a\n....", 12},
               {"columns", "PAR1............", 16},
               {"columns", "ARROW1\0\0........", 16},
               {"columns", "\xff\xff\xff\xff\x10\x01\0\0........", 16},
               {"file",
                "\x7f"
                "ELF\2\1\1\0\0\0\0\0\0\0\0\0",
                16},
               {"file", "\x1f\x8b\x08\0\0\0\0\0\0\0\0\0\0\0\0\0", 16}};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
    const bez_form *best = NULL;
    int sure = 0;
    for (size_t k = 0; bez_forms[k]; k++) {
      int score = bez_forms[k]->sniff("x", (const uint8_t *)heads[i].head, heads[i].len, false);
      if (score > sure) sure = score, best = bez_forms[k];
    }
    assert_string_equal(best ? best->name : "", heads[i].form);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(samples_are_rows),
      cmocka_unit_test(the_same_cuts_for_any_slab),
      cmocka_unit_test(damaged_archives_are_refused_where_they_are),
      cmocka_unit_test(headers_are_no_part_of_a_sample),
      cmocka_unit_test(pictures_are_their_bytes_and_label),
      cmocka_unit_test(labels_come_from_a_table),
      cmocka_unit_test(packed_tables_have_the_rows_of_the_table),
      cmocka_unit_test(hostile_parameters_are_refused),
      cmocka_unit_test(chunks_follow_the_content_and_the_key),
      cmocka_unit_test(forms_know_their_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
