/*
 * cards_asked.h: the billing key and people's cards, asked for and checked.
 *
 * Nothing of an answer is believed but its envelopes, whose chains go up to the
 * pinned root: a card is sealed to no other key, and a list shows what its
 * person signed.
 */
#pragma once

#include "producer/submit/submit.h"
#include "trust/wallet.h"

struct billing_key {
    struct hash hash; /* its billing.init */
    struct key32 box;
    int64_t generation; /* 0: there is none yet */
    bool proved; /* false: hash and generation are no more than what was told */
};

/* The newest. One that came with its chain and is not proved is an error. */
int billing_key_ask(struct submit *submit, struct billing_key *ret_key,
                    struct err *err);

/* Everybody's steps, or one person's (NULL: the own), as they were told, and a
 * proof that has all their chains; both are the caller's, also where it fails.
 */
struct told {
    struct list steps; /* struct step_row */
    struct proof *proof;
};

int steps_ask(struct submit *submit, const char *email, struct told *ret_told,
              struct err *err);
int steps_ask_all(struct submit *submit, struct told *ret_told,
                  struct err *err);
void told_done(struct told *told);
#define _cleanup_told_ _cleanup_(told_done)

/* One person's cards. Status 65: a step that can't be believed. */
int wallet_ask(struct submit *submit, const char *email,
               struct wallet *ret_wallet, struct err *err);
