/* test_profile.c: a person's directory: what is made, read and refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "chain.h"
#include "producer/submit/founding.h"
#include "producer/submit/session_file.h"

struct place {
    char top[40];
    char *directory;
    struct chain chain;
    struct list enrolment; /* of the runner: user.verify first */
};

static int set_up(void **state)
{
    static const enum event_kind kinds[] = {EVENT_USER_VERIFY, EVENT_ROOT_INIT,
                                            EVENT_USER_INVITE};
    struct place *place = must_calloc(1, sizeof(*place));

    (void)setenv("ERRAND_TEST_LOCK_COST", "low", 1);
    (void)unsetenv("ERRAND_BROKERS");
    (void)unsetenv("XDG_RUNTIME_DIR");
    (void)snprintf(place->top, sizeof(place->top),
                   "/tmp/errand-profile.XXXXXX");
    assert_non_null(mkdtemp(place->top));
    place->directory = must_printf("%s/profile", place->top);
    (void)setenv("ERRAND_PROFILE", place->directory, 1);
    chain_init(&place->chain);
    chain_sign(&place->chain);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        envelopes_add(&place->enrolment,
                      chain_find(&place->chain.envelopes, kinds[i]));
    }
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {
        "config",       "root.pub",          "key.json",  "enrolment.json",
        "session.json", "session.open.json", "seen.json", "audit.json"};
    struct place *place = *state;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_free_ char *path =
            must_printf("%s/%s", place->directory, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(place->directory);
    assert_int_equal(rmdir(place->top), 0);
    free(place->directory);
    envelopes_done(&place->enrolment);
    chain_done(&place->chain);
    free(place);
    return 0;
}

static void make(struct place *place)
{
    struct files files = {0};
    struct err err = {0};
    struct member member = {.directory = place->directory,
                            .root = &place->chain.root->key,
                            .keys = place->chain.runner,
                            .password = "a password for a test",
                            .enrolment = &place->enrolment};

    assert_int_equal(member_write(&member, &files, &err), 0);
    assert_int_equal(member_config(&member, &files, &err), 0);
    files.keep = true;
    files_done(&files);
}

static void put(const struct place *place, const char *name, const char *text)
{
    _cleanup_free_ char *path = must_printf("%s/%s", place->directory, name);
    struct err err = {0};

    assert_int_equal(file_write(path, text, strlen(text), 0600, true, &err), 0);
}

static void refuse(const char *said)
{
    struct err err = {0};

    assert_null(profile_open(&err));
    assert_int_equal(err.status, EXIT_CONFIG);
    if (strstr(err.text, said) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, said);
    }
}

static void what_is_written_is_read_back(void **state)
{
    struct place *place = *state;
    struct err err = {0};

    make(place);
    struct profile *profile = profile_open(&err);
    assert_non_null(profile);
    assert_string_equal(profile->email, "runner@example.org");
    assert_true(hash_equal(&profile->root, &place->chain.root_hash));
    assert_true(hash_equal(&profile->by, &place->chain.verify_hash));
    assert_memory_equal(&profile->key, &place->chain.runner->key, 32);
    profile_free(profile);
}

static void secrets_are_for_their_owner_alone(void **state)
{
    struct place *place = *state;
    static const char *const names[] = {"key.json", "enrolment.json"};
    struct stat st;

    make(place);
    assert_int_equal(stat(place->directory, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_free_ char *path =
            must_printf("%s/%s", place->directory, names[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void no_profile_says_how_one_is_made(void **state)
{
    (void)state;
    refuse("submit verify");
}

static void what_does_not_fit_is_refused(void **state)
{
    struct place *place = *state;

    make(place);
    put(place, "config", "[root]\nkeys = root.pub\n[profile]\npasword = x\n");
    refuse("unknown key 'pasword'");
    put(place, "config", "[kafka]\n");
    refuse("[root] keys is missing");
    put(place, "config", "[root]\nkeys = root.pub\n");
    put(place, "enrolment.json", "{\"envelopes\":[]}");
    refuse("holds no envelope");
    put(place, "enrolment.json", "nonsense");
    refuse("enrolment.json");
    put(place, "root.pub", "nonsense\n");
    refuse("root.pub");
}

static void an_enrolment_under_another_root_is_refused(void **state)
{
    struct place *place = *state;

    make(place);
    put(place, "root.pub", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
    refuse("not pinned here");
}

static void
the_environment_names_the_broker_where_the_file_does_not(void **state)
{
    struct place *place = *state;
    struct err err = {0};

    make(place);
    (void)setenv("ERRAND_BROKERS", "there:9092", 1);
    struct profile *profile = profile_open(&err);
    assert_string_equal(pairs_get(&profile->kafka, "bootstrap.servers"),
                        "there:9092");
    profile_free(profile);
    put(place, "config",
        "[root]\nkeys = root.pub\n[kafka]\nbootstrap.servers = here:9092\n");
    profile = profile_open(&err);
    assert_string_equal(pairs_get(&profile->kafka, "bootstrap.servers"),
                        "here:9092");
    profile_free(profile);
    (void)unsetenv("ERRAND_BROKERS");
}

static void a_profile_that_is_somebodys_is_not_followed_into(void **state)
{
    struct place *place = *state;
    struct list kafka = {0};
    struct err err = {0};

    assert_int_equal(profile_brokers(place->directory, NULL, &kafka, &err), 0);
    make(place);
    assert_int_equal(profile_brokers(place->directory, NULL, &kafka, &err), -1);
    assert_int_equal(err.status, EXIT_DATA);
}

static void what_was_written_goes_again_where_a_later_file_fails(void **state)
{
    struct place *place = *state;
    struct files files = {0};
    struct err err = {0};
    _cleanup_free_ char *first = must_printf("%s/root.pub", place->directory);
    _cleanup_free_ char *taken = must_printf("%s/config", place->directory);

    assert_int_equal(directory_make(place->directory, &err), 0);
    put(place, "config", "theirs");
    assert_int_equal(files_root(&files, first, &place->chain.root->key, &err),
                     0);
    assert_int_equal(files_text(&files, taken, "ours", 0600, &err), -1);
    files_done(&files);
    assert_false(file_exists(first));
    assert_true(file_exists(taken));
}

/* The session */

static struct session_key session_of(const struct place *place)
{
    const struct envelope *open =
        chain_find((struct list *)&place->chain.envelopes, EVENT_SESSION_OPEN);

    return (struct session_key){.keys = place->chain.session,
                                .envelope = *open};
}

static void a_session_is_kept_until_its_end(void **state)
{
    struct place *place = *state;
    struct session_key *read = NULL;
    struct err err = {0};

    make(place);
    struct profile *profile = profile_open(&err);
    assert_int_equal(session_load(profile, &read, &err), 1);
    struct session_key session = session_of(place);
    assert_int_equal(session_store(profile, &session, &err), 0);
    assert_int_equal(session_load(profile, &read, &err), 0);
    assert_true(hash_equal(&read->by, &place->chain.open_hash));
    assert_int_equal(read->until, place->chain.open.until);
    session_free(read);
    session_forget(profile);
    assert_int_equal(session_load(profile, &read, &err), 1);
    profile_free(profile);
}

static void a_session_of_another_person_or_key_is_none(void **state)
{
    struct place *place = *state;
    struct session_key *read = NULL;
    struct err err = {0};

    make(place);
    struct profile *profile = profile_open(&err);
    struct session_key session = session_of(place);
    session.keys = place->chain.admin;
    assert_int_equal(session_store(profile, &session, &err), 0);
    assert_int_equal(session_load(profile, &read, &err), 1);
    session.keys = place->chain.session;
    assert_int_equal(session_store(profile, &session, &err), 0);
    profile->by = place->chain.init_hash;
    assert_int_equal(session_load(profile, &read, &err), 1);
    profile_free(profile);
}

static void what_was_seen_is_remembered(void **state)
{
    struct place *place = *state;
    struct err err = {0};
    struct hash head;
    int64_t seq;

    make(place);
    struct profile *profile = profile_open(&err);
    assert_int_equal(profile_seen_read(profile, &seq, &head, &err), 0);
    assert_int_equal(seq, 0);
    assert_true(hash_is_zero(&head));
    assert_int_equal(
        profile_seen_write(profile, 7, &place->chain.init_hash, &err), 0);
    assert_int_equal(profile_seen_read(profile, &seq, &head, &err), 0);
    assert_int_equal(seq, 7);
    assert_true(hash_equal(&head, &place->chain.init_hash));
    profile_free(profile);
}

static void checkpoints_are_remembered_per_partition(void **state)
{
    struct place *place = *state;
    struct checkpoint at = {.partition = 3, .rows = 17};
    struct checkpoints seen;
    struct err err = {0};

    make(place);
    struct profile *profile = profile_open(&err);
    assert_int_equal(profile_checkpoints_read(profile, &seen, &err), 0);
    assert_int_equal(seen.list.n, 0);
    at.head = place->chain.init_hash;
    (void)checkpoints_take(&seen, &at);
    assert_int_equal(profile_checkpoints_write(profile, &seen, &err), 0);
    table_done(&checkpoints_table, &seen);
    assert_int_equal(profile_checkpoints_read(profile, &seen, &err), 0);
    const struct checkpoint *read = checkpoints_find(&seen, 3);
    assert_non_null(read);
    assert_int_equal(read->rows, 17);
    assert_true(hash_equal(&read->head, &at.head));
    table_done(&checkpoints_table, &seen);
    profile_free(profile);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_written_is_read_back),
        CASE(secrets_are_for_their_owner_alone),
        CASE(no_profile_says_how_one_is_made),
        CASE(what_does_not_fit_is_refused),
        CASE(an_enrolment_under_another_root_is_refused),
        CASE(the_environment_names_the_broker_where_the_file_does_not),
        CASE(a_profile_that_is_somebodys_is_not_followed_into),
        CASE(what_was_written_goes_again_where_a_later_file_fails),
        CASE(a_session_is_kept_until_its_end),
        CASE(a_session_of_another_person_or_key_is_none),
        CASE(what_was_seen_is_remembered),
        CASE(checkpoints_are_remembered_per_partition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
