/*
 * test_where.c: which targets a command reaches, by names and by labels as the
 * revocation log has them, against tests/tables/where.txt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chain.h"
#include "columns.h"
#include "model/where.h"
#include "trust/reach.h"

struct world {
    struct chain chain;
    struct standing *log;
};

static struct world world;

/* Entered as it is; the labels are released. */
static struct hash enter(struct target_set *set)
{
    struct err err = {0};

    set->generation = set->generation == 0 ? 1 : set->generation;
    set->max_wait = 60;
    _cleanup_event_ struct event *event =
        chain_entry(&world.chain, world.log, EVENT_TARGET_SET, set);
    assert_int_equal(standing_add(world.log, event, &err), 0);
    pairs_done(&set->labels);
    return event->hash;
}

static void add(const char *name, const char *role, const char *env,
                enum target_state state)
{
    struct target_set set = {.name = (char *)name, .state = (int)state};

    pairs_add(&set.labels, "role", role);
    if (env != NULL) {
        pairs_add(&set.labels, "env", env);
    }
    (void)enter(&set);
}

static int open_world(void **state)
{
    (void)state;
    chain_init(&world.chain);
    world.log = standing_new(&world.chain.init_hash);
    add("web-1", "web", "prod", TARGET_IN_USE);
    add("web-2", "web", "test", TARGET_DRAINED);
    add("db-1", "db", "prod", TARGET_IN_USE);
    add("gone", "web", NULL, TARGET_REMOVED);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    standing_free(world.log);
    chain_done(&world.chain);
    return 0;
}

/* "a, b" as a command's file has it; false: one of them is not well formed. */
static bool read_wheres(const char *text, struct list *ret_wheres)
{
    for (const char *at = text;;) {
        size_t len = strcspn(at, ",");
        _cleanup_free_ char *one = strndup(at, len);
        if (!where_form.is_good(one)) {
            return false;
        }
        texts_add(ret_wheres, one);
        if (at[len] == '\0') {
            return true;
        }
        at += len + 1 + strspn(at + len + 1, " ");
    }
}

static char *joined(const struct list *names)
{
    struct buf text = {0};

    (void)buf_adds(&text, "");
    for (size_t i = 0; i < names->n; i++) {
        (void)buf_addf(&text, "%s%s", i == 0 ? "" : " ",
                       list_at(names, char *, i));
    }
    return buf_take(&text);
}

/* What each of them says of `@all`, within these: both ways are one. */
static char *reached(const struct list *wheres, const char *only)
{
    struct list names = {0};

    reach_within(world.log, wheres, only, &names);
    for (size_t i = 0; i < names.n; i++) {
        assert_true(reach_holds(world.log, wheres, list_at(&names, char *, i)));
    }
    char *text = joined(&names);
    texts_done(&names);
    return text;
}

static char *judge_where(const struct columns *row, const char *only)
{
    const char *given = strchr(row->cells[0], ' ');
    struct list wheres = {0};
    char *text = read_wheres(given == NULL ? "" : given + 1, &wheres)
                     ? reached(&wheres, only)
                     : must_strdup("refused");

    texts_done(&wheres);
    return text;
}

static char *judge_label(const struct columns *row)
{
    struct list labels = {0};
    struct err err = {0};
    struct buf text = {0};
    const char *key = strchr(row->cells[0], ' ');

    pairs_add(&labels, "role", "web");
    if (labels_assign(&labels, key == NULL ? "" : key + 1, row->cells[1],
                      &err) != 0) {
        assert_int_equal(labels.n, 1);
        pairs_done(&labels);
        return must_strdup("refused");
    }
    (void)buf_adds(&text, "");
    for (size_t i = 0; i < labels.n; i++) {
        const struct pair *label = &list_at(&labels, struct pair, i);
        (void)buf_addf(&text, "%s%s=%s", i == 0 ? "" : " ", label->name,
                       label->value);
    }
    assert_int_equal(labels_check(&labels, &err), 0);
    pairs_done(&labels);
    return buf_take(&text);
}

static void targets_and_labels_are_read_as_the_table_says(void **state)
{
    struct columns row;
    size_t n = 0;

    (void)state;
    columns_open(&row, "tests/tables/where.txt");
    while (columns_next(&row)) {
        bool label = strncmp(row.cells[0], "label", 5) == 0;
        bool narrow = strncmp(row.cells[0], "narrow", 6) == 0;
        _cleanup_free_ char *got =
            label ? judge_label(&row)
                  : judge_where(&row, narrow ? row.cells[1] : "@all");
        const char *wanted = row.cells[label || narrow ? 2 : 1];
        if (strcmp(got, wanted) != 0) {
            fail_msg("line %zu: '%s' instead of '%s'", row.line, got, wanted);
        }
        n++;
    }
    assert_true(n > 60);
}

static void what_no_log_knows_is_reached_by_its_name_alone(void **state)
{
    struct list wheres = {0};
    const struct standing *none = NULL;

    (void)state;
    texts_add(&wheres, "@all");
    texts_add(&wheres, "@role=web");
    assert_false(reach_holds(none, &wheres, "web-1"));
    assert_true(reach_holds(world.log, &wheres, "web-1"));
    assert_false(reach_holds(world.log, &wheres, "unknown"));
    texts_add(&wheres, "unknown");
    assert_true(reach_holds(none, &wheres, "unknown"));
    assert_true(reach_holds(world.log, &wheres, "unknown"));
    texts_done(&wheres);
}

static void a_target_is_what_its_newest_entry_says(void **state)
{
    struct target_set set = {.name = (char[]){"moves"}};
    const struct place_standing *place;

    (void)state;
    pairs_add(&set.labels, "role", "web");
    (void)enter(&set);
    struct target_set next = {.name = set.name, .state = TARGET_DRAINED};
    pairs_add(&next.labels, "role", "db");
    struct hash hash = enter(&next);
    place = standing_place(world.log, "moves");
    assert_non_null(place);
    assert_int_equal(place->labels.n, 1);
    assert_string_equal(pairs_get(&place->labels, "role"), "db");
    assert_int_equal(place->state, TARGET_DRAINED);
    assert_true(hash_equal(&place->hash, &hash));
}

static void
what_was_removed_stays_removed_but_for_the_next_of_its_name(void **state)
{
    struct target_set set = {.name = (char[]){"gone"}};
    struct list wheres = {0};

    (void)state;
    (void)enter(&set);
    texts_add(&wheres, "gone");
    assert_int_equal(standing_place(world.log, "gone")->state, TARGET_REMOVED);
    assert_false(reach_holds(world.log, &wheres, "gone"));
    struct target_set next = {.name = set.name, .generation = 2};
    (void)enter(&next);
    assert_int_equal(standing_place(world.log, "gone")->generation, 2);
    assert_true(reach_holds(world.log, &wheres, "gone"));
    texts_done(&wheres);
}

static void a_target_has_no_more_labels_than_may_be(void **state)
{
    struct list labels = {0};
    struct err err = {0};

    (void)state;
    for (int i = 0; i < LABELS_MAX; i++) {
        _cleanup_free_ char *key = must_printf("k%d", i);
        assert_int_equal(labels_assign(&labels, key, "v", &err), 0);
    }
    assert_int_equal(labels_assign(&labels, "one-more", "v", &err), -1);
    assert_int_equal(labels_assign(&labels, "k0", "w", &err), 0);
    assert_int_equal(labels_check(&labels, &err), 0);
    pairs_add(&labels, "one-more", "v");
    assert_int_equal(labels_check(&labels, &err), -1);
    pairs_done(&labels);
}

/* What the host on web-1 makes of a run for it, whose command says `where`. */

static void open_run(const char *where)
{
    chain_init(&world.chain);
    texts_done(&world.chain.save.targets);
    texts_add(&world.chain.save.targets, where);
    chain_sign(&world.chain);
    world.log = standing_new(&world.chain.init_hash);
}

static void judged(const char *because)
{
    struct err err = {0};
    struct order order;
    _cleanup_proof_ struct proof *proof =
        proof_new(&world.chain.roots, NULL, NULL);

    proof_set_standing(proof, world.log);
    assert_int_equal(proof_add_all(proof, &world.chain.envelopes, &err), 0);
    int done = proof_run(proof, &world.chain.run_hash, &world.chain.save_hash,
                         "web-1", &order, &err);
    assert_int_equal(done, because == NULL ? 0 : -1);
    if (because != NULL && strstr(err.text, because) == NULL) {
        fail_msg("\"%s\", not \"%s\"", err.text, because);
    }
}

static void a_host_starts_what_its_newest_label_allows(void **state)
{
    (void)state;
    open_run("@role=web");
    judged("not for target web-1");
    add("web-1", "db", NULL, TARGET_IN_USE);
    judged("not for target web-1");
    add("web-2", "web", NULL, TARGET_IN_USE);
    judged("not for target web-1");
    add("web-1", "web", NULL, TARGET_IN_USE);
    judged(NULL);
    add("web-1", "web", NULL, TARGET_DRAINED); /* its intake waits */
    judged(NULL);
    add("web-1", "db", NULL, TARGET_IN_USE);
    judged("not for target web-1");
    (void)close_world(state);
}

static void dispatched(const char *because)
{
    struct err err = {0};
    struct order order;
    _cleanup_proof_ struct proof *proof =
        proof_new(&world.chain.roots, NULL, NULL);
    struct envelope envelope = envelope_dup(&world.chain.signed_dispatch);
    _cleanup_event_ struct event *event = event_new_take(&envelope, &err);

    assert_non_null(event);
    proof_set_standing(proof, world.log);
    int done =
        proof_dispatch(proof, event, "web-1", world.chain.now, &order, &err);
    assert_string_equal(err.text, because == NULL ? "" : because);
    assert_int_equal(done, because == NULL ? 0 : -1);
}

static void
what_was_claimed_before_its_target_was_drained_starts_no_more(void **state)
{
    (void)state;
    open_run("@role=web");
    chain_dispatch(&world.chain);
    add("web-1", "web", NULL, TARGET_IN_USE);
    dispatched(NULL);
    add("web-1", "web", NULL, TARGET_DRAINED);
    dispatched("target web-1 is drained");
    add("web-1", "web", NULL, TARGET_IN_USE);
    dispatched(NULL);
    (void)close_world(state);
}

static void all_targets_are_those_that_the_log_knows(void **state)
{
    (void)state;
    open_run("@all");
    judged("not for target web-1");
    add("web-1", "db", NULL, TARGET_IN_USE);
    judged(NULL);
    add("web-1", "db", NULL, TARGET_REMOVED);
    judged("target web-1 was removed");
    (void)close_world(state);
}

static void nothing_starts_where_the_target_was_removed(void **state)
{
    (void)state;
    open_run("web-1");
    judged(NULL);
    add("web-1", "web", NULL, TARGET_REMOVED);
    judged("target web-1 was removed");
    add("web-1", "web", NULL, TARGET_IN_USE);
    judged("target web-1 was removed");
    (void)close_world(state);
}

static void another_target_takes_over_nothing_but_the_name(void **state)
{
    struct target_set again = {.name = (char[]){"web-1"}, .generation = 2};
    struct err err = {0};
    const struct service_enrol *enrol;
    struct hash host;

    (void)state;
    open_run("web-1");
    host = world.chain.host_hash;
    _cleanup_proof_ struct proof *proof =
        proof_new(&world.chain.roots, NULL, NULL);
    proof_set_standing(proof, world.log);
    assert_int_equal(proof_add_all(proof, &world.chain.envelopes, &err), 0);
    add("web-1", "web", NULL, TARGET_REMOVED);
    assert_int_equal(proof_service(proof, &host, SERVICE_EXECUTOR, "web-1",
                                   world.chain.now, &enrol, &err),
                     0);
    world.chain.now += 1; /* the run was asked for before */
    (void)enter(&again);
    judged("another target had the name web-1");
    assert_int_equal(proof_service(proof, &host, SERVICE_EXECUTOR, "web-1",
                                   world.chain.now, &enrol, &err),
                     -1);
    assert_non_null(strstr(err.text, "a target web-1 that was removed"));
    (void)close_world(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            targets_and_labels_are_read_as_the_table_says, open_world,
            close_world),
        cmocka_unit_test_setup_teardown(
            what_no_log_knows_is_reached_by_its_name_alone, open_world,
            close_world),
        cmocka_unit_test_setup_teardown(a_target_is_what_its_newest_entry_says,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(
            what_was_removed_stays_removed_but_for_the_next_of_its_name,
            open_world, close_world),
        cmocka_unit_test(a_target_has_no_more_labels_than_may_be),
        cmocka_unit_test(a_host_starts_what_its_newest_label_allows),
        cmocka_unit_test(
            what_was_claimed_before_its_target_was_drained_starts_no_more),
        cmocka_unit_test(all_targets_are_those_that_the_log_knows),
        cmocka_unit_test(nothing_starts_where_the_target_was_removed),
        cmocka_unit_test(another_target_takes_over_nothing_but_the_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
