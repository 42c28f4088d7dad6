/*
 * keyring.c: see keyring.h; keyrings(7).
 *
 * A key can be read by who possesses it: whose session keyring leads to it. A
 * session keyring that does not (pam_keyinit's may not) is linked to the user's
 * first.
 */
#include "producer/submit/keyring.h"

#include <keyutils.h>
#include <sodium.h>

#define SEEDS 64

static key_serial_t find(const char *name)
{
    long key = keyctl_search(KEY_SPEC_USER_KEYRING, "user", name, 0);

    return key < 0 ? -1 : (key_serial_t)key;
}

static void reach(void)
{
    (void)keyctl_link(KEY_SPEC_USER_KEYRING, KEY_SPEC_SESSION_KEYRING);
}

struct key_pair *keyring_get(const char *name)
{
    unsigned char seeds[SEEDS];
    struct key_pair *keys = NULL;

    reach();
    key_serial_t key = find(name);
    if (key >= 0 && keyctl_read(key, (char *)seeds, SEEDS) == SEEDS) {
        keys = key_pair_from_seeds(seeds);
    }
    sodium_memzero(seeds, sizeof(seeds));
    return keys;
}

bool keyring_put(const char *name, const struct key_pair *keys)
{
    reach();
    key_serial_t key =
        add_key("user", name, keys->secret, SEEDS, KEY_SPEC_USER_KEYRING);

    if (key < 0) {
        return false;
    }
    if (keyctl_set_timeout(key, KEYRING_LIFE) != 0) {
        (void)keyctl_unlink(key, KEY_SPEC_USER_KEYRING);
        return false;
    }
    return true;
}

void keyring_forget(const char *name)
{
    reach();
    key_serial_t key = find(name);

    if (key >= 0) {
        (void)keyctl_invalidate(key);
    }
}
