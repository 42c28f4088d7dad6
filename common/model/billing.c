/* billing.c: see billing.h. */
#include "model/billing.h"

#include <string.h>

#include "model/user.h"

#define GENERATION_MAX 1000000

static const struct field billing_init_fields[] = {
    {"box", FIELD_FIXED, .max = 32, .at = offsetof(struct billing_init, box)},
    {"generation", FIELD_INT, .min = 1, .max = GENERATION_MAX,
     .at = offsetof(struct billing_init, generation)},
    {"previous", FIELD_HASH, .optional = true,
     .at = offsetof(struct billing_init, previous)},
};

const struct table billing_init_table = {.name = "billing.init",
                                         .base = &request_table,
                                         TABLE(billing_init_fields),
                                         .size = sizeof(struct billing_init)};

static const struct field card_step_fields[] = {
    {"number", FIELD_INT, .min = 1, .max = (1LL << 31) - 1,
     .at = offsetof(struct card_step, number)},
    {"previous", FIELD_HASH, .optional = true,
     .at = offsetof(struct card_step, previous)},
};

static const struct table card_step_table = {.name = "card step",
                                             .base = &request_table,
                                             TABLE(card_step_fields),
                                             .size = sizeof(struct card_step)};

static const struct field card_add_fields[] = {
    {"billing", FIELD_HASH, .at = offsetof(struct card_add, billing)},
    {"box", FIELD_BYTES, .max = CARD_BOX_MAX,
     .at = offsetof(struct card_add, box)},
    {"brand", FIELD_WORD, .words = &brand_words,
     .at = offsetof(struct card_add, brand)},
    {"last4", FIELD_TEXT, .max = 4, .at = offsetof(struct card_add, last4)},
    {"expiry", FIELD_TEXT, .max = MONTH_TEXT - 1,
     .at = offsetof(struct card_add, expiry)},
};

const struct table card_add_table = {.name = "card.add",
                                     .base = &card_step_table,
                                     TABLE(card_add_fields),
                                     .size = sizeof(struct card_add)};

static const struct field card_named_fields[] = {
    {"card", FIELD_ID, .at = offsetof(struct card_named, card)},
};

const struct table card_named_table = {.name = "card named",
                                       .base = &card_step_table,
                                       TABLE(card_named_fields),
                                       .size = sizeof(struct card_named)};

static const struct field card_list_fields[] = {
    {"email", FIELD_TEXT, .optional = true, .max = EMAIL_MAX,
     .at = offsetof(struct card_list, email)},
    {"after", FIELD_INT, .optional = true,
     .at = offsetof(struct card_list, after)},
};

const struct table card_list_table = {.name = "card.list",
                                      .base = &request_table,
                                      TABLE(card_list_fields),
                                      .size = sizeof(struct card_list)};

static const struct field card_export_fields[] = {
    {"user", FIELD_ID, .optional = true,
     .at = offsetof(struct card_export, user)},
    {"after", FIELD_INT, .optional = true,
     .at = offsetof(struct card_export, after)},
};

const struct table card_export_table = {.name = "card.export",
                                        .base = &request_table,
                                        TABLE(card_export_fields),
                                        .size = sizeof(struct card_export)};

static const struct field billing_answer_fields[] = {
    {"hash", FIELD_HASH, .optional = true,
     .at = offsetof(struct billing_answer, hash)},
    {"generation", FIELD_INT, .optional = true,
     .at = offsetof(struct billing_answer, generation)},
    {"envelopes", FIELD_LIST, .optional = true, .item = &envelope_item,
     .at = offsetof(struct billing_answer, envelopes)},
};

const struct table billing_answer_table = {.name = "billing answer",
                                           TABLE(billing_answer_fields),
                                           .size =
                                               sizeof(struct billing_answer),
                                           .open = true};

static const struct field step_row_fields[] = {
    {"user", FIELD_ID, .at = offsetof(struct step_row, user)},
    {"number", FIELD_INT, .at = offsetof(struct step_row, number)},
    {"envelope", FIELD_TABLE, .table = &envelope_table,
     .at = offsetof(struct step_row, envelope)},
};

static const struct table step_row_table = {.name = "step row",
                                            TABLE(step_row_fields),
                                            .size = sizeof(struct step_row),
                                            .open = true};

static const struct field step_row_item = {
    .name = "step", .kind = FIELD_TABLE, .table = &step_row_table};

static const struct field cards_answer_fields[] = {
    {"steps", FIELD_LIST, .optional = true, .item = &step_row_item,
     .at = offsetof(struct cards_answer, steps)},
    {"envelopes", FIELD_LIST, .optional = true, .item = &envelope_item,
     .at = offsetof(struct cards_answer, envelopes)},
    {"more", FIELD_BOOL, .optional = true,
     .at = offsetof(struct cards_answer, more)},
};

const struct table cards_answer_table = {.name = "cards answer",
                                         TABLE(cards_answer_fields),
                                         .size = sizeof(struct cards_answer),
                                         .open = true};

int card_label_check(const struct card_add *add, struct err *err)
{
    if (strlen(add->last4) != 4 || strspn(add->last4, "0123456789") != 4) {
        return err_set(err, ERR_REJECT, "last4: not four digits");
    }
    return month_is_good(add->expiry)
               ? 0
               : err_set(err, ERR_REJECT, "expiry: not a month: 2027-12");
}
