/* speakers.c: see speakers.h. */
#include "consumer/recorder/speakers.h"

#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "base/clock.h"

#define ANEW 1000 /* ms after which a refusal is worth another look */
#define LOOK 10   /* ms between looks for who was revoked, at least */

struct enrolled {
    struct hash service;
    UT_hash_handle hh;
};

struct revoked {
    struct hash service;
    int64_t at;
    UT_hash_handle hh;
};

struct speakers {
    const struct roots *roots;
    struct postgres *postgres;
    struct proof *proof;
    int64_t begun; /* when this proof was begun, by the steady clock */
    struct enrolled *enrolled;
    struct revoked *revoked;
    int64_t looked; /* for them, by the steady clock */
    int64_t seen;   /* whoever was revoked before this moment is among them */
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
 * somebody names in `by` is not worth its memory. (The three in the middle name
 * the key of an administrator, or lead to one.) */
static int fetch(void *arg, const struct hash *hash, struct proof *proof,
                 struct err *err)
{
    struct speakers *speakers = arg;
    _cleanup_rows_ struct rows *rows = NULL;
    _cleanup_rows_ struct rows *confirms = NULL;

    if (PG(speakers->postgres,
           "SELECT type, envelope FROM envelopes WHERE hash = $1 AND type IN"
           " ('errand.root.init.v1', 'errand.service.enrol.v1',"
           " 'errand.user.role.v1', 'errand.key.rotate.v1',"
           " 'errand.user.reinvite.v1',"
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
    speakers->looked = clock_steady() - LOOK;
    begin_anew(speakers);
    return speakers;
}

static void forget_all(struct speakers *speakers)
{
    struct enrolled *at;
    struct enrolled *next;
    struct revoked *gone;
    struct revoked *after;

    HASH_ITER (hh, speakers->enrolled, at, next) {
        HASH_DEL(speakers->enrolled, at);
        free(at);
    }
    HASH_ITER (hh, speakers->revoked, gone, after) {
        HASH_DEL(speakers->revoked, gone);
        free(gone);
    }
}

void speakers_free(struct speakers *speakers)
{
    if (speakers == NULL) {
        return;
    }
    forget_all(speakers);
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

static struct revoked *find_revoked(const struct speakers *speakers,
                                    const struct hash *service)
{
    struct revoked *found = NULL;

    HASH_FIND(hh, speakers->revoked, service->b, sizeof(service->b), found);
    return found;
}

/* Revoked is for ever. The table has few rows; a batch of records, all of them
 * older than the look, is worth one. */
static int look_for_revoked(struct speakers *speakers, int64_t moment,
                            struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    int64_t now = clock_now();

    if (moment < speakers->seen || clock_steady() - speakers->looked < LOOK) {
        return 0;
    }
    if (PG(speakers->postgres,
           "SELECT hash, revoked_at FROM services WHERE revoked_at IS NOT NULL",
           &rows, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct hash service = row_hash(rows, i, "hash");
        if (find_revoked(speakers, &service) == NULL) {
            struct revoked *gone = must_calloc(1, sizeof(*gone));
            gone->service = service;
            gone->at = row_time(rows, i, "revoked_at");
            HASH_ADD(hh, speakers->revoked, service.b, sizeof(gone->service.b),
                     gone);
        }
    }
    speakers->looked = clock_steady();
    speakers->seen = now;
    return 0;
}

/* What was said before stays said. */
static int check_not_revoked(struct speakers *speakers,
                             const struct hash *service, int64_t moment,
                             struct err *err)
{
    if (look_for_revoked(speakers, moment, err) != 0) {
        return -1;
    }
    const struct revoked *gone = find_revoked(speakers, service);
    return gone == NULL || moment <= gone->at
               ? 0
               : err_set(err, ERR_REJECT, "its signer's enrolment was revoked");
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
    ret_speaker->generation = enrolled_generation(enrol);
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
         check_accepted(speakers, &head->by, err) != 0) ||
        check_not_revoked(speakers, &head->by, moment, err) != 0) {
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
