/*
 * handlers.h: what each verb does once its signer may ask it; one file per noun
 * (people.c, sessions.c …). Who calls them is the table in verbs.c; what they
 * return, decision.h.
 */
#pragma once

#include "consumer/authorizer/verbs.h"

handler on_user_invite, on_invitation_show, on_user_verify, on_user_confirm,
    on_user_list, on_user_show;
handler on_mfa_set, on_mfa_reset;
handler on_policy_set, on_policy_list;
handler on_session_open, on_session_close, on_session_show;
handler on_user_signed;
handler on_user_suspend, on_user_resume, on_user_remove, on_user_role,
    on_user_reinvite, on_key_rotate;
handler on_service_enrol, on_service_list, on_service_revoke;
handler on_target_set, on_target_list, on_target_show;
handler on_group_set, on_group_list;
handler on_assignment_explain;
handler on_command_retire, on_assignment_remove;
handler on_command_save, on_command_list, on_command_show, on_command_versions;
handler on_schedule_set, on_schedule_remove, on_schedule_list, on_run_tick;
handler on_assignment_add, on_assignment_list;
handler on_audit_list, on_audit_rows;
handler on_billing_init, on_billing_show;
handler on_card_add, on_card_default, on_card_remove, on_card_list,
    on_card_export;
handler on_run_advance;
handler on_run_approve, on_run_reject, on_pending_list, on_pending_show;
handler on_run_start, on_run_cancel, on_run_show, on_run_output, on_run_history;
