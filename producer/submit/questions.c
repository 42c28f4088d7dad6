/* questions.c: see questions.h. */
#include "producer/submit/questions.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "model/limits.h"
#include "producer/submit/wrap.h"

#define SHOWN_MAX 30 /* columns of a default inside a question */

void questions_init(struct questions *questions, const struct list *parameters)
{
    size_t n = parameters->n;

    *questions = (struct questions){
        .parameters = parameters,
        .answers = must_calloc(n + 1, sizeof(*questions->answers)),
        .asked = must_calloc(n + 1, sizeof(*questions->asked)),
    };
    for (size_t i = 0; i < n; i++) {
        const struct parameter *one = &list_at(parameters, struct parameter, i);
        if (one->fixed == NULL && one->type != PARAMETER_SECRET) {
            questions->asked[questions->n++] = i;
        }
    }
}

void questions_done(struct questions *questions)
{
    for (size_t i = 0; i < questions->n; i++) {
        free(questions->answers[questions->asked[i]]);
    }
    free(questions->answers);
    free(questions->asked);
    *questions = (struct questions){0};
}

struct list questions_arguments(const struct questions *questions)
{
    struct list arguments = {0};

    for (size_t i = 0; i < questions->parameters->n; i++) {
        if (questions->answers[i] != NULL) {
            pairs_add(&arguments,
                      list_at(questions->parameters, struct parameter, i).name,
                      questions->answers[i]);
        }
    }
    return arguments;
}

/* One value, by the check of all of them. NULL: it is left out. */
static int check(const struct parameter *parameter, const char *value,
                 struct err *err)
{
    if (parameter->type == PARAMETER_FILE && value != NULL) {
        _cleanup_buf_ struct buf content = {0};
        return file_read(value, FILE_PARAMETER_MAX, &content, err);
    }
    struct pair pair = {parameter->name, (char *)value};
    struct list alone = {(void *)parameter, 1};
    struct list given = {&pair, value == NULL ? 0 : 1};

    return arguments_check(&alone, &given, NULL, err);
}

/* What is shown */

static const char *const kinds[] = {
    [PARAMETER_INT] = "a whole number",
    [PARAMETER_NUMBER] = "a number, such as 12 or 0.5",
    [PARAMETER_BOOL] = "yes or no",
    [PARAMETER_CHOICE] = "one of these",
    [PARAMETER_PATH] = "a path from / on, such as /var/log",
    [PARAMETER_DATE] = "a date, such as 2026-11-24",
    [PARAMETER_FILE] = "where a file of yours is, which goes along",
};

/* "A whole number, at least 1, at most 50." */
static void show_kind(const struct parameter *parameter)
{
    size_t type = (size_t)parameter->type;
    const char *kind = type < ARRAY_SIZE(kinds) ? kinds[type] : NULL;
    _cleanup_free_ char *limits = limits_text(parameter);
    _cleanup_free_ char *text =
        must_printf("%s%s%s", kind == NULL ? "" : kind,
                    kind == NULL || limits == NULL ? "" : ", ",
                    limits == NULL ? "" : limits);

    if (text[0] != '\0') {
        text[0] = (char)toupper((unsigned char)text[0]);
        console_say("%s%s", text,
                    parameter->type == PARAMETER_CHOICE ? ":" : ".");
    }
}

static bool is_long(const char *value)
{
    return value != NULL && wrap_columns(value, strlen(value)) > SHOWN_MAX;
}

static void show(const struct questions *questions, size_t at)
{
    const struct parameter *parameter =
        &list_at(questions->parameters, struct parameter, questions->asked[at]);

    console_gap();
    console_say("Question %zu of %zu: %s", at + 1, questions->n,
                parameter->name);
    if (parameter->help != NULL) {
        console_say("%s", parameter->help);
    }
    show_kind(parameter);
    if (is_long(parameter->fallback)) {
        console_say("Without another answer it is: %s", parameter->fallback);
    }
}

const char *value_shown(const struct parameter *parameter, const char *value)
{
    if (parameter->type != PARAMETER_BOOL) {
        return value;
    }
    return strcmp(value, "true") == 0 ? "yes" : "no";
}

/* What Enter alone does; NULL: nothing. */
static char *enter_text(const struct parameter *parameter, const char *before)
{
    const char *value = before != NULL ? before : parameter->fallback;

    if (value == NULL) {
        return parameter->required ? NULL
                                   : must_strdup("Enter to leave it out");
    }
    if (value[0] == '\0') {
        return must_strdup("Enter for an empty text");
    }
    _cleanup_free_ char *clipped =
        wrap_clip(value_shown(parameter, value), SHOWN_MAX);
    return must_printf("Enter for %s", clipped);
}

/* Choices: by number, unless one of them could be taken for a number. */
static bool are_plain(const struct list *choices)
{
    for (size_t i = 0; i < choices->n; i++) {
        if (isdigit((unsigned char)list_at(choices, char *, i)[0])) {
            return true;
        }
    }
    return false;
}

static struct answer ask_choice(const struct parameter *parameter,
                                const char *may)
{
    bool plain = are_plain(&parameter->choices);
    struct pick pick = {.question = plain ? "Which one" : "Number or name",
                        .may = may,
                        .items = &parameter->choices,
                        .plain = plain,
                        .back = true};
    size_t number;
    struct answer answer = console_pick(&pick, &number);

    if (number > 0) {
        free(answer.text);
        answer.text =
            must_strdup(list_at(&parameter->choices, char *, number - 1));
    }
    return answer;
}

/* People say yes and no. */
static void say_as_bool(struct answer *answer)
{
    static const struct {
        const char *said;
        const char *meant;
    } words[] = {
        {"y", "true"}, {"yes", "true"}, {"n", "false"}, {"no", "false"}};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcasecmp(answer->text, words[i].said) == 0) {
            free(answer->text);
            answer->text = must_strdup(words[i].meant);
            return;
        }
    }
}

static struct answer ask(const struct parameter *parameter, const char *before)
{
    _cleanup_free_ char *may = enter_text(parameter, before);

    if (parameter->type == PARAMETER_CHOICE) {
        return ask_choice(parameter, may);
    }
    struct answer answer = console_ask(parameter->name, may, true);
    if (parameter->type == PARAMETER_BOOL) {
        say_as_bool(&answer);
    }
    return answer;
}

/* Until it is good. Enter alone keeps what was there before. */
static enum typed ask_one(const struct parameter *parameter, char **value)
{
    for (;;) {
        _cleanup_answer_ struct answer answer = ask(parameter, *value);
        bool enter = answer.text[0] == '\0' && !answer.quoted;
        const char *given = enter ? *value : answer.text;
        struct err err = {0};
        if (answer.how != TYPED_TEXT) {
            return answer.how;
        }
        if (check(parameter, given, &err) == 0) {
            if (!enter) {
                free(*value);
                *value = take_ptr(answer.text);
            }
            return TYPED_TEXT;
        }
        console_say("%s. Please %s.", err.text,
                    parameter->type == PARAMETER_BOOL ? "type yes or no"
                                                      : "try again");
    }
}

enum typed questions_ask(struct questions *questions, size_t from)
{
    for (size_t at = from; at < questions->n;) {
        size_t i = questions->asked[at];
        show(questions, at);
        enum typed how =
            ask_one(&list_at(questions->parameters, struct parameter, i),
                    &questions->answers[i]);
        if (how == TYPED_QUIT || (how == TYPED_BACK && at == 0)) {
            return how;
        }
        at = how == TYPED_BACK ? at - 1 : at + 1;
    }
    return TYPED_TEXT;
}
