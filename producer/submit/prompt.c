/*
 * prompt.c: see prompt.h. The strength of new passwords is zxcvbn's guess
 * (https://github.com/tsyrogit/zxcvbn-c): entropy in bits; below MIN_BITS a
 * guess of a few hours on a stolen key file would do.
 */
#include "producer/submit/prompt.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>
#include <bsd/readpassphrase.h>
#include <zxcvbn.h>

#include "base/file.h"
#include "base/utf8.h"
#include "model/invitation.h"

#define MIN_BITS 45.0
#define ABOUT_MAX 8
#define TRIES 5 /* mistyped, too short, too easy: all count */

void secret_free(char *secret)
{
    if (secret != NULL) {
        sodium_free(secret);
    }
}

static char *secret_new(void)
{
    char *secret = sodium_malloc(SECRET_MAX);

    if (secret == NULL) {
        abort();
    }
    secret[0] = '\0';
    return secret;
}

bool prompt_can(void)
{
    _cleanup_close_ int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    return fd >= 0 && isatty(STDIN_FILENO);
}

static int nobody(const char *question, const char *instead, struct err *err)
{
    return err_exit(err, EX_NOPERM,
                    "there is no terminal to ask for \"%s\": %s", question,
                    instead);
}

static char *ask(const char *question, int flags, const char *instead,
                 struct err *err)
{
    _cleanup_secret_ char *secret = secret_new();
    _cleanup_free_ char *prompt = must_printf("%s: ", question);

    if (!prompt_can()) {
        (void)nobody(question, instead, err);
        return NULL;
    }
    if (readpassphrase(prompt, secret, SECRET_MAX, flags | RPP_REQUIRE_TTY) ==
        NULL) {
        (void)err_exit(err, EX_NOPERM, "asking for \"%s\" was broken off",
                       question);
        return NULL;
    }
    return take_ptr(secret);
}

char *prompt_secret(const char *question, const char *instead, struct err *err)
{
    return ask(question, RPP_ECHO_OFF, instead, err);
}

static size_t characters(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

int password_check(const char *password, const char *const *about,
                   struct err *err)
{
    const char *words[ABOUT_MAX + 2] = {"errand"};
    size_t n = 1;

    if (!utf8_is_good(password, strlen(password)) ||
        has_control(password, "")) {
        return err_exit(err, EX_DATAERR,
                        "a password is text without control characters");
    }
    if (characters(password) < PASSWORD_MIN) {
        return err_exit(err, EX_DATAERR,
                        "too short: a password has at least %d characters; "
                        "five or six random words are good",
                        PASSWORD_MIN);
    }
    for (; about != NULL && about[n - 1] != NULL && n <= ABOUT_MAX; n++) {
        words[n] = about[n - 1];
    }
    if (ZxcvbnMatch(password, words, NULL) < MIN_BITS) {
        return err_exit(err, EX_DATAERR,
                        "too easy to guess: take words that don't belong "
                        "together, and nothing about yourself");
    }
    return 0;
}

/* 0: it is in ret_secret; 1: ask again; -1. */
static int ask_new_once(const char *question, const char *instead,
                        const char *const *about, char **ret_secret,
                        struct err *err)
{
    _cleanup_free_ char *again = must_printf("%s, again", question);
    _cleanup_secret_ char *first = prompt_secret(question, instead, err);

    if (first == NULL) {
        return -1;
    }
    if (password_check(first, about, err) != 0) {
        return 1;
    }
    _cleanup_secret_ char *second = prompt_secret(again, instead, err);
    if (second == NULL) {
        return -1;
    }
    if (strcmp(first, second) != 0) {
        (void)err_exit(err, EX_DATAERR, "the two are not the same");
        return 1;
    }
    *ret_secret = take_ptr(first);
    return 0;
}

char *prompt_new_password(const char *question, const char *instead,
                          const char *const *about, struct err *err)
{
    char *secret = NULL;

    if (prompt_can()) {
        (void)fprintf(stderr,
                      "Choose a password of at least %d characters: five or "
                      "six random words are good.\n",
                      PASSWORD_MIN);
    }
    for (int i = 0; i < TRIES; i++) {
        int done = ask_new_once(question, instead, about, &secret, err);
        if (done <= 0) {
            return secret;
        }
        if (i < TRIES - 1) {
            (void)fprintf(stderr, "%s\n", err->text);
        }
    }
    return NULL;
}

/* The first line, into locked memory; its other copies are wiped. */
static char *first_line(struct buf *text, const char *path, struct err *err)
{
    size_t len = strcspn(buf_text(text), "\r\n");
    _cleanup_secret_ char *secret = secret_new();
    bool good = len > 0 && len < SECRET_MAX;

    if (good) {
        memcpy(secret, text->data, len);
        secret[len] = '\0';
    }
    if (text->data != NULL) {
        sodium_memzero(text->data, text->cap);
    }
    if (!good) {
        (void)err_exit(err, EX_DATAERR,
                       "%s: its first line must hold the secret, in at most "
                       "%d bytes",
                       path, SECRET_MAX - 1);
        return NULL;
    }
    return take_ptr(secret);
}

char *secret_from_file(const char *path, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (file_read_private(path, SECRET_MAX, &text, err) != 0) {
        return NULL;
    }
    return first_line(&text, path, err);
}

/* A line, or a block to its end: what else is pasted behind it is for nobody.
 */
static bool code_is_whole(const char *text)
{
    const char *line = text + strspn(text, " \t\r\n");

    if (!invitation_begins(line)) {
        return strchr(line, '\n') != NULL;
    }
    for (; line != NULL; line = strchr(line + 1, '\n')) {
        if (invitation_ends(line + (*line == '\n'))) {
            return true;
        }
    }
    return false;
}

static char *code_from(int fd, const char *name, struct err *err)
{
    _cleanup_secret_ char *text = sodium_malloc(CODE_MAX + 1);
    size_t len = 0;
    ssize_t n = 1;

    if (text == NULL) {
        abort();
    }
    text[0] = '\0';
    while (n > 0 && len < CODE_MAX && !code_is_whole(text)) {
        n = read(fd, text + len, CODE_MAX - len);
        len += n > 0 ? (size_t)n : 0;
        text[len] = '\0';
    }
    if (n < 0 || len == 0) {
        (void)err_exit(err, n < 0 ? EX_NOINPUT : EX_DATAERR, "%s: %s", name,
                       n < 0 ? strerror(errno) : "holds no code");
        return NULL;
    }
    return take_ptr(text);
}

/* Not by readpassphrase(): it throws away what was pasted behind a line. */
static char *code_from_terminal(const char *question, const char *instead,
                                struct err *err)
{
    _cleanup_close_ int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (fd < 0 || !isatty(STDIN_FILENO)) {
        (void)nobody(question, instead, err);
        return NULL;
    }
    (void)dprintf(fd, "%s: ", question);
    char *code = code_from(fd, "the terminal", err);
    (void)tcflush(fd, TCIFLUSH); /* more of a paste is not the shell's */
    return code;
}

static char *code_from_file(const char *path, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_secret_ char *secret = sodium_malloc(CODE_MAX + 1);

    if (secret == NULL) {
        abort();
    }
    if (file_read_private(path, CODE_MAX, &text, err) != 0) {
        return NULL;
    }
    memcpy(secret, buf_text(&text), text.len + 1);
    if (text.data != NULL) {
        sodium_memzero(text.data, text.cap);
    }
    return take_ptr(secret);
}

char *prompt_code(const char *question, const char *path, const char *instead,
                  struct err *err)
{
    if (path == NULL) {
        return code_from_terminal(question, instead, err);
    }
    return strcmp(path, "-") == 0
               ? code_from(STDIN_FILENO, "standard input", err)
               : code_from_file(path, err);
}

int prompt_yes(const char *question, const char *instead, struct err *err)
{
    _cleanup_free_ char *whole = must_printf("%s (y/N)", question);
    _cleanup_secret_ char *answer = ask(whole, RPP_ECHO_ON, instead, err);

    if (answer == NULL) {
        return -1;
    }
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}
