/* speakers.c: see speakers.h. */
#include "consumer/recorder/speakers.h"

#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "base/clock.h"

#define ANEW 1000 /* ms after which a refusal is worth another look */

struct enrolled {
    struct hash service;
    UT_hash_handle hh;
};

struct speakers {
    const struct roots *roots;
    struct postgres *postgres;
    struct proof *proof;
    int64_t begun; /* when this proof was begun, by the steady clock */
    struct enrolled *enrolled;
};

/* Adds what a query found, column `envelope`. */
static int add_envelopes(struct proof *proof, const struct rows *rows,
                         struct err *err)
{
    for (size_t i = 0; i < rows_n(rows); i++) {
        _cleanup_buf_ struct buf bytes = row_bytes(rows, i, "envelope");
        _cleanup_envelope_ struct envelope envelope = {0};
        if (envelope_decode(bytes.data, bytes.len, &envelope, err) != 0 ||
            proof_add(proof, &envelope, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Only what the chain of a service is made of is looked for: whatever else
 * somebody names in `by` is not worth its memory. */
static int fetch(void *arg, const struct hash *hash, struct proof *proof,
                 struct err *err)
{
    struct speakers *speakers = arg;
    _cleanup_rows_ struct rows *rows = NULL;
    _cleanup_rows_ struct rows *confirms = NULL;

    if (PG(speakers->postgres,
           "SELECT type, envelope FROM envelopes WHERE hash = $1 AND type IN"
           " ('errand.root.init.v1', 'errand.service.enrol.v1',"
           " 'errand.user.invite.v1', 'errand.user.verify.v1')",
           &rows, err, P_HASH(hash)) != 0 ||
        add_envelopes(proof, rows, err) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0 ||
        strcmp(row_text(rows, 0, "type"), "errand.user.verify.v1") != 0) {
        return 0;
    }
    /* Which one is this person's, the proof finds out: there are few. */
    return PG(speakers->postgres,
              "SELECT envelope FROM envelopes"
              " WHERE type = 'errand.user.confirm.v1'",
              &confirms, err) != 0
               ? -1
               : add_envelopes(proof, confirms, err);
}

static void begin_anew(struct speakers *speakers)
{
    proof_free(speakers->proof);
    speakers->proof = proof_new(speakers->roots, fetch, speakers);
    speakers->begun = clock_steady();
}

struct speakers *speakers_new(const struct roots *roots,
                              struct postgres *postgres)
{
    struct speakers *speakers = must_calloc(1, sizeof(*speakers));

    speakers->roots = roots;
    speakers->postgres = postgres;
    begin_anew(speakers);
    return speakers;
}

void speakers_free(struct speakers *speakers)
{
    struct enrolled *at;
    struct enrolled *next;

    if (speakers == NULL) {
        return;
    }
    HASH_ITER (hh, speakers->enrolled, at, next) {
        HASH_DEL(speakers->enrolled, at);
        free(at);
    }
    proof_free(speakers->proof);
    free(speakers);
}

/* PostgreSQL may refuse: an enrolment that nobody accepted is none. */
static int check_accepted(struct speakers *speakers, const struct hash *service,
                          struct err *err)
{
    struct enrolled *at = NULL;
    _cleanup_rows_ struct rows *rows = NULL;

    HASH_FIND(hh, speakers->enrolled, service->b, sizeof(service->b), at);
    if (at != NULL) {
        return 0;
    }
    if (PG(speakers->postgres, "SELECT 1 FROM services WHERE hash = $1", &rows,
           err, P_HASH(service)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return err_set(err, ERR_REJECT,
                       "its signer's enrolment was never "
                       "accepted");
    }
    at = must_calloc(1, sizeof(*at));
    at->service = *service;
    HASH_ADD(hh, speakers->enrolled, service.b, sizeof(at->service.b), at);
    return 0;
}

/* The kinds of service that may say this, in the order in which to try. */
static size_t kinds_of(const struct event *event,
                       enum service_kind kinds[static 2])
{
    const struct claim *claim = event->payload;
    const struct result *result = event->payload;

    if (event->kind == EVENT_CLAIM && claim->closing != CLOSING_NONE) {
        kinds[0] = SERVICE_SCHEDULER;
        kinds[1] = SERVICE_AUTHORIZER;
        return 2;
    }
    if (event->kind == EVENT_MAIL_SENT || event->kind == EVENT_MAIL_DELAYED ||
        event->kind == EVENT_MAIL_REFUSED) {
        kinds[0] = SERVICE_NOTIFIER;
        return 1;
    }
    kinds[0] = event->kind == EVENT_FINISHED && id_is_zero(&result->incarnation)
                   ? SERVICE_SCHEDULER
                   : SERVICE_EXECUTOR;
    return 1;
}

static void fill(const struct service_enrol *enrol, const struct hash *by,
                 struct speaker *ret_speaker)
{
    *ret_speaker = (struct speaker){
        .kind = enrol->kind, .service = *by, .key = key_id(&enrol->key)};
    (void)snprintf(ret_speaker->name, NAME_SIZE, "%s", enrol->name);
    (void)snprintf(ret_speaker->target, NAME_SIZE, "%s",
                   enrol->target == NULL ? "" : enrol->target);
}

static int try_kind(struct speakers *speakers, const struct event *event,
                    enum service_kind kind, int64_t moment,
                    struct speaker *ret_speaker, struct err *err)
{
    const struct head *head = event->payload;
    const struct service_enrol *enrol = NULL;

    if (proof_service(speakers->proof, &head->by, kind, NULL, moment, &enrol,
                      err) != 0 ||
        (kind != SERVICE_AUTHORIZER &&
         check_accepted(speakers, &head->by, err) != 0)) {
        return -1;
    }
    if (!hash_equal(&head->root, &enrol->request.head.root)) {
        return err_set(err, ERR_REJECT, "of another installation");
    }
    if (!envelope_signed_by(&event->envelope, 0, &enrol->key)) {
        return err_set(err, ERR_REJECT, "not signed by %s %s",
                       word_text(&service_kind_words, (int)kind), enrol->name);
    }
    fill(enrol, &head->by, ret_speaker);
    return 0;
}

static int try_kinds(struct speakers *speakers, const struct event *event,
                     int64_t moment, struct speaker *ret_speaker,
                     struct err *err)
{
    enum service_kind kinds[2];
    size_t n = kinds_of(event, kinds);

    for (size_t i = 0; i < n; i++) {
        err_clear(err);
        if (try_kind(speakers, event, kinds[i], moment, ret_speaker, err) ==
            0) {
            return 0;
        }
        if (err->kind != ERR_REJECT) {
            return -1;
        }
    }
    return -1;
}

int speaker_find(struct speakers *speakers, const struct event *event,
                 int64_t moment, struct speaker *ret_speaker, struct err *err)
{
    if (try_kinds(speakers, event, moment, ret_speaker, err) == 0) {
        return 0;
    }
    if (err->kind != ERR_REJECT || clock_steady() - speakers->begun < ANEW) {
        return -1;
    }
    /* What was fetched may lack what came later: a confirmation. */
    begin_anew(speakers);
    return try_kinds(speakers, event, moment, ret_speaker, err);
}
