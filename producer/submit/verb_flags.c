/*
 * verb_flags.c: each verb's flags, beside the common ones (parse.c). The verbs
 * themselves are verb_rows.c.
 */
#include "producer/submit/verb_flags.h"

#define PASSWORD_FILE                                                       \
    {                                                                       \
        0, "password-file", "FILE", "read the password from a private file" \
    }

const struct flag run_flags[] = {
    {'t', "target", "TARGET",
     "run it there alone: a name, @LABEL=VALUE; may be repeated"},
    {'d', "detach", NULL, "print the run's id once it is accepted"},
    {0, "params", "FILE", "read values from a JSON object, or - (stdin)"},
    {0, "dry-run", NULL, "only say what would run, and with what"},
    {0}};

const struct flag rerun_flags[] = {
    {0, "failed", NULL, "only where it did not succeed"},
    {'d', "detach", NULL, "print the run's id once it is accepted"},
    {0, "dry-run", NULL, "only say what would run, and with what"},
    {0}};

const struct flag show_flags[] = {
    {0, "script", NULL, "print its file, where it lets its runners see it"},
    {0}};

const struct flag cancel_flags[] = {
    {'t', "target", "TARGET", "on this target alone; may be repeated"},
    {'d', "detach", NULL, "do not wait until it has ended"},
    {0}};

const struct flag pending_flags[] = {
    {0, "script", NULL, "print the file of its command, byte for byte"}, {0}};

const struct flag vote_flags[] = {
    {0, "comment", "TEXT", "why: others see it"},
    {'y', "yes", NULL, "don't show it, and don't ask whether it is meant"},
    {0}};

const struct flag output_flags[] = {
    {'t', "target", "TARGET", "of this target alone; may be repeated"},
    {0, "stderr", NULL, "its standard error alone"},
    {0, "raw", NULL, "byte for byte, on a terminal, too"},
    {0}};

const struct flag watch_flags[] = {
    {'t', "target", "TARGET", "on this target alone; may be repeated"}, {0}};

const struct flag history_flags[] = {
    {0, "command", "COMMAND", "of this command alone"},
    {0, "user", "EMAIL", "of this person alone"},
    {0, "target", "TARGET", "of this target alone"},
    {0, "outcome", "OUTCOME", "that ended so: succeeded, failed, timed_out …"},
    {0, "since", "TIME", "asked since then"},
    {0, "until", "TIME", "asked before then"},
    {0, "param", "NAME=VALUE", "with this value; may be repeated"},
    {0, "count", NULL, "only say how many"},
    {0, "watch", NULL, "go on to tell which come, and which end"},
    {'n', "limit", "N", "at most so many (20)"},
    {0}};

const struct flag audit_flags[] = {
    {0, "user", "EMAIL", "of this person alone"},
    {0, "verb", "VERB", "of this kind alone, such as run.start"},
    {0, "command", "COMMAND", "of this command alone"},
    {0, "since", "TIME", "decided since then"},
    {0, "outcome", "OUTCOME", "accepted or refused"},
    {'n', "limit", "N", "at most so many (50)"},
    {0}};

const struct flag verify_flags[] = {
    {0, "code-file", "FILE",
     "read code or block from a private file, or - (stdin)"},
    PASSWORD_FILE,
    {0}};

const struct flag login_flags[] = {
    {0, "ttl", "TIME", "how long (8h), at most as the policy says"},
    {0, "code-file", "FILE", "read the code from a private file, or - (stdin)"},
    PASSWORD_FILE,
    {0}};

const struct flag key_rotate_flags[] = {PASSWORD_FILE, {0}};

const struct flag mfa_setup_flags[] = {PASSWORD_FILE, {0}};

const struct flag mfa_status_flags[] = {PASSWORD_FILE, {0}};

const struct flag passwd_flags[] = {
    PASSWORD_FILE,
    {0, "new-password-file", "FILE", "read the new one from a private file"},
    {0}};

const struct flag key_import_flags[] = {PASSWORD_FILE, {0}};

const struct flag card_add_flags[] = {
    {0, "file", "FILE", "read the card from a private file, or - (stdin)"},
    {0, "digits", "N", "how many digits its number has, where that is asked"},
    {0, "number", NULL, NULL},
    {0, "cvv", NULL, NULL},
    {0, "cvc", NULL, NULL},
    {0, "security-code", NULL, NULL},
    {0}};

const struct flag card_list_flags[] = {
    {0, "user", "EMAIL", "somebody else's; for administrators"}, {0}};

const struct flag command_save_flags[] = {
    {0, "runner", "EMAIL", "assign it to them, too; may be repeated"}, {0}};

const struct flag command_show_flags[] = {
    {0, "script", NULL, "print its file, byte for byte"},
    {0, "files", NULL, "list the files that come with it"},
    {0, "file", "NAME", "print one of them, byte for byte"},
    {0}};

const struct flag schedule_next_flags[] = {
    {0, "zone", "ZONE", "whose clock counts, such as Europe/Berlin (UTC)"},
    {'n', "limit", "N", "so many (5)"},
    {0, "after", "TIME", "from then on, by that clock (now)"},
    {0}};

const struct flag assign_add_flags[] = {
    {0, "until", "TIME", "no longer than that: 8h, 7d, or a moment"},
    {0, "pin", "VERSION", "this version alone, whatever is saved later"},
    {0}};

const struct flag assign_list_flags[] = {
    {0, "command", "COMMAND", "of this command alone"},
    {0, "user", "EMAIL", "of this person alone"},
    {0}};

const struct flag command_remove_flags[] = {
    {'y', "yes", NULL, "don't ask whether it is meant"}, {0}};

const struct flag user_invite_flags[] = {
    {0, "role", "ROLE", "administrator, runner or runner_billing (runner)"},
    {0, "name", "NAME", "what to call them"},
    {0, "mfa", NULL, "they set up a second factor first (the default)"},
    {0, "no-mfa", NULL, "they need none, unless the policy requires it"},
    {0, "service", NULL, "a machine: no password, no second factor"},
    {0}};

const struct flag user_confirm_flags[] = {
    {'y', "yes", NULL, "the six words were compared: don't ask"}, {0}};

const struct flag user_suspend_flags[] = {
    {0, "keep", "NAME",
     "what they signed that goes on: all, none, a name; may be repeated"},
    {0}};

const struct flag user_remove_flags[] = {
    {0, "keep", "NAME",
     "what they signed that goes on: all, none, a name; may be repeated"},
    {'y', "yes", NULL, "don't ask whether it is meant"},
    {0}};

const struct flag user_role_flags[] = {
    {0, "keep", "NAME",
     "what they signed that goes on: all, none, a name; may be repeated"},
    {'y', "yes", NULL, "the six words were compared: don't ask"},
    {0}};

const struct flag user_reset_flags[] = {
    {0, "password", NULL, "their password, or the machine with their key"},
    {0, "mfa", NULL, "their second factor"},
    {0, "keep", "NAME",
     "what they signed that goes on: all, none, a name; may be repeated"},
    {0}};

const struct flag target_add_flags[] = {
    {0, "max-wait", "TIME", "how long a run may wait for it (1d), at most 7d"},
    {0, "again", NULL, "another one by the name of one that was removed"},
    {0}};

const struct flag target_remove_flags[] = {
    {'y', "yes", NULL, "don't ask whether it is meant"}, {0}};

const struct flag service_enrol_flags[] = {
    {0, "target", "TARGET", "that an executor serves"},
    {0, "key", "LINE", "the daemon's key line"},
    {0, "out", "FILE", "where its enrolment is written to"},
    {0, "root-key", "FILE", "for an authorizer"},
    {0, "root-password-file", "FILE", "the root key's password"},
    {0}};

const struct flag billing_init_flags[] = {
    {0, "out", "FILE", "where the secret half is written to"},
    {0, "billing-password-file", "FILE", "the billing key's password"},
    {0}};

const struct flag billing_export_flags[] = {
    {0, "key", "FILE", "a billing key's secret half; may be repeated"},
    {0, "billing-password-file", "FILE", "the billing key's password"},
    {0, "out", "FILE", "a new private file, or - (stdout)"},
    {0, "keep-going", NULL, "export the good ones all the same"},
    {0, "force", NULL, "write card numbers to a terminal"},
    {0}};

const struct flag service_rotate_flags[] = {
    {0, "key", "LINE", "the new key's line"},
    {0, "out", "FILE", "where its enrolment is written to"},
    {0, "root-key", "FILE", "for an authorizer"},
    {0, "root-password-file", "FILE", "the root key's password"},
    {0}};

const struct flag service_revoke_flags[] = {
    {0, "kind", "KIND", "where daemons of several kinds have that name"},
    {0, "older", NULL, "all but the newest: a rotation's end"},
    {0, "all", NULL, "the newest, too"},
    {0, "enrolment", "HASH", "this one, as service list shows it"},
    {'y', "yes", NULL, "don't ask"},
    {0}};

const struct flag init_flags[] = {
    {0, "authorizer", "LINE", "the authorizer's key line (--make-key)"},
    {0, "authorizer-name", "NAME", "authorizer-1"},
    {0, "root-key", "FILE", "where the root key is written to (DIR/root.key)"},
    {0, "root-password-file", "FILE", "the root key's password"},
    PASSWORD_FILE,
    {0, "out", "DIR", "where the other files go (the profile)"},
    {0}};
