/*
 * rules.h: what an organisation asks of its people: the payload policy.set.
 *
 * Each version is whole, and names the one before. What the proof enforces
 * besides (a session's eight hours, an invitation's three days) can be made
 * shorter here, never longer.
 */
#pragma once

#include "model/request.h"

#define PASSWORD_MIN 15 /* characters; a policy may ask for more */
#define PASSWORD_MIN_MAX 64

/* Longer than the topics' own 30 days: what is read from them once more must
 * find what it was the first time. */
#define KEEP_DAYS_MIN 31
#define KEEP_DAYS_MAX 3650

enum mfa_rule { MFA_RULE_NONE, MFA_OPTIONAL, MFA_REQUIRED };

extern const struct words mfa_rule_words;

struct rules {
    int mfa;
    int64_t password_min;   /* characters */
    int64_t session_ttl;    /* s */
    int64_t invitation_ttl; /* s */
    int64_t keep;           /* s: output, results, requests; 0: for ever */
};

/* What counts while nobody has said anything. */
extern const struct rules rules_default;
extern const struct table rules_table;

struct policy_set { /* administrator's own key */
    struct request request;
    int64_t version;
    struct hash previous; /* the policy.set before; zero: the first */
    struct rules rules;
};

extern const struct table policy_set_table;

/* Sets one rule by its name ("session.ttl") and what a person wrote ("4h").
 * -1 (REJECT): no such rule, or out of its bounds. */
int rules_assign(struct rules *rules, const char *name, const char *value,
                 struct err *err);

/* The name of the i-th rule, NULL behind the last; and its value in words, the
 * caller's to free. */
const char *rules_name(size_t i);
char *rules_value(const struct rules *rules, size_t i);
