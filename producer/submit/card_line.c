/*
 * card_line.c: see card_line.h. The terminal is told not to echo and not to
 * wait for lines (termios(3)); it is as it was after, also where a signal ends
 * us: it waits in a descriptor until then. Drawing needs no more than CR,
 * "erase to the end of the line" and "left by n" (ECMA-48).
 */
#include "producer/submit/card_line.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>

#include "producer/submit/submit.h"

enum key {
    KEY_BREAK = 3,
    KEY_END = 4,
    KEY_BACK = 8,
    KEY_CLEAR = 21,
    KEY_ESCAPE = 27,
    KEY_DELETE = 127
};

#define DRAWN_MAX 200
#define DIGITS_SHOWN 4

struct line {
    const char *question;
    char *digits;
    size_t n;
    int tty;
    int signals; /* those that would end us */
    struct termios before;
    sigset_t mask_before;
    size_t escape; /* bytes of an escape sequence that were passed over */
};

static void put(const struct line *line, const char *text)
{
    size_t len = strlen(text);

    (void)!write(line->tty, text, len);
}

/* The digits in their groups; covered but for the last four where `cover`. */
static size_t group(const struct line *line, bool cover, char *out, size_t size)
{
    enum brand brand = card_brand(line->digits);
    size_t next = card_group(brand, 0);
    size_t at = 0;

    for (size_t i = 0; i < line->n && at + 3 < size; i++) {
        if (i == next) {
            out[at++] = ' ';
            next += card_group(brand, i) > 0 ? card_group(brand, i) : size;
        }
        out[at++] = cover && i + DIGITS_SHOWN < line->n ? '*' : line->digits[i];
    }
    out[at] = '\0';
    return at;
}

static void draw(const struct line *line, bool cover)
{
    char digits[2 * CARD_LINE_MAX];
    char out[DRAWN_MAX];
    enum brand brand = card_brand(line->digits);
    const char *title = brand == BRAND_NONE ? "" : brand_title((int)brand);
    size_t back = strlen(title) + 2;

    (void)group(line, cover, digits, sizeof(digits));
    (void)snprintf(out, sizeof(out), "\r%s: %s", line->question, digits);
    put(line, out);
    (void)snprintf(out, sizeof(out), "  %s\033[K", title);
    put(line, out);
    if (!cover) {
        (void)snprintf(out, sizeof(out), "\033[%zuD", back);
    }
    put(line, cover ? "\r\n" : out);
    sodium_memzero(digits, sizeof(digits));
    sodium_memzero(out, sizeof(out));
}

static int open_line(struct line *line, const char *instead, struct err *err)
{
    sigset_t ending;
    struct termios raw;

    line->tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (!prompt_can() || line->tty < 0 ||
        tcgetattr(line->tty, &line->before) != 0) {
        return err_exit(err, EXIT_NOT_ALLOWED,
                        "there is no terminal to ask for \"%s\": %s",
                        line->question, instead);
    }
    (void)sigemptyset(&ending);
    (void)sigaddset(&ending, SIGTERM);
    (void)sigaddset(&ending, SIGHUP);
    (void)sigaddset(&ending, SIGQUIT);
    (void)sigaddset(&ending, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &ending, &line->mask_before);
    line->signals = signalfd(-1, &ending, SFD_CLOEXEC);
    prompt_set_waits(true);
    raw = line->before;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG | IEXTEN);
    raw.c_iflag |= ICRNL;
    (void)tcsetattr(line->tty, TCSAFLUSH, &raw);
    return 0;
}

/* A signal that came meanwhile is delivered here. */
static void close_line(struct line *line)
{
    if (line->signals >= 0) {
        (void)tcsetattr(line->tty, TCSADRAIN, &line->before);
        (void)sigprocmask(SIG_SETMASK, &line->mask_before, NULL);
        prompt_set_waits(false);
        (void)close(line->signals);
    }
    if (line->tty >= 0) {
        (void)close(line->tty);
    }
}

/* The next byte; -1: a signal, or no terminal any more. */
static int next_key(const struct line *line)
{
    struct pollfd ready[] = {{.fd = line->tty, .events = POLLIN},
                             {.fd = line->signals, .events = POLLIN}};
    unsigned char byte;

    if (poll(ready, 1, 0) == 0) {
        draw(line, false); /* nothing more has come: show what has */
    }
    while (poll(ready, ARRAY_SIZE(ready), -1) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return ready[1].revents == 0 && read(line->tty, &byte, 1) == 1 ? byte : -1;
}

/* True for what belongs to an arrow key and its kind: ESC [ … letter. */
static bool is_escape(struct line *line, int key)
{
    if (key == KEY_ESCAPE) {
        line->escape = 1;
        return true;
    }
    if (line->escape == 0) {
        return false;
    }
    bool opens = line->escape == 1 && (key == '[' || key == 'O');
    line->escape =
        opens || (line->escape > 1 && key < '@') ? line->escape + 1 : 0;
    return true;
}

static void on_key(struct line *line, int key)
{
    if (is_escape(line, key)) {
        return;
    }
    if (isdigit(key) && line->n < CARD_LINE_MAX - 1) {
        line->digits[line->n++] = (char)key;
    } else if ((key == KEY_BACK || key == KEY_DELETE) && line->n > 0) {
        line->n--;
    } else if (key == KEY_CLEAR) {
        line->n = 0;
    } else if (key != ' ' && key != '-') {
        put(line, "\a");
    }
    line->digits[line->n] = '\0';
}

/* Until Enter. -1: broken off. */
static int read_line(struct line *line, struct err *err)
{
    for (;;) {
        int key = next_key(line);
        if (key == '\n') {
            return 0;
        }
        if (key < 0 || key == KEY_BREAK || key == KEY_END) {
            draw(line, true);
            if (key == KEY_BREAK) {
                (void)raise(SIGINT); /* delivered once the terminal is back */
            }
            return err_exit(err, EXIT_NOT_ALLOWED,
                            "asking for \"%s\" was broken off", line->question);
        }
        on_key(line, key);
    }
}

/* What is wrong stands above; the number stays to be corrected. */
static void tell(const struct line *line, const struct err *err)
{
    put(line, "\r\033[K");
    say("%s", err->text);
}

int card_line(const char *question, const char *instead, card_check *check,
              void *arg, char *digits, struct err *err)
{
    struct line line = {
        .question = question, .digits = digits, .tty = -1, .signals = -1};

    digits[0] = '\0';
    int done = open_line(&line, instead, err);
    while (done == 0) {
        done = read_line(&line, err);
        if (done != 0 || check(arg, digits, err) == 0) {
            break;
        }
        tell(&line, err);
    }
    if (done == 0) {
        draw(&line, true);
    }
    close_line(&line);
    return done;
}
