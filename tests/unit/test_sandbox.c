/* Every registered reader of models runs behind the filter. The helper beside this program is the probe of
 * tests/sandbox/, which tries from within each reader what must be denied; the inputs are those of fuzz/corpus/model/,
 * among which therefore has to be one that every reader knows. */
#include "test.h"

#include <dirent.h>

#include "../../fuzz/model_names.h"
#include "folder_help.h"
#include "format/model_helper.h"

#define SEEDS BEZ_SOURCE_DIR "/fuzz/corpus/model"

#define BEZ_MODEL_READER(symbol) "probe " #symbol,
static const char *const readers[] = {
#include "decode/model_readers.def"
};
#undef BEZ_MODEL_READER
enum { READERS = sizeof readers / sizeof *readers };

typedef struct seen {
  unsigned denied[READERS], allowed[READERS]; /* attempts */
} seen;

static unsigned count(const char *text, const char *word) {
  unsigned n = 0;
  for (const char *p = text; (p = strstr(p, word)) != NULL; p++) n++;
  return n;
}

/* What readers tried while this file was read, in the process of the helper that was asked. */
static void ask(bez_helper *helper, const char *path, seen *all) {
  bez_model model;
  bez_error err = {0};
  assert_ok(bez_model_helper_ask(helper, path, &model, &err));
  assert_true(helper->running && helper->child.pid != getpid());
  for (unsigned r = 0; r < READERS; r++)
    for (uint32_t i = 0; i < model.n_facts; i++) {
      const bez_model_fact *f = &model.facts[i];
      if (f->what != BEZ_MODEL_ABOUT || strcmp(f->name, readers[r]) != 0) continue;
      all->denied[r] += count(f->text, "denied ");
      all->allowed[r] += count(f->text, "ALLOWED ");
      if (!helper->unconfined && strstr(f->text, "ALLOWED")) fail_msg("%s:\n%s", readers[r], f->text);
    }
  bez_model_free(&model);
}

/* An input of the fuzzer as the file it stands for. */
static void ask_seed(bez_helper *helper, const char *seed, seen *all) {
  char path[1024];
  bez_buf bytes = {0};
  bez_error err = {0};
  snprintf(path, sizeof path, SEEDS "/%s", seed);
  assert_ok(bez_file_read(path, 64u << 20, &bytes, &err));
  const char *name = model_names[bytes.len ? (unsigned char)bytes.data[0] % MODEL_NAMES : 0];
  put(name, bytes.len ? bytes.data + 1 : "", bytes.len ? bytes.len - 1 : 0);
  snprintf(path, sizeof path, "%s/%s", folder, name);
  ask(helper, path, all);
  bez_buf_free(&bytes);
}

static void ask_all(bez_helper *helper, seen *all) {
  DIR *dir = opendir(SEEDS);
  assert_non_null(dir);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
    if (entry->d_name[0] != '.') ask_seed(helper, entry->d_name, all);
  closedir(dir);
  (void)bez_helper_stop(helper);
}

static void every_reader_is_behind_the_filter(void **state) {
  (void)state;
  bez_helper helper = {0};
  seen all = {0};
  ask_all(&helper, &all);
  for (unsigned r = 0; r < READERS; r++) {
    if (!all.denied[r]) fail_msg("%s: no input of fuzz/corpus/model/ reaches this reader", readers[r]);
    assert_int_equal(all.allowed[r], 0);
  }
}

/* The probe would notice: without the filter the same calls come through, in a process of its own all the same. */
static void without_the_filter_the_probe_says_so(void **state) {
  (void)state;
  bez_helper helper = {.unconfined = true};
  seen all = {0};
  ask_all(&helper, &all);
  for (unsigned r = 0; r < READERS; r++) assert_true(all.allowed[r] > 9 * all.denied[r]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_reader_is_behind_the_filter),
                                     cmocka_unit_test(without_the_filter_the_probe_says_so)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
