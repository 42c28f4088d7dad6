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
#include "producer/submit/place.h"

struct following {
    struct place place;
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
    const char *password; /* of the new key; NULL: a machine's */
    bool sent;            /* user.verify, as far as can be known here */
    struct files *files;
};

static void following_done(struct following *following)
{
    place_done(&following->place);
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
        say("Paste the block of the invitation's mail, or type the code that "
            "you were given.");
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
    following->answer.user.service = invited.service;
    proof_used(proof, &following->chain);
    return place_check_invited(&following->place, &following->root, &invited,
                               err);
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

/* Before the request is sent, so that no accepted key is ever lost. */
static int write_member(void *arg, const struct envelope *verify,
                        struct err *err)
{
    struct following *following = arg;
    _cleanup_envelopes_ struct list enrolment = {0};
    struct member member = {.directory = following->place.directory,
                            .root = &following->root,
                            .keys = following->own,
                            .password = following->password,
                            .enrolment = &enrolment};

    following->sent = true;
    place_set_aside(&following->place);
    envelopes_add(&enrolment, verify);
    for (size_t i = 0; i < following->chain.n; i++) {
        envelopes_add(&enrolment,
                      &list_at(&following->chain, struct envelope, i));
    }
    return member_write(&member, following->files, err);
}

static int finish(struct following *following, struct err *err)
{
    struct member member = {.directory = following->place.directory,
                            .brokers = following->brokers};

    if (place_is_configured(&following->place)) {
        return 0;
    }
    return member_config(&member, following->files, err);
}

/* Where it may have been accepted without our being told, the profile stays:
 * the code is worth nothing by then. */
static int become(struct following *following, struct err *err)
{
    struct rpc_call call = {.kind = EVENT_USER_VERIFY,
                            .payload = &following->verify,
                            .first = following->invitation,
                            .before = write_member,
                            .arg = following};

    following->own = key_pair_new();
    following->verify.key = following->own->key;
    call.second = following->own;
    int asked = rpc_ask(following->rpc, &call, NULL, NULL, err);
    bool unsure =
        asked != 0 && (err->status == EXIT_NO_ANSWER ||
                       (err->status == EXIT_BROKER && following->sent));
    struct err bad = {0};
    if (asked != 0 && !unsure) {
        return -1;
    }
    following->files->keep = true;
    if (finish(following, &bad) != 0) {
        *err = bad;
        return -1;
    }
    return unsure ? err_wrap(err, "your key is in %s; try `submit login` later",
                             following->place.directory)
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
    if (rpc_root(following->rpc) != NULL) {
        submit->rpc = take_ptr(following->rpc);
    }
    submit->may_set_up = true;
    if (asking_unlock(submit, flag_value(submit, "password-file"), err) != 0 ||
        asking_open_session(submit, &answer, err) != 0) {
        return -1;
    }
    greet(&answer);
    if (answer.state == USER_VERIFIED) {
        _cleanup_free_ char *words = key_words(&submit->profile->key);
        say("Your key's six words; read them to whoever confirms you, not by "
            "mail:");
        say("    %s", words);
    }
    table_done(&session_answer_table, &answer);
    return key_print(submit, submit->profile->email, &submit->profile->key,
                     err);
}

/* An earlier try was accepted, as it seems, and broken off after: its key is
 * here. Or somebody else followed the invitation. */
static int go_on(struct submit *submit, struct following *following,
                 struct err *err)
{
    say("submit: %s; going on with the key that is in %s", err->text,
        following->place.directory);
    following->files->keep = true;
    if (finish(following, err) != 0) {
        return -1;
    }
    return sign_in(submit, following, err) == 0
               ? 0
               : err_wrap(err, "not signed in with the key that is here; if it "
                               "was not you who followed this invitation, tell "
                               "your administrator");
}

static int join(struct submit *submit, struct following *following,
                struct err *err)
{
    const struct user_row *user = &following->answer.user;
    struct password_rules rules = {.min = following->answer.rules.password_min,
                                   .email = user->email};
    _cleanup_secret_ char *password = NULL;

    say("You are invited as %s%s: %s.", word_text(&role_words, user->role),
        user->service ? " (machine identity)" : "", user->email);
    if (!user->service) {
        password =
            new_password("New password", flag_value(submit, "password-file"),
                         "--password-file FILE", &rules, err);
        if (password == NULL) {
            return -1;
        }
    }
    following->password = password;
    if (become(following, err) != 0) {
        return -1;
    }
    return sign_in(submit, following, err) == 0
               ? 0
               : err_wrap(err, "you are a member now, but not signed in "
                               "(`submit login` goes on)");
}

static int follow(struct submit *submit, struct following *following,
                  struct err *err)
{
    const struct place *place = &following->place;

    if (place_read(&following->place, err) != 0 ||
        read_code(submit, following, err) != 0 ||
        place_brokers(place, following->brokers, &following->kafka, err) != 0) {
        return -1;
    }
    if (show_invitation(following, err) == 0) {
        return join(submit, following, err);
    }
    return place_was_begun(place, &following->invitation->key) &&
                   place_is_keyed(place) && following->rpc != NULL &&
                   rpc_status(following->rpc) == REPLY_CONFLICT
               ? go_on(submit, following, err)
               : -1;
}

int cmd_verify(struct submit *submit, struct err *err)
{
    _cleanup_files_ struct files files = {0};
    struct following following = {.files = &files};

    if (submit->n_args > 0) {
        return err_exit(err, EXIT_USAGE,
                        "a code on the command line can be read by others: "
                        "take it out, and type it when asked, or use "
                        "--code-file FILE (- is standard input)");
    }
    int done = follow(submit, &following, err);
    if (!files.keep) { /* nothing came of it */
        files_done(&files);
        files = (struct files){.keep = true};
        place_restore(&following.place);
    } else if (done == 0) {
        place_forget(&following.place);
    }
    following_done(&following);
    return done;
}
