/* console.c: see console.h. */
#include "producer/submit/console.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "producer/submit/harmless.h"
#include "producer/submit/submit.h"
#include "producer/submit/wrap.h"

#define LINE_MAX_TYPED 8192 /* bytes; a terminal itself takes 4,096 a line */
#define WIDTH 80
#define WIDTH_MIN 20
#define WIDTH_MAX 100 /* longer lines are hard to read */
#define HEIGHT 24
#define HEIGHT_MIN 10
#define AROUND 5 /* lines of a page that are not the list's */

void answer_done(struct answer *answer)
{
    free(answer->text);
    *answer = (struct answer){0};
}

bool console_can(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 &&
           prompt_can();
}

/* Ctrl-C */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    static const char text[] =
        "\nLeft. What was asked just now may yet be carried out.\n";

    (void)signal;
    if (prompt_waits()) {
        interrupted = 1;
        return;
    }
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(EXIT_NO_ANSWER);
}

/* Without SA_RESTART: whoever reads is to come back. One that was pressed while
 * a run was followed is over. */
void console_interrupts(void)
{
    struct sigaction ours = {.sa_handler = on_interrupt};
    struct sigaction none = {.sa_handler = SIG_IGN};
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaction(SIGINT, &none, NULL);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    (void)sigaction(SIGINT, &ours, NULL);
}

bool console_interrupted(void)
{
    bool was = interrupted != 0;

    interrupted = 0;
    return was;
}

/* Lines */

static void measure(size_t *ret_width, size_t *ret_height)
{
    struct winsize size = {0};

    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    size_t width = size.ws_col == 0 ? WIDTH : size.ws_col;
    size_t height = size.ws_row == 0 ? HEIGHT : size.ws_row;
    *ret_width = width < WIDTH_MIN   ? WIDTH_MIN
                 : width > WIDTH_MAX ? WIDTH_MAX
                                     : width;
    *ret_height = height < HEIGHT_MIN ? HEIGHT_MIN : height;
}

static void put(const struct buf *lines)
{
    (void)fputs(buf_text(lines), stdout);
    (void)fflush(stdout);
}

void console_gap(void)
{
    (void)fputc('\n', stdout);
}

static _printf_(2, 0) void note(size_t indent, const char *fmt, va_list args)
{
    _cleanup_free_ char *whole = must_vprintf(fmt, args);
    _cleanup_free_ char *text = harmless_text(whole);
    _cleanup_buf_ struct buf lines = {0};
    size_t width;
    size_t height;

    measure(&width, &height);
    (void)wrap_add(&lines, "", text, indent, width);
    put(&lines);
}

void console_say(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    note(0, fmt, args);
    va_end(args);
}

void console_note(size_t indent, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    note(indent, fmt, args);
    va_end(args);
}

/* Answers */

/* The line without its blanks; in quotes: what stands between them. */
static struct answer answer_of(const char *line, size_t len)
{
    struct answer answer = {.how = TYPED_TEXT};

    while (len > 0 && isspace((unsigned char)line[len - 1])) {
        len--;
    }
    while (len > 0 && isspace((unsigned char)line[0])) {
        line++;
        len--;
    }
    answer.quoted = len > 1 && line[0] == '"' && line[len - 1] == '"';
    answer.text = must_printf("%.*s", (int)len - (answer.quoted ? 2 : 0),
                              line + (answer.quoted ? 1 : 0));
    if (!answer.quoted) {
        answer.how = strcasecmp(answer.text, "b") == 0   ? TYPED_BACK
                     : strcasecmp(answer.text, "q") == 0 ? TYPED_QUIT
                                                         : TYPED_TEXT;
    }
    return answer;
}

/* What is typed next. 0: there is no more; -1: Ctrl-C, which is blocked but
 * here, so that none comes between. */
static ssize_t next_typed(char *to, size_t size)
{
    struct pollfd typed = {.fd = STDIN_FILENO, .events = POLLIN};
    sigset_t none;

    (void)sigemptyset(&none);
    while (ppoll(&typed, 1, NULL, &none) < 0) {
        if (errno != EINTR) {
            return 0;
        }
        if (console_interrupted()) {
            return -1;
        }
    }
    ssize_t n = read(STDIN_FILENO, to, size);
    return n < 0 ? 0 : n;
}

static struct answer read_line(void)
{
    char line[LINE_MAX_TYPED];
    size_t len = 0;
    ssize_t n;

    do {
        n = next_typed(line + len, sizeof(line) - len);
        len += n > 0 ? (size_t)n : 0;
    } while (n > 0 && len < sizeof(line) && line[len - 1] != '\n');
    if (n <= 0) {
        (void)fputc('\n', stdout);
        return (struct answer){.how = n < 0 ? TYPED_BACK : TYPED_QUIT,
                               .text = must_strdup("")};
    }
    return answer_of(line, len);
}

static void put_question(const char *question, const char *may, bool back)
{
    _cleanup_buf_ struct buf lines = {0};
    _cleanup_free_ char *also =
        must_printf("%s%s%sq quit):", may == NULL ? "" : may,
                    may == NULL ? "" : ", ", back ? "b back, " : "");
    _cleanup_free_ char *shown = harmless_text(also);
    _cleanup_free_ char *asked = harmless_text(question);
    size_t width;
    size_t height;

    for (char *c = shown; *c != '\0'; c++) { /* each of them stays whole */
        *c = *c == ' ' && c > shown && c[-1] != ',' ? WRAP_JOIN : *c;
    }
    _cleanup_free_ char *whole = must_printf("%s (%s", asked, shown);
    measure(&width, &height);
    (void)wrap_add(&lines, "", whole, 0, width);
    lines.data[lines.len - 1] = ' '; /* the answer stands behind it */
    put(&lines);
}

struct answer console_ask(const char *question, const char *may, bool back)
{
    sigset_t interrupt;
    sigset_t before;

    (void)sigemptyset(&interrupt);
    (void)sigaddset(&interrupt, SIGINT);
    (void)tcflush(STDIN_FILENO, TCIFLUSH);
    put_question(question, may, back);
    prompt_set_waits(true);
    (void)sigprocmask(SIG_BLOCK, &interrupt, &before);
    struct answer answer = read_line();
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    prompt_set_waits(false);
    return answer;
}

/* Lists */

struct pages {
    const struct pick *pick;
    size_t from, to; /* the items that are shown, without the last */
    size_t width, height;
};

static size_t add_item(const struct pages *pages, size_t i, struct buf *out)
{
    const struct pick *pick = pages->pick;
    _cleanup_free_ char *text = harmless_text(list_at(pick->items, char *, i));
    size_t digits = 0;

    for (size_t n = pick->items->n; n > 0; n /= 10) {
        digits++;
    }
    _cleanup_free_ char *number =
        pick->plain ? must_strdup("  ")
                    : must_printf("%*zu  ", (int)digits + 1, i + 1);
    size_t indent = strlen(number);
    size_t lines = wrap_add(out, number, text, indent, pages->width);
    if (pick->below != NULL) {
        _cleanup_free_ char *below =
            harmless_text(list_at(pick->below, char *, i));
        lines += wrap_add(out, "", below, indent, pages->width);
    }
    return lines;
}

/* As many items from `from` on as fit. */
static void show_page(struct pages *pages)
{
    const struct list *items = pages->pick->items;
    _cleanup_buf_ struct buf lines = {0};
    size_t used = 0;

    measure(&pages->width, &pages->height);
    for (pages->to = pages->from; pages->to < items->n; pages->to++) {
        _cleanup_buf_ struct buf item = {0};
        size_t more = add_item(pages, pages->to, &item);
        if (used > 0 && used + more > pages->height - AROUND) {
            break;
        }
        used += more;
        (void)buf_adds(&lines, buf_text(&item));
    }
    put(&lines);
    if (pages->from > 0 || pages->to < items->n) {
        console_say("These are %zu to %zu of %zu.", pages->from + 1, pages->to,
                    items->n);
    }
}

/* Of the list as it is now: the item where the page before this one begins. */
static size_t page_before(const struct pages *pages)
{
    struct pages at = *pages;
    size_t used = 0;

    while (at.from > 0) {
        _cleanup_buf_ struct buf item = {0};
        used += add_item(&at, at.from - 1, &item);
        if (used > at.height - AROUND && at.from < pages->from) {
            break;
        }
        at.from--;
    }
    return at.from;
}

/* n, p: another page. */
static bool turns(struct pages *pages, const struct answer *answer)
{
    bool next = pages->to < pages->pick->items->n;

    if (answer->how != TYPED_TEXT || answer->quoted) {
        return false;
    }
    if (next && strcasecmp(answer->text, "n") == 0) {
        pages->from = pages->to;
        return true;
    }
    if (pages->from > 0 && strcasecmp(answer->text, "p") == 0) {
        pages->from = page_before(pages);
        return true;
    }
    return false;
}

static size_t number_of(const struct pick *pick, const struct answer *answer)
{
    char *end = NULL;

    if (pick->plain || answer->how != TYPED_TEXT || answer->quoted ||
        !isdigit((unsigned char)answer->text[0])) {
        return 0;
    }
    unsigned long number = strtoul(answer->text, &end, 10);
    return *end == '\0' && number <= pick->items->n ? number : 0;
}

/* What may be typed; NULL: nothing. */
static char *may_of(const struct pages *pages)
{
    const char *others = pages->pick->may;
    bool next = pages->to < pages->pick->items->n;
    bool before = pages->from > 0;
    _cleanup_buf_ struct buf may = {0};

    (void)buf_adds(&may, others == NULL ? "" : others);
    if (next) {
        (void)buf_addf(&may, "%sn next page", may.len == 0 ? "" : ", ");
    }
    if (before) {
        (void)buf_addf(&may, "%sp page before", may.len == 0 ? "" : ", ");
    }
    return may.len == 0 ? NULL : buf_take(&may);
}

struct answer console_pick(const struct pick *pick, size_t *ret_number)
{
    struct pages pages = {.pick = pick};

    for (;;) {
        show_page(&pages);
        _cleanup_free_ char *may = may_of(&pages);
        struct answer answer = console_ask(pick->question, may, pick->back);
        if (!turns(&pages, &answer)) {
            *ret_number = number_of(pick, &answer);
            return answer;
        }
        answer_done(&answer);
    }
}
