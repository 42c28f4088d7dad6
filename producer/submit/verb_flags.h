/* verb_flags.h: the flags that verb_rows.c names; each list ends with {0}. */
#pragma once

#include "producer/submit/submit.h"

extern const struct flag run_flags[];
extern const struct flag rerun_flags[];
extern const struct flag show_flags[];
extern const struct flag cancel_flags[];
extern const struct flag output_flags[];
extern const struct flag pending_flags[];
extern const struct flag vote_flags[];
extern const struct flag watch_flags[];
extern const struct flag history_flags[];
extern const struct flag audit_flags[];
extern const struct flag verify_flags[];
extern const struct flag login_flags[];
extern const struct flag key_rotate_flags[];
extern const struct flag mfa_setup_flags[];
extern const struct flag mfa_status_flags[];
extern const struct flag passwd_flags[];
extern const struct flag key_import_flags[];
extern const struct flag card_add_flags[];
extern const struct flag card_list_flags[];
extern const struct flag command_save_flags[];
extern const struct flag command_show_flags[];
extern const struct flag schedule_next_flags[];
extern const struct flag assign_add_flags[];
extern const struct flag assign_list_flags[];
extern const struct flag command_remove_flags[];
extern const struct flag user_invite_flags[];
extern const struct flag user_confirm_flags[];
extern const struct flag user_suspend_flags[];
extern const struct flag user_remove_flags[];
extern const struct flag user_role_flags[];
extern const struct flag user_reset_flags[];
extern const struct flag target_add_flags[];
extern const struct flag target_remove_flags[];
extern const struct flag service_enrol_flags[];
extern const struct flag billing_init_flags[];
extern const struct flag billing_export_flags[];
extern const struct flag service_rotate_flags[];
extern const struct flag service_revoke_flags[];
extern const struct flag init_flags[];
