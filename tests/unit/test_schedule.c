/*
 * test_schedule.c: what a scheduler's tick allows, one forged link at a time.
 *
 * Each case takes a whole good chain (an administrator's schedule.set, the
 * scheduler's tick, the dispatch), breaks one thing in it as whoever holds the
 * scheduler's and the authorizer's key could, and expects the refusal that
 * names it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "chain.h"

#define MINUTE 60000

struct scene {
    struct chain c;
    struct key_pair *clock;  /* the scheduler's key */
    struct key_pair *signer; /* of the tick; the clock's */
    struct service_enrol enrol;
    struct hash enrol_hash;
    struct schedule_set set;
    struct hash set_hash;
    struct run_tick tick;
    struct standing *standing; /* NULL: no log is known */
    int64_t now;               /* of the host */
};

static struct hash sign(struct scene *s, enum event_kind kind, void *payload,
                        const struct hash *by, const struct key_pair *key)
{
    struct head *head = payload;
    struct envelope envelope;
    struct err err = {0};

    head->root = s->c.root_hash;
    head->by = *by;
    head->issued = head->issued == 0 ? s->c.now : head->issued;
    if (id_is_zero(&head->id)) {
        head->id = id_new(s->c.now);
    }
    if (event_sign(kind, payload, key, NULL, &envelope, &err) != 0) {
        fail_msg("%s", err.text);
    }
    struct hash hash = envelope_hash(&envelope);
    envelopes_add(&s->c.envelopes, &envelope);
    envelope_done(&envelope);
    return hash;
}

/* Nothing of the schedule is signed yet. The tick is this minute's. */
static void scene_init(struct scene *s)
{
    *s = (struct scene){.clock = key_pair_new()};
    chain_init(&s->c);
    chain_sign(&s->c);
    s->signer = s->clock;
    s->now = s->c.now;
    s->enrol = (struct service_enrol){.kind = SERVICE_SCHEDULER,
                                      .name = (char *)"clock",
                                      .key = s->clock->key,
                                      .box = s->clock->box};
    s->set = (struct schedule_set){.command = s->c.save.command,
                                   .saved = s->c.save_hash,
                                   .arguments = s->c.run.arguments,
                                   .targets = s->c.save.targets,
                                   .cron = (char *)"* * * * *",
                                   .zone = (char *)"UTC",
                                   .catch_up = CATCH_UP_NO};
    s->set.schedule = schedule_id(&s->set);
    s->tick.start = s->c.run;
    s->tick.start.request = (struct request){0};
    s->tick.local = floor_div(s->c.now, MINUTE) * MINUTE;
}

static void scene_done(struct scene *s)
{
    if (s->signer != s->clock) {
        key_pair_free(s->signer);
    }
    key_pair_free(s->clock);
    standing_free(s->standing);
    chain_done(&s->c);
}

static void sign_set(struct scene *s)
{
    s->enrol_hash =
        sign(s, EVENT_SERVICE_ENROL, &s->enrol, &s->c.init_hash, s->c.admin);
    s->set_hash =
        sign(s, EVENT_SCHEDULE_SET, &s->set, &s->c.init_hash, s->c.admin);
}

/* The id as the tick is now, unless one was chosen. */
static void sign_tick(struct scene *s)
{
    struct tick tick = {s->tick.local, s->tick.local, (int)s->tick.fold};

    if (id_is_zero(&s->tick.start.request.head.id)) {
        s->tick.start.request.head.id =
            tick_id(&s->set.schedule, s->set.zone, &tick);
    }
    if (hash_is_zero(&s->tick.schedule)) {
        s->tick.schedule = s->set_hash;
    }
    s->c.dispatch.run =
        sign(s, EVENT_RUN_TICK, &s->tick, &s->enrol_hash, s->signer);
    s->c.run.request.head.id = s->tick.start.request.head.id;
    if (hash_is_zero(&s->c.dispatch.command)) {
        s->c.dispatch.command = s->c.save_hash;
    }
    if (id_is_zero(&s->c.dispatch.execution)) {
        struct hash key =
            run_key(&s->tick.start.request.head.id, &s->c.dispatch.run, true);
        s->c.dispatch.execution =
            execution_id(&s->tick.start.request.head.id, &key,
                         s->c.dispatch.target, s->c.dispatch.attempt);
    }
}

static int judge(struct scene *s, struct order *ret_order, struct err *err)
{
    chain_dispatch(&s->c);
    struct envelope copy = envelope_dup(&s->c.signed_dispatch);
    _cleanup_event_ struct event *event = event_new_take(&copy, err);
    _cleanup_proof_ struct proof *proof = proof_new(&s->c.roots, NULL, NULL);

    assert_non_null(event);
    proof_set_standing(proof, s->standing);
    return proof_dispatch(proof, event, "web-1", s->now, ret_order, err);
}

static void check_refused(struct scene *s, const char *because)
{
    struct err err = {0};
    struct order order;

    if (judge(s, &order, &err) == 0) {
        fail_msg("allowed, and not refused with \"%s\"", because);
    }
    if (strstr(err.text, because) == NULL) {
        fail_msg("refused with \"%s\", not \"%s\"", err.text, because);
    }
    scene_done(s);
}

static void a_tick_starts_what_its_schedules_author_signed(void **state)
{
    struct scene s;
    struct order order;
    struct err err = {0};

    (void)state;
    scene_init(&s);
    sign_set(&s);
    sign_tick(&s);
    int allowed = judge(&s, &order, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(allowed, 0);
    assert_true(id_equal(&order.asker.user, &s.c.init.user));
    assert_string_equal(order.asker.email, "admin@example.org");
    assert_true(order.pinned);
    scene_done(&s);
}

/* With the authorizer's key, too: the host has seen that execution. */
static void
signed_again_at_another_moment_it_is_the_same_execution(void **state)
{
    struct scene s;
    struct order order;
    struct err err = {0};

    (void)state;
    scene_init(&s);
    sign_set(&s);
    sign_tick(&s);
    struct hash first = s.c.dispatch.run;
    struct id execution = s.c.dispatch.execution;
    s.tick.start.request.head.issued = s.c.now + 1;
    sign_tick(&s);
    assert_false(hash_equal(&first, &s.c.dispatch.run));
    assert_true(id_equal(&execution, &s.c.dispatch.execution));
    int allowed = judge(&s, &order, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(allowed, 0);
    scene_done(&s);

    scene_init(&s);
    sign_set(&s);
    s.c.dispatch.execution = id_new(s.c.now);
    sign_tick(&s);
    s.c.dispatch.execution = execution_id(&s.tick.start.request.head.id,
                                          &s.c.dispatch.run, "web-1", 1);
    check_refused(&s, "execution's id");
}

static void once_at_its_moment_it_starts_too(void **state)
{
    struct scene s;
    struct order order;
    struct err err = {0};

    (void)state;
    scene_init(&s);
    s.set.cron = NULL;
    s.set.at = s.c.now - 1234;
    s.set.schedule = schedule_id(&s.set);
    s.tick.local = s.set.at;
    sign_set(&s);
    sign_tick(&s);
    int allowed = judge(&s, &order, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(allowed, 0);
    scene_done(&s);
}

/* What an administrator never signed: each breaks the schedule.set. */

static void paused(struct scene *s)
{
    s->set.paused = true;
}

static void an_id_of_ones_own_choice(struct scene *s)
{
    s->set.schedule.b[3] ^= 1;
}

static void another_version(struct scene *s)
{
    s->set.saved.b[0] ^= 1;
}

static void another_command(struct scene *s)
{
    s->set.command = id_new(s->c.now);
    s->set.schedule = schedule_id(&s->set);
}

static void other_arguments(struct scene *s)
{
    s->set.arguments = (struct list){0};
}

static void other_targets(struct scene *s)
{
    static char *other[] = {(char *)"web-2"};

    s->set.targets = (struct list){other, 1};
}

static void other_minutes(struct scene *s)
{
    static char cron[32];
    int64_t next = floor_div(s->c.now, MINUTE) % 60 == 0 ? 30 : 0;

    (void)snprintf(cron, sizeof(cron), "%d * * * *", (int)next);
    s->set.cron = cron;
    s->set.schedule = schedule_id(&s->set);
}

static void another_moment(struct scene *s)
{
    s->set.cron = NULL;
    s->set.at = s->c.now + 5 * MINUTE;
    s->set.schedule = schedule_id(&s->set);
}

static void a_clock_that_is_no_scheduler(struct scene *s)
{
    s->enrol.kind = SERVICE_NOTIFIER;
}

/* What the scheduler never may: each breaks the tick. */

static void an_id_of_another_time(struct scene *s)
{
    struct tick tick = {s->tick.local, s->tick.local - MINUTE, 0};

    s->tick.start.request.head.id =
        tick_id(&s->set.schedule, s->set.zone, &tick);
}

static void an_id_that_is_none(struct scene *s)
{
    s->tick.start.request.head.id = id_new(s->c.now);
}

static void another_fold(struct scene *s)
{
    struct tick tick = {s->tick.local, s->tick.local, 0};

    s->tick.start.request.head.id =
        tick_id(&s->set.schedule, s->set.zone, &tick);
    s->tick.fold = 1;
}

static void a_local_time_days_away(struct scene *s)
{
    struct tick tick = {s->tick.local, s->tick.local - DAY_MS - MINUTE, 0};

    s->tick.local = tick.local;
    s->tick.start.request.head.id =
        tick_id(&s->set.schedule, s->set.zone, &tick);
}

static void half_a_minute(struct scene *s)
{
    s->tick.local -= MINUTE / 2;
}

static void a_tick_that_was_missed(struct scene *s)
{
    s->tick.local -= 6 * MINUTE;
}

static void a_tick_signed_before_its_time(struct scene *s)
{
    s->tick.local += 2 * MINUTE;
}

static void a_tick_that_is_still_to_come(struct scene *s)
{
    s->tick.local += 2 * MINUTE;
    s->tick.start.request.head.issued = s->c.now + 2 * MINUTE;
}

static void more_arguments(struct scene *s)
{
    static struct pair pairs[] = {{(char *)"dir", (char *)"/etc"}};

    s->tick.start.arguments = (struct list){pairs, 1};
}

static void somebody_who_follows(struct scene *s)
{
    s->tick.start.follow = true;
}

static void a_secret_of_ones_own_choice(struct scene *s)
{
    static struct secret_box box = {.name = (char *)"token",
                                    .box = {(unsigned char *)"box", 3, 3}};

    s->tick.start.boxes = (struct list){&box, 1};
}

static void one_more_target(struct scene *s)
{
    static char *both[] = {(char *)"web-1", (char *)"web-2"};

    s->tick.start.targets = (struct list){both, 2};
}

static void a_later_deadline(struct scene *s)
{
    s->tick.start.deadline = s->c.now + REQUEST_LIFE + 61000;
}

static void a_set_that_is_none(struct scene *s)
{
    s->tick.schedule = s->c.save_hash;
}

static void another_key(struct scene *s)
{
    s->signer = key_pair_new();
}

static void by_the_authorizer(struct scene *s)
{
    unsigned char seeds[64];

    memcpy(seeds, s->c.authorizer->secret, sizeof(seeds));
    s->signer = key_pair_from_seeds(seeds);
    s->enrol_hash = s->c.enrol_hash;
}

static const struct {
    void (*breaks_set)(struct scene *);
    void (*breaks_tick)(struct scene *);
    const char *because;
} broken[] = {
    {paused, NULL, "paused"},
    {an_id_of_ones_own_choice, NULL, "schedule's id"},
    {another_version, NULL, "another version"},
    {another_command, NULL, "another command"},
    {other_arguments, NULL, "arguments are not"},
    {other_targets, NULL, "schedule is not for target"},
    {other_minutes, NULL, "no such tick"},
    {another_moment, NULL, "no such tick"},
    {a_clock_that_is_no_scheduler, NULL, "not signed by a scheduler"},
    {NULL, an_id_of_another_time, "tick's id"},
    {NULL, an_id_that_is_none, "tick's id"},
    {NULL, another_fold, "tick's id"},
    {NULL, a_local_time_days_away, "no such tick"},
    {NULL, half_a_minute, "no such tick"},
    {NULL, a_tick_that_was_missed, "too late"},
    {NULL, a_tick_signed_before_its_time, "before its time"},
    {NULL, a_tick_that_is_still_to_come, "time has not come"},
    {NULL, more_arguments, "arguments are not"},
    {NULL, somebody_who_follows, "nobody follows it"},
    {NULL, a_secret_of_ones_own_choice, "brings no secrets"},
    {NULL, one_more_target, "schedule is not for target web-2"},
    {NULL, a_later_deadline, "later than its command's wait"},
    {NULL, a_set_that_is_none, "where a errand.schedule.set.v1"},
    {NULL, another_key, "not signed by the key"},
    {NULL, by_the_authorizer, "not signed by a scheduler"},
};

static void each_forged_link_is_refused_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        struct scene s;
        scene_init(&s);
        if (broken[i].breaks_set != NULL) {
            broken[i].breaks_set(&s);
        }
        sign_set(&s);
        if (broken[i].breaks_tick != NULL) {
            broken[i].breaks_tick(&s);
        }
        sign_tick(&s);
        check_refused(&s, broken[i].because);
    }
}

static void what_is_missed_may_be_caught_up_with(void **state)
{
    struct scene s;
    struct order order;
    struct err err = {0};

    (void)state;
    scene_init(&s);
    s.set.catch_up = CATCH_UP_LAST;
    s.tick.local -= 3 * DAY_MS;
    sign_set(&s);
    sign_tick(&s);
    assert_int_equal(judge(&s, &order, &err), 0);
    scene_done(&s);
}

static void a_tick_runs_no_other_version_than_was_signed_for(void **state)
{
    struct scene s;

    (void)state;
    scene_init(&s);
    sign_set(&s);
    s.c.save.version = 2;
    s.c.save.previous = s.c.save_hash;
    s.c.save.request.head.id = (struct id){0};
    s.c.dispatch.command =
        sign(&s, EVENT_COMMAND_SAVE, &s.c.save, &s.c.init_hash, s.c.admin);
    sign_tick(&s);
    check_refused(&s, "another version");
}

static void a_runner_can_set_no_schedule(void **state)
{
    struct scene s;

    (void)state;
    scene_init(&s);
    sign_set(&s);
    s.set.request.head.id = (struct id){0};
    s.set_hash =
        sign(&s, EVENT_SCHEDULE_SET, &s.set, &s.c.verify_hash, s.c.runner);
    sign_tick(&s);
    check_refused(&s, "no administrator");
}

static void a_thief_of_both_daemons_keys_can_set_none(void **state)
{
    struct scene s;

    (void)state;
    scene_init(&s);
    sign_set(&s);
    s.set.request.head.id = (struct id){0};
    s.set_hash = sign(&s, EVENT_SCHEDULE_SET, &s.set, &s.c.init_hash, s.clock);
    sign_tick(&s);
    check_refused(&s, "not signed by its administrator");
}

static void a_tick_is_no_run_start(void **state)
{
    struct scene s;

    (void)state;
    scene_init(&s);
    sign_set(&s);
    s.tick.start.request.head.id = id_new(s.c.now);
    s.c.dispatch.run =
        sign(&s, EVENT_RUN_START, &s.tick.start, &s.enrol_hash, s.clock);
    s.c.dispatch.command = s.c.save_hash;
    check_refused(&s, "not signed by a session's key");
}

/* Entries of the revocation log, which the administrator signs. */

static void enter(struct scene *s, enum event_kind kind, void *payload)
{
    struct err err = {0};
    _cleanup_event_ struct event *entry =
        chain_entry(&s->c, s->standing, kind, payload);

    if (standing_add(s->standing, entry, &err) != 0) {
        fail_msg("%s", err.text);
    }
}

static void remove_schedule(struct scene *s)
{
    struct schedule_remove remove = {.schedule = s->set.schedule};

    enter(s, EVENT_SCHEDULE_REMOVE, &remove);
}

static void
a_removed_schedule_starts_nothing_until_it_is_set_again(void **state)
{
    struct scene s;
    struct order order;
    struct err err = {0};

    (void)state;
    for (int64_t seq = 0; seq < 2; seq++) {
        scene_init(&s);
        s.standing = standing_new(&s.c.init_hash);
        remove_schedule(&s);
        s.set.seq = seq; /* signed before that entry, and after it */
        sign_set(&s);
        sign_tick(&s);
        if (seq == 0) {
            check_refused(&s, "was removed");
            continue;
        }
        int allowed = judge(&s, &order, &err);
        assert_string_equal(err.text, "");
        assert_int_equal(allowed, 0);
        scene_done(&s);
    }
}

static void a_removed_commands_schedule_starts_nothing(void **state)
{
    struct scene s;

    (void)state;
    scene_init(&s);
    s.standing = standing_new(&s.c.init_hash);
    struct command_retire retire = {.command = s.c.save.command};
    enter(&s, EVENT_COMMAND_RETIRE, &retire);
    sign_set(&s);
    sign_tick(&s);
    check_refused(&s, "was removed");
}

static void a_revoked_scheduler_rings_no_bell(void **state)
{
    struct scene s;

    (void)state;
    scene_init(&s);
    s.standing = standing_new(&s.c.init_hash);
    sign_set(&s);
    struct service_revoke revoke = {.service = s.enrol_hash};
    enter(&s, EVENT_SERVICE_REVOKE, &revoke);
    sign_tick(&s);
    check_refused(&s, "was revoked");
}

static void
what_an_ended_author_set_goes_on_only_where_it_was_kept(void **state)
{
    struct scene s;
    struct order order;
    struct err err = {0};

    (void)state;
    for (size_t kept = 0; kept <= 3; kept++) {
        scene_init(&s);
        s.standing = standing_new(&s.c.init_hash);
        sign_set(&s);
        struct hash keep[] = {s.enrol_hash, s.c.save_hash, s.set_hash};
        struct user_standing remove = {.user = s.c.init.user};
        remove.entry.keep = (struct list){keep, kept};
        enter(&s, EVENT_USER_REMOVE, &remove);
        sign_tick(&s);
        if (kept < 3) {
            check_refused(&s, "is void");
            continue;
        }
        int allowed = judge(&s, &order, &err);
        assert_string_equal(err.text, "");
        assert_int_equal(allowed, 0);
        scene_done(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tick_starts_what_its_schedules_author_signed),
        cmocka_unit_test(
            signed_again_at_another_moment_it_is_the_same_execution),
        cmocka_unit_test(once_at_its_moment_it_starts_too),
        cmocka_unit_test(each_forged_link_is_refused_by_its_name),
        cmocka_unit_test(what_is_missed_may_be_caught_up_with),
        cmocka_unit_test(a_tick_runs_no_other_version_than_was_signed_for),
        cmocka_unit_test(a_runner_can_set_no_schedule),
        cmocka_unit_test(a_thief_of_both_daemons_keys_can_set_none),
        cmocka_unit_test(a_tick_is_no_run_start),
        cmocka_unit_test(
            a_removed_schedule_starts_nothing_until_it_is_set_again),
        cmocka_unit_test(a_removed_commands_schedule_starts_nothing),
        cmocka_unit_test(a_revoked_scheduler_rings_no_bell),
        cmocka_unit_test(
            what_an_ended_author_set_goes_on_only_where_it_was_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
