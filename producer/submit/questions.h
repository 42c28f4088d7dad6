/*
 * questions.h: what a command asks for, asked one after the other.
 *
 * Each answer is checked by arguments_check() as soon as it is there, and asked
 * for again with that check's own words until it is good. Of a file the answer
 * is where it is. Secrets are not among them: `run` asks for those itself, when
 * it starts, and keeps them nowhere else.
 */
#pragma once

#include "model/answer.h"
#include "producer/submit/console.h"

struct questions {
    const struct list *parameters; /* struct parameter; borrowed */
    char **answers; /* by parameter; NULL: none, its default counts */
    size_t *asked;  /* those parameters that are asked for, in their order */
    size_t n;
};

void questions_init(struct questions *questions, const struct list *parameters);
void questions_done(struct questions *questions);
#define _cleanup_questions_ _cleanup_(questions_done)

/* Asks from the `from`-th on. TYPED_TEXT: all have their answers; TYPED_BACK:
 * before the first one. */
enum typed questions_ask(struct questions *questions, size_t from);

/* A value as people say it: yes and no. */
const char *value_shown(const struct parameter *parameter, const char *value);

/* What was answered (struct pair); for pairs_done(). */
struct list questions_arguments(const struct questions *questions);
