/* prompt.c: see prompt.h. */
#include "producer/submit/prompt.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>
#include <bsd/readpassphrase.h>

#include "base/file.h"
#include "base/utf8.h"
#include "model/invitation.h"

#define TRIES 5 /* mistyped, too short, too easy: all count */

/* For signal handlers, which are told nothing else. */
static volatile sig_atomic_t waiting;

bool prompt_waits(void)
{
    return waiting != 0;
}

void prompt_set_waits(bool waits)
{
    waiting = waits;
}

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
    prompt_set_waits(true);
    bool answered = readpassphrase(prompt, secret, SECRET_MAX,
                                   flags | RPP_REQUIRE_TTY) != NULL;
    prompt_set_waits(false);
    if (!answered) {
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

/* 0: it is in ret_secret; 1: ask again; -1. */
static int ask_new_once(const char *question, const char *instead,
                        const struct password_rules *rules, char **ret_secret,
                        struct err *err)
{
    _cleanup_free_ char *again = must_printf("%s, again", question);
    _cleanup_secret_ char *first = prompt_secret(question, instead, err);

    if (first == NULL) {
        return -1;
    }
    if (password_check(first, rules, err) != 0) {
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
                          const struct password_rules *rules, struct err *err)
{
    char *secret = NULL;

    if (prompt_can()) {
        (void)fprintf(stderr,
                      "Choose a password of at least %lld characters: five "
                      "or six random words are good.\n",
                      (long long)password_min(rules));
    }
    for (int i = 0; i < TRIES; i++) {
        int done = ask_new_once(question, instead, rules, &secret, err);
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
    prompt_set_waits(true);
    char *code = code_from(fd, "the terminal", err);
    prompt_set_waits(false);
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

char *prompt_line(const char *question, const char *path, const char *instead,
                  struct err *err)
{
    char *text = prompt_code(question, path, instead, err);

    if (text != NULL) {
        text[strcspn(text, "\r\n")] = '\0';
    }
    return text;
}

int prompt_show(const char *text, struct err *err)
{
    _cleanup_close_ int fd = open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY);

    for (size_t left = strlen(text); fd >= 0 && left > 0;) {
        ssize_t n = write(fd, text, left);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        text += n;
        left -= (size_t)n;
    }
    return *text == '\0'
               ? 0
               : err_exit(err, EX_NOPERM, "the terminal can't be written to");
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
