/* wallet.c: see wallet.h. */
#include "trust/wallet.h"

#include <string.h>

#include "trust/proof_private.h"
#include "trust/sealed.h"

#define PURPOSE "card"

void wallet_done(struct wallet *wallet)
{
    free(wallet->cards.items);
    free(wallet->steps.items);
    *wallet = (struct wallet){0};
}

struct hash wallet_head(const struct wallet *wallet)
{
    return wallet->steps.n == 0
               ? (struct hash){0}
               : list_at(&wallet->steps, struct hash, wallet->steps.n - 1);
}

int64_t wallet_next(const struct wallet *wallet)
{
    return (int64_t)wallet->steps.n + 1;
}

struct card *wallet_card(const struct wallet *wallet, const struct id *card)
{
    for (size_t i = 0; i < wallet->cards.n; i++) {
        struct card *one = &list_at(&wallet->cards, struct card, i);
        if (id_equal(&one->card, card)) {
            return one;
        }
    }
    return NULL;
}

int proof_billing(struct proof *proof, const struct hash *billing,
                  const struct billing_init **ret_init, struct err *err)
{
    struct link *link = proof_link_of(proof, billing, EVENT_BILLING_INIT, err);
    struct person by;

    if (link == NULL || proof_by_administrator(proof, link, &by, err) != 0) {
        return -1;
    }
    *ret_init = link->event->payload;
    return 0;
}

/* Signed by this user's own key, as somebody who may keep cards. */
static int check_signer(struct proof *proof, struct link *link,
                        const struct id *user, struct person *ret_person,
                        struct err *err)
{
    const struct head *head = link->event->payload;

    if (proof_person(proof, &head->by, ret_person, err) != 0) {
        return -1;
    }
    if (!link_signed_by(link, 0, &ret_person->key) ||
        !hash_equal(&head->root, &ret_person->root)) {
        return err_set(err, ERR_REJECT, "it is not signed by their own key");
    }
    if (!id_equal(&ret_person->user, user)) {
        return err_set(err, ERR_REJECT, "it is %s's, put in another's place",
                       ret_person->email);
    }
    bool may = ret_person->role == ROLE_RUNNER_BILLING ||
               (ret_person->role == ROLE_ADMINISTRATOR && ret_person->in_force);
    return may ? 0
               : err_set(err, ERR_REJECT, "%s may keep no cards",
                         ret_person->email);
}

static int check_order(const struct wallet *wallet,
                       const struct card_step *step, const struct hash *hash,
                       struct err *err)
{
    struct hash head = wallet_head(wallet);

    for (size_t i = 0; i < wallet->steps.n; i++) {
        if (hash_equal(&list_at(&wallet->steps, struct hash, i), hash)) {
            return err_set(err, ERR_REJECT,
                           "it is step %lld once more: replayed",
                           (long long)step->number);
        }
    }
    if (step->number != wallet_next(wallet) ||
        !hash_equal(&step->previous, &head)) {
        return err_set(err, ERR_REJECT,
                       "step %lld came where step %lld belongs: one is "
                       "missing, or was put in another's place",
                       (long long)step->number, (long long)wallet_next(wallet));
    }
    return 0;
}

static bool has_default(const struct wallet *wallet)
{
    for (size_t i = 0; i < wallet->cards.n; i++) {
        if (list_at(&wallet->cards, struct card, i).is_default) {
            return true;
        }
    }
    return false;
}

static int take_add(struct wallet *wallet, const struct event *event,
                    struct err *err)
{
    const struct card_add *add = event->payload;
    const struct head *head = event->payload;

    if (card_label_check(add, err) != 0) {
        return -1;
    }
    bool first = !has_default(wallet);
    struct card *card = list_grow(&wallet->cards, sizeof(*card));
    *card = (struct card){.card = head->id,
                          .step = event->hash,
                          .brand = add->brand,
                          .added = head->issued,
                          .billing = add->billing,
                          .is_default = first};
    memcpy(card->last4, add->last4, sizeof(card->last4));
    memcpy(card->expiry, add->expiry, sizeof(card->expiry));
    return 0;
}

static void remove_card(struct wallet *wallet, struct card *card)
{
    struct card *end = (struct card *)wallet->cards.items + wallet->cards.n;

    memmove(card, card + 1, (size_t)(end - card - 1) * sizeof(*card));
    wallet->cards.n--;
}

static int take_named(struct wallet *wallet, const struct event *event,
                      struct err *err)
{
    const struct card_named *named = event->payload;
    struct card *card = wallet_card(wallet, &named->card);

    if (card == NULL) {
        return err_set(err, ERR_REJECT, "it names no card of theirs");
    }
    if (event->kind == EVENT_CARD_REMOVE) {
        remove_card(wallet, card);
        return 0;
    }
    for (size_t i = 0; i < wallet->cards.n; i++) {
        struct card *one = &list_at(&wallet->cards, struct card, i);
        one->is_default = one == card;
    }
    return 0;
}

static bool is_step(enum event_kind kind)
{
    return kind == EVENT_CARD_ADD || kind == EVENT_CARD_DEFAULT ||
           kind == EVENT_CARD_REMOVE;
}

int wallet_add(struct wallet *wallet, struct proof *proof,
               const struct id *user, const struct envelope *step,
               struct err *err)
{
    struct hash hash = envelope_hash(step);
    struct person person;

    if (proof_add(proof, step, err) != 0) {
        return -1;
    }
    struct link *link = proof_link(proof, &hash, err);
    if (link == NULL) {
        return -1;
    }
    const struct event *event = link->event;
    if (!is_step(event->kind)) {
        return err_set(err, ERR_REJECT, "a %s is no step of anybody's cards",
                       event->envelope.type);
    }
    if (check_signer(proof, link, user, &person, err) != 0 ||
        check_order(wallet, event->payload, &hash, err) != 0 ||
        (event->kind == EVENT_CARD_ADD ? take_add(wallet, event, err)
                                       : take_named(wallet, event, err)) != 0) {
        return -1;
    }
    wallet->person = person;
    *(struct hash *)list_grow(&wallet->steps, sizeof(hash)) = hash;
    return 0;
}

/* What the box must say that it is for. */
static struct sealed pattern_of(const struct head *head,
                                const struct key32 *signer, char *user)
{
    return (struct sealed){.root = head->root,
                           .purpose = (char *)PURPOSE,
                           .signer = key_id(signer),
                           .request = head->id,
                           .name = user};
}

int card_seal(const struct card_secret *secret, const struct key32 *to,
              const struct key32 *signer, const struct id *user,
              struct card_add *add, struct err *err)
{
    char name[ID_TEXT];
    const struct head *head = &add->step.request.head;
    size_t digits = strlen(secret->number);
    enum brand brand;

    if (card_number_check(secret->number, (int64_t)digits, &brand, err) != 0) {
        return -1;
    }
    id_format(user, name);
    struct sealed content = pattern_of(head, signer, name);
    _cleanup_sealed_ struct buf value = {0};
    if (buf_reserve(&value, SEALED_VALUE_MAX) != 0 ||
        table_encode(&card_secret_table, secret, &value, err) != 0) {
        return -1;
    }
    content.value = value;
    if (sealed_make(&content, to, &add->box, err) != 0) {
        return -1;
    }
    add->brand = (int)brand;
    add->last4 = must_strdup(secret->number + digits - 4);
    add->expiry = must_strdup(secret->expiry);
    return 0;
}

/* What was inside is the card that was told outside. */
static int check_inside(const struct card *card,
                        const struct card_secret *secret, struct err *err)
{
    size_t digits = strlen(secret->number);
    enum brand brand;

    if (card_number_check(secret->number, (int64_t)digits, &brand, err) != 0) {
        return -1;
    }
    if ((int)brand != card->brand ||
        strcmp(secret->number + digits - 4, card->last4) != 0 ||
        strcmp(secret->expiry, card->expiry) != 0) {
        return err_set(err, ERR_REJECT,
                       "another card is in the box than its step says");
    }
    return 0;
}

int card_open(const struct key_pair *billing, struct proof *proof,
              const struct wallet *wallet, const struct card *card,
              struct card_secret *ret_secret, struct err *err)
{
    struct link *link = proof_link_of(proof, &card->step, EVENT_CARD_ADD, err);
    _cleanup_card_secret_ struct card_secret secret = {0};
    _cleanup_sealed_ struct buf value = {0};
    char name[ID_TEXT];

    if (link == NULL) {
        return -1;
    }
    const struct card_add *add = link->event->payload;
    id_format(&wallet->person.user, name);
    /* The key that signed the step, which need not be the newest. */
    struct sealed pattern =
        pattern_of(&add->step.request.head, &link->key[0], name);
    if (sealed_open(billing, &add->box, &pattern, &value, err) != 0 ||
        table_decode(&card_secret_table, value.data, value.len, &secret, err) !=
            0 ||
        check_inside(card, &secret, err) != 0) {
        return -1;
    }
    *ret_secret = secret;
    secret = (struct card_secret){0};
    return 0;
}
