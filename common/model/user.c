/* user.c: see user.h. */
#include "model/user.h"

#include <ctype.h>
#include <string.h>

#include "base/utf8.h"

WORDS(role_words, "administrator", "runner", "runner_billing");
WORDS(user_state_words, "invited", "verified", "active", "removed");

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

static const struct field sealed_seed_fields[] = {
    {"to", FIELD_HASH, .at = offsetof(struct sealed_seed, to)},
    {"box", FIELD_BYTES, .max = 1024, .at = offsetof(struct sealed_seed, box)},
};

static const struct table sealed_seed_table = {.name = "sealed seed",
                                               TABLE(sealed_seed_fields),
                                               .size =
                                                   sizeof(struct sealed_seed)};

const struct field sealed_seed_item = {
    .name = "sealed", .kind = FIELD_TABLE, .table = &sealed_seed_table};

static const struct field user_invite_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct user_invite, user)},
    {"invitation", FIELD_FIXED, .max = 32,
     .at = offsetof(struct user_invite, invitation)},
    {"email", FIELD_TEXT, .max = EMAIL_MAX,
     .at = offsetof(struct user_invite, email)},
    {"role", FIELD_WORD, .words = &role_words,
     .at = offsetof(struct user_invite, role)},
    {"until", FIELD_TIME, .at = offsetof(struct user_invite, until)},
    {"name", FIELD_TEXT, .optional = true, .max = 4 * NAME_MAX_CHARACTERS,
     .at = offsetof(struct user_invite, name)},
    {"sealed", FIELD_LIST, .optional = true, .max = NOTIFIERS_MAX,
     .item = &sealed_seed_item, .at = offsetof(struct user_invite, sealed)},
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

#define LOCAL_MAX 64 /* RFC 5321, section 4.5.3.1 */
#define LABEL_MAX 63 /* RFC 1035, section 2.3.4 */

static bool is_atext(char c) /* RFC 5322, section 3.2.3, less ' and ` */
{
    return isalnum((unsigned char)c) ||
           (c != '\0' && strchr("!#$%&*+-/=?^_{|}~", c) != NULL);
}

static bool is_label(char c)
{
    return isalnum((unsigned char)c) || c == '-';
}

/* Parts of at most this many such characters, with a dot between each two. */
static bool dotted(const char *text, size_t len, bool (*is_good)(char),
                   size_t part_max)
{
    size_t part = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && part > 0) {
            part = 0;
        } else if (!is_good(text[i]) || ++part > part_max) {
            return false;
        }
    }
    return part > 0;
}

static bool email_is_good(const char *text)
{
    const char *at = strchr(text, '@');
    size_t local = at == NULL ? 0 : (size_t)(at - text);

    return at != NULL && strlen(text) <= EMAIL_MAX && local <= LOCAL_MAX &&
           dotted(text, local, is_atext, LOCAL_MAX) &&
           dotted(at + 1, strlen(at + 1), is_label, LABEL_MAX);
}

char *email_normal(const char *text, struct err *err)
{
    if (!email_is_good(text)) {
        bool plain = true;
        for (const char *c = text; *c != '\0'; c++) {
            plain = plain && *c > 0x20 && *c < 0x7f;
        }
        (void)err_set(err, ERR_REJECT,
                      plain ? "'%.80s' is not an e-mail address"
                            : "an e-mail address is printable ASCII without "
                              "spaces",
                      text);
        return NULL;
    }
    char *email = must_strdup(text);
    for (char *c = email; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    return email;
}

int display_name_check(const char *name, struct err *err)
{
    size_t len = strlen(name);
    size_t n = 0;

    while (len > 0) {
        uint32_t character;
        size_t size = utf8_first(name, len, &character);
        if (size == 0 || !utf8_is_shown(character)) {
            return err_set(err, ERR_REJECT,
                           "a name is text, without characters that can't be "
                           "seen or that turn the reading direction");
        }
        name += size;
        len -= size;
        n++;
    }
    return n > 0 && n <= NAME_MAX_CHARACTERS
               ? 0
               : err_set(err, ERR_REJECT, "a name has 1 to %d characters",
                         NAME_MAX_CHARACTERS);
}
