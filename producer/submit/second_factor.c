/* second_factor.c: see second_factor.h; but for setting up, setting_up.c. */
#include "producer/submit/second_factor.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"

/* The box keys of those enrolments that hold. */
static int check_authorizers(const struct profile *profile,
                             const struct list *envelopes,
                             struct list *ret_boxes, struct err *err)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&profile->roots, NULL, NULL);
    const struct service_enrol *enrol;
    struct err bad = {0};

    if (proof_add_all(proof, envelopes, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < envelopes->n; i++) {
        struct hash hash =
            envelope_hash(&list_at(envelopes, struct envelope, i));
        if (proof_service(proof, &hash, SERVICE_AUTHORIZER, NULL, clock_now(),
                          &enrol, &bad) == 0 &&
            hash_equal(&enrol->request.head.root, &profile->root)) {
            struct key32 *box = list_grow(ret_boxes, sizeof(*box));
            *box = enrol->box;
        }
    }
    return ret_boxes->n > 0
               ? 0
               : err_exit(err, EXIT_DATA,
                          "no authorizer's enrolment can be trusted%s%s",
                          bad.text[0] == '\0' ? "" : ": ", bad.text);
}

int deciders_learn(struct submit *submit, struct deciders *ret_deciders,
                   struct err *err)
{
    struct plain_request plain = {0};
    struct deciders deciders = {0};

    if (submit_ask(submit,
                   &(struct question){.as = ASK_OWN,
                                      .kind = EVENT_SESSION_SHOW,
                                      .payload = &plain,
                                      .answer = &session_answer_table,
                                      .ret_answer = &deciders.answer},
                   err) != 0) {
        return -1;
    }
    if (check_authorizers(submit->profile, &deciders.answer.authorizers,
                          &deciders.boxes, err) != 0) {
        deciders_done(&deciders);
        return -1;
    }
    *ret_deciders = deciders;
    return 0;
}

void deciders_done(struct deciders *deciders)
{
    free(deciders->boxes.items);
    table_done(&session_answer_table, &deciders->answer);
    *deciders = (struct deciders){0};
}

int deciders_seal(const struct deciders *deciders,
                  const struct profile *profile, const struct sealed *content,
                  struct list *ret_boxes, struct err *err)
{
    char user[ID_TEXT];
    struct sealed whole = *content;

    id_format(&profile->user, user);
    whole.root = profile->root;
    whole.name = user;
    for (size_t i = 0; i < deciders->boxes.n && i < AUTHORIZERS_MAX; i++) {
        const struct key32 *box = &list_at(&deciders->boxes, struct key32, i);
        struct buf sealed = {0};
        if (sealed_make(&whole, box, &sealed, err) != 0) {
            return -1;
        }
        struct sealed_to *to = list_grow(ret_boxes, sizeof(*to));
        *to = (struct sealed_to){.recipient = key_id(box), .box = sealed};
    }
    return 0;
}

/* Six digits, as apps show them: "123 456", too. */
static bool squeeze_digits(char *code)
{
    size_t n = 0;

    for (const char *c = code; *c != '\0'; c++) {
        if (!isdigit((unsigned char)*c) && *c != ' ') {
            return false;
        }
        n += *c != ' ';
    }
    if (n != TOTP_DIGITS) {
        return false;
    }
    char *to = code;
    for (const char *c = code; *c != '\0'; c++) {
        if (*c != ' ') {
            *to++ = *c;
        }
    }
    *to = '\0';
    return true;
}

static int check_code(char *code, struct err *err)
{
    unsigned char bytes[RECOVERY_CODE];
    struct err bad;

    if (squeeze_digits(code)) {
        return 0;
    }
    int done = code_decode(code, bytes, sizeof(bytes), &bad);
    sodium_memzero(bytes, sizeof(bytes));
    return done == 0 ? 0
                     : err_exit(err, EXIT_DATA,
                                "that is neither a code of %d digits nor a "
                                "recovery code",
                                TOTP_DIGITS);
}

char *code_ask(const char *question, const char *file, struct err *err)
{
    _cleanup_secret_ char *code = prompt_line(
        question, file, "submit login, on a terminal or with --code-file FILE",
        err);

    if (code == NULL || check_code(code, err) != 0) {
        return NULL;
    }
    return take_ptr(code);
}
