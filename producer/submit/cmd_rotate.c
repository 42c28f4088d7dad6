/*
 * cmd_rotate.c: key rotate: a new own key in the old one's place.
 *
 * The new key lies beside the old one, locked by the same password, and with it
 * the request as it was signed, before anybody is asked. It takes its place
 * once the revocation log holds that request; from then on every copy of the
 * old one is worth nothing. Broken off in between, the next rotation looks into
 * the log first: a key that was accepted is never written over. What an
 * administrator signed with the old key is kept.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "model/log_entry.h"
#include "producer/submit/asking.h"
#include "producer/submit/files.h"
#include "producer/submit/heard.h"
#include "producer/submit/keyring.h"
#include "producer/submit/kept.h"
#include "producer/submit/naming.h"
#include "producer/submit/session_file.h"

struct rotating {
    char *path;   /* key.json */
    char *beside; /* key.new.json */
    char *asked;  /* enrolment.new.json: the request */
    char *password;
    struct key_pair *keys;
    struct key_rotate payload;
};

static void rotating_done(struct rotating *rotating)
{
    free(rotating->path);
    free(rotating->beside);
    free(rotating->asked);
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

static int keep_request(void *arg, const struct envelope *envelope,
                        struct err *err)
{
    const struct rotating *rotating = arg;
    _cleanup_files_ struct files files = {.keep = true};
    static const struct list none;

    (void)unlink(rotating->asked);
    return files_envelopes(&files, rotating->asked, envelope, &none, err);
}

/* The request as it was kept; a key.rotate, or NULL. */
static struct event *read_request(const struct rotating *rotating,
                                  struct err *err)
{
    _cleanup_envelopes_ struct list kept = {0};

    if (envelopes_read(rotating->asked, &kept, err) != 0) {
        return NULL;
    }
    struct envelope first = {0};
    if (kept.n > 0) {
        first = envelope_dup(&list_at(&kept, struct envelope, 0));
    }
    struct event *event = kept.n > 0 ? event_new_take(&first, err) : NULL;
    if (event != NULL && event->kind == EVENT_KEY_ROTATE) {
        return event;
    }
    event_free(event);
    (void)err_exit(err, EXIT_CONFIG, "%s holds no request for a new key",
                   rotating->asked);
    return NULL;
}

static int take_place(struct submit *submit, const struct rotating *rotating,
                      const struct event *accepted, struct err *err)
{
    if (naming_write(submit->profile, &accepted->envelope, err) != 0) {
        return -1;
    }
    if (rename(rotating->beside, rotating->path) != 0) {
        return err_exit(err, EXIT_OUTPUT, "%s can't take the place of %s: %s",
                        rotating->beside, rotating->path, strerror(errno));
    }
    (void)unlink(rotating->asked);
    return 0;
}

/* 1: an earlier try was accepted, and has taken its place; 0: it was not, and
 * there is nothing of worth; -1: that can't be told now. */
static int resume(struct submit *submit, const struct rotating *rotating,
                  struct err *err)
{
    if (!file_exists(rotating->beside) || !file_exists(rotating->asked)) {
        return 0;
    }
    _cleanup_event_ struct event *asked = read_request(rotating, err);
    if (asked == NULL || asking_connect(submit, err) != 0 ||
        heard_read_all(submit, err) != 0) {
        return err_wrap(err, "whether the key in %s was accepted",
                        rotating->beside);
    }
    const struct key_rotate *rotate = asked->payload;
    if (heard_entry(submit, rotate->entry.seq, &asked->hash) <= 0) {
        return 0;
    }
    return take_place(submit, rotating, asked, err) != 0 ? -1 : 1;
}

static int ask(struct submit *submit, struct rotating *rotating,
               struct err *err)
{
    struct question question = {.as = ASK_OWN,
                                .kind = EVENT_KEY_ROTATE,
                                .payload = &rotating->payload,
                                .second = rotating->keys,
                                .before = keep_request,
                                .arg = rotating};

    if (submit_ask(submit, &question, err) == 0) {
        return 0;
    }
    return file_exists(rotating->asked)
               ? err_wrap(err,
                          "the new key is in %s; submit key rotate goes on",
                          rotating->beside)
               : -1;
}

static int rotate(struct submit *submit, struct rotating *rotating,
                  struct err *err)
{
    int before = resume(submit, rotating, err);

    if (before != 0) {
        return before < 0 ? -1 : 0;
    }
    if (unlock(submit, rotating, err) != 0 ||
        prepare(submit, rotating, err) != 0 ||
        ask(submit, rotating, err) != 0) {
        return -1;
    }
    _cleanup_event_ struct event *accepted = read_request(rotating, err);
    return accepted == NULL ? -1 : take_place(submit, rotating, accepted, err);
}

static int rotate_and_forget(struct submit *submit, struct rotating *rotating,
                             struct err *err)
{
    _cleanup_free_ char *name = profile_keyring_name(submit->profile);

    if (rotate(submit, rotating, err) != 0) {
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
        .asked = profile_path(submit->profile, "enrolment.new.json"),
    };
    int done = rotate_and_forget(submit, &rotating, err);

    rotating_done(&rotating);
    if (done == 0) {
        say("%s has a new key; every copy of the old one is worth nothing. "
            "Sign in anew: submit login. Another machine gets the key by key "
            "export and key import.",
            submit->profile->email);
    }
    return done;
}
