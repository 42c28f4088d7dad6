/*
 * menu_cards.c: the menu's page of payment cards, for who may have some: which
 * there are; adding one, choosing the one that is charged, taking one back.
 */
#include <string.h>
#include <strings.h>

#include "producer/submit/cards_asked.h"
#include "producer/submit/menu_parts.h"

/* "Visa ending in 4242, good until 12/2030: the one that is charged" */
static char *item_of(const struct card *card)
{
    return must_printf("%s ending in %s, good until %s/%.4s%s",
                       brand_title(card->brand), card->last4, card->expiry + 5,
                       card->expiry,
                       card->is_default ? ": the one that is charged" : "");
}

/* A verb of its own, which says how it went. */
static enum typed change(struct menu *menu, const char *verb, char *card)
{
    struct err err = {0};
    char *words[] = {card, NULL};

    console_gap();
    if (menu_do(menu, verb, words, card == NULL ? 0 : 1, &err) >= 0 ||
        err.text[0] == '\0') {
        return TYPED_TEXT;
    }
    return menu_failed(menu, &err);
}

static enum typed add(struct menu *menu)
{
    console_gap();
    console_say("Have the card at hand: its number is asked for, the name on "
                "it, and when it expires; never the code on its back. It is "
                "sealed on this computer: only whoever does the payments can "
                "open it. Your password may be asked for first. Ctrl-C goes "
                "back.");
    return change(menu, "card add", NULL);
}

/* What becomes of one. */
static enum typed one_card(struct menu *menu, const struct card *card)
{
    _cleanup_free_ char *title = item_of(card);
    char id[ID_TEXT];

    id_format(&card->card, id);
    console_gap();
    console_say("%s", title);
    _cleanup_answer_ struct answer answer = console_ask(
        "What now", "d charge this one, r remove it, Enter for your cards",
        true);
    if (answer.how != TYPED_TEXT) {
        return answer.how == TYPED_QUIT ? TYPED_QUIT : TYPED_TEXT;
    }
    if (strcasecmp(answer.text, "d") == 0) {
        return change(menu, "card default", id);
    }
    if (strcasecmp(answer.text, "r") != 0) {
        return TYPED_TEXT;
    }
    _cleanup_answer_ struct answer sure =
        console_ask("Remove this card for good", "y yes, n no", true);
    return sure.how == TYPED_QUIT            ? TYPED_QUIT
           : strcasecmp(sure.text, "y") == 0 ? change(menu, "card remove", id)
                                             : TYPED_TEXT;
}

static enum typed list_cards(struct menu *menu, const struct list *cards)
{
    struct list items = {0};
    bool some = cards->n > 0;
    struct pick pick = {.question = some ? "Which one" : "What now",
                        .may =
                            some ? "its number, a add a card" : "a add a card",
                        .items = &items,
                        .back = true};
    size_t number;

    for (size_t i = 0; i < cards->n; i++) {
        _cleanup_free_ char *item = item_of(&list_at(cards, struct card, i));
        texts_add(&items, item);
    }
    console_gap();
    console_say(some ? "Your payment cards:"
                     : "You have no payment card here.");
    _cleanup_answer_ struct answer answer = console_pick(&pick, &number);
    texts_done(&items);
    if (answer.how != TYPED_TEXT) {
        return answer.how;
    }
    if (number > 0) {
        return one_card(menu, &list_at(cards, struct card, number - 1));
    }
    return strcasecmp(answer.text, "a") == 0 ? add(menu) : TYPED_TEXT;
}

enum typed menu_cards(struct menu *menu)
{
    enum typed how = TYPED_TEXT;

    while (how == TYPED_TEXT) {
        _cleanup_wallet_ struct wallet wallet = {0};
        struct err err = {0};
        int done = wallet_ask(menu->submit, NULL, &wallet, &err);
        menu_rest(menu);
        if (done != 0) {
            return menu_failed(menu, &err);
        }
        how = list_cards(menu, &wallet.cards);
    }
    return how == TYPED_QUIT ? TYPED_QUIT : TYPED_BACK;
}
