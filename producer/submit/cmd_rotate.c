/*
 * cmd_rotate.c: key rotate: a new own key in the old one's place.
 *
 * The new key lies beside the old one, locked by the same password, before
 * anybody is asked; it takes its place once the authorizer has accepted it, and
 * from then on every copy of the old one is worth nothing. What an
 * administrator signed with the old key is kept.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "model/log_entry.h"
#include "producer/submit/asking.h"
#include "producer/submit/files.h"
#include "producer/submit/keyring.h"
#include "producer/submit/kept.h"
#include "producer/submit/naming.h"
#include "producer/submit/session_file.h"

struct rotating {
    char *path;   /* key.json */
    char *beside; /* key.new.json */
    char *password;
    struct key_pair *keys;
    struct key_rotate payload;
};

static void rotating_done(struct rotating *rotating)
{
    free(rotating->path);
    free(rotating->beside);
    secret_free(rotating->password);
    key_pair_free(rotating->keys);
    free(rotating->payload.entry.keep.items);
}

/* The old key is opened by the password itself, not from the keyring: the new
 * one will be locked by it. */
static int unlock(struct submit *submit, struct rotating *rotating,
                  struct err *err)
{
    rotating->password =
        asking_password(submit, flag_value(submit, "password-file"),
                        "--password-file FILE", err);
    return rotating->password == NULL
               ? -1
               : key_file_read(rotating->path, rotating->password, &submit->own,
                               err);
}

static int prepare(struct submit *submit, struct rotating *rotating,
                   struct err *err)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&submit->profile->roots, NULL, NULL);
    struct person person;

    if (proof_add_all(proof, &submit->profile->enrolment, err) != 0 ||
        proof_person(proof, &submit->profile->by, &person, err) != 0) {
        return -1;
    }
    rotating->keys = key_pair_new();
    rotating->payload.user = person.user;
    rotating->payload.naming = person.by;
    rotating->payload.key = rotating->keys->key;
    rotating->payload.generation = person.generation + 1;
    if (person.role == ROLE_ADMINISTRATOR &&
        kept_choose(submit, person.email, KEPT_ALL,
                    &rotating->payload.entry.keep, err) != 0) {
        return -1;
    }
    return key_file_write(rotating->beside, rotating->keys, rotating->password,
                          true, err);
}

/* The entry as it was accepted: signed again, the same bytes. */
static int take_place(struct submit *submit, struct rotating *rotating,
                      struct err *err)
{
    struct envelope envelope = {0};

    if (event_sign(EVENT_KEY_ROTATE, &rotating->payload, submit->own,
                   rotating->keys, &envelope, err) != 0) {
        return -1;
    }
    int done = naming_write(submit->profile, &envelope, err);
    envelope_done(&envelope);
    if (done == 0 && rename(rotating->beside, rotating->path) != 0) {
        done = err_exit(err, EXIT_OUTPUT, "%s can't take the place of %s: %s",
                        rotating->beside, rotating->path, strerror(errno));
    }
    return done;
}

static int rotate(struct submit *submit, struct rotating *rotating,
                  struct err *err)
{
    _cleanup_free_ char *name = profile_keyring_name(submit->profile);

    if (unlock(submit, rotating, err) != 0 ||
        prepare(submit, rotating, err) != 0) {
        return -1;
    }
    if (submit_ask(submit,
                   &(struct question){.as = ASK_OWN,
                                      .kind = EVENT_KEY_ROTATE,
                                      .payload = &rotating->payload,
                                      .second = rotating->keys},
                   err) != 0) {
        return err->status == EXIT_NO_ANSWER
                   ? err_wrap(err, "the new key is in %s", rotating->beside)
                   : -1;
    }
    if (take_place(submit, rotating, err) != 0) {
        return -1;
    }
    session_forget(submit->profile);
    keyring_forget(name);
    return 0;
}

int cmd_key_rotate(struct submit *submit, struct err *err)
{
    struct rotating rotating = {
        .path = profile_path(submit->profile, "key.json"),
        .beside = profile_path(submit->profile, "key.new.json"),
    };
    int done = rotate(submit, &rotating, err);

    rotating_done(&rotating);
    if (done == 0) {
        say("%s has a new key; every copy of the old one is worth nothing. "
            "Another machine gets it by key export and key import.",
            submit->profile->email);
    }
    return done;
}
