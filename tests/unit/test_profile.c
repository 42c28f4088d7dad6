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
#include "producer/submit/place.h"
#include "producer/submit/session_file.h"

struct scene {
    char top[40];
    char *directory;
    struct chain chain;
    struct list enrolment; /* of the runner: user.verify first */
};

static int set_up(void **state)
{
    static const enum event_kind kinds[] = {EVENT_USER_VERIFY, EVENT_ROOT_INIT,
                                            EVENT_USER_INVITE};
    struct scene *scene = must_calloc(1, sizeof(*scene));

    (void)setenv("ERRAND_TEST_LOCK_COST", "low", 1);
    (void)unsetenv("ERRAND_BROKERS");
    (void)unsetenv("XDG_RUNTIME_DIR");
    (void)snprintf(scene->top, sizeof(scene->top),
                   "/tmp/errand-profile.XXXXXX");
    assert_non_null(mkdtemp(scene->top));
    scene->directory = must_printf("%s/profile", scene->top);
    (void)setenv("ERRAND_PROFILE", scene->directory, 1);
    chain_init(&scene->chain);
    chain_sign(&scene->chain);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        envelopes_add(&scene->enrolment,
                      chain_find(&scene->chain.envelopes, kinds[i]));
    }
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {
        "config",       "root.pub",          "key.json",  "enrolment.json",
        "session.json", "session.open.json", "audit.json"};
    struct scene *scene = *state;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_free_ char *path =
            must_printf("%s/%s", scene->directory, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(scene->directory);
    assert_int_equal(rmdir(scene->top), 0);
    free(scene->directory);
    envelopes_done(&scene->enrolment);
    chain_done(&scene->chain);
    free(scene);
    return 0;
}

static void make(struct scene *scene)
{
    struct files files = {0};
    struct err err = {0};
    struct member member = {.directory = scene->directory,
                            .root = &scene->chain.root->key,
                            .keys = scene->chain.runner,
                            .password = "a password for a test",
                            .enrolment = &scene->enrolment};

    assert_int_equal(member_write(&member, &files, &err), 0);
    assert_int_equal(member_config(&member, &files, &err), 0);
    files.keep = true;
    files_done(&files);
}

static void put(const struct scene *scene, const char *name, const char *text)
{
    _cleanup_free_ char *path = must_printf("%s/%s", scene->directory, name);
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
    struct scene *scene = *state;
    struct err err = {0};

    make(scene);
    struct profile *profile = profile_open(&err);
    assert_non_null(profile);
    assert_string_equal(profile->email, "runner@example.org");
    assert_true(hash_equal(&profile->root, &scene->chain.root_hash));
    assert_true(hash_equal(&profile->by, &scene->chain.verify_hash));
    assert_memory_equal(&profile->key, &scene->chain.runner->key, 32);
    profile_free(profile);
}

static void secrets_are_for_their_owner_alone(void **state)
{
    struct scene *scene = *state;
    static const char *const names[] = {"key.json", "enrolment.json"};
    struct stat st;

    make(scene);
    assert_int_equal(stat(scene->directory, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_free_ char *path =
            must_printf("%s/%s", scene->directory, names[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void no_profile_says_how_one_is_made(void **state)
{
    (void)state;
    refuse("submit verify");
}

static void waits(struct scene *scene, const char *config, int64_t ms)
{
    struct err err = {0};

    put(scene, "config", config);
    struct profile *profile = profile_open(&err);
    assert_non_null(profile);
    assert_int_equal(profile_answer_within(profile), ms);
    profile_free(profile);
}

static void an_answer_is_waited_for_as_long_as_it_says(void **state)
{
    make(*state);
    waits(*state, "[root]\nkeys = root.pub\n", 30000);
    waits(*state, "[root]\nkeys = root.pub\n[profile]\nanswer_within = 1m\n",
          60000);
    put(*state, "config",
        "[root]\nkeys = root.pub\n[profile]\nanswer_within = 1h\n");
    refuse("answer_within");
}

static void what_does_not_fit_is_refused(void **state)
{
    struct scene *scene = *state;

    make(scene);
    put(scene, "config", "[root]\nkeys = root.pub\n[profile]\npasword = x\n");
    refuse("unknown key 'pasword'");
    put(scene, "config", "[kafka]\n");
    refuse("[root] keys is missing");
    put(scene, "config", "[root]\nkeys = root.pub\n");
    put(scene, "enrolment.json", "{\"envelopes\":[]}");
    refuse("holds no envelope");
    put(scene, "enrolment.json", "nonsense");
    refuse("enrolment.json");
    put(scene, "root.pub", "nonsense\n");
    refuse("root.pub");
}

static void an_enrolment_under_another_root_is_refused(void **state)
{
    struct scene *scene = *state;

    make(scene);
    put(scene, "root.pub", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
    refuse("not pinned here");
}

static void
the_environment_names_the_broker_where_the_file_does_not(void **state)
{
    struct scene *scene = *state;
    struct err err = {0};

    make(scene);
    (void)setenv("ERRAND_BROKERS", "there:9092", 1);
    struct profile *profile = profile_open(&err);
    assert_string_equal(pairs_get(&profile->kafka, "bootstrap.servers"),
                        "there:9092");
    profile_free(profile);
    put(scene, "config",
        "[root]\nkeys = root.pub\n[kafka]\nbootstrap.servers = here:9092\n");
    profile = profile_open(&err);
    assert_string_equal(pairs_get(&profile->kafka, "bootstrap.servers"),
                        "here:9092");
    profile_free(profile);
    (void)unsetenv("ERRAND_BROKERS");
}

static void a_profile_is_followed_into_by_its_own_person_alone(void **state)
{
    struct scene *scene = *state;
    _cleanup_place_ struct place place = {0};
    struct key32 other = scene->chain.session->key;
    struct err err = {0};

    make(scene);
    assert_int_equal(place_read(&place, &err), 0);
    assert_true(place_is_configured(&place));
    struct key32 root = scene->chain.root->key;
    struct invitation invited = {.user = scene->chain.verify.user};
    assert_int_equal(place_check_invited(&place, &root, &invited, &err), 0);
    assert_int_equal(place_check_invited(&place, &other, &invited, &err), -1);
    assert_int_equal(err.status, EXIT_DATA);
    invited.user = id_new(scene->chain.now);
    assert_int_equal(place_check_invited(&place, &root, &invited, &err), -1);
    assert_int_equal(err.status, EXIT_DATA);
}

/* Its enrolment was lost, and may come back. */
static void a_key_that_nothing_names_is_not_replaced(void **state)
{
    struct scene *scene = *state;
    _cleanup_place_ struct place place = {0};
    _cleanup_free_ char *path =
        must_printf("%s/enrolment.json", scene->directory);
    struct err err = {0};

    make(scene);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(place_read(&place, &err), -1);
    assert_int_equal(err.status, EXIT_DATA);
}

static void what_was_written_goes_again_where_a_later_file_fails(void **state)
{
    struct scene *scene = *state;
    struct files files = {0};
    struct err err = {0};
    _cleanup_free_ char *first = must_printf("%s/root.pub", scene->directory);
    _cleanup_free_ char *taken = must_printf("%s/config", scene->directory);

    assert_int_equal(directory_make(scene->directory, &err), 0);
    put(scene, "config", "theirs");
    assert_int_equal(files_root(&files, first, &scene->chain.root->key, &err),
                     0);
    assert_int_equal(files_text(&files, taken, "ours", 0600, &err), -1);
    files_done(&files);
    assert_false(file_exists(first));
    assert_true(file_exists(taken));
}

/* The session */

static struct session_key session_of(const struct scene *scene)
{
    const struct envelope *open =
        chain_find((struct list *)&scene->chain.envelopes, EVENT_SESSION_OPEN);

    return (struct session_key){.keys = scene->chain.session,
                                .envelope = *open};
}

static void a_session_is_kept_until_its_end(void **state)
{
    struct scene *scene = *state;
    struct session_key *read = NULL;
    struct err err = {0};

    make(scene);
    struct profile *profile = profile_open(&err);
    assert_int_equal(session_load(profile, &read, &err), 1);
    struct session_key session = session_of(scene);
    assert_int_equal(session_store(profile, &session, &err), 0);
    assert_int_equal(session_load(profile, &read, &err), 0);
    assert_true(hash_equal(&read->by, &scene->chain.open_hash));
    assert_int_equal(read->until, scene->chain.open.until);
    session_free(read);
    session_forget(profile);
    assert_int_equal(session_load(profile, &read, &err), 1);
    profile_free(profile);
}

static void a_session_of_another_person_or_key_is_none(void **state)
{
    struct scene *scene = *state;
    struct session_key *read = NULL;
    struct err err = {0};

    make(scene);
    struct profile *profile = profile_open(&err);
    struct session_key session = session_of(scene);
    session.keys = scene->chain.admin;
    assert_int_equal(session_store(profile, &session, &err), 0);
    assert_int_equal(session_load(profile, &read, &err), 1);
    session.keys = scene->chain.session;
    assert_int_equal(session_store(profile, &session, &err), 0);
    profile->by = scene->chain.init_hash;
    assert_int_equal(session_load(profile, &read, &err), 1);
    profile_free(profile);
}

static void checkpoints_are_remembered_per_partition(void **state)
{
    struct scene *scene = *state;
    struct checkpoint at = {.partition = 3, .rows = 17};
    struct checkpoints seen;
    struct err err = {0};

    make(scene);
    struct profile *profile = profile_open(&err);
    assert_int_equal(profile_checkpoints_read(profile, &seen, &err), 0);
    assert_int_equal(seen.list.n, 0);
    at.head = scene->chain.init_hash;
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
        CASE(an_answer_is_waited_for_as_long_as_it_says),
        CASE(what_does_not_fit_is_refused),
        CASE(an_enrolment_under_another_root_is_refused),
        CASE(the_environment_names_the_broker_where_the_file_does_not),
        CASE(a_profile_is_followed_into_by_its_own_person_alone),
        CASE(a_key_that_nothing_names_is_not_replaced),
        CASE(what_was_written_goes_again_where_a_later_file_fails),
        CASE(a_session_is_kept_until_its_end),
        CASE(a_session_of_another_person_or_key_is_none),
        CASE(checkpoints_are_remembered_per_partition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
