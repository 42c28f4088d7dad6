/*
 * cmd_audit_verify.c: audit verify: are the rows of the audit log those that
 * were decided, all of them, and signed by who asked?
 *
 * The rows come from the authorizer, who reads them from PostgreSQL; everything
 * else is checked here (auditor.h): hashes, chains, each signature up to the
 * pinned root. What the ends have to be is known from the checkpoints on
 * errand.events, read from the topic itself, and from those that this profile
 * saw in replies before. First the checkpoints are read, then the rows, then
 * the checkpoints that came meanwhile: so each row that is read is behind the
 * first, and before the last.
 */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "producer/submit/asking.h"
#include "producer/submit/auditor.h"
#include "producer/submit/signed_ends.h"
#include "producer/submit/submit.h"
#include "trust/cut_proof.h"

#define COVER_MS 15000 /* for the last checkpoints to come */
#define LATE_MS 2000   /* then it says what it waits for */
#define AGAIN_MS 100
#define LAST_PARTITION 9999

struct verifying {
    struct submit *submit;
    struct auditor *auditor;
    struct signed_ends *ends;
    struct proof *authorizers; /* and what the cuts need */
    struct hash cut;           /* the last that there was at the beginning */
};

static int ask_page(struct submit *submit, struct audit_rows from,
                    struct audit_page *ret_page, struct err *err)
{
    return submit_ask(submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_AUDIT_ROWS,
                                         .payload = &from,
                                         .answer = &audit_page_table,
                                         .ret_answer = ret_page},
                      err);
}

/* A page behind the last row brings no rows, but the authorizers' enrolments,
 * and the cuts behind the one that is known. */
static int ask_cuts(struct verifying *v, struct audit_page *ret_page,
                    struct err *err)
{
    return ask_page(v->submit,
                    (struct audit_rows){.partition = LAST_PARTITION,
                                        .after = INT32_MAX,
                                        .cut = v->cut},
                    ret_page, err);
}

/* What this profile saw, before anything is asked that it may see now. */
static int expect_seen(struct verifying *v, struct err *err)
{
    struct checkpoints seen;

    if (profile_checkpoints_read(v->submit->profile, &seen, err) != 0) {
        err->status = EXIT_CONFIG;
        return -1;
    }
    for (size_t i = 0; i < seen.list.n; i++) {
        auditor_expect(v->auditor, &list_at(&seen.list, struct checkpoint, i),
                       "an answer that this profile got");
    }
    table_done(&checkpoints_table, &seen);
    return 0;
}

static int on_expected(void *arg, const struct checkpoint *at, struct err *err)
{
    (void)err;
    auditor_expect(arg, at, "errand.events");
    return 0;
}

static int on_late(void *arg, const struct checkpoint *at, struct err *err)
{
    return auditor_late(arg, at, err);
}

/* A cut that is not to be believed is passed over: what it should stand for is
 * then missing, and named. */
static void take_cut(struct verifying *v, const struct envelope *envelope)
{
    struct envelope copy = envelope_dup(envelope);
    struct err why = {0};
    _cleanup_event_ struct event *event = event_new_take(&copy, &why);

    if (event == NULL || cut_check(v->authorizers, event, &why) != 0) {
        say("a cut of the audit log is not believed: %s", why.text);
        return;
    }
    auditor_cut(v->auditor, event->payload);
}

/* Those that don't go up to the root are worth nothing, and do no harm. */
static int take_cuts(struct verifying *v, const struct audit_page *page,
                     struct err *err)
{
    if (proof_add_all(v->authorizers, &page->envelopes, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < page->cuts.n; i++) {
        const struct envelope *cut = &list_at(&page->cuts, struct envelope, i);
        take_cut(v, cut);
        v->cut = envelope_hash(cut);
    }
    return 0;
}

static int find_authorizers(struct verifying *v, struct err *err)
{
    bool more = true;

    while (more) {
        struct audit_page page = {0};
        if (ask_cuts(v, &page, err) != 0) {
            return -1;
        }
        int failed = take_cuts(v, &page, err);
        more = page.more && page.cuts.n > 0;
        table_done(&audit_page_table, &page);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

/* A month may go while its rows are read. */
static bool was_cut_meanwhile(struct verifying *v)
{
    struct audit_page page = {0};
    struct err ignored = {0};

    if (ask_cuts(v, &page, &ignored) != 0) {
        return false;
    }
    bool more = page.cuts.n > 0;
    table_done(&audit_page_table, &page);
    return more;
}

static int judge_page(struct verifying *v, const struct audit_page *page,
                      struct err *err)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&v->submit->profile->roots, NULL, NULL);

    if (proof_add_all(proof, &page->envelopes, err) != 0) {
        err->status = EXIT_DATA;
        return -1;
    }
    for (size_t i = 0; i < page->rows.n; i++) {
        if (auditor_row(v->auditor, proof,
                        &list_at(&page->rows, struct audit_row, i), err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int judge_rows(struct verifying *v, struct err *err)
{
    int64_t partition = 0;
    int64_t number = 0;
    bool more = true;

    while (more) {
        struct audit_page page = {0};
        if (ask_page(
                v->submit,
                (struct audit_rows){.partition = partition, .after = number},
                &page, err) != 0) {
            return -1;
        }
        int failed = judge_page(v, &page, err);
        more = page.more && page.rows.n > 0;
        if (page.rows.n > 0) {
            const struct audit_row *last =
                &list_at(&page.rows, struct audit_row, page.rows.n - 1);
            partition = last->partition;
            number = last->number;
        }
        table_done(&audit_page_table, &page);
        if (failed) {
            return -1;
        }
    }
    return auditor_end(v->auditor, err);
}

/* A row's checkpoint is sent after its commit: the last ones may be on their
 * way, and an authorizer that was killed between sends them once it is back. */
static int judge_ends(struct verifying *v, struct err *err)
{
    int64_t start = clock_steady();
    bool told = false;

    for (;;) {
        struct err why = {0};
        if (signed_ends_read(v->ends, on_late, v->auditor, err) != 0) {
            return -1;
        }
        if (auditor_is_covered(v->auditor, signed_ends_are_all(v->ends),
                               &why)) {
            return 0;
        }
        int64_t waited = clock_steady() - start;
        if (waited > COVER_MS) {
            *err = why;
            return -1;
        }
        if (waited > LATE_MS && !told) {
            told = true;
            say("waiting for the checkpoints of the last rows");
        }
        (void)poll(NULL, 0, AGAIN_MS);
    }
}

/* The last line */

static const struct field audited_fields[] = {
    {"rows", FIELD_INT, .at = offsetof(struct audited, rows)},
    {"partitions", FIELD_INT, .at = offsetof(struct audited, partitions)},
    {"signatures", FIELD_INT, .at = offsetof(struct audited, signatures)},
    {"unsigned_rows", FIELD_INT, .at = offsetof(struct audited, unsigned_rows)},
    {"checkpoints", FIELD_INT, .at = offsetof(struct audited, checkpoints)},
    {"dropped", FIELD_INT, .at = offsetof(struct audited, dropped)},
    {"since", FIELD_TIME, .optional = true,
     .at = offsetof(struct audited, since)},
};

static const struct table audited_table = {
    .name = "audited", TABLE(audited_fields), .size = sizeof(struct audited)};

static void tell_doubts(const struct verifying *v,
                        const struct audited *audited)
{
    int64_t doubtful = signed_ends_doubtful(v->ends);

    for (size_t i = 0; i < audited->open.n; i++) {
        say("partition %lld: no checkpoint is left on errand.events (its "
            "retention), nor was one seen: rows removed from its end would "
            "not be noticed",
            (long long)list_at(&audited->open, int64_t, i));
    }
    if (audited->unsigned_rows > 0) {
        say("%lld refused requests were too large to be kept: of them only the "
            "hash was checked, not the signature",
            (long long)audited->unsigned_rows);
    }
    if (doubtful > 0) {
        say("%lld checkpoints on errand.events are signed by nobody whom the "
            "root key enrolled, and were passed over",
            (long long)doubtful);
    }
}

static void tell_cuts(const struct audited *audited)
{
    if (audited->since > 0) {
        _cleanup_free_ char *since = time_text(audited->since);
        _cleanup_free_ char *cut = time_text(audited->cut);
        say("checked since %s: what was asked before was dropped on %s, as the "
            "policy says (%lld rows; the authorizer signed for them)",
            since, cut, (long long)audited->dropped);
    }
}

static int print_audited(const struct verifying *v, struct err *err)
{
    const struct audited *audited = auditor_audited(v->auditor);
    const struct print *print = &v->submit->print;
    struct noun noun = {.table = &audited_table};

    tell_cuts(audited);
    tell_doubts(v, audited);
    if (print->format != FORMAT_TABLE && print->format != FORMAT_NAME) {
        return print_row(print, &noun, audited, err);
    }
    return print_line(print, err,
                      "OK: %lld rows in %lld partitions are as they were "
                      "decided; %lld signatures, %lld checkpoints",
                      (long long)audited->rows, (long long)audited->partitions,
                      (long long)audited->signatures,
                      (long long)audited->checkpoints);
}

static int verify(struct verifying *v, struct err *err)
{
    if (expect_seen(v, err) != 0 || find_authorizers(v, err) != 0) {
        return -1;
    }
    v->ends = signed_ends_open(&v->submit->profile->kafka, v->authorizers, err);
    if (v->ends == NULL ||
        signed_ends_read(v->ends, on_expected, v->auditor, err) != 0) {
        return -1;
    }
    return judge_rows(v, err) != 0 || judge_ends(v, err) != 0
               ? -1
               : print_audited(v, err);
}

/* 1: once more, from the beginning. */
static int verify_once(struct submit *submit, struct err *err)
{
    struct verifying v = {
        .submit = submit,
        .auditor = auditor_new(),
        .authorizers = proof_new(&submit->profile->roots, NULL, NULL),
    };
    int done = verify(&v, err);

    if (done != 0 && err->status == EXIT_DATA && was_cut_meanwhile(&v)) {
        err_clear(err);
        done = 1;
    }
    signed_ends_close(v.ends);
    auditor_free(v.auditor);
    proof_free(v.authorizers);
    return done;
}

int cmd_audit_verify(struct submit *submit, struct err *err)
{
    int done;

    do {
        done = verify_once(submit, err);
    } while (done > 0);
    return done;
}
