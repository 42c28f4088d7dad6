/* invitation.c: see invitation.h. */
#include "model/invitation.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#define BEGIN "-----BEGIN ERRAND INVITATION-----"
#define END "-----END ERRAND INVITATION-----"
#define LINE 76 /* bytes of a line that no mail breaks */
#define CHECK 4 /* bytes */
#define PARTS 4 /* lines between */
#define VALUE 600

/* The lines between, without the blanks that somebody put in. */
struct block {
    char value[PARTS][VALUE];
};

static const char *const names[PARTS] = {"brokers", "root", "code", "check"};

enum { BROKERS, ROOT, CODE, SUM };

void invitation_wipe(struct ticket *ticket)
{
    sodium_memzero(ticket, sizeof(*ticket));
}

char *invitation_code(const struct ticket *ticket)
{
    unsigned char bytes[INVITATION_CODE];

    memcpy(bytes, ticket->seed, INVITATION_SEED);
    memcpy(bytes + INVITATION_SEED, ticket->half.b, sizeof(ticket->half.b));
    char *code = code_encode(bytes, sizeof(bytes));
    sodium_memzero(bytes, sizeof(bytes));
    return code;
}

static void sum_of(const char *brokers, const char *root, const char *code,
                   char text[static 2 * CHECK + 1])
{
    struct part parts[] = {
        {brokers, strlen(brokers)}, {root, strlen(root)}, {code, strlen(code)}};
    struct hash hash = hash_tuple(parts, ARRAY_SIZE(parts));

    hex_encode(hash.b, CHECK, text);
}

/* "name = value", broken where it must be. */
static int add_line(struct buf *out, const char *name, const char *value)
{
    size_t room = LINE - strlen(name) - 3;
    int failed = buf_addf(out, "%s = ", name);

    while (strlen(value) > room) {
        failed |= buf_addf(out, "%.*s\n  ", (int)room, value);
        value += room;
        room = LINE - 2;
    }
    return failed || buf_addf(out, "%s\n", value);
}

int invitation_block(const struct ticket *ticket, struct buf *out)
{
    char root[HASH_TEXT];
    char sum[2 * CHECK + 1];
    char *code = invitation_code(ticket);

    hash_format(&ticket->root, root);
    sum_of(ticket->brokers, root, code, sum);
    int failed = buf_adds(out, BEGIN "\n") ||
                 add_line(out, names[BROKERS], ticket->brokers) ||
                 add_line(out, names[ROOT], root) ||
                 add_line(out, names[CODE], code) ||
                 add_line(out, names[SUM], sum) || buf_adds(out, END "\n");
    sodium_memzero(code, strlen(code));
    free(code);
    return failed ? -1 : 0;
}

/* Where the text begins in that line, whatever a mail program put before it. */
static const char *mark_in(const char *line, const char *mark)
{
    size_t len = strcspn(line, "\n");
    const char *at = strstr(line, mark);

    return at != NULL && at < line + len ? at : NULL;
}

bool invitation_begins(const char *line)
{
    return mark_in(line, BEGIN) != NULL;
}

bool invitation_ends(const char *line)
{
    return mark_in(line, END) != NULL;
}

/* Which part a line begins; PARTS: none, it continues one. ret_value: what
 * stands behind the name. */
static size_t part_of(const char *line, const char **ret_value)
{
    line += strspn(line, "> \t");
    for (size_t i = 0; i < PARTS; i++) {
        size_t len = strlen(names[i]);
        const char *at = line + len;
        if (strncmp(line, names[i], len) == 0 && at[strspn(at, " \t")] == '=') {
            *ret_value = at + strspn(at, " \t") + 1;
            return i;
        }
    }
    *ret_value = line;
    return PARTS;
}

static int add_value(char to[static VALUE], const char *from, struct err *err)
{
    size_t len = strlen(to);

    for (; *from != '\0' && *from != '\n'; from++) {
        if (isspace((unsigned char)*from)) {
            continue;
        }
        if (len + 1 >= VALUE) {
            return err_set(err, ERR_REJECT, "a line is too long");
        }
        to[len++] = *from;
        to[len] = '\0';
    }
    return 0;
}

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');

    return end == NULL ? line + strlen(line) : end + 1;
}

static int read_lines(const char *line, struct block *block, struct err *err)
{
    size_t part = PARTS;

    for (; !invitation_ends(line); line = next_line(line)) {
        const char *value;
        size_t i = part_of(line, &value);
        if (*line == '\0') {
            return err_set(err, ERR_REJECT,
                           "the block is incomplete: it ends with " END);
        }
        if (i < PARTS && block->value[i][0] != '\0') {
            return err_set(err, ERR_REJECT,
                           "the block says twice what its %s "
                           "is",
                           names[i]);
        }
        part = i < PARTS ? i : part;
        if (part < PARTS && add_value(block->value[part], value, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int read_code(const char *text, struct ticket *ticket, struct err *err)
{
    unsigned char bytes[INVITATION_CODE];
    char line[VALUE] = "";
    int done = add_value(line, text, err) != 0 ||
                       code_decode(line, bytes, sizeof(bytes), err) != 0
                   ? -1
                   : 0;

    sodium_memzero(line, sizeof(line));
    if (done != 0) {
        return -1;
    }
    memcpy(ticket->seed, bytes, INVITATION_SEED);
    memcpy(ticket->half.b, bytes + INVITATION_SEED, sizeof(ticket->half.b));
    sodium_memzero(bytes, sizeof(bytes));
    return 0;
}

static int check_sum(const struct block *block, struct err *err)
{
    char sum[2 * CHECK + 1];

    for (size_t i = 0; i < PARTS; i++) {
        if (block->value[i][0] == '\0') {
            return err_set(err, ERR_REJECT,
                           "the block is incomplete: it does not say its %s",
                           names[i]);
        }
    }
    sum_of(block->value[BROKERS], block->value[ROOT], block->value[CODE], sum);
    return strcmp(sum, block->value[SUM]) == 0
               ? 0
               : err_set(err, ERR_REJECT,
                         "the block is not as it was sent: its checksum "
                         "differs; copy it again, whole");
}

static int take_block(const struct block *block, struct ticket *ticket,
                      struct err *err)
{
    if (check_sum(block, err) != 0 ||
        brokers_check(block->value[BROKERS], err) != 0 ||
        read_code(block->value[CODE], ticket, err) != 0) {
        return -1;
    }
    if (hash_parse(block->value[ROOT], &ticket->root) != 0 ||
        memcmp(ticket->root.b, ticket->half.b, sizeof(ticket->half.b)) != 0) {
        return err_set(err, ERR_REJECT,
                       "the block's root is not that of its code");
    }
    memcpy(ticket->brokers, block->value[BROKERS],
           strlen(block->value[BROKERS]) + 1);
    return 0;
}

static int read_block(const char *line, struct ticket *ticket, struct err *err)
{
    struct block block = {0};
    int done = read_lines(line, &block, err) != 0
                   ? -1
                   : take_block(&block, ticket, err);

    sodium_memzero(&block, sizeof(block));
    return done;
}

/* Whether this line, or one before the block's end, is quoted-printable (RFC
 * 2045, 6.7), as a mail's source shows it: each '=' of the block is "=3D". */
static bool is_quoted(const char *line)
{
    for (; *line != '\0' && !invitation_ends(line); line = next_line(line)) {
        if (mark_in(line, "=3D") != NULL) {
            return true;
        }
    }
    return false;
}

/* What it stands for, in place. */
static void unquote(char *text)
{
    char *to = text;

    while (*text != '\0') {
        size_t soft = text[0] != '='                       ? 0
                      : text[1] == '\n'                    ? 2
                      : text[1] == '\r' && text[2] == '\n' ? 3
                                                           : 0;
        if (soft > 0) {
            text += soft;
        } else if (text[0] == '=' && isxdigit((unsigned char)text[1]) &&
                   isxdigit((unsigned char)text[2])) {
            char digits[] = {text[1], text[2], '\0'};
            *to++ = (char)strtol(digits, NULL, 16);
            text += 3;
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
}

static int read_quoted(const char *line, struct ticket *ticket, struct err *err)
{
    size_t len = strlen(line);
    _cleanup_free_ char *text = must_strdup(line);

    unquote(text);
    int done = read_block(text, ticket, err);
    sodium_memzero(text, len);
    return done;
}

int invitation_read(const char *text, struct ticket *ret_ticket,
                    struct err *err)
{
    struct ticket ticket = {0};
    const char *line = text;

    text += strspn(text, " \t\r\n");
    while (*line != '\0' && !invitation_begins(line)) {
        line = next_line(line);
    }
    int done = *line == '\0'     ? read_code(text, &ticket, err)
               : is_quoted(line) ? read_quoted(next_line(line), &ticket, err)
                                 : read_block(next_line(line), &ticket, err);
    if (done == 0) {
        *ret_ticket = ticket;
    }
    invitation_wipe(&ticket);
    return done;
}

/* One HOST:PORT of these bytes. */
static bool broker_is_good(const char *text, size_t len)
{
    const char *colon = memrchr(text, ':', len);
    size_t host = colon == NULL ? 0 : (size_t)(colon - text);
    size_t digits = colon == NULL ? 0 : len - host - 1;

    return host > 0 && digits > 0 && digits <= 5 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789.-_:[]") >= len &&
           strspn(colon + 1, "0123456789") >= digits && atoi(colon + 1) > 0 &&
           atoi(colon + 1) < 65536;
}

int brokers_check(const char *brokers, struct err *err)
{
    const char *at = brokers;

    if (strlen(brokers) > INVITATION_BROKERS) {
        return err_set(err, ERR_REJECT, "brokers: over %d bytes",
                       INVITATION_BROKERS);
    }
    for (;;) {
        size_t len = strcspn(at, ",");
        if (!broker_is_good(at, len)) {
            return err_set(err, ERR_REJECT,
                           "brokers: expected HOST:PORT, several with commas "
                           "between and no blanks, not '%.80s'",
                           brokers);
        }
        if (at[len] == '\0') {
            return 0;
        }
        at += len + 1;
    }
}
