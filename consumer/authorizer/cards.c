/*
 * cards.c: what people do with their cards, and who may see that.
 *
 * Each step has its place in its person's own sequence, for which their row in
 * users is locked. What is in a box is nobody's business here. Lists are made
 * of the signed steps alone: who asks makes their own picture of them
 * (trust/wallet.h); the rows of `cards` are for psql and for what refuses.
 */
#include <string.h>

#include "consumer/authorizer/handlers.h"
#include "model/billing.h"
#include "trust/wallet.h"

#define PAGE_STEPS 50

/* The step's place is the next one. */
static int check_step(struct asking *asking, const struct card_step *step,
                      struct err *err)
{
    const struct id *user = &asking->signer.person.user;
    _cleanup_rows_ struct rows *rows = NULL;
    _cleanup_rows_ struct rows *locked = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT 1 AS one FROM users WHERE id = $1 FOR UPDATE", &locked, err,
           P_ID(user)) != 0 ||
        PG(asking->daemon->postgres,
           "SELECT number, hash FROM card_steps WHERE user_id = $1 "
           "ORDER BY number DESC LIMIT 1",
           &rows, err, P_ID(user)) != 0) {
        return -1;
    }
    bool first = rows_n(rows) == 0;
    struct hash previous = {0};
    int64_t number = first ? 0 : row_int(rows, 0, "number");
    if (!first) {
        previous = row_hash(rows, 0, "hash");
    }
    return step->number == number + 1 && hash_equal(&step->previous, &previous)
               ? 0
               : asking_refuse(asking, REPLY_CONFLICT,
                               "your cards have changed meanwhile: ask again");
}

static int store_step(struct asking *asking, struct err *err)
{
    const struct card_step *step = asking->request->payload;

    return PG(asking->daemon->postgres,
              "INSERT INTO card_steps (user_id, number, hash) "
              "VALUES ($1, $2, $3)",
              NULL, err, P_ID(&asking->signer.person.user), P_INT(step->number),
              P_HASH(&asking->request->hash));
}

static int made(struct asking *asking, const struct id *card, struct err *err)
{
    return asking_made(asking, &asking->request->hash, card, 0, err)
               ?: asking_store(asking, err)
               ?: store_step(asking, err);
}

/* card.add */

static int check_add(struct asking *asking, const struct card_add *add,
                     struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (card_label_check(add, err) != 0) {
        return asking_refuse(asking, REPLY_INVALID, "%s", err->text);
    }
    if (PG(asking->daemon->postgres,
           "SELECT (SELECT hash FROM billing_keys ORDER BY generation DESC "
           "LIMIT 1) AS hash, (SELECT count(*) FROM cards WHERE user_id = $1 "
           "AND removed_at IS NULL) AS cards",
           &rows, err, P_ID(&asking->signer.person.user)) != 0) {
        return -1;
    }
    struct hash newest = row_hash(rows, 0, "hash");
    if (hash_is_zero(&newest) || !hash_equal(&newest, &add->billing)) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "the card is not sealed to the billing key of "
                             "now: ask again");
    }
    return row_int(rows, 0, "cards") < CARDS_MAX
               ? 0
               : asking_refuse(asking, REPLY_CONFLICT,
                               "you have %d cards: remove one first",
                               CARDS_MAX);
}

static int store_added(struct asking *asking, struct err *err)
{
    const struct card_add *add = asking->request->payload;
    const struct head *head = asking->request->payload;

    return PG(asking->daemon->postgres,
              "INSERT INTO cards (id, user_id, hash, generation, box, brand, "
              "last4, expiry, is_default, added_at) SELECT $1, $2, $3, "
              "k.generation, $4, $5, $6, $7, NOT EXISTS (SELECT FROM cards c "
              "WHERE c.user_id = $2 AND c.is_default), $8 FROM billing_keys k "
              "WHERE k.hash = $9",
              NULL, err, P_ID(&head->id), P_ID(&asking->signer.person.user),
              P_HASH(&asking->request->hash), P_BUF(&add->box),
              P_TEXT(word_text(&brand_words, add->brand)), P_TEXT(add->last4),
              P_TEXT(add->expiry), P_TIME(head->issued), P_HASH(&add->billing));
}

int on_card_add(struct asking *asking, struct err *err)
{
    const struct card_add *add = asking->request->payload;

    return check_step(asking, &add->step, err)
               ?: check_add(asking, add, err)
               ?: made(asking, &add->step.request.head.id, err)
               ?: store_added(asking, err);
}

/* card.default, card.remove */

static int check_named(struct asking *asking, const struct card_named *named,
                       struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT 1 AS one FROM cards WHERE id = $1 AND user_id = $2 "
           "AND removed_at IS NULL",
           &rows, err, P_ID(&named->card),
           P_ID(&asking->signer.person.user)) != 0) {
        return -1;
    }
    return rows_n(rows) == 1 ? 0
                             : asking_hide(asking, "no such card of theirs");
}

/* Two statements: the index allows one default at any moment. */
static int store_default(struct asking *asking, struct err *err)
{
    const struct card_named *named = asking->request->payload;

    return PG(asking->daemon->postgres,
              "UPDATE cards SET is_default = false "
              "WHERE user_id = $1 AND is_default",
              NULL, err, P_ID(&asking->signer.person.user)) != 0 ||
                   PG(asking->daemon->postgres,
                      "UPDATE cards SET is_default = true WHERE id = $1", NULL,
                      err, P_ID(&named->card)) != 0
               ? -1
               : 0;
}

int on_card_default(struct asking *asking, struct err *err)
{
    const struct card_named *named = asking->request->payload;

    return check_step(asking, &named->step, err)
               ?: check_named(asking, named, err)
               ?: made(asking, &named->card, err)
               ?: store_default(asking, err);
}

static int store_removed(struct asking *asking, struct err *err)
{
    const struct card_named *named = asking->request->payload;

    return PG(asking->daemon->postgres,
              "UPDATE cards SET is_default = false, removed_at = $2 "
              "WHERE id = $1",
              NULL, err, P_ID(&named->card),
              P_TIME(named->step.request.head.issued));
}

int on_card_remove(struct asking *asking, struct err *err)
{
    const struct card_named *named = asking->request->payload;

    return check_step(asking, &named->step, err)
               ?: check_named(asking, named, err)
               ?: made(asking, &named->card, err)
               ?: store_removed(asking, err);
}

/* Lists */

/* The chains of a step's person and of the key that its card is sealed to. One
 * that can't be proved is told as it is: who reads it refuses it by name. */
static int mark_chains(struct asking *asking, const struct envelope *envelope,
                       struct err *err)
{
    struct envelope copy = envelope_dup(envelope);
    _cleanup_event_ struct event *event = event_new_take(&copy, err);
    const struct billing_init *init;
    struct person person;

    if (event == NULL) {
        return err->kind == ERR_REJECT ? 0 : -1;
    }
    const struct head *head = event->payload;
    if (proof_person(asking->proof, &head->by, &person, err) != 0 &&
        err->kind != ERR_REJECT) {
        return -1;
    }
    if (event->kind != EVENT_CARD_ADD) {
        return 0;
    }
    const struct card_add *add = event->payload;
    return proof_billing(asking->proof, &add->billing, &init, err) != 0 &&
                   err->kind != ERR_REJECT
               ? -1
               : 0;
}

static int add_row(struct asking *asking, const struct rows *rows, size_t i,
                   struct cards_answer *answer, struct err *err)
{
    _cleanup_buf_ struct buf json = row_bytes(rows, i, "envelope");
    struct step_row row = {.user = row_id(rows, i, "user_id"),
                           .number = row_int(rows, i, "number")};

    if (envelope_decode(json.data, json.len, &row.envelope, err) != 0) {
        return err_wrap(err, "table envelopes");
    }
    *(struct step_row *)list_grow(&answer->steps, sizeof(row)) = row;
    return mark_chains(asking, &row.envelope, err);
}

static int answer_steps(struct asking *asking, const struct rows *rows,
                        struct err *err)
{
    struct cards_answer answer = {.more = rows_n(rows) > PAGE_STEPS};
    size_t n = answer.more ? PAGE_STEPS : rows_n(rows);

    proof_forget_used(asking->proof);
    for (size_t i = 0; i < n; i++) {
        if (add_row(asking, rows, i, &answer, err) != 0) {
            table_done(&cards_answer_table, &answer);
            return -1;
        }
    }
    proof_used(asking->proof, &answer.envelopes);
    return asking_answer_take(asking, &cards_answer_table, &answer, err);
}

#define STEPS_SELECT                                            \
    "SELECT s.user_id, s.number, e.envelope FROM card_steps s " \
    "JOIN envelopes e ON e.hash = s.hash "

/* Whose cards: one's own, or anybody's where an administrator asks. */
static int find_owner(struct asking *asking, const char *named,
                      struct id *ret_user, struct err *err)
{
    const struct person *person = &asking->signer.person;
    _cleanup_rows_ struct rows *rows = NULL;

    if (named == NULL || strcmp(named, person->email) == 0) {
        *ret_user = person->user;
        return 0;
    }
    if (!asking_by_administrator(asking)) {
        return asking_hide(asking, "not their own: %s", named);
    }
    if (PG(asking->daemon->postgres, "SELECT id FROM users WHERE email = $1",
           &rows, err, P_TEXT(named)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_hide(asking, "no user %s", named);
    }
    *ret_user = row_id(rows, 0, "id");
    return 0;
}

int on_card_list(struct asking *asking, struct err *err)
{
    const struct card_list *list = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;
    struct id user;
    int done = find_owner(asking, list->email, &user, err);

    if (done != 0) {
        return done;
    }
    return PG(asking->daemon->postgres,
              STEPS_SELECT "WHERE s.user_id = $1 AND s.number > $2 "
                           "ORDER BY s.number LIMIT $3::integer",
              &rows, err, P_ID(&user), P_INT(list->after),
              P_INT(PAGE_STEPS + 1)) != 0
               ? -1
               : answer_steps(asking, rows, err);
}

int on_card_export(struct asking *asking, struct err *err)
{
    const struct card_export *after = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;

    return PG(asking->daemon->postgres,
              STEPS_SELECT "WHERE (s.user_id, s.number) > ($1, $2) "
                           "ORDER BY s.user_id, s.number LIMIT $3::integer",
              &rows, err, P_ID(&after->user), P_INT(after->after),
              P_INT(PAGE_STEPS + 1)) != 0
               ? -1
               : answer_steps(asking, rows, err);
}
