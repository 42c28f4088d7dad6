/* cards_asked.c: see cards_asked.h. */
#include "producer/submit/cards_asked.h"

#include <string.h>

#include "producer/submit/cards_seen.h"

/* The billing key */

static int read_billing_key(const struct submit *submit,
                            const struct billing_answer *answer,
                            struct billing_key *ret_key, struct err *err)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&submit->profile->roots, NULL, NULL);
    const struct billing_init *init = NULL;

    if (answer->envelopes.n == 0) { /* there is none, or nobody's of standing */
        *ret_key = (struct billing_key){.hash = answer->hash,
                                        .generation = answer->generation};
        return answer->generation == 0 ? cards_seen_key(submit->profile, 0, err)
                                       : 0; /* not proved, so not seen */
    }
    if (proof_add_all(proof, &answer->envelopes, err) != 0 ||
        proof_billing(proof, &answer->hash, &init, err) != 0) {
        err->status = EXIT_DATA;
        return err_wrap(err, "the billing key that was told is not proved up "
                             "to the pinned root, and not believed");
    }
    *ret_key = (struct billing_key){.hash = answer->hash,
                                    .box = init->box,
                                    .generation = init->generation,
                                    .proved = true};
    return cards_seen_key(submit->profile, init->generation, err);
}

int billing_key_ask(struct submit *submit, struct billing_key *ret_key,
                    struct err *err)
{
    struct plain_request plain = {0};
    struct billing_answer answer = {0};

    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_BILLING_SHOW,
                                      .payload = &plain,
                                      .answer = &billing_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = read_billing_key(submit, &answer, ret_key, err);
    table_done(&billing_answer_table, &answer);
    return done;
}

/* Steps */

void told_done(struct told *told)
{
    for (size_t i = 0; i < told->steps.n; i++) {
        envelope_done(&list_at(&told->steps, struct step_row, i).envelope);
    }
    free(told->steps.items);
    proof_free(told->proof);
    *told = (struct told){0};
}

/* Takes a page over. Where it says that there is more, it brought some. */
static int take_page(struct told *told, struct cards_answer *answer,
                     struct err *err)
{
    if (answer->more && answer->steps.n == 0) {
        return err_exit(err, EXIT_DATA, "an empty page of cards, and more");
    }
    for (size_t i = 0; i < answer->steps.n; i++) {
        struct step_row *row = &list_at(&answer->steps, struct step_row, i);
        *(struct step_row *)list_grow(&told->steps, sizeof(*row)) = *row;
        row->envelope = (struct envelope){0};
    }
    return proof_add_all(told->proof, &answer->envelopes, err);
}

/* How a read goes on after a step. */
typedef void going_on(void *payload, const struct step_row *last);

static int ask_page(struct submit *submit, struct question *question,
                    struct told *told, bool *ret_more, struct err *err)
{
    struct cards_answer answer = {0};

    question->answer = &cards_answer_table;
    question->ret_answer = &answer;
    if (submit_ask(submit, question, err) != 0) {
        return -1;
    }
    *ret_more = answer.more;
    int done = take_page(told, &answer, err);
    table_done(&cards_answer_table, &answer);
    return done;
}

/* Page after page, each after the last step of the one before. */
static int ask_pages(struct submit *submit, struct question *question,
                     going_on *go_on, struct told *told, struct err *err)
{
    struct head *head = question->payload;
    bool more = true;

    told->proof = proof_new(&submit->profile->roots, NULL, NULL);
    while (more) {
        head->id = (struct id){0}; /* each page is a request of its own */
        if (told->steps.n > 0) {
            go_on(question->payload,
                  &list_at(&told->steps, struct step_row, told->steps.n - 1));
        }
        if (ask_page(submit, question, told, &more, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static void list_on(void *payload, const struct step_row *last)
{
    ((struct card_list *)payload)->after = last->number;
}

int steps_ask(struct submit *submit, const char *email, struct told *ret_told,
              struct err *err)
{
    struct card_list list = {.email = (char *)email};

    struct question question = {
        .as = ASK_SESSION, .kind = EVENT_CARD_LIST, .payload = &list};

    return ask_pages(submit, &question, list_on, ret_told, err);
}

static void export_on(void *payload, const struct step_row *last)
{
    struct card_export *export = payload;

    export->user = last->user;
    export->after = last->number;
}

int steps_ask_all(struct submit *submit, struct told *ret_told, struct err *err)
{
    struct card_export export = {0};

    struct question question = {
        .as = ASK_SESSION, .kind = EVENT_CARD_EXPORT, .payload = &export};

    return ask_pages(submit, &question, export_on, ret_told, err);
}

static int read_wallet(const struct told *told, const struct id *user,
                       struct wallet *wallet, struct err *err)
{
    for (size_t i = 0; i < told->steps.n; i++) {
        const struct step_row *row = &list_at(&told->steps, struct step_row, i);
        if (wallet_add(wallet, told->proof, user, &row->envelope, err) != 0) {
            err->status = EXIT_DATA;
            return err_wrap(err, "what was told of the cards can't be trusted");
        }
    }
    return 0;
}

int wallet_ask(struct submit *submit, const char *email,
               struct wallet *ret_wallet, struct err *err)
{
    _cleanup_told_ struct told told = {0};
    _cleanup_wallet_ struct wallet wallet = {0};

    if (steps_ask(submit, email, &told, err) != 0) {
        return -1;
    }
    const struct id *user =
        email == NULL || told.steps.n == 0
            ? &submit->profile->user
            : &list_at(&told.steps, struct step_row, 0).user;
    if (read_wallet(&told, user, &wallet, err) != 0 ||
        (email == NULL &&
         cards_seen_steps(submit->profile, &wallet.steps, err) != 0)) {
        return -1;
    }
    if (email != NULL && wallet.steps.n > 0 &&
        strcmp(wallet.person.email, email) != 0) {
        return err_exit(err, EXIT_DATA, "the answer is about %s, not %s",
                        wallet.person.email, email);
    }
    *ret_wallet = wallet;
    wallet = (struct wallet){0};
    return 0;
}
