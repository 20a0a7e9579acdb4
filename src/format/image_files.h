/* Picture files as a data set: a folder per class, or a manifest beside the pictures. One row per file. */
#ifndef BEZ_FORMAT_IMAGE_FILES_H
#define BEZ_FORMAT_IMAGE_FILES_H

#include "base/arena.h"
#include "format/image_wire.h"

/* Reads the data set where it is one of picture files (*taken): a manifest names them, or there are more than four for
 * each file of other data. What is neither picture nor manifest is said to be unread. Otherwise nothing has happened.
 */
BEZ_MUST_USE bez_status bez_image_files_read(const char *const *paths, size_t n, bez_builder *builder, bool *taken,
                                             bez_error *err);
/* In a data set of other files: a picture is said to be unread. False: it is none. */
BEZ_MUST_USE bool bez_image_files_skip(const char *path, bez_builder *builder, bez_status *st, bez_error *err);

/* image_labels.c: the pictures of a data set and the label of each. */
typedef struct bez_image_names {
  const char **path;  /* n */
  const char **label; /* n; NULL: none */
  size_t n;
  size_t *by_path, *by_base; /* their order by path and by base name; made by bez_image_names_index */
  bool manifest;             /* labels come from manifests, not from folders */
  bez_arena arena;
} bez_image_names;

/* The label of each picture is the name of its folder, where the folders are classes: "train/cat/x.png" is "cat".
 * Folders that only divide (train, test, images …) are looked through; where one name is left there are no labels. */
BEZ_MUST_USE bez_status bez_image_labels(bez_image_names *names, bez_error *err);
/* Where in the path the last part of its folder begins that is more than a division; it ends at *end, 0: there is none.
 */
size_t bez_image_folder_label(const char *path, size_t *end);
BEZ_MUST_USE bez_status bez_image_names_index(bez_image_names *names, bez_error *err);
void bez_image_names_free(bez_image_names *names);

/* image_manifest.c: takes labels from a table that has a column of paths of these pictures, relative to its own folder,
 * and a label column. *taken: it is such a table; else why says what it lacks. */
BEZ_MUST_USE bez_status bez_image_manifest(const char *path, const bez_read_options *options, bez_builder *builder,
                                           bez_image_names *names, bool *taken, char why[128], bez_error *err);

#endif
