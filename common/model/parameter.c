/* parameter.c: see parameter.h. One row of `types` per type. */
#include "model/parameter.h"

#include <ctype.h>
#include <string.h>

#include "base/codec.h"
#include "base/suggest.h"
#include "base/calendar.h"
#include "base/utf8.h"
#include "model/limits.h"

#define INT_DIGITS 18 /* what any shell's arithmetic holds */
#define NUMBER_MAX 40 /* bytes */

WORDS(parameter_type_words, "string", "int", "number", "bool", "choice", "path",
      "date", "secret", "file");

static const struct field parameter_fields[] = {
    {"name", FIELD_NAME, .at = offsetof(struct parameter, name)},
    {"type", FIELD_WORD, .words = &parameter_type_words,
     .at = offsetof(struct parameter, type)},
    {"required", FIELD_BOOL, .optional = true,
     .at = offsetof(struct parameter, required)},
    {"default", FIELD_TEXT, .optional = true, .max = PARAMETER_VALUE_MAX,
     .at = offsetof(struct parameter, fallback)},
    {"fixed", FIELD_TEXT, .optional = true, .max = PARAMETER_VALUE_MAX,
     .at = offsetof(struct parameter, fixed)},
    {"help", FIELD_TEXT, .optional = true,
     .at = offsetof(struct parameter, help)},
    {"choices", FIELD_LIST, .optional = true, .item = &text_item,
     .max = CHOICES_MAX, .at = offsetof(struct parameter, choices)},
    {"min", FIELD_TEXT, .optional = true, .max = NUMBER_MAX,
     .at = offsetof(struct parameter, min)},
    {"max", FIELD_TEXT, .optional = true, .max = NUMBER_MAX,
     .at = offsetof(struct parameter, max)},
    {"max_length", FIELD_INT, .optional = true, .min = 1,
     .max = PARAMETER_VALUE_MAX, .at = offsetof(struct parameter, max_length)},
    {"pattern", FIELD_TEXT, .optional = true, .max = PATTERN_MAX,
     .at = offsetof(struct parameter, pattern)},
};

const struct table parameter_table = {.name = "parameter",
                                      TABLE(parameter_fields),
                                      .size = sizeof(struct parameter)};

const struct field parameter_item = {
    .name = "parameter", .kind = FIELD_TABLE, .table = &parameter_table};

/* Types: each looks at UTF-8 of at most PARAMETER_VALUE_MAX bytes */

static bool is_string(const char *value)
{
    return !has_control(value, "\n\t");
}

/* How many digits stand first; 0 where a needless zero leads: a shell would
 * read the number as octal. */
static size_t whole(const char *value)
{
    size_t n = strspn(value, "0123456789");

    return n > 1 && value[0] == '0' ? 0 : n;
}

static bool is_int(const char *value)
{
    const char *digits = value + (value[0] == '-');
    size_t n = whole(digits);

    return n > 0 && n <= INT_DIGITS && digits[n] == '\0' &&
           strcmp(value, "-0") != 0;
}

static bool is_number(const char *value)
{
    const char *digits = value + (value[0] == '-');
    size_t n = whole(digits);

    if (n > 0 && digits[n] == '.') {
        size_t more = strspn(digits + n + 1, "0123456789");
        n = more > 0 ? n + 1 + more : 0;
    }
    return n > 0 && digits[n] == '\0' && strlen(value) <= NUMBER_MAX;
}

static bool is_bool(const char *value)
{
    return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
}

/* Each component between slashes, by its length. */
static bool is_path(const char *value)
{
    if (has_control(value, "") || value[0] != '/') {
        return false;
    }
    for (const char *at = value; value[1] != '\0' && *at == '/';) {
        size_t n = strcspn(++at, "/");
        if (n == 0 || (n == 1 && at[0] == '.') ||
            (n == 2 && at[0] == '.' && at[1] == '.')) {
            return false;
        }
        at += n;
    }
    return true;
}

static bool is_date(const char *value)
{
    static const char form[] = "0000-00-00";

    if (strlen(value) != sizeof(form) - 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        if (form[i] == '0' ? !isdigit((unsigned char)value[i])
                           : value[i] != form[i]) {
            return false;
        }
    }
    int year = atoi(value);
    int month = atoi(value + 5);
    int day = atoi(value + 8);

    return year >= 1 && month >= 1 && month <= 12 && day >= 1 &&
           day <= month_days(year, month);
}

/* A key or a certificate has lines, a token what it likes; NUL it can't have.
 */
static bool is_anything(const char *value)
{
    (void)value;
    return true;
}

static bool is_base64(const char *value)
{
    _cleanup_buf_ struct buf content = {0};

    return base64_decode(value, strlen(value), &content) == 0 &&
           content.len <= FILE_PARAMETER_MAX;
}

static const struct type {
    bool (*is)(const char *value);
    const char *what;
} types[] = {
    [PARAMETER_STRING] = {is_string, "holds control bytes"},
    [PARAMETER_INT] = {is_int, "not a whole number, such as 12 or -3: at most "
                               "18 digits, no 0 before them"},
    [PARAMETER_NUMBER] = {is_number, "not a number, such as 12 or -0.5"},
    [PARAMETER_BOOL] = {is_bool, "neither true nor false"},
    [PARAMETER_CHOICE] = {is_string, "holds control bytes"},
    [PARAMETER_PATH] = {is_path, "not an absolute path, such as /var/log: "
                                 "without '.', '..', '//' or a '/' at its end"},
    [PARAMETER_DATE] = {is_date, "not a date, such as 2026-11-24"},
    [PARAMETER_SECRET] = {is_anything, ""},
    [PARAMETER_FILE] = {is_base64, "not a file's content in base64"},
};

static int not_a_choice(const struct list *choices, struct err *err)
{
    struct buf text = {0};

    for (size_t i = 0; i < choices->n; i++) {
        if (i > 0) {
            (void)buf_adds(&text, i + 1 == choices->n ? " or " : ", ");
        }
        (void)buf_adds(&text, list_at(choices, char *, i));
    }
    (void)err_set(err, ERR_REJECT, "not one of %s", buf_text(&text));
    buf_done(&text);
    return -1;
}

int parameter_check(const struct parameter *parameter, const char *value,
                    struct err *err)
{
    size_t len = strlen(value);

    if (parameter->type <= 0 || (size_t)parameter->type >= ARRAY_SIZE(types)) {
        return err_set(err, ERR_REJECT, "has no type");
    }
    size_t most =
        parameter->type == PARAMETER_FILE ? ARGUMENT_MAX : PARAMETER_VALUE_MAX;
    if (len > most) {
        return err_set(err, ERR_REJECT, "%zu bytes, and at most %zu can be",
                       len, most);
    }
    if (!utf8_is_good(value, len)) {
        return err_set(err, ERR_REJECT, "not UTF-8");
    }
    if (!types[parameter->type].is(value)) {
        return err_set(err, ERR_REJECT, "%s", types[parameter->type].what);
    }
    if (parameter->type == PARAMETER_CHOICE &&
        !texts_hold(&parameter->choices, value)) {
        return not_a_choice(&parameter->choices, err);
    }
    return limits_check(parameter, value, err);
}

static int choices_sound(const struct parameter *parameter, struct err *err)
{
    const struct list *choices = &parameter->choices;
    bool wanted = parameter->type == PARAMETER_CHOICE;

    if (wanted != (choices->n > 0)) {
        return err_set(err, ERR_REJECT,
                       wanted ? "missing: a choice has some"
                              : "only for the type choice");
    }
    for (size_t i = 0; i < choices->n; i++) {
        const char *choice = list_at(choices, char *, i);
        struct list before = {choices->items, i};
        if (choice[0] == '\0' || has_control(choice, "")) {
            return err_set(err, ERR_REJECT,
                           "an empty one, or one that holds "
                           "control bytes");
        }
        if (texts_hold(&before, choice)) {
            return err_set(err, ERR_REJECT, "'%.80s' is there twice", choice);
        }
    }
    return 0;
}

/* What it is where nobody says: fixed, or by default. */
static int standing_value_sound(const struct parameter *parameter,
                                const char *value, struct err *err)
{
    if (value == NULL) {
        return 0;
    }
    if (parameter->required) {
        return err_set(err, ERR_REJECT, "a required parameter has none");
    }
    if (parameter->type == PARAMETER_SECRET ||
        parameter->type == PARAMETER_FILE) {
        return err_set(err, ERR_REJECT, "a %s has none: who runs it gives it",
                       word_text(&parameter_type_words, parameter->type));
    }
    return parameter_check(parameter, value, err);
}

int parameter_sound(const struct parameter *parameter, const char **ret_member,
                    struct err *err)
{
    const char *ignored;
    const char **member = ret_member == NULL ? &ignored : ret_member;

    *member = "choices";
    if (choices_sound(parameter, err) != 0 ||
        limits_sound(parameter, member, err) != 0) {
        return -1;
    }
    *member = "default";
    if (standing_value_sound(parameter, parameter->fallback, err) != 0) {
        return -1;
    }
    *member = "fixed";
    if (parameter->fixed != NULL && parameter->fallback != NULL) {
        return err_set(err, ERR_REJECT, "what is fixed has no default");
    }
    return standing_value_sound(parameter, parameter->fixed, err);
}

/* Arguments */

const struct parameter *parameter_find(const struct list *parameters,
                                       const char *name)
{
    for (size_t i = 0; i < parameters->n; i++) {
        if (strcmp(list_at(parameters, struct parameter, i).name, name) == 0) {
            return &list_at(parameters, struct parameter, i);
        }
    }
    return NULL;
}

static int unknown(const struct list *parameters, const char *name,
                   struct err *err)
{
    const char *known[PARAMETERS_MAX];
    size_t n = 0;
    _cleanup_buf_ struct buf text = {0};

    if (parameters->n == 0) {
        return err_set(err, ERR_REJECT,
                       "there is no parameter '%.63s': this "
                       "command has none",
                       name);
    }
    for (; n < parameters->n && n < ARRAY_SIZE(known); n++) {
        known[n] = list_at(parameters, struct parameter, n).name;
        (void)buf_addf(&text, "%s%s", n == 0 ? "" : ", ", known[n]);
    }
    const char *close = suggest(name, known, n);
    return err_set(err, ERR_REJECT,
                   "there is no parameter '%.63s'%s%s%s; "
                   "there are: %s",
                   name, close == NULL ? "" : " (did you mean '",
                   close == NULL ? "" : close, close == NULL ? "" : "'?)",
                   buf_text(&text));
}

static int argument_check(const struct list *parameters,
                          const struct list *arguments, size_t i,
                          struct err *err)
{
    const struct pair *argument = &list_at(arguments, struct pair, i);
    const struct parameter *parameter =
        parameter_find(parameters, argument->name);
    struct list before = {arguments->items, i};

    if (parameter == NULL) {
        return unknown(parameters, argument->name, err);
    }
    if (parameter->fixed != NULL) {
        return err_set(err, ERR_REJECT,
                       "%s: the administrator fixed it: leave it out",
                       argument->name);
    }
    if (parameter->type == PARAMETER_SECRET) {
        return err_set(err, ERR_REJECT, "%s: a secret, and never sent in clear",
                       argument->name);
    }
    if (pairs_get(&before, argument->name) != NULL) {
        return err_set(err, ERR_REJECT, "%s: given twice", argument->name);
    }
    return parameter_check(parameter, argument->value, err) == 0
               ? 0
               : err_wrap(err, "%s", argument->name);
}

int arguments_check(const struct list *parameters, const struct list *arguments,
                    struct list *ret_values, struct err *err)
{
    struct list values = {0};

    for (size_t i = 0; i < arguments->n; i++) {
        if (argument_check(parameters, arguments, i, err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < parameters->n; i++) {
        const struct parameter *parameter =
            &list_at(parameters, struct parameter, i);
        const char *value = pairs_get(arguments, parameter->name);
        if (value == NULL && parameter->required &&
            parameter->type != PARAMETER_SECRET) {
            pairs_done(&values);
            return err_set(err, ERR_REJECT, "%s: missing, and required",
                           parameter->name);
        }
        value = parameter->fixed != NULL ? parameter->fixed
                : value != NULL          ? value
                                         : parameter->fallback;
        if (value != NULL && ret_values != NULL) {
            pairs_add(&values, parameter->name, value);
        }
    }
    if (ret_values != NULL) {
        *ret_values = values;
    }
    return 0;
}

void values_place_files(const struct list *parameters, const char *home,
                        struct list *values)
{
    for (size_t i = 0; i < values->n; i++) {
        struct pair *value = &list_at(values, struct pair, i);
        const struct parameter *parameter =
            parameter_find(parameters, value->name);
        if (parameter != NULL && parameter->type == PARAMETER_FILE) {
            free(value->value);
            value->value =
                must_printf("%s/" PARAMETER_FOLDER "/%s", home, value->name);
        }
    }
}

char *parameter_variable(const char *name)
{
    char *text = must_printf("ERRAND_PARAM_%s", name);

    for (char *c = text; *c != '\0'; c++) {
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    }
    return text;
}
