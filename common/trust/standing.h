/*
 * standing.h: what the revocation log says, entry by entry (design:
 * "Authority", rule 3): who is ended or suspended, which of their keys counts,
 * what they signed goes on all the same, what was taken away; what each target
 * is, with its labels; and who is in which group.
 *
 * Pure: entries in, verdicts out. Entries are added in their order, each bound
 * to the one before by its hash; whether its signer might add it is asked of
 * the proof before (proof_entry()). The heads of all entries are kept, so that
 * who decided under an older one can be told from who knows another log.
 */
#pragma once

#include "model/group.h"
#include "model/target.h"
#include "trust/event.h"

struct standing;

/* init: hash of root.init, the head while the log is empty. */
struct standing *standing_new(const struct hash *init);
void standing_free(struct standing *standing);
static inline void standing_release(struct standing **standing)
{
    standing_free(*standing);
}
#define _cleanup_standing_ _cleanup_(standing_release)

int64_t standing_seq(const struct standing *standing);
const struct hash *standing_head(const struct standing *standing);

/* The head after that many entries; NULL: not that many are known. */
const struct hash *standing_head_at(const struct standing *standing,
                                    int64_t seq);

/* True for kinds that are entries: their payload opens with a log_entry. */
bool standing_is_entry(enum event_kind kind);

/* Adds the next entry. 0; 1: it is there already. RETRY: one before it is
 * missing. REJECT: its place holds another entry, or its `prev` is another. */
int standing_add(struct standing *standing, const struct event *entry,
                 struct err *err);

/* Whether this very entry is in the log. */
bool standing_holds(const struct standing *standing, int64_t seq,
                    const struct hash *hash);

/* How a person stands whose key is named by this envelope; for a user.verify
 * `invite` is the invitation that it followed, else NULL. */
enum standing_word {
    STANDS,
    STANDS_NOT_SUSPENDED, /* until they are resumed */
    STANDS_NOT_REMOVED,
    STANDS_NOT_REPLACED, /* another envelope names them now */
};

extern const struct words standing_words; /* in words, but for STANDS */

enum standing_word standing_of(const struct standing *standing,
                               const struct id *user, const struct hash *naming,
                               const struct hash *invite);

/* What the person signed goes on, though they don't stand as they did. */
bool standing_keeps(const struct standing *standing, const struct id *user,
                    const struct hash *envelope);

bool standing_command_retired(const struct standing *standing,
                              const struct id *command);
bool standing_service_revoked(const struct standing *standing,
                              const struct hash *service);

/* An assignment that was signed under `seq`, and not removed after that. */
bool standing_assigned(const struct standing *standing, const struct id *user,
                       const struct id *command, int64_t seq);

/* A schedule.set that was signed under `seq`, and not removed after that. */
bool standing_scheduled(const struct standing *standing,
                        const struct id *schedule, int64_t seq);

/* A target by its newest target.set. (Whoever signed it may have ended since:
 * an entry stands.) */
struct place_standing {
    char *name;
    struct hash hash; /* of that target.set */
    int64_t generation;
    int64_t since;      /* when this generation was signed */
    int64_t max_wait;   /* s */
    struct list labels; /* struct pair */
    enum target_state state;
};

/* NULL: the log knows of none. It belongs to the standing, until the next
 * entry. */
const struct place_standing *standing_place(const struct standing *standing,
                                            const char *name);

/* All of them, in the order in which they were added; NULL begins, and ends. */
const struct place_standing *
standing_place_after(const struct standing *standing,
                     const struct place_standing *after);

/* A group by its newest group.set, whoever signed it; without members it is no
 * more. */
struct group_standing {
    char *name;
    struct hash hash;    /* of that group.set */
    struct list members; /* struct id */
};

/* The same as of targets. */
const struct group_standing *standing_group(const struct standing *standing,
                                            const char *name);
const struct group_standing *
standing_group_after(const struct standing *standing,
                     const struct group_standing *after);
