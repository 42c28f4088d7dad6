/*
 * test_approval.c: what a command can ask for, and which votes a dispatch's
 * proof has to bring: one good chain with three people in a group, and one
 * thing of it forged, or over since, at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "chain.h"

#define VOTERS 3
#define HOUR 3600000LL

/* Somebody of the group, with a session of their own. */
struct voter {
    struct key_pair *invitation;
    struct key_pair *own;
    struct key_pair *session;
    struct id user;
    struct hash open;
};

struct stage {
    struct chain chain;
    struct standing *log;
    struct voter voters[VOTERS];
    struct hash group; /* its newest group.set */
};

/* Signs and adds it to the chain's envelopes; its hash. */
static struct hash sign(struct chain *c, enum event_kind kind, void *payload,
                        const struct key_pair *first,
                        const struct key_pair *second)
{
    struct envelope envelope;
    struct err err = {0};

    int done = event_sign(kind, payload, first, second, &envelope, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(done, 0);
    struct hash hash = envelope_hash(&envelope);
    envelopes_add(&c->envelopes, &envelope);
    envelope_done(&envelope);
    return hash;
}

static struct head head_of(const struct chain *c, const struct hash *by)
{
    return head_new(&c->root_hash, by, c->now);
}

static struct hash open_session(struct chain *c, struct voter *v,
                                const struct hash *by,
                                const struct key_pair *session)
{
    struct session_open open = {.request.head = head_of(c, by),
                                .key = session->key,
                                .box = session->box,
                                .until = c->now + HOUR};

    return sign(c, EVENT_SESSION_OPEN, &open, v->own, session);
}

static struct hash join(struct chain *c, struct voter *v, int i)
{
    unsigned char seed[16] = "a voter's seed ";
    char email[] = "voter-0@example.org";

    seed[15] = (unsigned char)i;
    email[6] = (char)('0' + i);
    v->invitation = key_pair_from_invitation(seed);
    v->own = key_pair_new();
    v->session = key_pair_new();
    v->user = user_id(&c->root_hash, &v->invitation->key);
    struct user_invite invite = {.request.head = head_of(c, &c->init_hash),
                                 .user = v->user,
                                 .invitation = v->invitation->key,
                                 .email = email,
                                 .role = ROLE_RUNNER,
                                 .until = c->now + HOUR};
    struct hash invited = sign(c, EVENT_USER_INVITE, &invite, c->admin, NULL);
    struct user_verify verify = {.request.head = head_of(c, &invited),
                                 .user = v->user,
                                 .invite = invited,
                                 .key = v->own->key,
                                 .generation = 1};
    struct hash verified =
        sign(c, EVENT_USER_VERIFY, &verify, v->invitation, v->own);
    v->open = open_session(c, v, &verified, v->session);
    return verified;
}

static void enter(struct stage *s, enum event_kind kind, void *payload)
{
    struct err err = {0};
    _cleanup_event_ struct event *event =
        chain_entry(&s->chain, s->log, kind, payload);

    int added = standing_add(s->log, event, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(added, 0);
    if (kind == EVENT_GROUP_SET) {
        s->group = event->hash;
    }
}

/* The group's members: the first so many voters. */
static void set_group(struct stage *s, size_t n)
{
    struct group_set set = {.name = (char[]){"leads"}, .previous = s->group};

    for (size_t i = 0; i < n; i++) {
        *(struct id *)list_grow(&set.members, sizeof(struct id)) =
            s->voters[i].user;
    }
    enter(s, EVENT_GROUP_SET, &set);
    free(set.members.items);
}

static struct vote vote_of(const struct stage *s, const struct hash *by)
{
    struct vote vote = {.request.head = head_of(&s->chain, by),
                        .run = s->chain.run_hash,
                        .command = s->chain.save_hash};

    texts_add(&vote.targets, "web-1");
    return vote;
}

static void cast(struct stage *s, struct vote *vote,
                 const struct key_pair *session)
{
    (void)sign(&s->chain, EVENT_RUN_APPROVE, vote, session, NULL);
    table_done(&vote_table, vote);
}

static void approves(struct stage *s, int i)
{
    struct vote vote = vote_of(s, &s->voters[i].open);

    cast(s, &vote, s->voters[i].session);
}

/* Two of the group's three have to approve; nobody has yet. */
static void open_stage(struct stage *s)
{
    *s = (struct stage){0};
    chain_init(&s->chain);
    s->chain.save.approve = (struct approval){
        .count = 2, .group = must_strdup("leads"), .within = 600};
    chain_sign(&s->chain);
    s->log = standing_new(&s->chain.init_hash);
    for (int i = 0; i < VOTERS; i++) {
        (void)join(&s->chain, &s->voters[i], i);
    }
    set_group(s, VOTERS);
}

static void close_stage(struct stage *s)
{
    for (int i = 0; i < VOTERS; i++) {
        key_pair_free(s->voters[i].invitation);
        key_pair_free(s->voters[i].own);
        key_pair_free(s->voters[i].session);
    }
    standing_free(s->log);
    chain_done(&s->chain);
}

/* What a host says to a dispatch with all these envelopes; "": it starts. */
static const char *judged(struct stage *s)
{
    static struct err err;
    struct chain *c = &s->chain;
    struct order order;
    _cleanup_proof_ struct proof *proof = proof_new(&c->roots, NULL, NULL);

    err = (struct err){0};
    c->dispatch.seq = standing_seq(s->log);
    c->dispatch.log = *standing_head(s->log);
    c->dispatch.execution = (struct id){0};
    c->dispatch.head = (struct head){0};
    envelope_done(&c->signed_dispatch);
    chain_dispatch(c);
    struct envelope copy = envelope_dup(&c->signed_dispatch);
    _cleanup_event_ struct event *event = event_new_take(&copy, &err);
    assert_non_null(event);
    proof_set_standing(proof, s->log);
    int allowed = proof_dispatch(proof, event, "web-1", c->now, &order, &err);
    assert_int_equal(allowed == 0, err.text[0] == '\0');
    return err.text;
}

#define assert_refused(stage, because)                     \
    do {                                                   \
        const char *text = judged(stage);                  \
        if (strstr(text, because) == NULL) {               \
            fail_msg("\"%s\", not \"%s\"", text, because); \
        }                                                  \
    } while (0)

static void two_of_three_are_enough(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s);
    assert_refused(&s, "2 of leads, and 0 votes count");
    approves(&s, 0);
    assert_refused(&s, "2 of leads, and 1 vote counts");
    approves(&s, 2);
    assert_string_equal(judged(&s), "");
    approves(&s, 1); /* one too many is no harm */
    assert_string_equal(judged(&s), "");
    close_stage(&s);
}

static void who_votes_twice_by_two_sessions_counts_once(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s);
    struct voter *v = &s.voters[0];
    struct envelope *verified = NULL;
    for (size_t i = 0; i < s.chain.envelopes.n; i++) {
        struct envelope *e = &list_at(&s.chain.envelopes, struct envelope, i);
        if (event_kind(e->type) == EVENT_USER_VERIFY &&
            envelope_signed_by(e, 1, &v->own->key)) {
            verified = e;
        }
    }
    assert_non_null(verified);
    struct hash by = envelope_hash(verified);
    struct key_pair *again = key_pair_new();
    struct hash second = open_session(&s.chain, v, &by, again);
    approves(&s, 0);
    struct vote vote = vote_of(&s, &second);
    cast(&s, &vote, again);
    assert_refused(&s, "1 vote counts");
    key_pair_free(again);
    close_stage(&s);
}

/* The asker is in the group, and votes for themselves. */
static void the_asker_never_counts(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s);
    struct group_set set = {.name = (char[]){"leads"}, .previous = s.group};
    *(struct id *)list_grow(&set.members, sizeof(struct id)) =
        s.chain.invite.user;
    *(struct id *)list_grow(&set.members, sizeof(struct id)) = s.voters[0].user;
    enter(&s, EVENT_GROUP_SET, &set);
    free(set.members.items);
    approves(&s, 0);
    struct vote vote = vote_of(&s, &s.chain.open_hash);
    cast(&s, &vote, s.chain.session);
    assert_refused(&s, "who asks for a run does not approve it");
    close_stage(&s);
}

/* Each makes the second vote another one than it should be. */

static void of_another_run(struct vote *vote)
{
    vote->run.b[0] ^= 1;
}

static void of_another_version(struct vote *vote)
{
    vote->command.b[0] ^= 1;
}

static void of_other_targets(struct vote *vote)
{
    list_at(&vote->targets, char *, 0)[0] = 'x';
}

static void of_more_targets(struct vote *vote)
{
    texts_add(&vote->targets, "web-2");
}

static void before_it_was_asked(struct vote *vote)
{
    vote->request.head.issued -= CLOCK_SKEW + 1;
}

static void after_its_time(struct vote *vote)
{
    vote->request.head.issued += 600000 + CLOCK_SKEW + 1;
}

static void of_another_installation(struct vote *vote)
{
    vote->request.head.root.b[0] ^= 1;
}

static const struct {
    void (*breaks)(struct vote *vote);
    const char *because;
} broken[] = {
    {of_another_run, "another run"},
    {of_another_version, "another version"},
    {of_other_targets, "other targets"},
    {of_more_targets, "other targets"},
    {before_it_was_asked, "not cast while the run waited"},
    {after_its_time, "not cast while the run waited"},
    {of_another_installation, "another installation"},
};

static void a_vote_for_anything_else_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        struct stage s;
        open_stage(&s);
        approves(&s, 0);
        struct vote vote = vote_of(&s, &s.voters[1].open);
        broken[i].breaks(&vote);
        cast(&s, &vote, s.voters[1].session);
        assert_refused(&s, broken[i].because);
        assert_refused(&s, "1 vote counts");
        close_stage(&s);
    }
}

static void a_vote_by_another_key_than_the_sessions_is_none(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s);
    approves(&s, 0);
    struct vote stolen = vote_of(&s, &s.voters[1].open);
    cast(&s, &stolen, s.chain.authorizer);
    assert_refused(&s, "not signed by");
    struct vote own = vote_of(&s, &s.voters[1].open);
    struct hash invited = s.chain.verify_hash;
    own.request.head.by = invited; /* the runner's own key, no session */
    cast(&s, &own, s.chain.runner);
    assert_refused(&s, "1 vote counts");
    close_stage(&s);
}

static void a_rejection_is_no_approval(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s);
    approves(&s, 0);
    struct vote vote = vote_of(&s, &s.voters[1].open);
    (void)sign(&s.chain, EVENT_RUN_REJECT, &vote, s.voters[1].session, NULL);
    table_done(&vote_table, &vote);
    assert_refused(&s, "1 vote counts");
    close_stage(&s);
}

static void the_newest_group_counts_for_older_votes(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s);
    approves(&s, 0);
    approves(&s, 2);
    assert_string_equal(judged(&s), "");
    set_group(&s, 2); /* the third is in it no more */
    assert_refused(&s, "voter-2@example.org is not among those who may");
    set_group(&s, 3);
    assert_string_equal(judged(&s), "");
    set_group(&s, 0); /* there is no such group any more */
    assert_refused(&s, "0 votes count");
    close_stage(&s);
}

static void who_does_not_stand_any_more_has_not_voted(void **state)
{
    struct stage s;
    struct user_standing said = {0};

    (void)state;
    open_stage(&s);
    approves(&s, 0);
    approves(&s, 1);
    said.user = s.voters[1].user;
    enter(&s, EVENT_USER_SUSPEND, &said);
    assert_refused(&s, "voter-1@example.org is suspended");
    struct user_standing resumed = {.user = s.voters[1].user};
    enter(&s, EVENT_USER_RESUME, &resumed);
    assert_string_equal(judged(&s), "");
    struct user_standing removed = {.user = s.voters[1].user};
    enter(&s, EVENT_USER_REMOVE, &removed);
    assert_refused(&s, "voter-1@example.org is removed");
    close_stage(&s);
}

static void without_a_log_nobody_is_in_a_group(void **state)
{
    struct stage s;
    struct order order;
    struct err err = {0};

    (void)state;
    open_stage(&s);
    approves(&s, 0);
    approves(&s, 1);
    _cleanup_proof_ struct proof *proof = proof_new(&s.chain.roots, NULL, NULL);
    assert_int_equal(proof_add_all(proof, &s.chain.envelopes, &err), 0);
    assert_int_equal(proof_run(proof, &s.chain.run_hash, &s.chain.save_hash,
                               "web-1", &order, &err),
                     -1);
    assert_int_equal(proof_asked(proof, &s.chain.run_hash, &s.chain.save_hash,
                                 "web-1", &order, &err),
                     0);
    close_stage(&s);
}

/* Votes that don't count take no room in a dispatch; those that do bring all
 * that they need, also what both have in common. */
static void a_proof_holds_what_its_votes_need_and_no_more(void **state)
{
    struct stage s;
    struct order order;
    struct err err = {0};
    struct list used = {0};

    (void)state;
    open_stage(&s);
    struct vote other = vote_of(&s, &s.voters[0].open);
    other.run.b[0] ^= 1;
    cast(&s, &other, s.voters[0].session);
    approves(&s, 1);
    approves(&s, 2);
    struct vote late = vote_of(&s, &s.voters[0].open);
    list_at(&late.targets, char *, 0)[0] = 'x';
    cast(&s, &late, s.voters[0].session);
    _cleanup_proof_ struct proof *proof = proof_new(&s.chain.roots, NULL, NULL);
    proof_set_standing(proof, s.log);
    assert_int_equal(proof_add_all(proof, &s.chain.envelopes, &err), 0);
    assert_int_equal(proof_run(proof, &s.chain.run_hash, &s.chain.save_hash,
                               "web-1", &order, &err),
                     0);
    proof_used(proof, &used);
    /* root.init, invite, verify, session, save, assignment, run; and of two
     * people invite, verify, session, vote. */
    assert_int_equal(used.n, 7 + 2 * 4);
    _cleanup_proof_ struct proof *lean = proof_new(&s.chain.roots, NULL, NULL);
    proof_set_standing(lean, s.log);
    assert_int_equal(proof_add_all(lean, &used, &err), 0);
    assert_int_equal(proof_run(lean, &s.chain.run_hash, &s.chain.save_hash,
                               "web-1", &order, &err),
                     0);
    envelopes_done(&used);
    close_stage(&s);
}

static void any_administrator_is_one_in_force(void **state)
{
    struct stage s = {0};

    (void)state;
    chain_init(&s.chain);
    s.chain.save.approve = (struct approval){.count = 1, .within = 600};
    chain_sign(&s.chain);
    s.log = standing_new(&s.chain.init_hash);
    for (int i = 0; i < VOTERS; i++) {
        (void)join(&s.chain, &s.voters[i], i);
    }
    approves(&s, 0); /* a runner */
    assert_refused(&s, "approved by any administrator, and 0 votes count");
    struct voter boss = {.own = s.chain.admin};
    struct key_pair *session = key_pair_new();
    boss.open = open_session(&s.chain, &boss, &s.chain.init_hash, session);
    struct vote vote = vote_of(&s, &boss.open);
    cast(&s, &vote, session);
    assert_string_equal(judged(&s), "");
    key_pair_free(session);
    close_stage(&s);
}

static void a_deadline_has_room_for_the_approval(void **state)
{
    struct stage s;

    (void)state;
    open_stage(&s);
    assert_int_equal(run_latest(&s.chain.run, &s.chain.save),
                     s.chain.run.request.head.issued + REQUEST_LIFE + 60000 +
                         600000);
    close_stage(&s);
}

/* Words */

static const struct {
    const char *text;
    int64_t count; /* 0: refused */
    const char *group;
    const char *said;
} texts[] = {
    {"2 of ops-leads", 2, "ops-leads", "2 of ops-leads"},
    {"any of ops", 1, "ops", "1 of ops"},
    {"5  of\tops", 5, "ops", "5 of ops"},
    {"any administrator", 1, NULL, "any administrator"},
    {"1 administrator", 1, NULL, "any administrator"},
    {"2 administrators", 2, NULL, "2 administrators"},
    {"", 0, NULL, "is not N of GROUP"},
    {"2", 0, NULL, "is not N of GROUP"},
    {"0 of ops", 0, NULL, "is not N of GROUP"},
    {"-1 of ops", 0, NULL, "is not N of GROUP"},
    {"2x of ops", 0, NULL, "is not N of GROUP"},
    {"2 of", 0, NULL, "is not N of GROUP"},
    {"2 of Ops", 0, NULL, "is not N of GROUP"},
    {"2 of ops leads", 0, NULL, "is not N of GROUP"},
    {"ops", 0, NULL, "is not N of GROUP"},
    {"any", 0, NULL, "is not N of GROUP"},
    {"6 of ops", 0, NULL, "at most 5"},
    {"99999999999999999999 of ops", 0, NULL, "at most 5"},
};

static void an_approval_is_read_as_it_is_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct approval approval = {0};
        struct err err = {0};
        int done = approval_parse(texts[i].text, &approval, &err);
        if (texts[i].count == 0) {
            assert_int_equal(done, -1);
            assert_non_null(strstr(err.text, texts[i].said));
            continue;
        }
        assert_string_equal(err.text, "");
        assert_int_equal(approval.count, texts[i].count);
        assert_int_equal(approval.within, APPROVE_WITHIN_DEFAULT);
        _cleanup_free_ char *said = approval_text(&approval);
        assert_string_equal(said, texts[i].said);
        assert_string_equal(approval.group == NULL ? "" : approval.group,
                            texts[i].group == NULL ? "" : texts[i].group);
        table_done(&approval_table, &approval);
    }
}

static void a_member_is_named_once(void **state)
{
    struct group_set set = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(group_check(&set, &err), 0);
    for (int i = 0; i < 2; i++) {
        *(struct id *)list_grow(&set.members, sizeof(struct id)) =
            (struct id){.b = {1}};
    }
    assert_int_equal(group_check(&set, &err), -1);
    free(set.members.items);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(two_of_three_are_enough),
        T(who_votes_twice_by_two_sessions_counts_once),
        T(the_asker_never_counts),
        T(a_vote_for_anything_else_is_none),
        T(a_vote_by_another_key_than_the_sessions_is_none),
        T(a_rejection_is_no_approval),
        T(the_newest_group_counts_for_older_votes),
        T(who_does_not_stand_any_more_has_not_voted),
        T(without_a_log_nobody_is_in_a_group),
        T(a_proof_holds_what_its_votes_need_and_no_more),
        T(any_administrator_is_one_in_force),
        T(a_deadline_has_room_for_the_approval),
        T(an_approval_is_read_as_it_is_written),
        T(a_member_is_named_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
