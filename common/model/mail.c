/* mail.c: see mail.h. */
#include "model/mail.h"

#include <string.h>

WORDS(letter_words, "invitation", "followed", "reused", "reused_own", "ended");
WORDS(fate_words, "waiting", "delayed", "sent", "refused");

static const struct field mail_fate_fields[] = {
    {"mail", FIELD_ID, .at = offsetof(struct mail_fate, mail)},
    {"about", FIELD_HASH, .at = offsetof(struct mail_fate, about)},
    {"letter", FIELD_WORD, .words = &letter_words,
     .at = offsetof(struct mail_fate, letter)},
    {"user", FIELD_ID, .at = offsetof(struct mail_fate, user)},
    {"email", FIELD_TEXT, .max = EMAIL_MAX,
     .at = offsetof(struct mail_fate, email)},
    {"reason", FIELD_TEXT, .optional = true, .max = MAIL_REASON_MAX,
     .at = offsetof(struct mail_fate, reason)},
    {"tries", FIELD_INT, .at = offsetof(struct mail_fate, tries)},
    {"envelopes", FIELD_LIST, .optional = true, .max = PROOF_MAX,
     .item = &envelope_item, .at = offsetof(struct mail_fate, envelopes)},
};

const struct table mail_fate_table = {.name = "mail.fate",
                                      .base = &head_table,
                                      TABLE(mail_fate_fields),
                                      .size = sizeof(struct mail_fate),
                                      .open = true};

struct id mail_id(const struct hash *about, enum letter letter)
{
    static const char what[] = "errand.mail";
    const char *word = word_text(&letter_words, (int)letter);
    struct part parts[] = {{what, sizeof(what) - 1},
                           {about->b, sizeof(about->b)},
                           {word, strlen(word)}};
    struct hash hash = hash_tuple(parts, ARRAY_SIZE(parts));

    return id_of_hash(&hash);
}
