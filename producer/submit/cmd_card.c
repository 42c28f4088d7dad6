/*
 * cmd_card.c: card add, list, default, remove: a person's payment cards.
 *
 * A card is sealed here, before anything of it leaves this machine, to a
 * billing key that came with its chain. Each change is one more step in the
 * person's own sequence, signed by their own key on top of the steps before,
 * which were checked just then.
 */
#include <string.h>

#include "base/clock.h"
#include "producer/submit/asking.h"
#include "producer/submit/card_form.h"
#include "producer/submit/cards_asked.h"
#include "producer/submit/cards_seen.h"

#define ENDING_MIN 4     /* digits of an id that name a card */
#define DIGITS_ENOUGH 12 /* to be a whole number */

/* The next step of this wallet, issued now. */
static struct card_step next_step(const struct submit *submit,
                                  const struct wallet *wallet)
{
    int64_t now = clock_now();

    return (struct card_step){
        .request.head =
            head_new(&submit->profile->root, &submit->profile->by, now),
        .number = wallet_next(wallet),
        .previous = wallet_head(wallet),
    };
}

/* Once it is accepted, this machine remembers it. */
static int send_step(struct submit *submit, enum event_kind kind, void *payload,
                     struct err *err)
{
    struct hash hash;
    struct question question = {
        .as = ASK_OWN, .kind = kind, .payload = payload, .ret_hash = &hash};

    return submit_ask(submit, &question, err) != 0
               ? -1
               : cards_seen_step(submit->profile,
                                 ((const struct card_step *)payload)->number,
                                 &hash, err);
}

/* card add */

static int add_card(struct submit *submit, const struct wallet *wallet,
                    const struct billing_key *key,
                    const struct card_typed *typed, struct err *err)
{
    struct card_secret secret = {.number = typed->number,
                                 .name = typed->name,
                                 .expiry = (char *)typed->expiry};
    struct card_add add = {.step = next_step(submit, wallet),
                           .billing = key->hash};
    int done = card_seal(&secret, &key->box, &submit->profile->key,
                         &submit->profile->user, &add, err) != 0 ||
                       send_step(submit, EVENT_CARD_ADD, &add, err) != 0
                   ? -1
                   : 0;

    table_done(&card_add_table, &add);
    return done;
}

/* Sealed: only the holder of the billing key's secret half can read it. */
static void tell_added(const struct wallet *wallet,
                       const struct card_typed *typed)
{
    bool first = true;

    for (size_t i = 0; i < wallet->cards.n; i++) {
        first &= !list_at(&wallet->cards, struct card, i).is_default;
    }
    say("%s ending in %s is added%s, sealed: only whoever does the payments "
        "can open it.",
        brand_title(typed->brand), typed->number + strlen(typed->number) - 4,
        first ? " as your default card" : "");
}

static int check_place(struct submit *submit, struct billing_key *ret_key,
                       struct wallet *ret_wallet, struct err *err)
{
    if (billing_key_ask(submit, ret_key, err) != 0) {
        return -1;
    }
    if (!ret_key->proved) {
        return err_exit(err, EXIT_NOT_FOUND,
                        "there is no billing key to seal a card to%s: an "
                        "administrator makes it (submit billing init)",
                        ret_key->generation == 0
                            ? " yet"
                            : " any more, since who signed it is no "
                              "administrator now");
    }
    /* Before the card is typed: a wrong password costs no second typing. */
    return wallet_ask(submit, NULL, ret_wallet, err) != 0
               ? -1
               : asking_unlock(submit, NULL, err);
}

int cmd_card_add(struct submit *submit, struct err *err)
{
    const char *path =
        submit->n_args > 0 ? submit->args[0] : flag_value(submit, "file");
    struct billing_key key;
    _cleanup_wallet_ struct wallet wallet = {0};
    _cleanup_typed_ struct card_typed typed = {0};

    if (card_refuse_words(submit, err) != 0 ||
        check_place(submit, &key, &wallet, err) != 0 ||
        card_read(submit, path, &typed, err) != 0 ||
        add_card(submit, &wallet, &key, &typed, err) != 0) {
        return -1;
    }
    tell_added(&wallet, &typed);
    return 0;
}

/* card list */

struct card_row {
    struct id card;
    char *brand;
    char *last4;
    char *expiry;
    bool expired;
    bool is_default;
    int64_t added;
};

static const struct field card_row_fields[] = {
    {"card", FIELD_ID, .at = offsetof(struct card_row, card)},
    {"brand", FIELD_TEXT, .at = offsetof(struct card_row, brand)},
    {"last4", FIELD_TEXT, .at = offsetof(struct card_row, last4)},
    {"expiry", FIELD_TEXT, .at = offsetof(struct card_row, expiry)},
    {"expired", FIELD_BOOL, .at = offsetof(struct card_row, expired)},
    {"default", FIELD_BOOL, .at = offsetof(struct card_row, is_default)},
    {"added", FIELD_TIME, .at = offsetof(struct card_row, added)},
};

static const struct table card_row_table = {
    .name = "card", TABLE(card_row_fields), .size = sizeof(struct card_row)};

static char *make_brand(const void *row)
{
    const struct card_row *card = row;

    return must_strdup(brand_title(word_value(&brand_words, card->brand)));
}

static char *make_expiry(const void *row)
{
    const struct card_row *card = row;

    return must_printf("%s/%.4s%s", card->expiry + 5, card->expiry,
                       card->expired ? " (expired)" : "");
}

static char *make_default(const void *row)
{
    return must_strdup(((const struct card_row *)row)->is_default ? "yes" : "");
}

static char *make_id(const void *row)
{
    char text[ID_TEXT];

    id_format(&((const struct card_row *)row)->card, text);
    return must_strdup(text + ID_TEXT - 1 - 12);
}

static const struct column card_columns[] = {
    {"card", COLUMN_MADE, .make = make_id},
    {"brand", COLUMN_MADE, .make = make_brand},
    {"ends in", COLUMN_TEXT, .at = offsetof(struct card_row, last4)},
    {"expires", COLUMN_MADE, .make = make_expiry},
    {"default", COLUMN_MADE, .make = make_default},
    {"added", COLUMN_TIME, .at = offsetof(struct card_row, added)},
};

static int print_cards(struct submit *submit, const struct wallet *wallet,
                       struct err *err)
{
    static const struct noun noun = {.nothing = "no cards",
                                     .table = &card_row_table,
                                     .columns = card_columns,
                                     .n = ARRAY_SIZE(card_columns)};
    char now[MONTH_TEXT];
    struct list rows = {0};

    month_of(clock_now(), now);
    for (size_t i = 0; i < wallet->cards.n; i++) {
        struct card *card = &list_at(&wallet->cards, struct card, i);
        struct card_row *row = list_grow(&rows, sizeof(*row));
        *row = (struct card_row){
            .card = card->card,
            .brand = (char *)word_text(&brand_words, card->brand),
            .last4 = card->last4,
            .expiry = card->expiry,
            .expired = strcmp(card->expiry, now) < 0,
            .is_default = card->is_default,
            .added = card->added,
        };
    }
    int done = print_rows(&submit->print, &noun, &rows, err);
    free(rows.items); /* its texts are the wallet's */
    return done;
}

int cmd_card_list(struct submit *submit, struct err *err)
{
    const char *user = flag_value(submit, "user");
    _cleanup_free_ char *email = user != NULL ? email_normal(user, err) : NULL;
    _cleanup_wallet_ struct wallet wallet = {0};

    if (user != NULL && email == NULL) {
        err->status = EXIT_DATA;
        return -1;
    }
    return wallet_ask(submit, email, &wallet, err) != 0
               ? -1
               : print_cards(submit, &wallet, err);
}

/* card default, card remove */

static bool is_named(const struct card *card, const char *name)
{
    char text[ID_TEXT];
    size_t len = strlen(name);

    id_format(&card->card, text);
    return strcmp(card->last4, name) == 0 ||
           (len >= ENDING_MIN && len < ID_TEXT &&
            strcmp(text + ID_TEXT - 1 - len, name) == 0);
}

/* The only card of that name: its last four digits, or its id's ending. */
static int find_card(const struct wallet *wallet, const char *name,
                     const struct card **ret_card, struct err *err)
{
    const struct card *found = NULL;

    for (size_t i = 0; i < wallet->cards.n; i++) {
        const struct card *card = &list_at(&wallet->cards, struct card, i);
        if (is_named(card, name)) {
            if (found != NULL) {
                return err_exit(err, EXIT_DATA,
                                "several of your cards are called %s: take the "
                                "ending from the first column of `submit card "
                                "list`",
                                name);
            }
            found = card;
        }
    }
    *ret_card = found;
    return found != NULL
               ? 0
               : err_exit(err, EXIT_NOT_FOUND,
                          "you have no card that ends in %s: `submit card "
                          "list` shows them",
                          name);
}

/* What was given is not the whole number. */
static int check_word(const char *word, struct err *err)
{
    return strspn(word, "0123456789 -") == strlen(word) &&
                   strlen(word) >= DIGITS_ENOUGH
               ? err_exit(err, EXIT_USAGE,
                          "a card's number on the command line can be read by "
                          "others: name it by its last four digits")
               : 0;
}

static int change_card(struct submit *submit, enum event_kind kind,
                       struct card *ret_card, struct err *err)
{
    _cleanup_wallet_ struct wallet wallet = {0};
    const struct card *card;

    if (check_word(submit->args[0], err) != 0 ||
        wallet_ask(submit, NULL, &wallet, err) != 0 ||
        find_card(&wallet, submit->args[0], &card, err) != 0) {
        return -1;
    }
    struct card_named named = {.step = next_step(submit, &wallet),
                               .card = card->card};
    *ret_card = *card;
    return send_step(submit, kind, &named, err);
}

int cmd_card_default(struct submit *submit, struct err *err)
{
    struct card card;

    if (change_card(submit, EVENT_CARD_DEFAULT, &card, err) != 0) {
        return -1;
    }
    say("%s ending in %s is your default card.", brand_title(card.brand),
        card.last4);
    return 0;
}

int cmd_card_remove(struct submit *submit, struct err *err)
{
    struct card card;

    if (change_card(submit, EVENT_CARD_REMOVE, &card, err) != 0) {
        return -1;
    }
    say("%s ending in %s is removed.%s", brand_title(card.brand), card.last4,
        card.is_default ? " It was your default card: submit card default CARD "
                          "chooses another."
                        : "");
    return 0;
}
