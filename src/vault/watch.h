/* Lists of URLs and whether what lies behind them is still what was listed (include/bezoar/watch.h).
 *
 * watch_list.c reads a list from a table, watch_state.c keeps it as objects of the vault, watch_schedule.c says when
 * each URL is asked, watch_fetch.c asks, watch_check.c judges, watch_page.c names error pages, watch_report.c writes it
 * down, watch.c binds all that to a vault. */
#ifndef BEZ_VAULT_WATCH_H
#define BEZ_VAULT_WATCH_H

#include "base/arena.h"
#include "base/json.h"
#include "base/threads.h"
#include "bezoar/watch.h"
#include "content/object.h"

#define BEZ_MAX_URLS (64u << 20) /* rows of a list */
#define BEZ_MAX_URL 8192u        /* bytes of one */
#define BEZ_WATCH_PART 4096u     /* rows of one object of a list */
#define BEZ_WATCH_PART_BYTES (1u << 30)

enum { BEZ_KNOW_SHA256 = 1, BEZ_KNOW_MD5 = 2, BEZ_KNOW_SHA512 = 4, BEZ_KNOW_PHASH = 8, BEZ_KNOW_SEEN = 16 };
#define BEZ_KNOW_DIGEST (BEZ_KNOW_SHA256 | BEZ_KNOW_MD5 | BEZ_KNOW_SHA512)

typedef struct bez_watched {
  const char *url;
  const char *const *cells; /* of the list's own columns */
  unsigned know;            /* which of the next ones there are */
  uint8_t sha256[32], sha512[64], md5[16];
  uint64_t phash;
  uint8_t seen[32];   /* what was there last in place of what is listed, */
  int64_t seen_since; /* and when that came first: seconds since 1970 */
  int64_t learned;    /* when the digest was taken from the network; 0: the list gave it, or a trusted correction */
} bez_watched;

typedef struct bez_watchlist {
  bez_arena arena;
  const char **columns;
  uint32_t n_columns, url_column;
  bez_watched *rows;
  uint64_t n, cap;
} bez_watchlist; /* zero-initialise; release with bez_watchlist_free */
void bez_watchlist_free(bez_watchlist *list);

/* From a CSV, JSONL, Parquet or Arrow file. BEZ_USAGE: no such column; BEZ_FORMAT names the row of a digest that is
 * none. */
BEZ_MUST_USE bez_status bez_watchlist_read(const char *path, const bez_watch_columns *columns, bez_watchlist *out,
                                           bez_error *err);
/* A row more, cells and all copied into the list's arena; NULL when memory is out. */
bez_watched *bez_watchlist_add(bez_watchlist *list, const bez_watched *row);

/* As objects: a head of JSON that names its parts, each JSON lines of BEZ_WATCH_PART rows; so that a list in which one
 * row changed shares all parts but one with the list before. */
BEZ_MUST_USE bez_status bez_watchlist_save(const bez_watchlist *list, bez_pack *pack, bez_id *id, bez_error *err);
BEZ_MUST_USE bez_status bez_watchlist_load(const bez_objects *objects, const bez_id *id, bez_watchlist *out,
                                           bez_error *err);
/* The bytes of head and parts; hostile when they come back. */
void bez_watchlist_put_row(bez_json *j, const bez_watchlist *list, const bez_watched *row);
BEZ_MUST_USE bez_status bez_watchlist_take_head(bez_watchlist *list, const json_t *head, const char *subject,
                                                bez_error *err);
BEZ_MUST_USE bez_status bez_watchlist_take_part(bez_watchlist *list, const char *bytes, size_t len, const char *subject,
                                                bez_error *err);

/* When each row is asked: order[k] is the row that comes k-th, at[k] its second after the start. At random within the
 * window, and never two of one host closer than `gap` seconds. Depends on nothing but rows and seed. */
BEZ_MUST_USE bez_status bez_watch_schedule(const bez_watchlist *list, uint64_t seed, double window, double gap,
                                           uint64_t *order, double *at, bez_error *err);

typedef enum bez_seen {
  BEZ_SEEN_NOTHING = 0, /* not checked: why says it */
  BEZ_SEEN_EXACT,
  BEZ_SEEN_NEAR,
  BEZ_SEEN_DIFFERENT,
  BEZ_SEEN_FIRST /* no digest was known: this is it */
} bez_seen;

typedef enum bez_seen_page {
  BEZ_PAGE_NONE = 0,
  BEZ_PAGE_REPEATED,   /* the same bytes at several URLs that should differ */
  BEZ_PAGE_NOT_FOUND,  /* an answer 200 whose title says that there is nothing */
  BEZ_PAGE_FOR_PICTURE /* a page of markup where a picture was */
} bez_seen_page;

/* What was there. */
typedef struct bez_checked {
  bez_seen verdict;
  bez_seen_page page;
  uint64_t n_same; /* of BEZ_PAGE_REPEATED: at how many URLs */
  bool held;       /* fresher than the policy's delay */
  bool gone;       /* 404, 410 */
  bool picture, html, redirected, has_phash;
  uint8_t distance; /* of the perceptual hashes, where both are known: else 255 */
  uint16_t status;  /* of HTTP, 0 none */
  uint64_t bytes, phash;
  uint8_t sha256[32];
  char *why, *title; /* owned; NULL none */
} bez_checked;

static inline bool bez_checked_not_asked(const bez_checked *c) {
  return c->verdict == BEZ_SEEN_NOTHING && !c->why;
}

typedef struct bez_watch_fetcher bez_watch_fetcher;
/* Makes `n` of them, one for each thread. */
BEZ_MUST_USE bez_status bez_watch_fetchers_create(unsigned n, const bez_watch_options *options, bez_watch *stop,
                                                  bez_watch_fetcher **out, bez_error *err);
void bez_watch_fetchers_free(bez_watch_fetcher *fetchers, unsigned n);
/* Asks for one URL, with one of the fetchers, and judges it against its row. What the network, the server or the
 * content does is no error but stands in *out; BEZ_CANCELLED, BEZ_MEMORY, BEZ_UNSUPPORTED (a build without network) are
 * errors. */
BEZ_MUST_USE bez_status bez_watch_fetch(bez_watch_fetcher *fetchers, unsigned which, const bez_watched *row,
                                        bez_checked *out, bez_error *err);

/* All rows for which `wanted` says so (NULL: all); out: list->n, zeroed. */
BEZ_MUST_USE bez_status bez_watch_check(const bez_watchlist *list, const bez_watch_options *options,
                                        bool (*wanted)(const bez_watched *row), bez_checked *out, bez_error *err);
void bez_checked_free(bez_checked *checked, uint64_t n);

/* Names error pages among what is not exact. */
BEZ_MUST_USE bez_status bez_watch_pages(const bez_watchlist *list, bez_checked *checked, bez_error *err);
/* Whether a page's beginning is markup, and its title (into out, cut). */
bool bez_page_is_html(const char *bytes, size_t len);
void bez_page_title(const char *bytes, size_t len, char *out, size_t size);
bool bez_page_says_no(const char *title); /* "404 Not Found", "this domain is for sale" … */

/* Takes over what was seen: digests of rows that had none, hashes of pictures, and since when something else is there;
 * marks what is held back: fresher than delay. */
void bez_watch_learn(bez_watchlist *list, bez_checked *checked, int64_t now, double delay);

/* The verdicts as text: JSON (docs/vault/json.md), and lists in the columns of the list. */
typedef struct bez_watch_sum {
  uint64_t exact, near, different, unchecked, gone, held, pages, first;
} bez_watch_sum;
void bez_watch_count(const bez_checked *checked, uint64_t n, bez_watch_sum *sum);
void bez_watch_write(bez_json *j, const bez_watchlist *list, const bez_checked *checked, const bez_watch_sum *sum);
/* The seed that is wanted, or one drawn from the clock for 0: times that nobody can foresee. */
uint64_t bez_watch_seed(uint64_t wanted);
/* Counts and writes, as members of an object that is open. kept: what had no digest has one now. */
void bez_watch_tell(const bez_watchlist *list, const bez_checked *checked, bool kept, bez_json *j,
                    bez_watch_result *result);
/* Before anything is asked: a folder for the lists. */
BEZ_MUST_USE bez_status bez_watch_folder(const char *folder, bez_error *err);
BEZ_MUST_USE bez_status bez_watch_write_lists(const char *folder, const bez_watchlist *list, const bez_checked *checked,
                                              bez_error *err);

#endif
