/* words.c: see words.h. */
#include "base/words.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"

int word_value(const struct words *words, const char *word)
{
    for (size_t i = 1; i < words->n; i++) {
        if (strcmp(words->list[i], word) == 0) {
            return (int)i;
        }
    }
    return 0;
}

const char *word_text(const struct words *words, int value)
{
    return value > 0 && (size_t)value < words->n ? words->list[value] : "-";
}

char *word_spoken(const struct words *words, int value)
{
    char *text = must_strdup(word_text(words, value));

    for (char *c = strchr(text, '_'); c != NULL; c = strchr(c, '_')) {
        *c = ' ';
    }
    return text;
}

char *words_join(const struct words *words)
{
    struct buf text = {0};

    for (size_t i = 1; i < words->n; i++) {
        const char *comma = i + 1 == words->n ? " or " : ", ";
        (void)buf_adds(&text, i == 1 ? "" : comma);
        (void)buf_adds(&text, words->list[i]);
    }
    return buf_take(&text);
}
