/*
 * verb_rows.c: THE table: what submit can do. Help, parsing and "did you mean"
 * are made from it; who may ask what is the authorizer's own table.
 */
#include "producer/submit/submit.h"

#define PASSWORD_FILE                                                       \
    {                                                                       \
        0, "password-file", "FILE", "read the password from a private file" \
    }

/* Flags, beside the common ones (parse.c) */

static const struct flag run_flags[] = {
    {'t', "target", "TARGET",
     "run it there alone: a name, @LABEL=VALUE; may be repeated"},
    {'d', "detach", NULL, "print the run's id once it is accepted"},
    {0, "params", "FILE", "read values from a JSON object, or - (stdin)"},
    {0, "dry-run", NULL, "only say what would run, and with what"},
    {0}};

static const struct flag rerun_flags[] = {
    {0, "failed", NULL, "only where it did not succeed"},
    {'d', "detach", NULL, "print the run's id once it is accepted"},
    {0, "dry-run", NULL, "only say what would run, and with what"},
    {0}};

static const struct flag show_flags[] = {
    {0, "script", NULL, "print its file, where it lets its runners see it"},
    {0}};

static const struct flag cancel_flags[] = {
    {'t', "target", "TARGET", "on this target alone; may be repeated"},
    {'d', "detach", NULL, "do not wait until it has ended"},
    {0}};

static const struct flag output_flags[] = {
    {'t', "target", "TARGET", "of this target alone; may be repeated"},
    {0, "stderr", NULL, "its standard error alone"},
    {0, "raw", NULL, "byte for byte, on a terminal, too"},
    {0}};

static const struct flag history_flags[] = {
    {0, "command", "COMMAND", "of this command alone"},
    {0, "user", "EMAIL", "of this person alone"},
    {0, "target", "TARGET", "of this target alone"},
    {0, "outcome", "OUTCOME", "that ended so: succeeded, failed, timed_out …"},
    {0, "since", "TIME", "asked since then"},
    {0, "until", "TIME", "asked before then"},
    {0, "param", "NAME=VALUE", "with this value; may be repeated"},
    {0, "count", NULL, "only say how many"},
    {'n', "limit", "N", "at most so many (20)"},
    {0}};

static const struct flag audit_flags[] = {
    {0, "user", "EMAIL", "of this person alone"},
    {0, "verb", "VERB", "of this kind alone, such as run.start"},
    {0, "command", "COMMAND", "of this command alone"},
    {0, "since", "TIME", "decided since then"},
    {0, "outcome", "OUTCOME", "accepted or refused"},
    {'n', "limit", "N", "at most so many (50)"},
    {0}};

static const struct flag verify_flags[] = {
    {0, "code-file", "FILE",
     "read code or block from a private file, or - (stdin)"},
    PASSWORD_FILE,
    {0}};

static const struct flag login_flags[] = {
    {0, "ttl", "TIME", "how long (8h), at most as the policy says"},
    {0, "code-file", "FILE", "read the code from a private file, or - (stdin)"},
    PASSWORD_FILE,
    {0}};

static const struct flag key_rotate_flags[] = {PASSWORD_FILE, {0}};

static const struct flag mfa_setup_flags[] = {PASSWORD_FILE, {0}};

static const struct flag mfa_status_flags[] = {PASSWORD_FILE, {0}};

static const struct flag passwd_flags[] = {
    PASSWORD_FILE,
    {0, "new-password-file", "FILE", "read the new one from a private file"},
    {0}};

static const struct flag key_import_flags[] = {PASSWORD_FILE, {0}};

static const struct flag card_add_flags[] = {
    {0, "file", "FILE", "read the card from a private file, or - (stdin)"},
    {0, "digits", "N", "how many digits its number has, where that is asked"},
    {0, "number", NULL, NULL},
    {0, "cvv", NULL, NULL},
    {0, "cvc", NULL, NULL},
    {0, "security-code", NULL, NULL},
    {0}};

static const struct flag card_list_flags[] = {
    {0, "user", "EMAIL", "somebody else's; for administrators"}, {0}};

static const struct flag command_save_flags[] = {
    {0, "runner", "EMAIL", "assign it to them, too; may be repeated"}, {0}};

static const struct flag command_show_flags[] = {
    {0, "script", NULL, "print its file, byte for byte"},
    {0, "files", NULL, "list the files that come with it"},
    {0, "file", "NAME", "print one of them, byte for byte"},
    {0}};

static const struct flag schedule_next_flags[] = {
    {0, "zone", "ZONE", "whose clock counts, such as Europe/Berlin (UTC)"},
    {'n', "limit", "N", "so many (5)"},
    {0, "after", "TIME", "from then on, by that clock (now)"},
    {0}};

static const struct flag assign_add_flags[] = {
    {0, "until", "TIME", "no longer than that: 8h, 7d, or a moment"},
    {0, "pin", "VERSION", "this version alone, whatever is saved later"},
    {0}};

static const struct flag assign_list_flags[] = {
    {0, "command", "COMMAND", "of this command alone"},
    {0, "user", "EMAIL", "of this person alone"},
    {0}};

static const struct flag command_remove_flags[] = {
    {'y', "yes", NULL, "don't ask whether it is meant"}, {0}};

static const struct flag user_invite_flags[] = {
    {0, "role", "ROLE", "administrator, runner or runner_billing (runner)"},
    {0, "name", "NAME", "what to call them"},
    {0, "mfa", NULL, "they set up a second factor first (the default)"},
    {0, "no-mfa", NULL, "they need none, unless the policy requires it"},
    {0, "service", NULL, "a machine: no password, no second factor"},
    {0}};

static const struct flag user_confirm_flags[] = {
    {'y', "yes", NULL, "the six words were compared: don't ask"}, {0}};

static const struct flag user_suspend_flags[] = {
    {0, "keep", "NAME",
     "what they signed that goes on: all, none, a name; may be repeated"},
    {0}};

static const struct flag user_remove_flags[] = {
    {0, "keep", "NAME",
     "what they signed that goes on: all, none, a name; may be repeated"},
    {'y', "yes", NULL, "don't ask whether it is meant"},
    {0}};

static const struct flag user_role_flags[] = {
    {0, "keep", "NAME",
     "what they signed that goes on: all, none, a name; may be repeated"},
    {'y', "yes", NULL, "the six words were compared: don't ask"},
    {0}};

static const struct flag user_reset_flags[] = {
    {0, "password", NULL, "their password, or the machine with their key"},
    {0, "mfa", NULL, "their second factor"},
    {0, "keep", "NAME",
     "what they signed that goes on: all, none, a name; may be repeated"},
    {0}};

static const struct flag target_add_flags[] = {
    {0, "max-wait", "TIME", "how long a run may wait for it (1d), at most 7d"},
    {0, "again", NULL, "another one by the name of one that was removed"},
    {0}};

static const struct flag target_remove_flags[] = {
    {'y', "yes", NULL, "don't ask whether it is meant"}, {0}};

static const struct flag service_enrol_flags[] = {
    {0, "target", "TARGET", "that an executor serves"},
    {0, "key", "LINE", "the daemon's key line"},
    {0, "out", "FILE", "where its enrolment is written to"},
    {0, "root-key", "FILE", "for an authorizer"},
    {0, "root-password-file", "FILE", "the root key's password"},
    {0}};

static const struct flag billing_init_flags[] = {
    {0, "out", "FILE", "where the secret half is written to"},
    {0, "billing-password-file", "FILE", "the billing key's password"},
    {0}};

static const struct flag billing_export_flags[] = {
    {0, "key", "FILE", "a billing key's secret half; may be repeated"},
    {0, "billing-password-file", "FILE", "the billing key's password"},
    {0, "out", "FILE", "a new private file, or - (stdout)"},
    {0, "keep-going", NULL, "export the good ones all the same"},
    {0, "force", NULL, "write card numbers to a terminal"},
    {0}};

static const struct flag service_rotate_flags[] = {
    {0, "key", "LINE", "the new key's line"},
    {0, "out", "FILE", "where its enrolment is written to"},
    {0, "root-key", "FILE", "for an authorizer"},
    {0, "root-password-file", "FILE", "the root key's password"},
    {0}};

static const struct flag service_revoke_flags[] = {
    {0, "kind", "KIND", "where daemons of several kinds have that name"},
    {0, "older", NULL, "all but the newest: a rotation's end"},
    {0, "all", NULL, "the newest, too"},
    {0, "enrolment", "HASH", "this one, as service list shows it"},
    {'y', "yes", NULL, "don't ask"},
    {0}};

static const struct flag init_flags[] = {
    {0, "authorizer", "LINE", "the authorizer's key line (--make-key)"},
    {0, "authorizer-name", "NAME", "authorizer-1"},
    {0, "root-key", "FILE", "where the root key is written to (DIR/root.key)"},
    {0, "root-password-file", "FILE", "the root key's password"},
    PASSWORD_FILE,
    {0, "out", "DIR", "where the other files go (the profile)"},
    {0}};

/* Verbs */

const struct verb verbs[] = {
    {"list", "", "the commands that you may run", FOR_EVERYBODY,
     .run = cmd_list, .lists = true},
    {"show", "COMMAND", "what a command does and asks for", FOR_EVERYBODY,
     .run = cmd_show, .flags = show_flags},
    {"run", "COMMAND [NAME=VALUE...]", "run a command, and see its output",
     FOR_EVERYBODY, .run = cmd_run, .flags = run_flags,
     .help = "A VALUE that begins with @ is a file's content (@- is standard "
             "input, @@ stands for @). "
             "Runs on all of the command's targets, unless -t names some of "
             "them; what is drained is left out. "
             "Follows the output and says how the run ended. Ctrl-C detaches: "
             "the run goes on, `submit watch` shows the rest, `submit cancel` "
             "ends it."},
    {"rerun", "[RUN]", "run the same once more", FOR_EVERYBODY,
     .run = cmd_rerun, .flags = rerun_flags,
     .help = "With the same values, on the same targets, in the command's "
             "newest version that you may run. RUN is an id, a unique ending "
             "of one, or nothing: your last."},
    {"cancel", "RUN", "end a run that you asked for", FOR_EVERYBODY,
     .run = cmd_cancel, .flags = cancel_flags,
     .help = "RUN is an id, or a unique ending of one. What has not begun does "
             "not begin any more; what runs is ended with all of its "
             "processes. Waits until nothing of it is alive, and says how it "
             "ended. Administrators can cancel anybody's run."},
    {"result", "[RUN]", "how a run ended", FOR_EVERYBODY, .run = cmd_result,
     .help = "RUN is an id, a unique ending of one, or nothing: your last."},
    {"output", "[RUN]", "what a run put out", FOR_EVERYBODY, .run = cmd_output,
     .flags = output_flags,
     .help =
         "RUN is an id, a unique ending of one, or nothing: your last. What "
         "could upset a terminal is made harmless on one, unless --raw."},
    {"watch", "[RUN]", "see a run's output until it has ended", FOR_EVERYBODY,
     .run = cmd_watch,
     .help =
         "RUN is an id, a unique ending of one, or nothing: your last. Tells "
         "all that it has put out, then what comes, and how it ended, as "
         "`submit run` does; also where somebody else started it. Ctrl-C "
         "stops watching: the run goes on."},
    {"history", "", "runs of your commands, the newest first", FOR_EVERYBODY,
     .run = cmd_history, .lists = true, .flags = history_flags,
     .help = "For administrators everybody's. A TIME is how long ago (2d, "
             "1h30m) or a moment (2026-11-24, '2026-11-24 03:27'). A VALUE is "
             "what was given, not what a parameter is by default."},
    {"audit", "", "what was asked and decided, the newest first", FOR_EVERYBODY,
     .run = cmd_audit, .lists = true, .flags = audit_flags,
     .help =
         "Your own requests; for administrators everybody's. A TIME is how "
         "long ago (2d, 1h30m) or a moment (2026-11-24, '2026-11-24 03:27')."},
    {"verify", "", "follow an invitation", FOR_EVERYBODY, .run = cmd_verify,
     .flags = verify_flags, .refuses = true,
     .help = "Asks for the verification code, or the whole block of the "
             "invitation's mail, then for a new password. Checks that the code "
             "belongs to this installation, makes your key and signs you in.",
     .bare = true},
    {"login", "", "open a session, for eight hours", FOR_EVERYBODY,
     .run = cmd_login, .flags = login_flags,
     .help = "Asks for your password and, where you have a second factor, for "
             "a code of it or a recovery code. Where one is wanted and not "
             "there yet, it is set up first."},
    {"logout", "", "end the session", FOR_EVERYBODY, .run = cmd_logout},
    {"whoami", "", "who you are here, and until when", FOR_EVERYBODY,
     .run = cmd_whoami},
    {"key rotate", "", "make a new key in the place of yours", FOR_EVERYBODY,
     .run = cmd_key_rotate, .flags = key_rotate_flags,
     .help = "Every copy of the old one is worth nothing from then on: do it "
             "when somebody may have your key file, and knew its password."},
    {"mfa setup", "", "set up your second factor, or another", FOR_EVERYBODY,
     .run = cmd_mfa_setup, .flags = mfa_setup_flags,
     .help =
         "Shows a QR code for an authenticator app, asks for its first code, "
         "and prints ten recovery codes, once. Where you have a second factor, "
         "it asks for a code of that one, or for a recovery code."},
    {"mfa status", "", "whether you have a second factor", FOR_EVERYBODY,
     .run = cmd_mfa_status, .flags = mfa_status_flags},
    {"passwd", "", "lock your key by another password", FOR_EVERYBODY,
     .run = cmd_passwd, .flags = passwd_flags,
     .help = "Here alone: other machines' copies keep their password."},
    {"key list", "", "your key, and how it is locked", FOR_EVERYBODY,
     .run = cmd_key_list, .lists = true},
    {"key export", "FILE", "take your key to a second machine", FOR_EVERYBODY,
     .run = cmd_key_export,
     .help =
         "Writes key, enrolment, root and brokers; locked by your password. "
         "What else [kafka] needs (certificates) is that machine's own."},
    {"key import", "FILE", "become yourself on a second machine", FOR_EVERYBODY,
     .run = cmd_key_import, .flags = key_import_flags,
     .help = "Makes a profile of what key export wrote. ERRAND_PROFILE names a "
             "directory that is nobody's yet, if the usual one is somebody's.",
     .bare = true},
    {"help", "[VERB | exit-codes]", "this help", FOR_EVERYBODY, .run = cmd_help,
     .refuses = true, .bare = true},
    {"card add", "", "add a payment card", FOR_BILLING, .run = cmd_card_add,
     .flags = card_add_flags, .refuses = true,
     .help = "Asks for the number, the name on the card and when it expires; "
             "never for the security code. The card is sealed on this machine: "
             "nobody but whoever does the payments can open it. A file holds "
             "the three answers as three lines, or as JSON: {\"number\": "
             "\"…\", \"name\": \"…\", \"expiry\": \"MM/YY\"}."},
    {"card list", "", "your payment cards", FOR_BILLING, .run = cmd_card_list,
     .lists = true, .flags = card_list_flags},
    {"card default", "CARD", "choose the card that is charged", FOR_BILLING,
     .run = cmd_card_default,
     .help = "CARD is its last four digits, or the ending of its id."},
    {"card remove", "CARD", "take a card back", FOR_BILLING,
     .run = cmd_card_remove,
     .help = "CARD is its last four digits, or the ending of its id."},
    {"command save", "FILE", "save a command from its file", FOR_ADMINISTRATORS,
     .run = cmd_command_save, .flags = command_save_flags,
     .help = "The file is an executable script whose comment header describes "
             "it:",
     .example =
         "#!/bin/sh\n"
         "#: name = disk-report\n"
         "#: description = What fills a directory\n"
         "#: targets = web-1\n"
         "#: [param dir]\n"
         "#: type = path\n"
         "#: default = /var\n"
         "du -xh --max-depth=1 \"$ERRAND_PARAM_DIR\" | sort -h | tail\n"},
    {"command list", "", "all commands", FOR_ADMINISTRATORS,
     .run = cmd_command_list, .lists = true},
    {"command show", "COMMAND", "a command, whole", FOR_ADMINISTRATORS,
     .run = cmd_command_show, .flags = command_show_flags},
    {"command versions", "COMMAND", "who saved it when", FOR_ADMINISTRATORS,
     .run = cmd_command_versions, .lists = true},
    {"command diff", "COMMAND [V1 [V2]]", "what changed between two versions",
     FOR_ADMINISTRATORS, .run = cmd_command_diff,
     .help = "Of their files, as diff -u tells it. Without V2 the newest, "
             "without V1 the one before that."},
    {"command restore", "COMMAND VERSION", "make an older version the newest",
     FOR_ADMINISTRATORS, .run = cmd_command_restore,
     .help = "Saves its file once more, as a new version with your signature."},
    {"schedule next", "SCHEDULE", "when a schedule fires", FOR_ADMINISTRATORS,
     .run = cmd_schedule_next, .flags = schedule_next_flags,
     .help = "Shows what the zone's clock shows, and UTC. SCHEDULE is five "
             "fields, in quotes: minute, hour, day of month, month, day of "
             "week; or @hourly, @daily, @weekly, @monthly, @yearly. What "
             "becomes of hours that a change of the clock skips or repeats: as "
             "in Debian's cron. Nothing is fired by this.",
     .example = "submit schedule next '30 2 * * 1-5' --zone Europe/Berlin\n",
     .bare = true},
    {"assign add", "COMMAND EMAIL...", "let people run a command",
     FOR_ADMINISTRATORS, .run = cmd_assign_add, .flags = assign_add_flags,
     .help = "All of them, or none."},
    {"assign list", "", "who may run what", FOR_ADMINISTRATORS,
     .run = cmd_assign_list, .lists = true, .flags = assign_list_flags},
    {"command remove", "COMMAND", "take a command away for good",
     FOR_ADMINISTRATORS, .run = cmd_command_remove,
     .flags = command_remove_flags,
     .help = "What waits or runs of it is ended. Its name is free again."},
    {"assign explain", "COMMAND EMAIL",
     "why somebody may run a command, or may not", FOR_ADMINISTRATORS,
     .run = cmd_assign_explain,
     .help = "Ends with 0 where they may, with 1 where they may not."},
    {"assign remove", "COMMAND EMAIL...", "let people run a command no more",
     FOR_ADMINISTRATORS, .run = cmd_assign_remove,
     .help = "What waits or runs of theirs is ended."},
    {"user invite", "EMAIL|NAME", "invite somebody", FOR_ADMINISTRATORS,
     .run = cmd_user_invite, .flags = user_invite_flags,
     .help = "A mail with a verification code goes out. Where no notifier is "
             "enrolled, the code is printed: hand it over by a way that you "
             "trust. It is good once, for 72 hours. An administrator has to be "
             "confirmed after. A machine identity (--service) may have a plain "
             "name instead of an address."},
    {"user confirm", "EMAIL", "confirm a new administrator", FOR_ADMINISTRATORS,
     .run = cmd_user_confirm, .flags = user_confirm_flags,
     .help = "Compare the six words with them first: face to face or by "
             "telephone."},
    {"user list", "", "everybody", FOR_ADMINISTRATORS, .run = cmd_user_list,
     .lists = true},
    {"user show", "EMAIL", "one person, and how they stand", FOR_ADMINISTRATORS,
     .run = cmd_user_show},
    {"user suspend", "EMAIL", "let nothing of theirs be done for now",
     FOR_ADMINISTRATORS, .run = cmd_user_suspend, .flags = user_suspend_flags,
     .help = "What they prepared goes on, unless --keep says otherwise."},
    {"user resume", "EMAIL", "end a suspension", FOR_ADMINISTRATORS,
     .run = cmd_user_resume},
    {"user remove", "EMAIL", "remove somebody for good", FOR_ADMINISTRATORS,
     .run = cmd_user_remove, .flags = user_remove_flags,
     .help = "Of an administrator it asks what of all that they signed shall "
             "go on."},
    {"user role", "EMAIL ROLE", "give somebody another role",
     FOR_ADMINISTRATORS, .run = cmd_user_role, .flags = user_role_flags,
     .help = "ROLE is administrator, runner or runner_billing. Their sessions "
             "end. Before somebody becomes administrator, compare their key's "
             "six words with them."},
    {"user resend", "EMAIL", "invite somebody again who has not come yet",
     FOR_ADMINISTRATORS, .run = cmd_user_resend,
     .help = "The invitation before is worth nothing from then on."},
    {"user withdraw", "EMAIL", "take an invitation back", FOR_ADMINISTRATORS,
     .run = cmd_user_withdraw},
    {"user reset", "EMAIL", "help somebody who lost what they sign in with",
     FOR_ADMINISTRATORS, .run = cmd_user_reset, .flags = user_reset_flags,
     .help = "--password: invites them anew, as the same person with the same "
             "assignments; their old key is worth nothing from then on. --mfa: "
             "takes their second factor away; they set up another at their "
             "next login. Make sure that it is they who ask: call them back."},
    {"policy list", "", "what the organisation asks of its people",
     FOR_ADMINISTRATORS, .run = cmd_policy_list},
    {"policy set", "RULE=VALUE...", "change that", FOR_ADMINISTRATORS,
     .run = cmd_policy_set,
     .help =
         "mfa=required|optional, password.min=N (15 to 64), session.ttl=TIME "
         "(at most 8h), invitation.ttl=TIME (at most 3d)."},
    {"audit verify", "", "check that nobody changed the audit log",
     FOR_ADMINISTRATORS, .run = cmd_audit_verify,
     .help =
         "Recomputes every row's hash, the chain of each partition, and every "
         "signature up to the root key that this profile pins, and compares "
         "the ends with the checkpoints that the authorizer signed: on "
         "errand.events, and in the answers that this profile got. Names the "
         "first row that was altered, removed or added (exit status 65). What "
         "nobody known had signed is no row: it is on errand.dead; nor is one "
         "that came again with the id of another."},
    {"target add", "NAME [LABEL=VALUE...]", "add a place where commands run",
     FOR_ADMINISTRATORS, .run = cmd_target_add, .flags = target_add_flags},
    {"target list", "", "the targets, and who serves them", FOR_ADMINISTRATORS,
     .run = cmd_target_list, .lists = true},
    {"target show", "NAME", "one target, and how it does", FOR_ADMINISTRATORS,
     .run = cmd_target_show},
    {"target set", "NAME KEY=VALUE...", "change a target's labels",
     FOR_ADMINISTRATORS, .run = cmd_target_set,
     .help = "role=web is a label, by which a command's `targets = @role=web` "
             "reaches it; role= takes it away. max_wait=12h is how long a run "
             "may wait for it."},
    {"target drain", "NAME", "let nothing start there for now",
     FOR_ADMINISTRATORS, .run = cmd_target_drain,
     .help = "What runs there ends by itself; what waits for it waits, as long "
             "as it would for a host that is off."},
    {"target resume", "NAME", "end that", FOR_ADMINISTRATORS,
     .run = cmd_target_resume},
    {"target remove", "NAME", "take a target away for good", FOR_ADMINISTRATORS,
     .run = cmd_target_remove, .flags = target_remove_flags,
     .help = "What waits or runs there is ended, and its executors end. "
             "Commands go on naming it: another target of its name (target add "
             "--again) is theirs, too, with executors that are enrolled anew."},
    {"service enrol", "KIND NAME", "enrol a daemon", FOR_ADMINISTRATORS,
     .run = cmd_service_enrol, .flags = service_enrol_flags,
     .help = "KIND is authorizer, executor, scheduler or notifier. LINE is "
             "what the daemon printed with --make-key. An authorizer is "
             "enrolled by the root key, off line.",
     .bare = true},
    {"billing init", "", "make the key that cards are sealed to",
     FOR_ADMINISTRATORS, .run = cmd_billing_init, .flags = billing_init_flags,
     .help = "Publishes one half; the other goes to FILE, for whoever does the "
             "payments. Again: a new key; the cards that are there stay with "
             "the one before."},
    {"billing export", "", "open everybody's cards, as lines of JSON",
     FOR_ADMINISTRATORS, .run = cmd_billing_export,
     .flags = billing_export_flags,
     .help =
         "Checks each card up to the root key before it opens it. Where one is "
         "not as its owner signed it, it is named, and nothing comes out."},
    {"service list", "", "the daemons that are enrolled", FOR_ADMINISTRATORS,
     .run = cmd_service_list, .lists = true},
    {"service rotate", "KIND NAME", "give a daemon a new key",
     FOR_ADMINISTRATORS, .run = cmd_service_rotate,
     .flags = service_rotate_flags,
     .help = "As enrol does, for one that is enrolled: LINE is the new key's. "
             "Both keys count, so nothing stands still, until `submit service "
             "revoke NAME --older`.",
     .bare = true},
    {"service revoke", "NAME", "end a daemon's enrolment", FOR_ADMINISTRATORS,
     .run = cmd_service_revoke, .flags = service_revoke_flags,
     .help = "What it says is not believed from then on: by authorizers at "
             "once, on a host when it has read the revocation log. A stolen "
             "key ends so."},
    {"init", "EMAIL", "found an installation, off line", FOR_ADMINISTRATORS,
     .run = cmd_init, .flags = init_flags,
     .help = "Makes the root key and yours, and enrols the authorizer. Keep "
             "root.key off line: it is needed to enrol authorizers, and for "
             "nothing else.",
     .bare = true},
};

const size_t n_verbs = ARRAY_SIZE(verbs);
