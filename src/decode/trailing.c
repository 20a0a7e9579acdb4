/* What stands behind the end of a picture: decoders go over it, other programs open it. Names by magic numbers as in
 * the formats' own specifications. */
#include <string.h>

#include "decode/picture.h"

#define DEPTH (64u << 10) /* bytes that are searched: a ZIP archive may begin behind anything */

typedef struct magic {
  bez_picture_tail kind;
  uint8_t len;
  const char *bytes;
} magic;

static const magic at_start[] = {
    {BEZ_TAIL_PICTURE, 3, "\xff\xd8\xff"},
    {BEZ_TAIL_PICTURE, 4, "\x89PNG"},
    {BEZ_TAIL_PICTURE, 4, "GIF8"},
    {BEZ_TAIL_PICTURE, 4, "RIFF"},
    {BEZ_TAIL_ARCHIVE, 4, "Rar!"},
    {BEZ_TAIL_ARCHIVE, 4, "7z\xbc\xaf"},
    {BEZ_TAIL_ARCHIVE, 3, "\x1f\x8b\x08"},
    {BEZ_TAIL_ARCHIVE, 6,
     "\xfd"
     "7zXZ\0"},
    {BEZ_TAIL_ARCHIVE, 4, "\x28\xb5\x2f\xfd"},
    {BEZ_TAIL_ARCHIVE, 3, "BZh"},
    {BEZ_TAIL_PROGRAM, 2, "MZ"},
    {BEZ_TAIL_PROGRAM, 2, "#!"},
    {BEZ_TAIL_PROGRAM, 4, "\xca\xfe\xba\xbe"},
    {BEZ_TAIL_PROGRAM, 4, "\xcf\xfa\xed\xfe"},
    {BEZ_TAIL_PROGRAM, 4, "\xce\xfa\xed\xfe"},
};

/* Long enough to be no accident among 64 KiB. */
static const magic anywhere[] = {{BEZ_TAIL_PROGRAM, 5,
                                  "\x7f"
                                  "ELF\x01"},
                                 {BEZ_TAIL_PROGRAM, 5,
                                  "\x7f"
                                  "ELF\x02"},
                                 {BEZ_TAIL_ZIP, 4, "PK\3\4"},
                                 {BEZ_TAIL_PDF, 5, "%PDF-"},
                                 {BEZ_TAIL_MARKUP, 5, "<?php"},
                                 {BEZ_TAIL_MARKUP, 7, "<script"},
                                 {BEZ_TAIL_MARKUP, 6, "<html>"},
                                 {BEZ_TAIL_MARKUP, 6, "<HTML>"},
                                 {BEZ_TAIL_MARKUP, 9, "<!DOCTYPE"},
                                 {BEZ_TAIL_MARKUP, 9, "<!doctype"}};

static bool is_padding(uint8_t c) {
  return c == 0 || c == 0xff || c == ' ' || (c >= '\t' && c <= '\r');
}

static uint8_t kind_of(const uint8_t *p, size_t len) {
  size_t skip = 0, deep;
  while (skip < len && is_padding(p[skip]) && !(len - skip > 1 && p[skip] == 0xff && p[skip + 1] == 0xd8)) skip++;
  if (skip == len) return BEZ_TAIL_ZEROS;
  for (size_t i = 0; i < sizeof at_start / sizeof *at_start; i++)
    if (len - skip >= at_start[i].len && !memcmp(p + skip, at_start[i].bytes, at_start[i].len))
      return (uint8_t)at_start[i].kind;
  deep = len - skip < DEPTH ? len - skip : DEPTH;
  for (size_t i = 0; i < sizeof anywhere / sizeof *anywhere; i++)
    if (memmem(p + skip, deep, anywhere[i].bytes, anywhere[i].len)) return (uint8_t)anywhere[i].kind;
  return BEZ_TAIL_OTHER;
}

void bez_picture_trailing(const uint8_t *bytes, size_t len, bez_image_facts *facts) {
  facts->trailing = len;
  facts->tail = len ? kind_of(bytes, len) : BEZ_TAIL_NONE;
}
