/*
 * change.h: what the authorizer tells on errand.events: user.invited,
 * command.saved, run.refused and their kind, one shape for all.
 *
 * Consumers pass over fields that they don't know.
 */
#pragma once

#include "model/envelope.h"

struct change {
    struct head head;
    struct hash subject;   /* hash of what was decided on: the request's */
    struct id actor;       /* the user who asked; zero: not known */
    struct id user;        /* the user that it is about; zero: none */
    struct id command;     /* likewise */
    struct id run;         /* likewise */
    char *name;            /* an e-mail, a command's or a target's name */
    char *detail;          /* in words */
    struct hash invite;    /* the user.invite that it came of; zero: none */
    struct list envelopes; /* of what a notifier has to believe: the request's
                              chain and the authorizer's own */
};

extern const struct table change_table;
