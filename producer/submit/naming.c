/* naming.c: see naming.h. */
#include "producer/submit/saved.h"
#include "producer/submit/naming.h"

#include <string.h>

#include "base/file.h"
#include "model/read.h"

static int write_enrolment(const struct profile *profile,
                           const struct list *envelopes, struct err *err)
{
    struct envelopes all = {*envelopes};
    _cleanup_free_ char *path = profile_path(profile, "enrolment.json");
    _cleanup_buf_ struct buf json = {0};

    return table_encode(&envelopes_table, &all, &json, err) != 0 ||
                   buf_adds(&json, "\n") != 0
               ? -1
               : file_write(path, json.data, json.len, 0600, true, err);
}

/* Takes the list over once it is written. */
static int replace(struct profile *profile, struct list *envelopes,
                   const struct hash *by, struct err *err)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&profile->roots, NULL, NULL);
    struct person person;

    if (proof_add_all(proof, envelopes, err) != 0 ||
        proof_person(proof, by, &person, err) != 0) {
        return -1;
    }
    if (!id_equal(&person.user, &profile->user)) {
        return err_exit(err, EXIT_DATA, "it names somebody else's key");
    }
    if (write_enrolment(profile, envelopes, err) != 0) {
        return -1;
    }
    envelopes_done(&profile->enrolment);
    profile->enrolment = *envelopes;
    *envelopes = (struct list){0};
    profile->by = *by;
    profile->key = person.key;
    return 0;
}

int naming_write(struct profile *profile, const struct envelope *envelope,
                 struct err *err)
{
    _cleanup_envelopes_ struct list all = {0};
    struct hash by = envelope_hash(envelope);

    envelopes_add(&all, envelope);
    for (size_t i = 0; i < profile->enrolment.n; i++) {
        envelopes_add(&all, &list_at(&profile->enrolment, struct envelope, i));
    }
    return replace(profile, &all, &by, err);
}

/* What names the key first; the rest of the chain in any order. */
static int sort_first(const struct user_answer *answer, struct list *ret_all,
                      struct err *err)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < answer->envelopes.n; i++) {
            const struct envelope *envelope =
                &list_at(&answer->envelopes, struct envelope, i);
            struct hash hash = envelope_hash(envelope);
            if (hash_equal(&hash, &answer->verify) == (pass == 0)) {
                envelopes_add(ret_all, envelope);
            }
        }
        if (pass == 0 && ret_all->n != 1) {
            return err_set(err, ERR_REJECT, "what names the key is not there");
        }
    }
    return 0;
}

int naming_refresh(struct submit *submit, struct err *err)
{
    struct profile *profile = submit->profile;
    struct user_answer answer = {0};
    _cleanup_envelopes_ struct list all = {0};
    struct key32 key = profile->key;

    if (user_ask(submit, ASK_OWN, profile->email, &answer, err) != 0) {
        return -1;
    }
    bool same = hash_equal(&answer.verify, &profile->by);
    int done = same ? 1
               : sort_first(&answer, &all, err) != 0
                   ? -1
                   : replace(profile, &all, &answer.verify, err);
    table_done(&user_answer_table, &answer);
    return done == 0 && memcmp(key.b, profile->key.b, sizeof(key.b)) != 0
               ? err_exit(err, EXIT_CONFIG,
                          "the key of this profile was replaced elsewhere: "
                          "submit key import FILE")
               : done;
}
