/* Samples of a WebDataset archive: files that lie one behind the other and share their name up to the first dot. */
#ifndef BEZ_FORMAT_SAMPLES_H
#define BEZ_FORMAT_SAMPLES_H

#include "format/builder.h"
#include "format/tar.h"

typedef struct bez_sample {
  bez_tar_entry picture;
  bez_tar_entry label; /* .cls or .json; name NULL: none */
} bez_sample;

typedef struct bez_samples {
  bez_sample *items; /* those with a picture, in order; owned */
  size_t n, cap;
  bool any_label;
} bez_samples;

/* Reads the archive's headers. What is odd becomes a remark: names given twice, links, names that lead elsewhere,
 * samples without a picture or with several. */
BEZ_MUST_USE bez_status bez_samples_read(const bez_source *source, bez_arena *arena, bez_builder *builder,
                                         bez_samples *out, bez_error *err);
void bez_samples_free(bez_samples *samples);

/* Length of a member's key: its name up to the first dot of its base name; all of it where there is no dot. */
size_t bez_sample_key(const char *name);

/* The text of a sample's label in the arena: the digits or the word of a .cls; of a .json the value of `key` (NULL:
 * label, class, cls, target or category). *out NULL: it holds none. */
BEZ_MUST_USE bez_status bez_sample_label(const bez_source *source, const bez_tar_entry *entry, const char *key,
                                         bez_arena *arena, const char **out, bez_error *err);

#endif
