/* Many small files read at once: what they cost is opening them, and threads share that. */
#ifndef BEZ_CONTENT_SMALL_FILES_H
#define BEZ_CONTENT_SMALL_FILES_H

#include "content/listing.h"

#define BEZ_SMALL_FILE (1u << 20) /* bytes; what is larger is read in slabs */
#define BEZ_SMALL_FILES 4096u     /* read at once, at most */

/* How many files from `first` on are small and have at most `room` bytes together; *bytes: how many that are. */
size_t bez_small_files_count(const bez_listing *listing, size_t first, uint64_t room, uint64_t *bytes);
/* Reads n of them into `out`, one behind the other, each as long as the listing says. folder: descriptor of the
 * listing's root. BEZ_USAGE names a file that is not what was listed, or that changes while it is read. */
BEZ_MUST_USE bez_status bez_small_files_read(const bez_listing *listing, int folder, size_t first, size_t n,
                                             unsigned threads, uint8_t *out, bez_error *err);

#endif
