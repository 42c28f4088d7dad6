/*
 * verb_rows.c: THE table: what submit can do. Help, parsing and "did you mean"
 * are made from it; who may ask what is the authorizer's own table.
 */
#include "producer/submit/verb_flags.h"

const struct verb verbs[] = {
    {"list", "", "the commands that you may run", FOR_EVERYBODY,
     .run = cmd_list, .lists = true},
    {"show", "COMMAND", "what a command does and asks for", FOR_EVERYBODY,
     .run = cmd_show, .flags = show_flags},
    {"run", "COMMAND [NAME=VALUE...]", "run a command, and see its output",
     FOR_EVERYBODY, .run = cmd_run, .flags = run_flags,
     .help = "A VALUE that begins with @ is a file's content (@- is standard "
             "input, @@ stands for @). A secret is asked for, and not shown "
             "while you type; or comes from a file. "
             "Runs on all of the command's targets, unless -t names some of "
             "them; what is drained is left out. "
             "Follows the output and says how the run ended. Ctrl-C detaches: "
             "the run goes on, `submit watch` shows the rest, `submit cancel` "
             "ends it."},
    {"rerun", "[RUN] [NAME=VALUE...]", "run the same once more", FOR_EVERYBODY,
     .run = cmd_rerun, .flags = rerun_flags,
     .help = "With the same values, on the same targets, in the command's "
             "newest version that you may run. RUN is an id, a unique ending "
             "of one, or nothing: your last. A value that is given behind it "
             "takes the place of the one then; secrets are asked for again."},
    {"cancel", "RUN", "end a run that you asked for", FOR_EVERYBODY,
     .run = cmd_cancel, .flags = cancel_flags,
     .help = "RUN is an id, or a unique ending of one. What has not begun does "
             "not begin any more; what runs is ended with all of its "
             "processes. Waits until nothing of it is alive, and says how it "
             "ended. Administrators can cancel anybody's run."},
    {"pending", "[RUN]", "runs that wait for your approval", FOR_EVERYBODY,
     .run = cmd_pending, .lists = true, .flags = pending_flags,
     .help =
         "With a RUN: what it would do, where, and who asked for it. RUN is "
         "an id, or a unique ending of one."},
    {"approve", "RUN", "approve a run that waits for it", FOR_EVERYBODY,
     .run = cmd_approve, .flags = vote_flags,
     .help =
         "Shows what was asked for, and asks whether it is meant. It begins "
         "once as many people have approved it as its command wants. Who "
         "asked for a run does not count."},
    {"reject", "RUN", "end a run that waits for approval", FOR_EVERYBODY,
     .run = cmd_reject, .flags = vote_flags,
     .help = "One of those who could approve it is enough: nothing of it "
             "begins any more."},
    {"result", "[RUN]", "how a run ended", FOR_EVERYBODY, .run = cmd_result,
     .help = "RUN is an id, a unique ending of one, or nothing: your last."},
    {"output", "[RUN]", "what a run put out", FOR_EVERYBODY, .run = cmd_output,
     .flags = output_flags,
     .help =
         "RUN is an id, a unique ending of one, or nothing: your last. What "
         "could upset a terminal is made harmless on one, unless --raw."},
    {"watch", "[RUN]", "see a run's output until it has ended", FOR_EVERYBODY,
     .run = cmd_watch, .flags = watch_flags,
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
    {"schedule list", "[COMMAND]", "what runs by itself, and in whose name",
     FOR_ADMINISTRATORS, .run = cmd_schedule_list, .lists = true,
     .help = "A command's file says when it runs by itself (`schedule = 0 3 * "
             "* 1-5`, `at = 2026-12-24T18:00`); whoever saves it signs for it. "
             "Stopped is what nobody stands behind any more. Last is the "
             "newest time that came, and how it ended."},
    {"schedule next", "COMMAND|SCHEDULE", "when a schedule fires",
     FOR_ADMINISTRATORS, .run = cmd_schedule_next, .flags = schedule_next_flags,
     .help = "Shows what the zone's clock shows, and UTC. Of a command, all of "
             "its schedules together. SCHEDULE is five "
             "fields, in quotes: minute, hour, day of month, month, day of "
             "week; or @hourly, @daily, @weekly, @monthly, @yearly. What "
             "becomes of hours that a change of the clock skips or repeats: as "
             "in Debian's cron. Nothing is fired by this.",
     .example = "submit schedule next '30 2 * * 1-5' --zone Europe/Berlin\n",
     .bare = true},
    {"schedule pause", "COMMAND", "let a command run no more by itself",
     FOR_ADMINISTRATORS, .run = cmd_schedule_pause,
     .help = "Until it is resumed; times that come meanwhile are passed over, "
             "and what it has asked for and waits is called off. Every host is "
             "told. People run it as before."},
    {"schedule resume", "COMMAND", "end that", FOR_ADMINISTRATORS,
     .run = cmd_schedule_resume,
     .help = "Its schedules run in your name from then on, as its newest "
             "version says them."},
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
    {"group add", "GROUP EMAIL...", "let people approve together",
     FOR_ADMINISTRATORS, .run = cmd_group_add,
     .help = "A command's `approve = 2 of GROUP` asks for the approval of two "
             "of them before it runs. The group is made where there is none."},
    {"group remove", "GROUP EMAIL...", "take people out of a group",
     FOR_ADMINISTRATORS, .run = cmd_group_remove,
     .help = "What they approved and has not begun is not approved by them any "
             "more. Without members there is no such group."},
    {"group list", "", "the groups, and who is in them", FOR_ADMINISTRATORS,
     .run = cmd_group_list, .lists = true},
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
