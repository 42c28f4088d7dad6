/*
 * billing.h: the payloads of billing keys and of people's cards, and what is
 * answered to them.
 *
 * A billing key is an X25519 pair whose secret half is in no server of ours;
 * billing.init publishes the other, generation after generation, each with the
 * hash of the one before. What a person does with their cards (card.add,
 * card.default, card.remove) is a sequence: numbered from 1, each with the hash
 * of the one before, so that none can be left out, repeated or put in another's
 * place. A card's id is that of its card.add.
 */
#pragma once

#include "model/card.h"
#include "model/envelope.h"
#include "model/request.h"

#define CARDS_MAX 20 /* of one person, at a time */
#define CARD_BOX_MAX 4096

struct billing_init { /* administrator's own key */
    struct request request;
    struct key32 box;
    int64_t generation;
    struct hash
        previous; /* billing.init of the generation before; zero: none */
};

struct card_step { /* what the three have in common; the person's own key */
    struct request request;
    int64_t number;       /* in the person's own sequence, from 1 */
    struct hash previous; /* their card request before; zero: the first */
};

struct card_add {
    struct card_step step;
    struct hash billing; /* billing.init, to whose key the box is sealed */
    struct buf box;      /* sealed.h, purpose "card": a card_secret */
    int brand;
    char *last4;
    char *expiry; /* "2027-12" */
};

struct card_named { /* card.default, card.remove */
    struct card_step step;
    struct id card;
};

struct card_list { /* a read; one person's steps, oldest first */
    struct request request;
    char *email;   /* NULL: the asker's own; another's for administrators */
    int64_t after; /* steps after this number */
};

struct card_export { /* a read: everybody's, by user */
    struct request request;
    struct id user; /* the last step that the asker has: whose … */
    int64_t after;  /* … and its number; zero: from the first */
};

struct billing_answer {    /* to billing.show */
    struct hash hash;      /* the newest billing.init; zero: none yet */
    int64_t generation;    /* its */
    struct list envelopes; /* it, and its chain up to root.init; none: who
                              signed it is no administrator any more */
};

struct step_row {
    struct id user;
    int64_t number;           /* its place, as it is recorded: for `after` */
    struct envelope envelope; /* card.add, card.default or card.remove */
};

struct cards_answer {      /* to card.list and card.export */
    struct list steps;     /* struct step_row, by user and number */
    struct list envelopes; /* the chains of people and billing keys */
    bool more;             /* ask again after the last */
};

extern const struct table billing_init_table;
extern const struct table card_add_table;
extern const struct table card_named_table;
extern const struct table card_list_table;
extern const struct table card_export_table;
extern const struct table billing_answer_table;
extern const struct table cards_answer_table;

/* Brand, last four and expiry are well formed. REJECT: they are not. */
int card_label_check(const struct card_add *add, struct err *err);
