/* card_form.c: see card_form.h. */
#include "producer/submit/card_form.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "producer/submit/card_line.h"

#define FILE_BYTES 4096
#define TRIES 5
#define LINES 3

static const char instead[] = "--file FILE, or --file - (standard input)";

/* What a security code is called where somebody wants to give it. */
static const char *const code_words[] = {"cvv", "cvc",      "cvn", "csc",
                                         "cid", "security", "code"};

void card_typed_done(struct card_typed *typed)
{
    secret_free(typed->number);
    secret_free(typed->name);
    *typed = (struct card_typed){0};
}

int card_refuse_words(const struct submit *submit, struct err *err)
{
    for (size_t i = 0; i < submit->given.n; i++) {
        const char *name = list_at(&submit->given, struct pair, i).name;
        for (size_t w = 0; w < ARRAY_SIZE(code_words); w++) {
            if (strncmp(name, code_words[w], strlen(code_words[w])) == 0) {
                return card_no_code(EXIT_USAGE, err);
            }
        }
    }
    bool piped = submit->n_args == 1 && strcmp(submit->args[0], "-") == 0;
    return (submit->n_args > 0 && !piped) || flag_given(submit, "number")
               ? err_exit(err, EXIT_USAGE,
                          "a card on the command line can be read by others: "
                          "take it out, and type it when asked, or use --file "
                          "FILE (- is standard input)")
               : 0;
}

/* How many digits the number has, where it was said. */
static int read_length(const struct submit *submit, int64_t *ret_length,
                       struct err *err)
{
    const char *text = flag_value(submit, "digits");
    char *end = NULL;

    *ret_length = text == NULL ? 0 : strtol(text, &end, 10);
    return text == NULL || (isdigit((unsigned char)text[0]) && *end == '\0' &&
                            *ret_length <= CARD_DIGITS_MAX)
               ? 0
               : err_exit(err, EXIT_USAGE,
                          "--digits: how many digits the card's number has, "
                          "such as 19");
}

/* Each checks one answer, and brings it into its form. */
struct form {
    struct card_typed *typed;
    int64_t length;
};

static int check_number(struct form *form, char *answer, struct err *err)
{
    return card_digits(answer, err) != 0
               ? -1
               : card_number_check(answer, form->length, &form->typed->brand,
                                   err);
}

static int check_name(struct form *form, char *answer, struct err *err)
{
    (void)form;
    return card_name_check(answer, err);
}

static int check_expiry(struct form *form, char *answer, struct err *err)
{
    char now[MONTH_TEXT];

    month_of(clock_now(), now);
    return card_expiry_read(answer, now, form->typed->expiry, err);
}

static const struct question_row {
    const char *question;
    int (*check)(struct form *form, char *answer, struct err *err);
} questions[LINES] = {
    {"Card number", check_number},
    {"Name on the card", check_name},
    {"Expires (MM/YY)", check_expiry},
};

static void trim(char *text)
{
    size_t start = strspn(text, " \t");
    size_t len = strlen(text + start);

    while (len > 0 && isspace((unsigned char)text[start + len - 1])) {
        len--;
    }
    memmove(text, text + start, len);
    text[len] = '\0';
}

/* The answer to one question, asked again until it is good; NULL: err. */
static char *ask(struct form *form, const struct question_row *row,
                 struct err *err)
{
    for (int i = 0; i < TRIES; i++) {
        _cleanup_secret_ char *answer =
            prompt_line(row->question, NULL, instead, err);
        if (answer == NULL) {
            return NULL;
        }
        trim(answer);
        if (row->check(form, answer, err) == 0) {
            return take_ptr(answer);
        }
        if (i < TRIES - 1) {
            say("%s", err->text);
        }
    }
    return NULL;
}

static char *secret_dup(const char *text)
{
    char *copy = sodium_malloc(SECRET_MAX);

    if (copy == NULL || strlen(text) >= SECRET_MAX) {
        abort();
    }
    memcpy(copy, text, strlen(text) + 1);
    return copy;
}

static int on_number(void *arg, char *digits, struct err *err)
{
    return check_number(arg, digits, err);
}

static char *ask_number(struct form *form, struct err *err)
{
    _cleanup_secret_ char *digits = secret_dup("");

    return card_line(questions[0].question, instead, on_number, form, digits,
                     err) != 0
               ? NULL
               : take_ptr(digits);
}

/* Keeps number and name; the expiry has its form already. */
static void keep(struct card_typed *typed, size_t question, char **answer)
{
    if (question == 0) {
        typed->number = take_ptr(*answer);
    } else if (question == 1) {
        typed->name = take_ptr(*answer);
    }
}

static int ask_all(struct form *form, struct err *err)
{
    for (size_t i = 0; i < LINES; i++) {
        _cleanup_secret_ char *answer =
            i == 0 ? ask_number(form, err) : ask(form, &questions[i], err);
        if (answer == NULL) {
            return -1;
        }
        keep(form->typed, i, &answer);
    }
    return 0;
}

/* Files */

static int open_private(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat about;

    if (fd < 0 || fstat(fd, &about) != 0) {
        (void)err_exit(err, EXIT_INPUT, "%s: %s", path, strerror(errno));
    } else if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        (void)err_exit(err, EXIT_INPUT,
                       "%s: others may read or change this card; try: chmod "
                       "600 %s",
                       path, path);
    } else {
        return fd;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return -1;
}

/* All of it, into locked memory; the caller's: secret_free(). */
static char *read_text(const char *path, struct err *err)
{
    bool piped = strcmp(path, "-") == 0;
    _cleanup_close_ int fd =
        piped ? dup(STDIN_FILENO) : open_private(path, err);
    _cleanup_secret_ char *text = sodium_malloc(FILE_BYTES + 1);
    size_t len = 0;
    ssize_t n = 1;

    if (fd < 0 || text == NULL) {
        if (piped) {
            (void)err_exit(err, EXIT_INPUT, "standard input is closed");
        }
        return NULL;
    }
    while (n > 0 && len < FILE_BYTES) {
        n = read(fd, text + len, FILE_BYTES - len);
        len += n > 0 ? (size_t)n : 0;
    }
    if (n != 0) {
        (void)err_exit(err, n < 0 ? EXIT_INPUT : EXIT_DATA, "%s: %s",
                       piped ? "standard input" : path,
                       n < 0 ? strerror(errno) : "too long for a card");
        return NULL;
    }
    text[len] = '\0';
    return take_ptr(text);
}

/* A member of that name, most likely. */
static bool speaks_of_code(const char *json)
{
    for (size_t i = 0; i < ARRAY_SIZE(code_words); i++) {
        _cleanup_free_ char *quoted = must_printf("\"%s", code_words[i]);
        if (strcasestr(json, quoted) != NULL) {
            return true;
        }
    }
    return false;
}

struct card_text { /* of a file, as JSON: whatever was typed */
    char *answers[LINES];
};

static const struct field card_text_fields[] = {
    {"number", FIELD_TEXT, .max = SECRET_MAX - 1,
     .at = offsetof(struct card_text, answers[0])},
    {"name", FIELD_TEXT, .max = SECRET_MAX - 1,
     .at = offsetof(struct card_text, answers[1])},
    {"expiry", FIELD_TEXT, .max = SECRET_MAX - 1,
     .at = offsetof(struct card_text, answers[2])},
};

static const struct table card_text_table = {
    .name = "card", TABLE(card_text_fields), .size = sizeof(struct card_text)};

/* What is wrong is not quoted: it may be the number. */
static int split_json(const char *text, char *ret_answers[LINES],
                      struct err *err)
{
    struct card_text card;

    if (table_decode(&card_text_table, text, strlen(text), &card, err) != 0) {
        err_clear(err);
        return speaks_of_code(text)
                   ? card_no_code(EXIT_DATA, err)
                   : err_exit(err, EXIT_DATA,
                              "a card in a file is one object of three texts: "
                              "{\"number\": \"…\", \"name\": \"…\", "
                              "\"expiry\": \"MM/YY\"}");
    }
    for (size_t i = 0; i < LINES; i++) {
        ret_answers[i] = secret_dup(card.answers[i]);
        sodium_memzero(card.answers[i], strlen(card.answers[i]));
    }
    table_done(&card_text_table, &card);
    return 0;
}

static bool is_code(const char *line)
{
    size_t digits = strspn(line, "0123456789");

    return line[digits] == '\0' && (digits == 3 || digits == 4);
}

/* Cuts the text into lines, in place. */
static int split_lines(char *text, char *ret_answers[LINES], struct err *err)
{
    size_t n = 0;

    for (char *line = text; line != NULL;) {
        char *next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        trim(line);
        if (n == LINES && line[0] != '\0') {
            return is_code(line) ? card_no_code(EXIT_DATA, err)
                                 : err_exit(err, EXIT_DATA,
                                            "a card is three lines: number, "
                                            "name, expiry; this has more");
        }
        if (n < LINES && strlen(line) < SECRET_MAX && line[0] != '\0') {
            ret_answers[n++] = secret_dup(line);
        }
        line = next;
    }
    return n == LINES ? 0
                      : err_exit(err, EXIT_DATA,
                                 "a card is three lines: number, name, expiry; "
                                 "%zu of them are missing",
                                 LINES - n);
}

static int check_all(struct form *form, char *answers[LINES], struct err *err)
{
    for (size_t i = 0; i < LINES; i++) {
        trim(answers[i]);
        if (questions[i].check(form, answers[i], err) != 0) {
            return -1;
        }
        keep(form->typed, i, &answers[i]);
    }
    return 0;
}

static int read_file(struct form *form, const char *path, struct err *err)
{
    _cleanup_secret_ char *text = read_text(path, err);
    char *answers[LINES] = {NULL};

    if (text == NULL) {
        return -1;
    }
    trim(text);
    int done = text[0] == '{' ? split_json(text, answers, err)
                              : split_lines(text, answers, err);
    if (done == 0) {
        done = check_all(form, answers, err);
    }
    for (size_t i = 0; i < LINES; i++) {
        secret_free(answers[i]);
    }
    return done;
}

int card_read(const struct submit *submit, const char *path,
              struct card_typed *ret_typed, struct err *err)
{
    _cleanup_typed_ struct card_typed typed = {0};
    struct form form = {.typed = &typed};

    if (read_length(submit, &form.length, err) != 0 ||
        (path == NULL ? ask_all(&form, err) : read_file(&form, path, err))) {
        return -1;
    }
    *ret_typed = typed;
    typed = (struct card_typed){0};
    return 0;
}
