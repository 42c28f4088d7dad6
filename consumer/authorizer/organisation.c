/* organisation.c: see organisation.h. */
#include "consumer/authorizer/organisation.h"

#include "consumer/authorizer/handlers.h"

static int read_rules(const struct asking *asking,
                      struct rules_answer *ret_answer, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT p.version, p.hash, p.mfa, p.password_min, p.session_ttl, "
           "p.invitation_ttl, p.keep, p.set_at, u.email FROM policies p "
           "JOIN users u ON u.id = p.set_by ORDER BY p.version DESC LIMIT 1",
           &rows, err) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        *ret_answer = (struct rules_answer){.rules = rules_default};
        return 0;
    }
    *ret_answer = (struct rules_answer){
        .rules = {.mfa = word_value(&mfa_rule_words, row_text(rows, 0, "mfa")),
                  .password_min = row_int(rows, 0, "password_min"),
                  .session_ttl = row_int(rows, 0, "session_ttl"),
                  .invitation_ttl = row_int(rows, 0, "invitation_ttl"),
                  .keep = row_int(rows, 0, "keep")},
        .version = row_int(rows, 0, "version"),
        .hash = row_hash(rows, 0, "hash"),
        .set = row_time(rows, 0, "set_at"),
        .set_by = must_strdup(row_text(rows, 0, "email")),
    };
    return 0;
}

int rules_now(const struct asking *asking, struct rules *ret_rules,
              struct err *err)
{
    struct rules_answer answer = {0};

    if (read_rules(asking, &answer, err) != 0) {
        return -1;
    }
    *ret_rules = answer.rules;
    table_done(&rules_answer_table, &answer);
    return 0;
}

int on_policy_list(struct asking *asking, struct err *err)
{
    struct rules_answer answer = {0};

    return read_rules(asking, &answer, err) != 0
               ? -1
               : asking_answer_take(asking, &rules_answer_table, &answer, err);
}

/* Each set names the one before: who changed something meanwhile is seen. */
static int check_newest(struct asking *asking, const struct policy_set *set,
                        struct err *err)
{
    struct rules_answer now = {0};

    if (read_rules(asking, &now, err) != 0) {
        return -1;
    }
    bool follows = set->version == now.version + 1 &&
                   hash_equal(&set->previous, &now.hash);
    int done = follows ? 0
                       : asking_refuse(asking, REPLY_CONFLICT,
                                       "the policy was changed meanwhile, to "
                                       "version %lld: look again",
                                       (long long)now.version);
    table_done(&rules_answer_table, &now);
    return done;
}

static int store_policy(struct asking *asking, struct err *err)
{
    const struct policy_set *set = asking->request->payload;

    return PG(asking->daemon->postgres,
              "INSERT INTO policies (version, hash, mfa, password_min, "
              "session_ttl, invitation_ttl, keep, set_by, set_at) "
              "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
              NULL, err, P_INT(set->version), P_HASH(&asking->request->hash),
              P_TEXT(word_text(&mfa_rule_words, set->rules.mfa)),
              P_INT(set->rules.password_min), P_INT(set->rules.session_ttl),
              P_INT(set->rules.invitation_ttl),
              set->rules.keep == 0 ? P_NULL : P_INT(set->rules.keep),
              P_ID(&asking->signer.person.user),
              P_TIME(set->request.head.issued));
}

int on_policy_set(struct asking *asking, struct err *err)
{
    const struct policy_set *set = asking->request->payload;

    return check_newest(asking, set, err)
               ?: asking_made(asking, &asking->request->hash, NULL,
                              set->version, err)
               ?: asking_store(asking, err)
               ?: store_policy(asking, err);
}
