/*
 * cmd_verify.c: verify: following an invitation, from its code to a session.
 *
 * The code holds the seed of the invitation's key and half of the root's hash;
 * a block from a mail says besides how the broker is reached, which becomes the
 * profile's where its config does not say otherwise.
 * The answer to invitation.show brings the root's key; rpc believes nothing of
 * it unless that key's hash begins with this half and the answer's own chain
 * goes up to it. Then the invitation's chain is checked to the same key, and
 * only then a password is asked for and the key is pinned.
 */
#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/invitation.h"
#include "model/user.h"
#include "producer/submit/asking.h"
#include "producer/submit/compared.h"
#include "producer/submit/founding.h"
#include "producer/submit/greet.h"

struct following {
    char *directory;
    struct list kafka; /* struct pair */
    struct key_pair *invitation;
    struct id half;
    struct hash whole;                    /* the root's hash; zero: not told */
    char brokers[INVITATION_BROKERS + 1]; /* "": not told */
    struct key32 root;
    struct user_answer answer;
    struct list chain; /* of the invitation, checked */
    struct key_pair *own;
    struct user_verify verify;
    struct rpc *rpc;
};

static void following_done(struct following *following)
{
    free(following->directory);
    pairs_done(&following->kafka);
    key_pair_free(following->invitation);
    table_done(&user_answer_table, &following->answer);
    envelopes_done(&following->chain);
    key_pair_free(following->own);
    rpc_free(following->rpc);
}

static const char instead_code[] = "--code-file FILE, or --code-file -";

static int read_code(const struct submit *submit, struct following *following,
                     struct err *err)
{
    const char *file = flag_value(submit, "code-file");
    struct ticket ticket;

    if (file == NULL && prompt_can()) {
        say("Paste the whole block of the invitation's mail, or type the code "
            "that you were given.");
    }
    _cleanup_secret_ char *code =
        prompt_code("Verification code", file, instead_code, err);

    if (code == NULL) {
        return -1;
    }
    if (invitation_read(code, &ticket, err) != 0) {
        err->status = EXIT_DATA;
        return err_wrap(err, "the verification code");
    }
    following->invitation = key_pair_from_invitation(ticket.seed);
    following->half = ticket.half;
    following->whole = ticket.root;
    memcpy(following->brokers, ticket.brokers, sizeof(following->brokers));
    invitation_wipe(&ticket);
    return 0;
}

/* A directory in which nobody is yet; what is configured there of the broker
 * holds. */
static int read_place(struct following *following, struct err *err)
{
    static const char *const files[] = {"key.json", "enrolment.json",
                                        "root.pub"};

    following->directory = profile_directory(err);
    if (following->directory == NULL) {
        return -1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        _cleanup_free_ char *path =
            must_printf("%s/%s", following->directory, files[i]);
        if (files_absent(path,
                         "this profile is somebody's; ERRAND_PROFILE names "
                         "another directory",
                         err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* What the block says of the brokers counts, unless a config does already. */
static int read_brokers(struct following *following, struct err *err)
{
    const char *brokers =
        following->brokers[0] == '\0' ? NULL : following->brokers;

    return profile_brokers(following->directory, brokers, &following->kafka,
                           err);
}

/* The invitation's chain, up to the root that is the code's. */
static int check_invitation(struct following *following, struct err *err)
{
    struct roots roots = {.keys = {.items = &following->root, .n = 1}};
    _cleanup_proof_ struct proof *proof = proof_new(&roots, NULL, NULL);
    struct invitation invited;

    if (proof_add_all(proof, &following->answer.envelopes, err) != 0 ||
        proof_invitation(proof, &following->answer.invite, &invited, err)) {
        err->status = EXIT_DATA;
        return err_wrap(err, "the invitation can't be trusted");
    }
    if (memcmp(invited.key.b, following->invitation->key.b, 32) != 0) {
        return err_exit(err, EXIT_DATA,
                        "the answer is about another invitation than this "
                        "code's");
    }
    struct hash root = key_id(&following->root);
    following->verify = (struct user_verify){
        .request.head.root = root,
        .request.head.by = following->answer.invite,
        .user = invited.user,
        .invite = following->answer.invite,
        .generation = invited.generation,
    };
    free(following->answer.user.email); /* as signed, not as told */
    following->answer.user.email = must_strdup(invited.email);
    following->answer.user.role = invited.role;
    proof_used(proof, &following->chain);
    return 0;
}

static void on_late(void *arg, const char *what)
{
    (void)arg;
    say("waiting for %s", what);
}

static int show_invitation(struct following *following, struct err *err)
{
    static const struct roots none;
    struct invitation_show show = {.request.head.by =
                                       key_id(&following->invitation->key),
                                   .root_half = following->half};
    struct rpc_call call = {.kind = EVENT_INVITATION_SHOW,
                            .payload = &show,
                            .first = following->invitation};

    following->rpc = rpc_new(&following->kafka, &none, err);
    if (following->rpc == NULL) {
        return -1;
    }
    rpc_on_late(following->rpc, on_late, NULL);
    rpc_learn_root(following->rpc, &following->half);
    if (rpc_ask(following->rpc, &call, &user_answer_table, &following->answer,
                err) != 0) {
        return err->status == EXIT_NO_ANSWER
                   ? err_exit(err, EXIT_NO_ANSWER,
                              "no answer that can be believed: either nobody "
                              "answers now, or this code is not of the "
                              "installation at this broker, or was never "
                              "given out")
                   : -1;
    }
    following->root = *rpc_root(following->rpc);
    struct hash root = key_id(&following->root);
    if (!hash_is_zero(&following->whole) &&
        !hash_equal(&root, &following->whole)) {
        return err_exit(err, EXIT_DATA,
                        "the root that answers is not that of the block");
    }
    return check_invitation(following, err);
}

/* The request fills in what rpc_ask() adds, so the envelope is made again from
 * it: the same bytes, since Ed25519 signs the same way each time. */
static int write_profile(struct following *following, const char *password,
                         struct files *files, struct err *err)
{
    struct envelope verify = {0};
    struct list enrolment = {0};
    struct member member = {.directory = following->directory,
                            .root = &following->root,
                            .keys = following->own,
                            .password = password,
                            .enrolment = &enrolment,
                            .brokers = following->brokers};

    if (event_sign(EVENT_USER_VERIFY, &following->verify, following->invitation,
                   following->own, &verify, err) != 0) {
        return -1;
    }
    envelopes_add(&enrolment, &verify);
    envelope_done(&verify);
    for (size_t i = 0; i < following->chain.n; i++) {
        envelopes_add(&enrolment,
                      &list_at(&following->chain, struct envelope, i));
    }
    int done = member_write(&member, files, err);
    envelopes_done(&enrolment);
    return done;
}

/* Where it may have been accepted without our being told, the profile stays:
 * the code is worth nothing by then. */
static int become(struct following *following, const char *password,
                  struct err *err)
{
    _cleanup_files_ struct files files = {0};
    struct rpc_call call = {.kind = EVENT_USER_VERIFY,
                            .payload = &following->verify,
                            .first = following->invitation};

    following->own = key_pair_new();
    following->verify.key = following->own->key;
    call.second = following->own;
    _cleanup_free_ char *key = must_printf("%s/key.json", following->directory);
    if (directory_make(following->directory, err) != 0 ||
        files_key(&files, key, following->own, password, err) != 0) {
        return -1;
    }
    int asked = rpc_ask(following->rpc, &call, NULL, NULL, err);
    bool unsure = asked != 0 && err->status == EXIT_NO_ANSWER;
    struct err bad = {0};
    if (asked != 0 && !unsure) {
        return -1;
    }
    files.keep = true;
    if (write_profile(following, NULL, &files, &bad) != 0) {
        *err = bad;
        return -1;
    }
    return unsure ? err_wrap(err, "your key is in %s; try `submit login` later",
                             following->directory)
                  : 0;
}

static int sign_in(struct submit *submit, struct following *following,
                   struct err *err)
{
    struct session_answer answer = {0};

    submit->profile = profile_open(err);
    if (submit->profile == NULL) {
        return -1;
    }
    submit->own = take_ptr(following->own);
    submit->rpc = take_ptr(following->rpc);
    if (asking_open_session(submit, &answer, err) != 0) {
        return err_wrap(err, "you are a member now, but not signed in");
    }
    greet(&answer);
    if (answer.state == USER_VERIFIED) {
        _cleanup_free_ char *words = key_words(&submit->profile->key);
        say("Your key's six words; read them to whoever confirms you, not by "
            "mail: %s",
            words);
    }
    table_done(&session_answer_table, &answer);
    return key_print(submit, submit->profile->email, &submit->profile->key,
                     err);
}

static int follow(struct submit *submit, struct following *following,
                  struct err *err)
{
    const char *file = flag_value(submit, "password-file");

    if (read_place(following, err) != 0 ||
        read_code(submit, following, err) != 0 ||
        read_brokers(following, err) != 0 ||
        show_invitation(following, err) != 0) {
        return -1;
    }
    const struct user_row *user = &following->answer.user;
    say("You are invited as %s: %s.", word_text(&role_words, user->role),
        user->email);
    const char *about[] = {user->email, NULL};
    _cleanup_secret_ char *password =
        new_password("New password", file, "--password-file FILE", about, err);
    return password == NULL || become(following, password, err) != 0
               ? -1
               : sign_in(submit, following, err);
}

int cmd_verify(struct submit *submit, struct err *err)
{
    struct following following = {0};

    if (submit->n_args > 0) {
        return err_exit(err, EXIT_USAGE,
                        "a code on the command line can be read by others: "
                        "take it out, and type it when asked, or use "
                        "--code-file FILE (- is standard input)");
    }
    int done = follow(submit, &following, err);
    following_done(&following);
    return done;
}
