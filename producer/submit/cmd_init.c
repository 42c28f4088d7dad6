/*
 * cmd_init.c: init: a new installation, off line (design: "The first hour").
 *
 * Makes the root key and the first administrator's, and with the root key the
 * two documents that everything else goes up to: root.init and the authorizer's
 * service.enrol. All files or none; nothing that is there is replaced.
 */
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/user.h"
#include "producer/submit/files.h"
#include "producer/submit/founding.h"

/* Everything that init decides before it writes. */
struct founding {
    char *email;
    const char *name; /* the authorizer's */
    char *profile;    /* directories */
    char *out;
    char *root_key;   /* path */
    struct key32 key; /* the authorizer's */
    struct key32 box;
    struct key_pair *root;
    struct key_pair *own;
    char *root_password;
    char *own_password;
    struct list envelopes; /* root.init */
    struct envelope enrolment;
};

static void founding_done(struct founding *founding)
{
    free(founding->email);
    free(founding->profile);
    free(founding->out);
    free(founding->root_key);
    key_pair_free(founding->root);
    key_pair_free(founding->own);
    secret_free(founding->root_password);
    secret_free(founding->own_password);
    envelopes_done(&founding->envelopes);
    envelope_done(&founding->enrolment);
}

static int read_flags(const struct submit *submit, struct founding *founding,
                      struct err *err)
{
    const char *line = flag_value(submit, "authorizer");
    const char *name = flag_value(submit, "authorizer-name");
    const char *out = flag_value(submit, "out");
    const char *root_key = flag_value(submit, "root-key");

    if (line == NULL) {
        return err_exit(err, EXIT_USAGE,
                        "--authorizer LINE is missing: the line that "
                        "`errand-authorizer --config FILE --make-key` prints");
    }
    founding->name = name == NULL ? "authorizer-1" : name;
    founding->email = email_normal(submit->args[0], err);
    founding->profile = profile_directory(err);
    if (founding->email == NULL || founding->profile == NULL ||
        name_check(founding->name, err) != 0 ||
        key_line_check(line, &founding->key, &founding->box, err) != 0) {
        return -1;
    }
    founding->out = must_strdup(out == NULL ? founding->profile : out);
    founding->root_key = root_key == NULL
                             ? must_printf("%s/root.key", founding->out)
                             : must_strdup(root_key);
    return 0;
}

static int check_new(const struct founding *founding, struct err *err)
{
    static const char root[] =
        "an installation has one root; move it away to found another";
    static const char profile[] =
        "this profile is somebody's; ERRAND_PROFILE names another";
    _cleanup_free_ char *enrol =
        must_printf("%s/%s.enrol.json", founding->out, founding->name);
    _cleanup_free_ char *pub = must_printf("%s/root.pub", founding->out);
    _cleanup_free_ char *init = must_printf("%s/root.init.json", founding->out);
    _cleanup_free_ char *key = must_printf("%s/key.json", founding->profile);
    _cleanup_free_ char *config = must_printf("%s/config", founding->profile);

    return files_absent(founding->root_key, root, err) != 0 ||
                   files_absent(pub, root, err) != 0 ||
                   files_absent(init, root, err) != 0 ||
                   files_absent(enrol, root, err) != 0 ||
                   files_absent(key, profile, err) != 0 ||
                   files_absent(config, profile, err) != 0
               ? -1
               : 0;
}

static int read_passwords(const struct submit *submit,
                          struct founding *founding, struct err *err)
{
    struct password_rules rules = {.email = founding->email};

    founding->root_password =
        new_password("New password of the root key",
                     flag_value(submit, "root-password-file"),
                     "--root-password-file FILE", &rules, err);
    if (founding->root_password == NULL) {
        return -1;
    }
    founding->own_password = new_password("New password of your own key",
                                          flag_value(submit, "password-file"),
                                          "--password-file FILE", &rules, err);
    return founding->own_password == NULL ? -1 : 0;
}

static int make_documents(struct founding *founding, struct err *err)
{
    founding->root = key_pair_new();
    founding->own = key_pair_new();
    struct hash root = key_id(&founding->root->key);
    int64_t now = clock_now();
    struct root_init init = {
        .head = head_new(&root, &root, now),
        .email = founding->email,
        .user = user_id(&root, &founding->own->key),
        .key = founding->own->key,
    };
    struct envelope envelope = {0};

    if (event_sign(EVENT_ROOT_INIT, &init, founding->root, NULL, &envelope,
                   err) != 0) {
        return -1;
    }
    envelopes_add(&founding->envelopes, &envelope);
    envelope_done(&envelope);
    struct service_enrol enrol = {.kind = SERVICE_AUTHORIZER,
                                  .name = (char *)founding->name,
                                  .key = founding->key,
                                  .box = founding->box};
    return authorizer_sign(founding->root, &enrol, &founding->enrolment, err);
}

/* What goes with the root key. */
static int write_root(const struct founding *founding, struct files *files,
                      struct err *err)
{
    _cleanup_free_ char *pub = must_printf("%s/root.pub", founding->out);
    _cleanup_free_ char *init = must_printf("%s/root.init.json", founding->out);
    _cleanup_free_ char *enrol =
        must_printf("%s/%s.enrol.json", founding->out, founding->name);

    return directory_make(founding->out, err) != 0 ||
                   files_key(files, founding->root_key, founding->root,
                             founding->root_password, err) != 0 ||
                   files_root(files, pub, &founding->root->key, err) != 0 ||
                   files_envelopes(files, init, NULL, &founding->envelopes,
                                   err) != 0 ||
                   files_envelopes(files, enrol, &founding->enrolment,
                                   &founding->envelopes, err) != 0
               ? -1
               : 0;
}

static int write_all(const struct founding *founding, struct err *err)
{
    _cleanup_files_ struct files files = {0};
    struct member member = {.directory = founding->profile,
                            .root = &founding->root->key,
                            .keys = founding->own,
                            .password = founding->own_password,
                            .enrolment = &founding->envelopes};

    if (write_root(founding, &files, err) != 0 ||
        member_write(&member, &files, err) != 0 ||
        member_config(&member, &files, err) != 0) {
        return -1;
    }
    files.keep = true;
    return 0;
}

static void tell(const struct founding *founding)
{
    say("%s is the first administrator of a new installation.",
        founding->email);
    say("  %s: the root key. Keep it and its password off line: it enrols "
        "authorizers, nothing else.",
        founding->root_key);
    say("  %s/root.pub: for [root] keys of every daemon's configuration.",
        founding->out);
    say("  %s/%s.enrol.json: for the authorizer's [service] enrolment; good "
        "for 90 days.",
        founding->out, founding->name);
    say("Next: start the authorizer, then `submit mfa setup` for your second "
        "factor, and `submit target add NAME`.");
}

static int found(const struct submit *submit, struct founding *founding,
                 struct err *err)
{
    if (read_flags(submit, founding, err) != 0 ||
        check_new(founding, err) != 0 ||
        read_passwords(submit, founding, err) != 0 ||
        make_documents(founding, err) != 0 || write_all(founding, err) != 0) {
        return -1;
    }
    tell(founding);
    return 0;
}

int cmd_init(struct submit *submit, struct err *err)
{
    struct founding founding = {0};
    int done = found(submit, &founding, err);

    founding_done(&founding);
    return done;
}
