/*
 * wallet.h: a person's cards, as their own signed steps say (billing.h); and
 * the keys that these are sealed to.
 *
 * Pure, and the same for the person who lists their cards, the administrator
 * who exports everybody's, and the authorizer: envelopes in, cards out. A step
 * counts if it is signed by the person's own key, whose chain goes up to a
 * pinned root, has the next number and names the step before. What is open in a
 * step (brand, last four) is what the box must hold, and the box says inside
 * whose it is and in which step it came.
 */
#pragma once

#include "model/billing.h"
#include "trust/keys.h"
#include "trust/proof.h"

struct card {
    struct id card;
    struct hash step; /* its card.add, which belongs to the proof */
    int brand;
    char last4[5];
    char expiry[MONTH_TEXT];
    int64_t added;
    struct hash billing; /* what it is sealed to */
    bool is_default;
};

struct wallet {
    struct person person; /* as the last step names them */
    struct list cards;    /* struct card: those in force, oldest first */
    struct list steps;    /* struct hash: all of them, in their order */
};

void wallet_done(struct wallet *wallet);
#define _cleanup_wallet_ _cleanup_(wallet_done)

/* The hash of the last step, zero while there is none, and the number that the
 * next one bears. */
struct hash wallet_head(const struct wallet *wallet);
int64_t wallet_next(const struct wallet *wallet);

/* The card of that id; NULL: none in force. */
struct card *wallet_card(const struct wallet *wallet, const struct id *card);

/*
 * Takes one more step, which is added to the proof. A card that comes while
 * none is the default becomes it; removing the default leaves none. REJECT: it
 * is not signed by this person's own key, or they may keep no cards; repeated,
 * or one before it is missing; about no card of theirs. The wallet is as it was
 * then.
 */
int wallet_add(struct wallet *wallet, struct proof *proof,
               const struct id *user, const struct envelope *step,
               struct err *err);

/* A billing key: its billing.init, signed by an administrator in force, belongs
 * to the proof. */
int proof_billing(struct proof *proof, const struct hash *billing,
                  const struct billing_init **ret_init, struct err *err);

/* Seals a card into a step that is about to be signed by this key: its request
 * id is set. Fills in box, brand, last4 and expiry; table_done() is the
 * caller's. */
int card_seal(const struct card_secret *secret, const struct key32 *to,
              const struct key32 *signer, const struct id *user,
              struct card_add *add, struct err *err);

/* Opens the box of a card in a wallet with a billing key's secret half. REJECT:
 * it is not for this key, or not the card that the step says. */
int card_open(const struct key_pair *billing, struct proof *proof,
              const struct wallet *wallet, const struct card *card,
              struct card_secret *ret_secret, struct err *err);
