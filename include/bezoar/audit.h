/* Audit of models beyond a scan (bezoar/scan.h): reference banks. */
#ifndef BEZOAR_AUDIT_H
#define BEZOAR_AUDIT_H

#include "bezoar/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bez_bank_result {
  size_t added; /* adapters given, each once by its SHA-256 */
  size_t total; /* in the bank afterwards */
} bez_bank_result;

/* Puts the numbers of low-rank adapters (LoRA) into the reference bank at `bank`, a file that is made where there is
 * none. paths: adapter files, or folders that hold them with their adapter_config.json. All of them or none: a path
 * without an adapter, or one that cannot be read whole, is an error, and the file stays as it was. An adapter that is
 * already there, by its SHA-256, is replaced. Two processes at once are fine. threads 0: as many as processors. The
 * bank holds seven numbers per adapter, its name and digest; bez_scan_options.bank compares with it. */
BEZ_API BEZ_MUST_USE bez_status bez_bank_add(const char *bank, const char *const *paths, size_t n_paths,
                                             unsigned threads, bez_bank_result *result, bez_error *err);

#ifdef __cplusplus
}
#endif
#endif
