"""Which tests hold the rules that fakerelay keeps by how it behaves (`behaves` in the rulebook)."""

from collections.abc import Mapping
from typing import Final

_ACCOUNTS: Final = "control/test_accounts.py::test_"
_ADDRESSES: Final = "core/test_addresses.py::test_"
_APP: Final = "web/test_app.py::test_"
_BAD: Final = "web/test_bad_input.py::test_"
_BAD_BODIES: Final = "web/test_bad_bodies.py::test_"
_CALLBACKS: Final = "core/test_callbacks.py::test_"
_CHECKS: Final = "web/test_check_order.py::test_"
_MAKING: Final = "web/tls/test_making.py::"
_MIXING: Final = "core/test_mixing.py::test_"
_ORDER: Final = "delivery/test_order.py::test_"
_PLANS: Final = "cdn/test_plans.py::test_"
_POSTS: Final = "delivery/test_posts.py::test_"
_PROFILES: Final = "test_profiles.py::test_"
_PUSH_STATUS: Final = "core/test_push_status.py::Test"
_QUOTAS: Final = "core/test_quotas.py::Test"
_REQUESTS: Final = "core/test_requests.py::test_"
_RETRIES: Final = "cdn/test_retries.py::test_"
_ROUTES: Final = "web/test_routes.py::test_"
_SCOPES: Final = "core/test_scopes.py::Test"
_STARTS: Final = "core/test_starts.py::Test"
_STOPS: Final = "core/test_stops.py::Test"
_TOKENS: Final = "web/test_tokens.py::test_"
_TRACE_IDS: Final = "web/test_trace_ids.py::test_"
_UPDATES: Final = "core/test_updates.py::Test"
_WIRE: Final = "web/test_wire.py::test_"

HOLDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "https-only": ("web/test_plaintext.py::test_plain_http_is_told_to_speak_https",),
    "hosts": (f"{_MAKING}TestMaking::test_a_client_that_trusts_our_file_accepts_each_name",),
    "start-path": (f"{_ROUTES}path_names_a_call", f"{_BAD}target_gets_the_contracts_answer"),
    "stop-path": (f"{_ROUTES}path_names_a_call", f"{_APP}broadcast_is_started_updated_and_stopped"),
    "legacy-paths": (f"{_APP}legacy_path_is_answered_where_the_profile_says_so",),
    "trace-id-first": (f"{_ROUTES}trace_id_is_the_first_of_the_query",),
    "content-type-header": (f"{_WIRE}content_type_is_json", f"{_WIRE}content_type_is_another"),
    "content-type-charset": (f"{_WIRE}content_type_is_json", f"{_WIRE}content_type_is_another"),
    "content-encoding": (f"{_BAD_BODIES}compressed_body_is_not_understood",),
    "path-appid": (f"{_ROUTES}path_is_unknown",),
    "token-header": ("core/test_certificates.py::test_token_is_read",),
    "no-authorization-header": (
        f"{_TOKENS}authorization_header_neither_replaces_the_token_nor_disturbs_it",
    ),
    "token-once": (f"{_TOKENS}several_token_headers_are_malformed",),
    "token-reply-discreet": (f"{_TOKENS}unknown_certificate_and_wrong_key_get_the_same_reply",),
    "certificates-per-account": (f"{_ACCOUNTS}certificates_rotate_without_a_gap",),
    "app-reply-discreet": (f"{_TOKENS}foreign_and_unknown_app_are_told_apart_by_nobody",),
    "order-of-checks": (
        f"{_CHECKS}earlier_check_answers",
        f"{_CHECKS}address_syntax_belongs_to_the_schema_check",
        f"{_REQUESTS}first_broken_check_of_a_start_answers",
    ),
    "refusal-changes-nothing": (
        f"{_APP}refusal_bears_the_contracts_code",
        "core/test_properties.py::test_world_keeps_its_promises",
    ),
    "address-rtmps": (f"{_ADDRESSES}address_is_accepted_and_spelled_as_it_came",),
    "address-commas": (f"{_ADDRESSES}list_is_refused_naming_the_rule",),
    "address-comparison": (
        f"{_ADDRESSES}addresses_are_the_same_despite",
        f"{_ADDRESSES}addresses_differ_by",
    ),
    "address-path-optional": (f"{_ADDRESSES}address_is_accepted_and_spelled_as_it_came",),
    "address-latest-spelling": (f"{_UPDATES}Update::test_takes_over_the_new_spelling",),
    "json-last-key": (f"{_WIRE}json_is_read",),
    "json-whole-floats": (f"{_REQUESTS}whole_float_names_the_same_task_as_an_integer",),
    "template-over-input": (
        f"{_MIXING}template_places_the_inputs_users_before_the_live_ones",
        f"{_MIXING}tile_outside_is_refused_with_a_template_too",
    ),
    "template-horizontal": (f"{_MIXING}template_places_three_users",),
    "template-vertical": (f"{_MIXING}template_places_three_users",),
    "template-tiled": (f"{_MIXING}tiled_template_is_as_square_as_it_can_be",),
    "template-corner": (f"{_MIXING}corner_template_lays_the_small_ones_on_top",),
    "input-defaults": (f"{_MIXING}custom_layout_places_each_user_as_it_says",),
    "output-known-sizes": ("test_rulebook.py::test_known_sizes_are_accepted_either_way_up",),
    "output-audio": (f"{_MIXING}output_left_out_is_the_sdks",),
    "output-defaults": (f"{_MIXING}output_left_out_is_the_sdks",),
    "task-identity": (f"{_STARTS}Start::test_one_name_in_two_rooms_is_one_task",),
    "task-identity-per-app": (f"{_STARTS}Start::test_one_name_in_two_apps_is_two_tasks",),
    "task-holds-addresses": (f"{_STARTS}Start::test_holds_five_addresses",),
    "address-scope": (
        f"{_SCOPES}Scope::test_service_keeps_an_address_from_other_apps",
        f"{_SCOPES}Scope::test_app_neither_sees_nor_disturbs_others",
    ),
    "start-updates": (f"{_UPDATES}Update::test_may_come_as_often_as_wanted",),
    "update-replaces-addresses": (
        f"{_UPDATES}Update::test_replaces_the_list_and_tells_what_left_before_what_came",
        f"{_UPDATES}Update::test_leaves_what_stays_unbroken",
    ),
    "update-atomic": (f"{_UPDATES}Update::test_with_one_address_taken_changes_nothing",),
    "stop-frees-addresses": (f"{_STOPS}Stop::test_tells_stopped_for_each_address_and_frees_all",),
    "release-at-once": (
        f"{_STOPS}Stop::test_tells_stopped_for_each_address_and_frees_all",
        f"{_STOPS}Release::test_keeps_an_address_from_other_tasks_for_a_while",
    ),
    "release-to-same-task": (f"{_STOPS}Release::test_keeps_an_address_from_no_task_that_had_it",),
    "restart-is-new": (f"{_STOPS}Stop::test_start_after_it_is_a_new_one",),
    "kinds-apart": (f"{_STARTS}Start::test_source_and_mixed_of_one_name_are_two_tasks",),
    "order-of-rules": ("core/test_rules.py::test_first_broken_rule_of_a_start_answers",),
    "rate-limit-order": (f"{_CHECKS}rate_limit_comes_after_the_token_and_before_the_content_type",),
    "concurrent-pushes-counted": (
        f"{_QUOTAS}Quota::test_of_an_app_is_counted_in_tasks_of_both_kinds",
        f"{_QUOTAS}Quota::test_of_zero_is_no_limit",
    ),
    "update-at-full-quota": (f"{_UPDATES}Update::test_is_accepted_at_full_quota",),
    "rate-limit-counts": (f"{_QUOTAS}RateLimit::test_does_not_count_what_it_refused",),
    "stop-ends-task": (f"{_STOPS}Stop::test_tells_stopped_for_each_address_and_frees_all",),
    "stop-partial": (
        f"{_STOPS}Stop::test_of_some_addresses_leaves_the_others",
        f"{_STOPS}Stop::test_of_the_last_address_ends_the_task",
    ),
    "reply-envelope": (f"{_WIRE}reply_is_json_whatever_it_says",),
    "reply-trace-id": (f"{_TRACE_IDS}trace_id_is_echoed",),
    "reply-status": (
        "test_rulebook.py::test_default_statuses_are_200_but_for_what_http_itself_decides",
    ),
    "reply-codes": ("test_rulebook.py::test_default_codes_are_those_of_the_contract",),
    "invalid-parameter-message": ("web/test_bodies.py::test_problem_names_the_field_and_why",),
    "address-reply-discreet": (f"{_APP}no_reply_names_another_apps_task",),
    "documented-fields-refused": (
        "schemas/test_calls.py::test_startrtmp_schema_rejects_naming_the_rule",
        f"{_BAD_BODIES}body_gets_the_contracts_answer",
    ),
    "accepted-sense": (f"{_APP}broadcast_is_started_updated_and_stopped",),
    "rejected-claims-nothing": ("core/test_properties.py::test_world_keeps_its_promises",),
    "callback-optional": ("test_tenants.py::test_callbacks_go_to_the_url_of_their_own_app",),
    "callback-envelope": (f"{_CALLBACKS}body_tells_of_a_mixed_task_in_the_vendors_words",),
    "callback-statuses": ("core/test_pushes.py::test_statuses_are_the_vendors_numbers",),
    "callback-per-address": (
        f"{_STARTS}Start::test_begins_a_task_and_tells_success_for_each_address",
    ),
    "callback-numbers": (f"{_CALLBACKS}body_tells_of_a_mixed_task_in_the_vendors_words",),
    "callback-context": (
        f"{_CALLBACKS}body_tells_of_a_mixed_task_in_the_vendors_words",
        f"{_CALLBACKS}body_names_the_uid_of_a_source_task_instead",
    ),
    "callback-notifytime": (f"{_CALLBACKS}body_tells_of_a_mixed_task_in_the_vendors_words",),
    "callback-delay": (f"{_POSTS}delivery_posts_after_the_delay",),
    "callback-at-least-once": (
        f"{_POSTS}delivery_tries_again_for_any_answer_but_2xx",
        f"{_CALLBACKS}next_attempt_follows_the_schedule",
    ),
    "callback-timeout": ("test_sender.py::test_sender_gives_up_on_a_receiver_that_hangs",),
    "callback-given-up": (f"{_POSTS}delivery_gives_up_after_six_attempts_of_one_body",),
    "callback-connection-failure": ("test_sender.py::test_sender_reports_a_refused_connection",),
    "callback-order": (f"{_ORDER}delivery_keeps_a_later_status_behind_an_earlier_one",),
    "callback-order-across-tasks": (
        f"{_ORDER}delivery_keeps_order_when_an_address_passes_to_another_task",
    ),
    "callback-after-reply": (f"{_POSTS}delivery_posts_once_the_gate_is_open",),
    "callback-start": (f"{_STARTS}Start::test_begins_a_task_and_tells_success_for_each_address",),
    "callback-update": (
        f"{_UPDATES}Update::test_replaces_the_list_and_tells_what_left_before_what_came",
    ),
    "callback-stop": (f"{_STOPS}Stop::test_tells_stopped_for_each_address_and_frees_all",),
    "push-connecting": (
        f"{_STARTS}Fates::test_push_that_connects_is_told_once_it_works",
        f"{_PUSH_STATUS}PushStatus::test_connecting_is_told_to_nobody",
    ),
    "push-fails": (
        f"{_PUSH_STATUS}PushStatus::test_failure_is_told_without_a_call_and_keeps_the_address",
        f"{_PUSH_STATUS}PushStatus::test_recovery_is_told",
    ),
    "push-retries": (
        f"{_RETRIES}service_tries_nothing_again_by_itself",
        f"{_RETRIES}service_tries_again_where_the_profile_says_so",
    ),
    "push-stop-after-failures": (
        f"{_RETRIES}service_tries_nothing_again_by_itself",
        f"{_RETRIES}service_stops_a_push_after_so_many_failures_in_a_row",
    ),
    "push-user-left": (f"{_PLANS}push_of_a_user_who_left_fails_inside",),
}
