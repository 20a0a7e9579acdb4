/* Statements of runs: what is taken from one can be written and taken again, and leads nowhere but below its folder. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vault/run_layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bez_run_record run = {0}, again = {0};
  bez_error err = {0};
  bez_buf text = {0};
  if (bez_run_parse((const char *)data, size, &run, &err) != BEZ_OK) return 0;
  for (size_t i = 0; i < run.n_inputs; i++) {
    if (strstr(run.inputs[i].path, "..") == run.inputs[i].path &&
        (!run.inputs[i].path[2] || run.inputs[i].path[2] == '/'))
      abort();
    if (run.inputs[i].path[0] == '/') abort();
  }
  for (size_t i = 0; i < run.n_outputs; i++) { /* digests of files are not taken back: one stands for them */
    run.outputs[i].made.items = calloc(1, sizeof *run.outputs[i].made.items);
    if (!run.outputs[i].made.items) abort();
    run.outputs[i].made.n = 1;
    run.outputs[i].made.items[0].name = "";
    memcpy(run.outputs[i].made.items[0].sha256, run.outputs[i].made.sha256, 65);
  }
  if (bez_run_statement(&run, "origin", &text, &err) != BEZ_OK) abort();
  if (bez_run_parse(text.data, text.len, &again, &err) != BEZ_OK) abort();
  if (again.n_command != run.n_command || again.n_inputs != run.n_inputs || again.n_uses != run.n_uses) abort();
  for (size_t i = 0; i < run.n_outputs; i++) free(run.outputs[i].made.items);
  bez_run_free(&run);
  bez_run_free(&again);
  bez_buf_free(&text);
  return 0;
}
