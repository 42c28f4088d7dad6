/*
 * test_standing.c: what the revocation log says, entry by entry, and what a
 * proof makes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chain.h"
#include "trust/revocation.h"

struct stage {
    struct chain chain;
    struct standing *log;
};

static void open_stage(struct stage *s)
{
    chain_init(&s->chain);
    chain_sign(&s->chain);
    s->log = standing_new(&s->chain.init_hash);
}

static void close_stage(struct stage *s)
{
    standing_free(s->log);
    chain_done(&s->chain);
}

/* Adds an entry of the administrator's; its hash. */
static struct hash enter(struct stage *s, enum event_kind kind, void *payload)
{
    struct err err = {0};
    _cleanup_event_ struct event *event =
        chain_entry(&s->chain, s->log, kind, payload);

    int added = standing_add(s->log, event, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(added, 0);
    free(((struct log_entry *)payload)->keep.items);
    return event->hash;
}

static void keep(struct log_entry *entry, const struct hash *hash)
{
    *(struct hash *)list_grow(&entry->keep, sizeof(*hash)) = *hash;
}

/* Asks the proof of the chain's own run; NULL: it is allowed. */
static const char *judged(struct stage *s)
{
    static struct err err;
    struct order order;
    _cleanup_proof_ struct proof *proof =
        proof_new(&s->chain.roots, NULL, NULL);

    err = (struct err){0};
    proof_set_standing(proof, s->log);
    assert_int_equal(proof_add_all(proof, &s->chain.envelopes, &err), 0);
    return proof_run(proof, &s->chain.run_hash, &s->chain.save_hash, "web-1",
                     &order, &err) == 0
               ? NULL
               : err.text;
}

static void allowed(struct stage *s)
{
    const char *why = judged(s);

    if (why != NULL) {
        fail_msg("refused: %s", why);
    }
}

static void refused(struct stage *s, const char *because)
{
    const char *why = judged(s);

    if (why == NULL || strstr(why, because) == NULL) {
        fail_msg("%s, not \"%s\"", why == NULL ? "allowed" : why, because);
    }
}

static void an_empty_log_takes_nothing(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s);
    allowed(&s);
    assert_int_equal(standing_seq(s.log), 0);
    assert_true(hash_equal(standing_head(s.log), &s.chain.init_hash));
    assert_null(standing_head_at(s.log, 1));
    close_stage(&s);
}

static void a_suspension_holds_until_it_is_undone(void **state)
{
    struct stage s;
    struct user_standing said = {0};

    (void)state;
    open_stage(&s);
    said.user = s.chain.invite.user;
    struct user_standing end = said;
    (void)enter(&s, EVENT_USER_SUSPEND, &said);
    refused(&s, "suspended");
    (void)enter(&s, EVENT_USER_RESUME, &end);
    allowed(&s);
    close_stage(&s);
}

static void who_was_removed_stays_removed(void **state)
{
    struct stage s;
    struct user_standing said = {0};

    (void)state;
    open_stage(&s);
    said.user = s.chain.invite.user;
    struct user_standing end = said;
    (void)enter(&s, EVENT_USER_REMOVE, &said);
    refused(&s, "removed");
    (void)enter(&s, EVENT_USER_RESUME, &end);
    refused(&s, "removed");
    close_stage(&s);
}

/* The administrator signed invitation, assignment and command: each has to be
 * kept, or nothing goes on. */
static void
what_an_ended_administrator_signed_is_void_but_for_what_is_kept(void **state)
{
    (void)state;
    for (int left_out = -1; left_out < 3; left_out++) {
        struct stage s;
        struct user_standing said = {0};
        open_stage(&s);
        const struct hash *kept[] = {&s.chain.invite_hash, &s.chain.add_hash,
                                     &s.chain.save_hash};
        said.user = s.chain.init.user;
        for (int i = 0; i < 3; i++) {
            if (i != left_out) {
                keep(&said.entry, kept[i]);
            }
        }
        (void)enter(&s, EVENT_USER_REMOVE, &said);
        if (left_out < 0) {
            allowed(&s);
        } else {
            refused(&s, "void");
        }
        close_stage(&s);
    }
}

/* Who is ended again is held to the last word of what goes on. */
static void the_last_entry_says_what_is_kept(void **state)
{
    struct stage s;
    struct user_standing first = {0};

    (void)state;
    open_stage(&s);
    first.user = s.chain.init.user;
    struct user_standing second = first;
    const struct hash *kept[] = {&s.chain.invite_hash, &s.chain.add_hash,
                                 &s.chain.save_hash};
    for (int i = 0; i < 3; i++) {
        keep(&first.entry, kept[i]);
    }
    (void)enter(&s, EVENT_USER_SUSPEND, &first);
    allowed(&s);
    (void)enter(&s, EVENT_USER_REMOVE, &second);
    refused(&s, "void");
    close_stage(&s);
}

static void another_role_ends_the_envelope_that_named_the_key(void **state)
{
    struct stage s;
    struct user_role said = {.role = ROLE_RUNNER_BILLING};

    (void)state;
    open_stage(&s);
    said.user = s.chain.invite.user;
    said.naming = s.chain.verify_hash;
    said.key = s.chain.runner->key;
    struct hash role = enter(&s, EVENT_USER_ROLE, &said);
    refused(&s, "another key or role");
    assert_int_equal(standing_of(s.log, &said.user, &role, NULL), STANDS);
    close_stage(&s);
}

static void a_new_invitation_ends_the_key_before(void **state)
{
    struct stage s;
    struct user_reinvite said = {.role = ROLE_RUNNER, .generation = 2};
    struct hash other = {{9}};

    (void)state;
    open_stage(&s);
    said.user = s.chain.invite.user;
    said.invitation = s.chain.invitation->key;
    said.email = s.chain.invite.email;
    said.until = s.chain.now + 1000;
    struct hash again = enter(&s, EVENT_USER_REINVITE, &said);
    refused(&s, "another key or role");
    assert_int_equal(standing_of(s.log, &said.user, &other, &again), STANDS);
    assert_int_equal(
        standing_of(s.log, &said.user, &other, &s.chain.invite_hash),
        STANDS_NOT_REPLACED);
    close_stage(&s);
}

static void an_assignment_ends_and_can_be_given_anew(void **state)
{
    struct stage s;
    struct assignment_remove said = {0};

    (void)state;
    open_stage(&s);
    said.user = s.chain.add.user;
    said.command = s.chain.add.command;
    struct assignment_remove again = said;
    (void)enter(&s, EVENT_ASSIGNMENT_REMOVE, &said);
    refused(&s, "no assignment");
    assert_true(
        standing_assigned(s.log, &s.chain.add.user, &s.chain.add.command, 1));
    assert_false(
        standing_assigned(s.log, &s.chain.add.user, &s.chain.add.command, 0));
    (void)enter(&s, EVENT_ASSIGNMENT_REMOVE, &again);
    assert_false(
        standing_assigned(s.log, &s.chain.add.user, &s.chain.add.command, 1));
    close_stage(&s);
}

static void a_removed_command_is_started_by_nobody(void **state)
{
    struct stage s;
    struct command_retire said = {0};

    (void)state;
    open_stage(&s);
    said.command = s.chain.save.command;
    (void)enter(&s, EVENT_COMMAND_RETIRE, &said);
    refused(&s, "was removed");
    close_stage(&s);
}

static void a_revoked_daemon_speaks_for_nobody(void **state)
{
    struct stage s;
    struct service_revoke said = {0};
    const struct service_enrol *enrol;
    struct err err = {0};

    (void)state;
    open_stage(&s);
    said.service = s.chain.enrol_hash;
    (void)enter(&s, EVENT_SERVICE_REVOKE, &said);
    _cleanup_proof_ struct proof *proof = proof_new(&s.chain.roots, NULL, NULL);
    proof_set_standing(proof, s.log);
    assert_int_equal(proof_add_all(proof, &s.chain.envelopes, &err), 0);
    assert_int_equal(proof_service(proof, &s.chain.enrol_hash,
                                   SERVICE_AUTHORIZER, NULL, s.chain.now,
                                   &enrol, &err),
                     -1);
    assert_non_null(strstr(err.text, "revoked"));
    close_stage(&s);
}

/* Places */

static int add(struct stage *s, struct user_standing *said, struct err *err)
{
    _cleanup_event_ struct event *event =
        chain_entry(&s->chain, s->log, EVENT_USER_SUSPEND, said);

    *err = (struct err){0};
    return standing_add(s->log, event, err);
}

static void an_entry_has_one_place_and_follows_the_one_before(void **state)
{
    struct stage s;
    struct user_standing said = {0};
    struct err err;

    (void)state;
    open_stage(&s);
    said.user = s.chain.invite.user;
    struct user_standing early = said, other = said, fork = said, same = said;
    early.entry.seq = 2;
    early.entry.prev = s.chain.init_hash;
    assert_int_equal(add(&s, &early, &err), -1);
    assert_int_equal(err.kind, ERR_RETRY);

    other.entry.seq = 1;
    other.entry.prev = (struct hash){{1}};
    assert_int_equal(add(&s, &other, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    assert_non_null(strstr(err.text, "follows another"));

    _cleanup_event_ struct event *event =
        chain_entry(&s.chain, s.log, EVENT_USER_SUSPEND, &same);
    assert_int_equal(standing_add(s.log, event, &err), 0);
    assert_int_equal(standing_add(s.log, event, &err), 1);
    assert_int_equal(standing_seq(s.log), 1);

    fork.entry.seq = 1;
    fork.entry.prev = s.chain.init_hash;
    assert_int_equal(add(&s, &fork, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    assert_non_null(strstr(err.text, "forks"));
    close_stage(&s);
}

static void only_entries_are_added(void **state)
{
    struct stage s;
    struct err err = {0};

    (void)state;
    open_stage(&s);
    struct envelope copy =
        envelope_dup(chain_find(&s.chain.envelopes, EVENT_ASSIGNMENT_ADD));
    _cleanup_event_ struct event *event = event_new_take(&copy, &err);
    assert_false(standing_is_entry(event->kind));
    assert_int_equal(standing_add(s.log, event, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    close_stage(&s);
}

/* Who may add */

static int admit(struct stage *s, const struct event *entry, struct err *err)
{
    struct revocation whole = {.event = (struct event *)entry,
                               .proof = s->chain.envelopes};

    *err = (struct err){0};
    return revocation_admit(s->log, &s->chain.roots, &whole, err);
}

static void an_ended_administrator_adds_nothing_more(void **state)
{
    struct stage s;
    struct user_standing said = {0};
    struct err err;

    (void)state;
    open_stage(&s);
    said.user = s.chain.init.user;
    struct user_standing more = said;
    more.user = s.chain.invite.user;
    _cleanup_event_ struct event *first =
        chain_entry(&s.chain, s.log, EVENT_USER_SUSPEND, &said);
    assert_int_equal(admit(&s, first, &err), 0);
    _cleanup_event_ struct event *second =
        chain_entry(&s.chain, s.log, EVENT_USER_REMOVE, &more);
    assert_int_equal(admit(&s, second, &err), -1);
    assert_non_null(strstr(err.text, "suspended"));
    assert_int_equal(standing_seq(s.log), 1);
    close_stage(&s);
}

static void nobody_changes_their_own_role(void **state)
{
    struct stage s;
    struct user_role said = {.role = ROLE_RUNNER};
    struct err err;

    (void)state;
    open_stage(&s);
    said.user = s.chain.init.user;
    said.naming = s.chain.init_hash;
    said.key = s.chain.admin->key;
    _cleanup_event_ struct event *entry =
        chain_entry(&s.chain, s.log, EVENT_USER_ROLE, &said);
    assert_int_equal(admit(&s, entry, &err), -1);
    assert_non_null(strstr(err.text, "own role"));
    close_stage(&s);
}

/* A runner's key signs as administrator once the log says so, and no more once
 * it says otherwise. */
static void a_role_is_what_the_log_gives(void **state)
{
    struct stage s;
    struct user_role up = {.role = ROLE_ADMINISTRATOR};
    struct user_standing said = {0};
    struct person person;
    struct err err;

    (void)state;
    open_stage(&s);
    up.user = s.chain.invite.user;
    up.naming = s.chain.verify_hash;
    up.key = s.chain.runner->key;
    _cleanup_event_ struct event *entry =
        chain_entry(&s.chain, s.log, EVENT_USER_ROLE, &up);
    envelopes_add(&s.chain.envelopes, &entry->envelope);

    _cleanup_proof_ struct proof *before =
        proof_new(&s.chain.roots, NULL, NULL);
    proof_set_standing(before, s.log);
    err = (struct err){0};
    assert_int_equal(proof_add_all(before, &s.chain.envelopes, &err), 0);
    assert_int_equal(proof_administrator(before, &entry->hash, &person, &err),
                     -1); /* it is signed, but not in the log */

    assert_int_equal(admit(&s, entry, &err), 0);
    _cleanup_proof_ struct proof *after = proof_new(&s.chain.roots, NULL, NULL);
    proof_set_standing(after, s.log);
    assert_int_equal(proof_add_all(after, &s.chain.envelopes, &err), 0);
    assert_int_equal(proof_administrator(after, &entry->hash, &person, &err),
                     0);
    assert_int_equal(person.standing, STANDS);

    said.user = up.user;
    (void)enter(&s, EVENT_USER_SUSPEND, &said);
    _cleanup_proof_ struct proof *ended = proof_new(&s.chain.roots, NULL, NULL);
    proof_set_standing(ended, s.log);
    assert_int_equal(proof_add_all(ended, &s.chain.envelopes, &err), 0);
    assert_int_equal(proof_person(ended, &entry->hash, &person, &err), 0);
    assert_int_equal(person.standing, STANDS_NOT_SUSPENDED);
    close_stage(&s);
}

static void an_entry_survives_its_line_and_its_record(void **state)
{
    struct stage s;
    struct user_standing said = {0};
    struct err err = {0};
    _cleanup_buf_ struct buf line = {0};
    _cleanup_record_ struct record record = {0};
    _cleanup_revocation_ struct revocation from_line = {0};
    _cleanup_revocation_ struct revocation from_record = {0};

    (void)state;
    open_stage(&s);
    said.user = s.chain.invite.user;
    _cleanup_event_ struct event *entry =
        chain_entry(&s.chain, s.log, EVENT_USER_SUSPEND, &said);
    assert_int_equal(
        revocation_encode(&entry->envelope, &s.chain.envelopes, &line, &err),
        0);
    assert_int_equal(revocation_decode(line.data, line.len, &from_line, &err),
                     0);
    assert_true(hash_equal(&from_line.event->hash, &entry->hash));
    assert_int_equal(from_line.proof.n, s.chain.envelopes.n);
    assert_int_equal(revocation_to_record(&entry->envelope, &s.chain.envelopes,
                                          &record, &err),
                     0);
    assert_int_equal(revocation_from_record(&record, &from_record, &err), 0);
    assert_true(hash_equal(&from_record.event->hash, &entry->hash));
    assert_int_equal(
        revocation_admit(s.log, &s.chain.roots, &from_record, &err), 0);
    assert_int_equal(revocation_admit(s.log, &s.chain.roots, &from_line, &err),
                     1);
    close_stage(&s);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_empty_log_takes_nothing),
        T(a_suspension_holds_until_it_is_undone),
        T(who_was_removed_stays_removed),
        T(what_an_ended_administrator_signed_is_void_but_for_what_is_kept),
        T(the_last_entry_says_what_is_kept),
        T(another_role_ends_the_envelope_that_named_the_key),
        T(a_new_invitation_ends_the_key_before),
        T(an_assignment_ends_and_can_be_given_anew),
        T(a_removed_command_is_started_by_nobody),
        T(a_revoked_daemon_speaks_for_nobody),
        T(an_entry_has_one_place_and_follows_the_one_before),
        T(only_entries_are_added),
        T(an_ended_administrator_adds_nothing_more),
        T(nobody_changes_their_own_role),
        T(a_role_is_what_the_log_gives),
        T(an_entry_survives_its_line_and_its_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
