/* Plain-text documents, one per file: what a corpus for pre-training looks like before it is packed. */
#ifndef BEZ_FORMAT_TEXT_FOLDER_H
#define BEZ_FORMAT_TEXT_FOLDER_H

#include "net/spool.h"

/* Whether these files are documents: two at least, nine in ten named .txt, .md, .rst or .text (also packed), and not
 * tables that are called .txt. Looks into some of them. */
bool bez_are_documents(const bez_spool *spool, const char *const *paths, size_t n);

#endif
