/* place.c: see place.h. */
#include "producer/submit/place.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/user.h"
#include "producer/submit/files.h"
#include "trust/event.h"

static const char somebodys[] =
    "this profile is somebody's; ERRAND_PROFILE names another directory";

static char *path_in(const char *directory, const char *name)
{
    return must_printf("%s/%s", directory, name);
}

int place_check_free(const char *directory, struct err *err)
{
    static const char *const files[] = {"key.json", "enrolment.json",
                                        "root.pub"};

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        _cleanup_free_ char *path = path_in(directory, files[i]);
        if (files_absent(path, somebodys, err) != 0) {
            return -1;
        }
    }
    return 0;
}

bool place_is_configured(const struct place *place)
{
    return place->pins.keys.n > 0;
}

static bool has(const struct place *place, const char *name)
{
    _cleanup_free_ char *path = path_in(place->directory, name);

    return file_exists(path);
}

/* What a verify that was broken off has left: nobody's profile yet. */
static void find_begun(struct place *place)
{
    _cleanup_free_ char *path = path_in(place->directory, "enrolment.json");
    _cleanup_envelopes_ struct list envelopes = {0};
    struct err ignored = {0};

    if (!file_exists(path) || envelopes_read(path, &envelopes, &ignored) != 0 ||
        envelopes.n == 0) {
        return;
    }
    struct envelope copy =
        envelope_dup(&list_at(&envelopes, struct envelope, 0));
    _cleanup_event_ struct event *first = event_new_take(&copy, &ignored);
    if (first != NULL && first->kind == EVENT_USER_VERIFY) {
        const struct user_verify *verify = first->payload;
        place->user = verify->user;
        place->begun =
            list_at(&first->envelope.signatures, struct signature, 0).key;
    }
}

/* A profile: whose it is, its own chain says. */
static int find_member(struct place *place, struct err *err)
{
    struct profile *profile = profile_open(err);

    if (profile == NULL) {
        return -1;
    }
    place->user = profile->user;
    profile_free(profile);
    return 0;
}

int place_read(struct place *place, struct err *err)
{
    place->directory = profile_directory(err);
    if (place->directory == NULL ||
        profile_pins(place->directory, &place->pins, err) != 0) {
        return -1;
    }
    find_begun(place);
    bool named = has(place, "enrolment.json");
    if (place_is_configured(place) && named) {
        return find_member(place, err);
    }
    /* A key that nothing names may be worth much. */
    bool free = place_is_configured(place) ? !has(place, "key.json")
                                           : !hash_is_zero(&place->begun);
    return free ? 0 : place_check_free(place->directory, err);
}

void place_done(struct place *place)
{
    free(place->directory);
    roots_done(&place->pins);
}

int place_brokers(const struct place *place, const char *brokers,
                  struct list *ret_kafka, struct err *err)
{
    return profile_brokers(place->directory,
                           brokers[0] == '\0' ? NULL : brokers, ret_kafka, err);
}

bool place_was_begun(const struct place *place, const struct key32 *invitation)
{
    struct hash id = key_id(invitation);

    return hash_equal(&place->begun, &id);
}

int place_check_invited(const struct place *place, const struct key32 *root,
                        const struct invitation *invited, struct err *err)
{
    struct hash id = key_id(root);

    if (place_is_configured(place) && roots_find(&place->pins, &id) == NULL) {
        return err_exit(err, EX_DATAERR,
                        "%s trusts another installation than this "
                        "invitation's; ERRAND_PROFILE names another directory",
                        place->directory);
    }
    return id_is_zero(&place->user) || id_equal(&place->user, &invited->user) ||
                   place_was_begun(place, &invited->key)
               ? 0
               : place_check_free(place->directory, err);
}

bool place_is_keyed(const struct place *place)
{
    return has(place, "key.json") && has(place, "root.pub");
}

/* The key goes first and comes last: one that nothing names is never left. */
static const char *const own_files[] = {"key", "enrolment"};

static char *aside(const struct place *place, const char *name)
{
    return must_printf("%s/%s.%lld.json", place->directory, name,
                       (long long)place->aside);
}

void place_set_aside(struct place *place)
{
    _cleanup_free_ char *root = path_in(place->directory, "root.pub");

    place->aside = clock_now();
    for (size_t i = 0; i < ARRAY_SIZE(own_files); i++) {
        _cleanup_free_ char *from =
            must_printf("%s/%s.json", place->directory, own_files[i]);
        _cleanup_free_ char *to = aside(place, own_files[i]);
        (void)rename(from, to);
    }
    if (!place_is_configured(place)) {
        (void)unlink(root);
    }
}

void place_restore(const struct place *place)
{
    for (size_t i = ARRAY_SIZE(own_files); place->aside != 0 && i > 0; i--) {
        _cleanup_free_ char *from = aside(place, own_files[i - 1]);
        _cleanup_free_ char *to =
            must_printf("%s/%s.json", place->directory, own_files[i - 1]);
        if (!file_exists(to)) {
            (void)rename(from, to);
        }
    }
}

void place_forget(const struct place *place)
{
    for (size_t i = 0; place->aside != 0 && i < ARRAY_SIZE(own_files); i++) {
        _cleanup_free_ char *path = aside(place, own_files[i]);
        (void)unlink(path);
    }
}
