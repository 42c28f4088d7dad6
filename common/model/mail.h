/*
 * mail.h: what became of a mail, or of what went to a webhook: the notifier's
 * word on errand.events.
 *
 * A mail is named by the envelope that it is about, which people signed, and by
 * which letter it is (what tells of a run's end: by notice_id(), run_end.h): so
 * whoever makes it, and however often it is told, it is the same one.
 * mail.delayed may be followed by one of the others; mail.sent and mail.refused
 * are the last word. `envelopes` are the notifier's enrolment and its chain, so
 * that another notifier, which has no database, can believe it.
 */
#pragma once

#include "model/envelope.h"
#include "model/user.h"

enum letter {
    LETTER_NONE,
    LETTER_INVITATION, /* to the invitee, with the code */
    LETTER_FOLLOWED,   /* to the inviter: somebody followed the invitation */
    LETTER_REUSED,     /* to the inviter: its code was used a second time */
    LETTER_REUSED_OWN, /* the same to who was invited */
    LETTER_ENDED,      /* to who is told how runs end; or to a webhook */
    LETTER_KINDS
};

extern const struct words letter_words;

/* What is known of a mail. */
enum fate { FATE_NONE, FATE_WAITING, FATE_DELAYED, FATE_SENT, FATE_REFUSED };

extern const struct words fate_words;

#define MAIL_REASON_MAX 500

struct mail_fate {
    struct head head;
    struct id mail;
    struct hash about; /* a user.invite, user.verify or run.start */
    int letter;
    struct id user; /* whom it is about */
    char *email;    /* whom it is addressed to, or "webhook:NAME" */
    char *reason;   /* the server's words, or ours; sent: may be NULL */
    int64_t tries;
    struct list envelopes;
};

extern const struct table mail_fate_table;

/* The id of this letter about this envelope. */
struct id mail_id(const struct hash *about, enum letter letter);
