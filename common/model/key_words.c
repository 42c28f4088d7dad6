/* key_words.c: see key_words.h. */
#include "model/key_words.h"

#include "base/spoken.h"

char *key_words(const struct key32 *key)
{
    struct hash id = key_id(key);

    return spoken_words(id.b, KEY_WORDS);
}
