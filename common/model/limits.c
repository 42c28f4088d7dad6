/* limits.c: see limits.h. */
#include "model/limits.h"

#include <locale.h>
#include <regex.h>
#include <string.h>

#include "base/utf8.h"

/* Numbers, by their digits: an optional '-', no needless zeros before them */

struct decimal {
    bool negative;
    const char *whole;
    size_t n;
    const char *fraction;
    size_t m; /* without the zeros at its end */
};

static struct decimal decimal_of(const char *text)
{
    struct decimal d = {.negative = text[0] == '-'};

    d.whole = text + d.negative;
    d.n = strspn(d.whole, "0123456789");
    d.fraction = d.whole + d.n + (d.whole[d.n] == '.');
    d.m = strlen(d.fraction);
    while (d.m > 0 && d.fraction[d.m - 1] == '0') {
        d.m--;
    }
    bool zero = d.m == 0 && d.n == 1 && d.whole[0] == '0';
    d.negative = d.negative && !zero;
    return d;
}

static int compare_bytes(const char *a, size_t n, const char *b, size_t m)
{
    int by = memcmp(a, b, n < m ? n : m);

    return by != 0 ? by : (n > m) - (n < m);
}

static int compare_decimals(const char *x, const char *y)
{
    struct decimal a = decimal_of(x);
    struct decimal b = decimal_of(y);

    if (a.negative != b.negative) {
        return a.negative ? -1 : 1;
    }
    int by =
        a.n != b.n ? (a.n > b.n) - (a.n < b.n) : memcmp(a.whole, b.whole, a.n);
    if (by == 0) {
        by = compare_bytes(a.fraction, a.m, b.fraction, b.m);
    }
    return a.negative ? -by : by;
}

static bool is_ordered(int type)
{
    return type == PARAMETER_INT || type == PARAMETER_NUMBER ||
           type == PARAMETER_DATE;
}

static bool is_text(int type)
{
    return type == PARAMETER_STRING || type == PARAMETER_PATH ||
           type == PARAMETER_SECRET;
}

static int compare(int type, const char *a, const char *b)
{
    return type == PARAMETER_DATE ? strcmp(a, b) : compare_decimals(a, b);
}

/* Patterns */

/* What regcomp() makes of a pattern, counted as it is read: it writes out what
 * is repeated, so that `(a{99}){99}` and `a++++++++++++++` are huge. Never too
 * few: what is no good pattern may count as more than it is. */
struct size {
    int depth;
    long sums[PATTERN_MAX + 1]; /* of each group that is open */
    long last;                  /* of what a repetition would repeat */
};

static void size_add(struct size *size, long atom)
{
    size->sums[size->depth] += atom;
    size->last = atom;
}

static void size_repeat(struct size *size, long times)
{
    size->sums[size->depth] += size->last * (times - 1) + 1;
    size->last = size->last * times + 1;
}

/* The end of `[...]`: a `]` that is first, or in `[:alpha:]`, ends nothing. */
static const char *skip_bracket(const char *at)
{
    at += at[1] == '^' ? 2 : 1;
    at += *at == ']';
    for (; *at != '\0' && *at != ']'; at++) {
        if (*at == '[' && at[1] != '\0' && strchr(":.=", at[1]) != NULL) {
            const char end[] = {at[1], ']', '\0'};
            const char *found = strstr(at + 2, end);
            at = found == NULL ? at : found + 1;
        }
    }
    return at;
}

/* From `{` to `}`. What else stands there is counted as if it stood outside. */
static int size_interval(struct size *size, const char **at, struct err *err)
{
    long most = 1;
    long now = 0;

    for (char c; (c = (*at)[1]) == ',' || (c >= '0' && c <= '9'); (*at)++) {
        now = c == ',' ? 0 : now * 10 + c - '0';
        most = now > most ? now : most;
        if (most > REPETITIONS_MAX) {
            return err_set(err, ERR_REJECT, "a repetition over %d times",
                           REPETITIONS_MAX);
        }
    }
    *at += (*at)[1] == '}';
    size_repeat(size, most + 1); /* `{9,}` is nine, and any number more */
    return 0;
}

static void size_close(struct size *size)
{
    long group = size->sums[size->depth];

    size->depth--;
    size_add(size, group + 1);
}

static int size_one(struct size *size, const char **at, struct err *err)
{
    int done = 0;

    if (**at == '(') {
        size->sums[++size->depth] = 0;
        size->last = 0;
    } else if (**at == ')' && size->depth > 0) {
        size_close(size);
    } else if (**at == '*' || **at == '?') {
        size_repeat(size, 1);
    } else if (**at == '+') {
        size_repeat(size, 2);
    } else if (**at == '{') {
        done = size_interval(size, at, err);
    } else {
        *at = **at == '[' ? skip_bracket(*at) : *at;
        *at += **at == '\\' && (*at)[1] != '\0';
        size_add(size, 1);
    }
    return done != 0 || (size->last <= STATES_MAX &&
                         size->sums[size->depth] <= STATES_MAX)
               ? done
               : err_set(err, ERR_REJECT,
                         "its repetitions make %d characters and more of it",
                         STATES_MAX);
}

/* Of a pattern of PATTERN_MAX bytes at most. */
static int check_size(const char *pattern, struct err *err)
{
    struct size size = {0};

    for (const char *at = pattern; *at != '\0'; at += *at != '\0') {
        if (size_one(&size, &at, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int check_references(const char *pattern, struct err *err)
{
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at != '\\') {
            continue;
        }
        if (at[1] >= '1' && at[1] <= '9') {
            return err_set(err, ERR_REJECT, "a back-reference, \\%c", at[1]);
        }
        at += at[1] != '\0';
    }
    return 0;
}

static int compile(const char *pattern, regex_t *ret_regex, struct err *err)
{
    int bad = regcomp(ret_regex, pattern, REG_EXTENDED);
    char why[128];

    if (bad == 0) {
        return 0;
    }
    (void)regerror(bad, ret_regex, why, sizeof(why));
    return err_set(err, ERR_REJECT, "not a regular expression: %s", why);
}

/* The leftmost match is the longest there, so it is the whole if anything is.
 */
static bool match_whole(const regex_t *regex, const char *value)
{
    regmatch_t match;

    return regexec(regex, value, 1, &match, 0) == 0 && match.rm_so == 0 &&
           (size_t)match.rm_eo == strlen(value);
}

/* 1: it matches; 0: it doesn't; -1: the pattern is none. */
static int match(const char *pattern, const char *value, struct err *err)
{
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    regex_t regex;
    int matched = -1;

    if (utf8 == (locale_t)0) {
        return err_set(err, ERR_FATAL, "the locale C.UTF-8 is not there");
    }
    locale_t before = uselocale(utf8);
    if (compile(pattern, &regex, err) == 0) {
        matched = match_whole(&regex, value) ? 1 : 0;
        regfree(&regex);
    }
    (void)uselocale(before);
    freelocale(utf8);
    return matched;
}

static int pattern_sound(const struct parameter *parameter, struct err *err)
{
    const char *pattern = parameter->pattern;

    if (pattern == NULL) {
        return 0;
    }
    if (!is_text(parameter->type)) {
        return err_set(err, ERR_REJECT,
                       "only for the types string, path and secret");
    }
    if (strlen(pattern) > PATTERN_MAX) {
        return err_set(err, ERR_REJECT, "%zu bytes, and at most %d can be",
                       strlen(pattern), PATTERN_MAX);
    }
    return check_size(pattern, err) != 0 ||
                   check_references(pattern, err) != 0 ||
                   match(pattern, "", err) < 0
               ? -1
               : 0;
}

/* Bounds */

/* Of the right type by itself, which is asked without any limit. */
static int bound_sound(const struct parameter *parameter, const char *bound,
                       struct err *err)
{
    struct parameter bare = {.name = parameter->name, .type = parameter->type};

    if (bound == NULL) {
        return 0;
    }
    return is_ordered(parameter->type)
               ? parameter_check(&bare, bound, err)
               : err_set(err, ERR_REJECT,
                         "only for the types int, number and date");
}

static int length_sound(const struct parameter *parameter, struct err *err)
{
    return parameter->max_length == 0 || is_text(parameter->type)
               ? 0
               : err_set(err, ERR_REJECT,
                         "only for the types string, path and secret");
}

int limits_sound(const struct parameter *parameter, const char **ret_member,
                 struct err *err)
{
    const char *min = parameter->min;
    const char *max = parameter->max;

    *ret_member = "pattern";
    if (pattern_sound(parameter, err) != 0) {
        return -1;
    }
    *ret_member = "max_length";
    if (length_sound(parameter, err) != 0) {
        return -1;
    }
    *ret_member = "min";
    if (bound_sound(parameter, min, err) != 0) {
        return -1;
    }
    *ret_member = "max";
    if (bound_sound(parameter, max, err) != 0) {
        return -1;
    }
    return min == NULL || max == NULL || compare(parameter->type, min, max) <= 0
               ? 0
               : err_set(err, ERR_REJECT, "below min, %s", min);
}

int limits_check(const struct parameter *parameter, const char *value,
                 struct err *err)
{
    int type = parameter->type;
    size_t most = (size_t)parameter->max_length;

    if (parameter->min != NULL && compare(type, value, parameter->min) < 0) {
        return err_set(err, ERR_REJECT, "%s at least", parameter->min);
    }
    if (parameter->max != NULL && compare(type, value, parameter->max) > 0) {
        return err_set(err, ERR_REJECT, "%s at most", parameter->max);
    }
    if (most > 0 && utf8_length(value) > most) {
        return err_set(err, ERR_REJECT,
                       "%zu characters, and at most %zu can be",
                       utf8_length(value), most);
    }
    if (parameter->pattern == NULL) {
        return 0;
    }
    int matched = match(parameter->pattern, value, err);
    return matched != 0 ? (matched > 0 ? 0 : -1)
                        : err_set(err, ERR_REJECT, "not of the form %s",
                                  parameter->pattern);
}

char *limits_text(const struct parameter *parameter)
{
    struct buf text = {0};
    const char *between = "";

    if (parameter->min != NULL) {
        (void)buf_addf(&text, "at least %s", parameter->min);
        between = ", ";
    }
    if (parameter->max != NULL) {
        (void)buf_addf(&text, "%sat most %s", between, parameter->max);
        between = ", ";
    }
    if (parameter->max_length > 0) {
        (void)buf_addf(&text, "%sat most %lld characters", between,
                       (long long)parameter->max_length);
        between = ", ";
    }
    if (parameter->pattern != NULL) {
        (void)buf_addf(&text, "%sof the form %s", between, parameter->pattern);
    }
    return text.len == 0 ? NULL : buf_take(&text);
}
