/*
 * news.h: what an event says that a mail is made of, once it is believed.
 *
 * Pure. An event is believed where an authorizer whose enrolment goes up to a
 * pinned root signed it, and where the people's own envelopes that came with it
 * say the same: whom they invited, as what, until when, and which key followed.
 * Nothing is taken from the event's own members but whose news it is and when.
 */
#pragma once

#include "model/invitation.h"
#include "model/user.h"
#include "trust/event.h"
#include "trust/keys.h"

struct news {
    enum event_kind kind;
    int64_t issued;    /* the event's */
    struct hash about; /* the user.invite, or user.verify, that it is of */
    struct hash root;
    struct id user;
    char email[EMAIL_MAX + 1];   /* of who was invited */
    char inviter[EMAIL_MAX + 1]; /* of who invited them */
    char *name;                  /* what they are called; may be NULL */
    int role;
    bool again;    /* they had a key before: it was reset */
    int64_t until; /* the invitation's */
    bool by_mail;  /* it was sealed to notifiers … */
    bool open;     /* … and to this one: there is a seed */
    unsigned char seed[INVITATION_SEED];
    struct err closed; /* why there is none */
    char *words;       /* user.verified of an administrator: their key's */
};

/* Whose events are believed, and with which key seeds are opened. */
struct reader {
    const struct roots *roots;
    const struct key_pair *keys;
};

/* True for the kinds that news_read() can read. */
bool news_can(enum event_kind kind);

/* True for those that bring a code. */
bool news_invites(enum event_kind kind);

/* Checks the event, which was appended to its topic at this moment. REJECT: it
 * can't be believed, and why. */
int news_read(const struct reader *reader, const struct event *event,
              int64_t moment, struct news *ret_news, struct err *err);

/* Overwrites the seed and releases the rest. */
void news_done(struct news *news);
#define _cleanup_news_ _cleanup_(news_done)
