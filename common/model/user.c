/* user.c: see user.h. */
#include "model/user.h"

#include <ctype.h>
#include <string.h>

WORDS(role_words, "administrator", "runner", "runner_billing");
WORDS(user_state_words, "invited", "verified", "active");

static const struct field root_init_fields[] = {
    {"email", FIELD_TEXT, .max = EMAIL_MAX,
     .at = offsetof(struct root_init, email)},
    {"user", FIELD_ID, .at = offsetof(struct root_init, user)},
    {"key", FIELD_FIXED, .max = 32, .at = offsetof(struct root_init, key)},
};

const struct table root_init_table = {.name = "root.init",
                                      .base = &head_table,
                                      TABLE(root_init_fields),
                                      .size = sizeof(struct root_init)};

static const struct field user_invite_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct user_invite, user)},
    {"invitation", FIELD_FIXED, .max = 32,
     .at = offsetof(struct user_invite, invitation)},
    {"email", FIELD_TEXT, .max = EMAIL_MAX,
     .at = offsetof(struct user_invite, email)},
    {"role", FIELD_WORD, .words = &role_words,
     .at = offsetof(struct user_invite, role)},
    {"until", FIELD_TIME, .at = offsetof(struct user_invite, until)},
    {"sealed", FIELD_BYTES, .optional = true, .max = 4096,
     .at = offsetof(struct user_invite, sealed)},
    {"mfa", FIELD_BOOL, .optional = true,
     .at = offsetof(struct user_invite, mfa)},
    {"service", FIELD_BOOL, .optional = true,
     .at = offsetof(struct user_invite, service)},
};

const struct table user_invite_table = {.name = "user.invite",
                                        .base = &request_table,
                                        TABLE(user_invite_fields),
                                        .size = sizeof(struct user_invite)};

/* In place of head_table: what the holder of a code can't know is not there. */
static const struct field invitation_show_fields[] = {
    {"id", FIELD_ID, .at = offsetof(struct invitation_show, request.head.id)},
    {"issued", FIELD_TIME,
     .at = offsetof(struct invitation_show, request.head.issued)},
    {"by", FIELD_HASH, .at = offsetof(struct invitation_show, request.head.by)},
    {"expires", FIELD_TIME,
     .at = offsetof(struct invitation_show, request.expires)},
    {"reply", FIELD_TABLE, .table = &reply_to_table,
     .at = offsetof(struct invitation_show, request.reply)},
    {"root_half", FIELD_ID, .at = offsetof(struct invitation_show, root_half)},
};

const struct table invitation_show_table = {.name = "invitation.show",
                                            TABLE(invitation_show_fields),
                                            .size =
                                                sizeof(struct invitation_show)};

static const struct field user_verify_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct user_verify, user)},
    {"invite", FIELD_HASH, .at = offsetof(struct user_verify, invite)},
    {"key", FIELD_FIXED, .max = 32, .at = offsetof(struct user_verify, key)},
    {"generation", FIELD_INT, .min = 1, .max = 1000000,
     .at = offsetof(struct user_verify, generation)},
};

const struct table user_verify_table = {.name = "user.verify",
                                        .base = &request_table,
                                        TABLE(user_verify_fields),
                                        .size = sizeof(struct user_verify)};

static const struct field user_confirm_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct user_confirm, user)},
    {"key", FIELD_FIXED, .max = 32, .at = offsetof(struct user_confirm, key)},
    {"verify", FIELD_HASH, .at = offsetof(struct user_confirm, verify)},
};

const struct table user_confirm_table = {.name = "user.confirm",
                                         .base = &request_table,
                                         TABLE(user_confirm_fields),
                                         .size = sizeof(struct user_confirm)};

struct id user_id(const struct hash *root, const struct key32 *first_key)
{
    struct part parts[] = {{root->b, sizeof(root->b)},
                           {first_key->b, sizeof(first_key->b)}};
    struct hash hash = hash_tuple(parts, ARRAY_SIZE(parts));

    return id_of_hash(&hash);
}

int invite_check(const struct user_invite *invite, const struct hash *root,
                 struct err *err)
{
    struct id user = user_id(root, &invite->invitation);

    if (!id_equal(&user, &invite->user)) {
        return err_set(err, ERR_REJECT,
                       "user.invite: the user's id is not that of the "
                       "invitation");
    }
    if (invite->until > invite->request.head.issued + INVITATION_LIFE) {
        return err_set(err, ERR_REJECT, "user.invite: open for too long");
    }
    if (invite->service && (invite->role != ROLE_RUNNER || invite->mfa)) {
        return err_set(err, ERR_REJECT,
                       "user.invite: a machine identity is a runner, without "
                       "a second factor");
    }
    return 0;
}

char *email_normal(const char *text, struct err *err)
{
    const char *at = strchr(text, '@');
    size_t len = strlen(text);

    if (at == NULL || at == text || at[1] == '\0' ||
        strchr(at + 1, '@') != NULL || len > EMAIL_MAX ||
        text[strcspn(text, " \t<>(),;:\"[]\\'`")] != '\0') {
        (void)err_set(err, ERR_REJECT, "'%.80s' is not an e-mail address",
                      text);
        return NULL;
    }
    char *email = must_strdup(text);
    for (char *c = email; *c != '\0'; c++) {
        if (*c < 0x21 || *c > 0x7e) {
            free(email);
            (void)err_set(err, ERR_REJECT,
                          "an e-mail address is printable "
                          "ASCII without spaces");
            return NULL;
        }
        *c = (char)tolower((unsigned char)*c);
    }
    return email;
}

char *account_normal(const char *text, struct err *err)
{
    return strchr(text, '@') == NULL && name_is_good(text)
               ? must_strdup(text)
               : email_normal(text, err);
}
