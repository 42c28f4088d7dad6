/*
 * cmd_service.c: service enrol: a daemon becomes a member of the installation;
 * service rotate: one that is a member gets a new key; and service list: which
 * are.
 *
 * In comes the line that the daemon printed with --make-key; out goes a file
 * with its enrolment and the chain up to root.init, which its configuration
 * names. An authorizer is enrolled by the root key, off line, every other kind
 * by the administrator's own key. A rotation is one enrolment more for the same
 * name: both are in force until the older one is revoked (cmd_service_end.c).
 */
#include <libgen.h>
#include <string.h>

#include "base/file.h"
#include "model/read.h"
#include "producer/submit/saved.h"
#include "producer/submit/enrolled.h"
#include "producer/submit/founding.h"
#include "producer/submit/heard.h"
#include "producer/submit/shown.h"

struct enrolling {
    struct service_enrol enrol; /* lends the command line's texts */
    const char *out;
    struct list chain;        /* struct envelope */
    struct enrolments before; /* rotate: of the same kind and name */
    bool rotates;
};

static int need(const struct submit *submit, const char *name,
                const char **ret_value, struct err *err)
{
    *ret_value = flag_value(submit, name);
    return *ret_value != NULL
               ? 0
               : err_exit(err, EXIT_USAGE, "--%s is missing: `submit help %s`",
                          name, submit->verb->name);
}

static int read_kind(const char *word, int *ret_kind, struct err *err)
{
    *ret_kind = word_value(&service_kind_words, word);
    if (*ret_kind == SERVICE_RECORDER) {
        return err_exit(err, EXIT_DATA,
                        "a recorder signs nothing: there is nothing to enrol");
    }
    return *ret_kind != SERVICE_NONE
               ? 0
               : err_exit(err, EXIT_USAGE,
                          "'%.60s' is no kind of daemon: expected authorizer, "
                          "executor, scheduler or notifier",
                          word);
}

static int check_target(const struct service_enrol *enrol, struct err *err)
{
    bool executor = enrol->kind == SERVICE_EXECUTOR;

    if (executor && enrol->target == NULL) {
        return err_exit(err, EXIT_USAGE,
                        "an executor serves a target: --target TARGET");
    }
    if (!executor && enrol->target != NULL) {
        return err_exit(err, EXIT_USAGE, "only an executor has a --target");
    }
    return executor ? name_check(enrol->target, err) : 0;
}

static int read_target(const struct submit *submit, struct enrolling *enrolling,
                       struct err *err)
{
    if (enrolling->rotates) { /* it stays what it is */
        return 0;
    }
    enrolling->enrol.target = (char *)flag_value(submit, "target");
    return check_target(&enrolling->enrol, err);
}

static int read_line(const struct submit *submit, struct enrolling *enrolling,
                     struct err *err)
{
    struct service_enrol *enrol = &enrolling->enrol;
    const char *line;

    if (read_kind(submit->args[0], &enrol->kind, err) != 0 ||
        name_check(submit->args[1], err) != 0 ||
        need(submit, "key", &line, err) != 0 ||
        need(submit, "out", &enrolling->out, err) != 0) {
        return -1;
    }
    enrol->name = submit->args[1];
    if (read_target(submit, enrolling, err) != 0) {
        return -1;
    }
    return key_line_check(line, &enrol->key, &enrol->box, err) != 0
               ? -1
               : files_absent(enrolling->out,
                              "another file is needed for this "
                              "enrolment",
                              err);
}

static int write_out(const struct enrolling *enrolling,
                     const struct envelope *envelope, struct err *err)
{
    _cleanup_files_ struct files files = {.keep = true};

    return files_envelopes(&files, enrolling->out, envelope, &enrolling->chain,
                           err);
}

static void tell_enrolled(const struct enrolling *enrolling)
{
    const struct service_enrol *enrol = &enrolling->enrol;
    _cleanup_free_ char *until =
        enrol->until == 0 ? NULL : time_text(enrol->until);

    say("%s is enrolled%s%s%s%s%s: name %s in its [service] enrolment%s.",
        enrol->name, enrol->target == NULL ? "" : " for target ",
        enrol->target == NULL ? "" : enrol->target,
        enrolling->rotates ? " with the new key" : "",
        until == NULL ? "" : " until ", until == NULL ? "" : until,
        enrolling->out, enrolling->rotates ? ", and the new key file" : "");
    if (enrolling->rotates) {
        say("The older key counts as well, until: submit service revoke %s "
            "--older",
            enrol->name);
    }
}

/* Authorizers */

/* root.init is kept beside the root key, as init wrote it. */
static int read_root_init(struct enrolling *enrolling, const char *root_key,
                          const struct key_pair *root, struct err *err)
{
    _cleanup_free_ char *copy = must_strdup(root_key);
    _cleanup_free_ char *path = must_printf("%s/root.init.json", dirname(copy));
    struct roots roots = {.keys = {.items = (void *)&root->key, .n = 1}};
    _cleanup_proof_ struct proof *proof = proof_new(&roots, NULL, NULL);
    struct person first;

    if (envelopes_read(path, &enrolling->chain, err) != 0) {
        return -1;
    }
    struct hash hash = {0};
    if (enrolling->chain.n > 0) {
        hash = envelope_hash(&list_at(&enrolling->chain, struct envelope, 0));
    }
    if (proof_add_all(proof, &enrolling->chain, err) != 0 ||
        proof_person(proof, &hash, &first, err) != 0) {
        err->status = EXIT_DATA;
        return err_wrap(err, "%s is not this root key's", path);
    }
    return 0;
}

static int unlock_root(const struct submit *submit, const char *path,
                       struct key_pair **ret_root, struct err *err)
{
    const char *file = flag_value(submit, "root-password-file");
    _cleanup_secret_ char *password =
        file != NULL ? secret_from_file(file, err)
                     : prompt_secret("Password of the root key",
                                     "--root-password-file FILE", err);

    return password == NULL ? -1 : key_file_read(path, password, ret_root, err);
}

static int enrol_authorizer(const struct submit *submit,
                            struct enrolling *enrolling, struct err *err)
{
    const char *path;
    _cleanup_key_pair_ struct key_pair *root = NULL;
    _cleanup_envelope_ struct envelope envelope = {0};

    if (need(submit, "root-key", &path, err) != 0 ||
        unlock_root(submit, path, &root, err) != 0 ||
        read_root_init(enrolling, path, root, err) != 0 ||
        authorizer_sign(root, &enrolling->enrol, &envelope, err) != 0 ||
        write_out(enrolling, &envelope, err) != 0) {
        return -1;
    }
    tell_enrolled(enrolling);
    return 0;
}

/* The others */

static int take_chain(const struct submit *submit, const struct list *envelopes,
                      struct list *ret_chain, struct err *err)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&submit->profile->roots, NULL, NULL);
    struct person person;

    if (proof_add_all(proof, envelopes, err) != 0 ||
        proof_administrator(proof, &submit->profile->by, &person, err) != 0) {
        return -1;
    }
    proof_used(proof, ret_chain);
    return 0;
}

/* The own chain; who was confirmed after this profile was made learns from the
 * authorizer by whom. */
static int own_chain(struct submit *submit, struct list *ret_chain,
                     struct err *err)
{
    struct user_answer answer = {0};
    struct err ignored = {0};

    if (take_chain(submit, &submit->profile->enrolment, ret_chain, &ignored) ==
        0) {
        return 0;
    }
    if (user_ask(submit, ASK_SESSION, submit->profile->email, &answer, err) !=
        0) {
        return -1;
    }
    int done = take_chain(submit, &answer.envelopes, ret_chain, err);
    table_done(&user_answer_table, &answer);
    if (done != 0) {
        err->status = EXIT_NOT_ALLOWED;
    }
    return done;
}

/* The envelope that was accepted: signed again, the same bytes. */
static int enrol_service(struct submit *submit, struct enrolling *enrolling,
                         struct err *err)
{
    _cleanup_envelope_ struct envelope envelope = {0};

    if (own_chain(submit, &enrolling->chain, err) != 0 ||
        submit_ask(submit,
                   &(struct question){.as = ASK_OWN,
                                      .kind = EVENT_SERVICE_ENROL,
                                      .payload = &enrolling->enrol},
                   err) != 0 ||
        event_sign(EVENT_SERVICE_ENROL, &enrolling->enrol, submit->own, NULL,
                   &envelope, err) != 0 ||
        write_out(enrolling, &envelope, err) != 0) {
        return -1;
    }
    tell_enrolled(enrolling);
    return 0;
}

/* What serves a target under this name goes on serving it. */
static int find_before(struct submit *submit, struct enrolling *enrolling,
                       struct err *err)
{
    struct service_enrol *enrol = &enrolling->enrol;
    const char *kind = word_text(&service_kind_words, enrol->kind);

    if (enrolments_ask(submit, enrol->kind, enrol->name, &enrolling->before,
                       err) != 0) {
        return -1;
    }
    if (enrolling->before.list.n == 0) {
        return err_exit(err, EXIT_NOT_FOUND,
                        "no %s %s is enrolled: submit service enrol %s %s",
                        kind, enrol->name, kind, enrol->name);
    }
    for (size_t i = 0; i < enrolling->before.list.n; i++) {
        const struct service_enrol *one =
            list_at(&enrolling->before.list, struct enrolled, i).enrol;
        if (memcmp(one->key.b, enrol->key.b, sizeof(one->key.b)) == 0) {
            return err_exit(err, EXIT_DATA,
                            "that is the key which %s has: --make-key makes a "
                            "new one where [service] key names another file",
                            enrol->name);
        }
    }
    const struct service_enrol *before =
        list_at(&enrolling->before.list, struct enrolled, 0).enrol;
    enrol->target = before->target;
    enrol->generation = before->generation;
    return 0;
}

/* Which target of that name there is now, by the log. */
static int find_target(struct submit *submit, struct service_enrol *enrol,
                       struct err *err)
{
    struct target_answer answer = {0};
    const struct place_standing *place;

    if (target_ask(submit, enrol->target, &answer, err) != 0) {
        return -1;
    }
    table_done(&target_answer_table, &answer);
    if (heard_current(submit, err) != 0) {
        return -1;
    }
    place = standing_place(heard_standing(submit), enrol->target);
    enrol->generation =
        place == NULL || place->generation == 1 ? 0 : place->generation;
    return 0;
}

static int enrol(struct submit *submit, struct enrolling *enrolling,
                 struct err *err)
{
    if (read_line(submit, enrolling, err) != 0) {
        return -1;
    }
    if (enrolling->enrol.kind == SERVICE_AUTHORIZER) {
        return enrol_authorizer(submit, enrolling, err);
    }
    submit->profile = profile_open(err);
    if (submit->profile == NULL ||
        (enrolling->rotates && find_before(submit, enrolling, err) != 0)) {
        return -1;
    }
    struct service_enrol *enrol = &enrolling->enrol;
    if (enrol->target != NULL && !enrolling->rotates &&
        find_target(submit, enrol, err) != 0) {
        return -1;
    }
    return enrol_service(submit, enrolling, err);
}

static int enrol_and_free(struct submit *submit, struct enrolling *enrolling,
                          struct err *err)
{
    int done = enrol(submit, enrolling, err);

    envelopes_done(&enrolling->chain);
    enrolments_done(&enrolling->before);
    return done;
}

int cmd_service_enrol(struct submit *submit, struct err *err)
{
    return enrol_and_free(submit, &(struct enrolling){0}, err);
}

int cmd_service_rotate(struct submit *submit, struct err *err)
{
    return enrol_and_free(submit, &(struct enrolling){.rotates = true}, err);
}

/* service list */

static const struct column service_columns[] = {
    {"name", COLUMN_TEXT, .at = offsetof(struct service_row, name)},
    {"kind", COLUMN_WORD, .at = offsetof(struct service_row, kind),
     .words = &service_kind_words},
    {"target", COLUMN_TEXT, .at = offsetof(struct service_row, target)},
    {"enrolled", COLUMN_TIME, .at = offsetof(struct service_row, enrolled)},
    {"by", COLUMN_TEXT, .at = offsetof(struct service_row, enrolled_by),
     .wide = true},
    {"until", COLUMN_TIME, .at = offsetof(struct service_row, until)},
    {"state", COLUMN_WORD, .at = offsetof(struct service_row, state),
     .words = &service_state_words},
    {"enrolment", COLUMN_HASH, .at = offsetof(struct service_row, hash)},
};

int cmd_service_list(struct submit *submit, struct err *err)
{
    struct noun noun = {.table = row_table(&services_answer_table),
                        .columns = service_columns,
                        .n = ARRAY_SIZE(service_columns)};
    struct services_answer answer = {0};

    if (services_ask(submit, 0, &answer, err) != 0) {
        return -1;
    }
    int done = print_rows(&submit->print, &noun, &answer.services, err);
    table_done(&services_answer_table, &answer);
    return done;
}
