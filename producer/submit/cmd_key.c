/*
 * cmd_key.c: passwd, key export, key import, key list: a person's own key on
 * their machines.
 *
 * What is exported is locked by the password, as it is in the profile: the file
 * alone opens nothing. Importing makes a profile of a directory that is
 * nobody's yet, and only once the password has opened the key and the chain in
 * the file names it, up to the root in the file.
 */
#include <string.h>

#include "base/file.h"
#include "producer/submit/asking.h"
#include "producer/submit/founding.h"
#include "model/key_words.h"
#include "producer/submit/keyring.h"
#include "producer/submit/place.h"

#define FORMAT "errand profile 1"
#define BUNDLE_MAX (1 << 20)
#define KEY_MAX 4096

static int check_locked(const struct submit *submit, const char *path,
                        struct err *err)
{
    _cleanup_key_pair_ struct key_pair *clear = NULL;
    struct err ignored;

    return !submit->profile->service &&
                   key_file_read(path, NULL, &clear, &ignored) != 0
               ? 0
               : err_exit(err, EXIT_DATA,
                          "%s has no password: a machine's key stays on its "
                          "machine; invite another machine for another",
                          submit->profile->email);
}

/* passwd */

/* The organisation's, where it can be asked; the least there is, else. */
static int64_t least_characters(struct submit *submit)
{
    struct plain_request plain = {0};
    struct session_answer answer = {0};
    struct err ignored = {0};

    if (submit_ask(submit,
                   &(struct question){.as = ASK_OWN,
                                      .kind = EVENT_SESSION_SHOW,
                                      .payload = &plain,
                                      .answer = &session_answer_table,
                                      .ret_answer = &answer},
                   &ignored) != 0) {
        return 0;
    }
    int64_t least = answer.rules.password_min;
    table_done(&session_answer_table, &answer);
    return least;
}

static void tell_locked(const struct submit *submit)
{
    const char *file = profile_password_file(submit->profile);

    say("Your key is locked by the new password here. An old copy of the file "
        "still opens with the old one: `submit key rotate` makes such copies "
        "worthless.");
    if (file != NULL) {
        say("[profile] password_file names %s: put the new password there.",
            file);
    }
}

static int lock_anew(struct submit *submit, const char *path, struct err *err)
{
    struct password_rules rules = {.min = least_characters(submit),
                                   .email = submit->profile->email};
    _cleanup_free_ char *name = profile_keyring_name(submit->profile);
    _cleanup_secret_ char *password =
        new_password("New password", flag_value(submit, "new-password-file"),
                     "--new-password-file FILE", &rules, err);

    if (password == NULL ||
        key_file_write(path, submit->own, password, true, err) != 0) {
        return -1;
    }
    keyring_forget(name);
    tell_locked(submit);
    return 0;
}

int cmd_passwd(struct submit *submit, struct err *err)
{
    _cleanup_free_ char *path = profile_path(submit->profile, "key.json");
    _cleanup_free_ char *name = profile_keyring_name(submit->profile);

    if (check_locked(submit, path, err) != 0) {
        return -1;
    }
    keyring_forget(name); /* who sits here knows the old password, or not */
    return asking_unlock(submit, flag_value(submit, "password-file"), err) != 0
               ? -1
               : lock_anew(submit, path, err);
}

/* key export, key import */

struct bundle {
    char *format;
    char *brokers;
    struct key32 root;
    struct buf key;        /* the key file, as it is: locked */
    struct list enrolment; /* struct envelope: what names the key first */
};

static const struct field bundle_fields[] = {
    {"format", FIELD_TEXT, .at = offsetof(struct bundle, format)},
    {"brokers", FIELD_TEXT, .optional = true,
     .at = offsetof(struct bundle, brokers)},
    {"root", FIELD_FIXED, .max = 32, .at = offsetof(struct bundle, root)},
    {"key", FIELD_BYTES, .max = KEY_MAX, .at = offsetof(struct bundle, key)},
    {"enrolment", FIELD_LIST, .item = &envelope_item, .max = PROOF_MAX,
     .at = offsetof(struct bundle, enrolment)},
};

static const struct table bundle_table = {.name = "exported key",
                                          TABLE(bundle_fields),
                                          .size = sizeof(struct bundle)};

int cmd_key_export(struct submit *submit, struct err *err)
{
    const struct profile *profile = submit->profile;
    _cleanup_free_ char *path = profile_path(profile, "key.json");
    _cleanup_buf_ struct buf json = {0};
    _cleanup_buf_ struct buf key = {0};

    if (check_locked(submit, path, err) != 0 ||
        file_read_private(path, KEY_MAX, &key, err) != 0) {
        return -1;
    }
    const struct bundle bundle = {
        .format = (char *)FORMAT,
        .brokers = (char *)pairs_get(&profile->kafka, "bootstrap.servers"),
        .root = *roots_find(&profile->roots, &profile->root),
        .key = key,
        .enrolment = profile->enrolment,
    };
    if (table_encode(&bundle_table, &bundle, &json, err) != 0 ||
        buf_adds(&json, "\n") != 0 ||
        file_write(submit->args[0], json.data, json.len, 0600, false, err)) {
        return -1;
    }
    say("%s holds your key, locked by your password. On the other machine: "
        "submit key import FILE; then delete the file.",
        submit->args[0]);
    return 0;
}

static int read_bundle(const char *path, struct bundle *bundle, struct err *err)
{
    _cleanup_buf_ struct buf json = {0};

    if (file_read_private(path, BUNDLE_MAX, &json, err) != 0) {
        return -1;
    }
    if (table_decode(&bundle_table, json.data, json.len, bundle, err) != 0 ||
        strcmp(bundle->format, FORMAT) != 0 || bundle->enrolment.n == 0) {
        return err_exit(err, EXIT_DATA,
                        "%s is not what `submit key export` writes", path);
    }
    return 0;
}

/* Whom the file is about, by its own chain. */
static int check_bundle(const struct bundle *bundle, struct person *ret_person,
                        struct err *err)
{
    struct roots roots = {.keys = {.items = (void *)&bundle->root, .n = 1}};
    _cleanup_proof_ struct proof *proof = proof_new(&roots, NULL, NULL);
    struct hash by =
        envelope_hash(&list_at(&bundle->enrolment, struct envelope, 0));

    if (proof_add_all(proof, &bundle->enrolment, err) != 0 ||
        proof_person(proof, &by, ret_person, err) != 0) {
        err->status = EXIT_DATA;
        return err_wrap(err, "the exported key can't be trusted");
    }
    return 0;
}

static int open_key(const struct submit *submit, const char *path,
                    const struct person *person, struct key_pair **ret_keys,
                    struct err *err)
{
    const char *file = flag_value(submit, "password-file");
    _cleanup_free_ char *question =
        must_printf("Password of %s", person->email);
    _cleanup_secret_ char *password =
        file != NULL ? secret_from_file(file, err)
                     : prompt_secret(question, "--password-file FILE", err);
    _cleanup_key_pair_ struct key_pair *keys = NULL;

    if (password == NULL || key_file_read(path, password, &keys, err) != 0) {
        return -1;
    }
    if (memcmp(keys->key.b, person->key.b, sizeof(keys->key.b)) != 0) {
        return err_exit(err, EXIT_DATA,
                        "the exported key is not the one that its enrolment "
                        "names");
    }
    *ret_keys = take_ptr(keys);
    return 0;
}

static int write_imported(const struct submit *submit, const char *directory,
                          const struct bundle *bundle,
                          const struct person *person, struct err *err)
{
    _cleanup_files_ struct files files = {0};
    _cleanup_free_ char *key = must_printf("%s/key.json", directory);
    _cleanup_key_pair_ struct key_pair *keys = NULL;

    if (directory_make(directory, err) != 0 ||
        files_text(&files, key, buf_text(&bundle->key), 0600, err) != 0 ||
        open_key(submit, key, person, &keys, err) != 0) {
        return -1;
    }
    struct member member = {.directory = directory,
                            .root = &bundle->root,
                            .keys = keys,
                            .enrolment = &bundle->enrolment,
                            .brokers = bundle->brokers};
    if (member_write(&member, &files, err) != 0 ||
        member_config(&member, &files, err) != 0) {
        return -1;
    }
    files.keep = true;
    return 0;
}

static int import(const struct submit *submit, struct bundle *bundle,
                  struct err *err)
{
    _cleanup_free_ char *directory = profile_directory(err);
    struct person person;

    if (directory == NULL || place_check_free(directory, err) != 0 ||
        read_bundle(submit->args[0], bundle, err) != 0 ||
        check_bundle(bundle, &person, err) != 0 ||
        write_imported(submit, directory, bundle, &person, err) != 0) {
        return -1;
    }
    say("You are %s (%s) here, too, in %s. Delete %s; then: submit login",
        person.email, word_text(&role_words, person.role), directory,
        submit->args[0]);
    return 0;
}

int cmd_key_import(struct submit *submit, struct err *err)
{
    struct bundle bundle = {0};
    int done = import(submit, &bundle, err);

    table_done(&bundle_table, &bundle);
    return done;
}

/* key list */

struct key_row {
    char *words;
    int64_t generation;
    int64_t since;
    bool locked;
    bool unlocked;
};

static const struct field key_row_fields[] = {
    {"words", FIELD_TEXT, .at = offsetof(struct key_row, words)},
    {"generation", FIELD_INT, .at = offsetof(struct key_row, generation)},
    {"since", FIELD_TIME, .at = offsetof(struct key_row, since)},
    {"locked", FIELD_BOOL, .at = offsetof(struct key_row, locked)},
    {"unlocked", FIELD_BOOL, .at = offsetof(struct key_row, unlocked)},
};

static const struct table key_row_table = {
    .name = "key", TABLE(key_row_fields), .size = sizeof(struct key_row)};

static char *lock_of(const void *row)
{
    const struct key_row *key = row;

    return must_strdup(!key->locked    ? "none (machine identity)"
                       : key->unlocked ? "password, open for now"
                                       : "password");
}

static const struct column key_columns[] = {
    {"six words", COLUMN_TEXT, .at = offsetof(struct key_row, words)},
    {"generation", COLUMN_INT, .at = offsetof(struct key_row, generation)},
    {"since", COLUMN_TIME, .at = offsetof(struct key_row, since)},
    {"lock", COLUMN_MADE, .make = lock_of},
};

static const struct noun key_noun = {.table = &key_row_table,
                                     .columns = key_columns,
                                     .n = ARRAY_SIZE(key_columns)};

/* What the profile holds; which key counts is the authorizer's to say. */
int cmd_key_list(struct submit *submit, struct err *err)
{
    const struct profile *profile = submit->profile;
    _cleanup_free_ char *name = profile_keyring_name(profile);
    _cleanup_key_pair_ struct key_pair *kept = keyring_get(name);
    struct envelope copy =
        envelope_dup(&list_at(&profile->enrolment, struct envelope, 0));
    _cleanup_event_ struct event *event = event_new_take(&copy, err);

    if (event == NULL) {
        return -1;
    }
    _cleanup_proof_ struct proof *proof =
        proof_new(&profile->roots, NULL, NULL);
    struct person person;
    if (proof_add_all(proof, &profile->enrolment, err) != 0 ||
        proof_person(proof, &profile->by, &person, err) != 0) {
        return -1;
    }
    struct key_row row = {.words = key_words(&profile->key),
                          .generation = person.generation,
                          .since =
                              ((const struct head *)event->payload)->issued,
                          .locked = !profile->service,
                          .unlocked = kept != NULL};
    struct list rows = {.items = &row, .n = 1};
    int done = print_rows(&submit->print, &key_noun, &rows, err);
    free(row.words);
    return done;
}
