/*
 * outbox.h: the mails that are not done yet, and how far each partition is.
 *
 * Pure: no clock, no I/O. A mail stays until its last word is on errand.events;
 * a partition's records are done up to its first mail that stays. So what a
 * notifier has to remember is on Kafka: after a kill, records are read again
 * from there, and the fates among them strike out what was sent. Nothing of a
 * partition is sent before it was read to its end, since a fate may follow.
 */
#pragma once

#include "model/mail.h"

enum mail_state {
    MAIL_WAITS,   /* to be sent, from `due` on */
    MAIL_GOES,    /* the server has the word */
    MAIL_DECIDED, /* its fate has to be told */
    MAIL_TOLD,    /* that is on its way to Kafka */
};

struct mail {
    struct id id;
    struct hash about;
    enum letter letter;
    struct id user;
    char *to;          /* an address, or "webhook:NAME" */
    char key[ID_TEXT]; /* of the record that asked for it */
    struct buf bytes;  /* wiped at the end */
    int64_t until;     /* a moment: not worth sending after */
    int64_t partition;
    int64_t offset; /* of the record that asked for it */
    enum mail_state state;
    int64_t due; /* by the steady clock */
    int64_t tries;
    bool delayed; /* that was told */
    enum fate fate;
    char reason[MAIL_REASON_MAX + 1];
};

struct outbox;

struct outbox *outbox_new(void);
void outbox_free(struct outbox *outbox);

/* Drops all: what the group gives from now on is read anew. */
void outbox_forget(struct outbox *outbox);

/* A record was read. */
void outbox_read(struct outbox *outbox, int64_t partition, int64_t offset);

/* Takes the mail over (and empties it); one that is there, or done, is no news.
 * Then it is false. */
bool outbox_add_take(struct outbox *outbox, struct mail *mail);

/* Its last word is told: it is gone, and does not come back. */
void outbox_done(struct outbox *outbox, const struct id *id);

/* The mail of that id; NULL: none. And the i-th; NULL: no more. */
struct mail *outbox_find(const struct outbox *outbox, const struct id *id);
struct mail *outbox_at(const struct outbox *outbox, size_t i);

/* Among those that wait, the one that was due first; NULL: none waits. */
typedef bool outbox_may(void *arg, const struct mail *mail);
struct mail *outbox_next(const struct outbox *outbox, outbox_may *may,
                         void *arg);

/* The next partition whose records are done beyond what was last said here:
 * from ret_next on they are not. False: none. */
bool outbox_progress(struct outbox *outbox, int64_t *ret_partition,
                     int64_t *ret_next);

/* ms to wait after so many tries: `first`, doubled each time, at most `most`.
 */
int64_t back_off_of(int64_t tries, int64_t first, int64_t most);
