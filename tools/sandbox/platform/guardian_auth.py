"""Guardian's Auth configuration: all fields that the management API gives, most of them unset."""

from __future__ import annotations

from typing import Any, Final

from tools.sandbox.platform.shapes import Json

MAIL: Final = """
    apple azure bitbucket discord facebook figma github gitlab google kakao keycloak linkedin_oidc
    notion slack_oidc slack spotify twitch twitter x zoom
"""
"""Providers with a client id, a secret and an optional address."""
EXTRA: Final = """
    external_apple_additional_client_ids external_azure_url external_gitlab_url
    external_google_additional_client_ids external_keycloak_url external_workos_client_id
    external_workos_secret external_workos_url nimbus_oauth_client_id nimbus_oauth_client_secret
    saml_external_url security_captcha_provider security_captcha_secret sessions_inactivity_timeout
    sessions_tags sessions_timebox sms_messagebird_access_key sms_messagebird_originator sms_provider
    sms_test_otp sms_test_otp_valid_until sms_textlocal_api_key sms_textlocal_sender
    sms_twilio_account_sid sms_twilio_auth_token sms_twilio_content_sid sms_twilio_message_service_sid
    sms_twilio_verify_account_sid sms_twilio_verify_auth_token sms_twilio_verify_message_service_sid
    sms_vonage_api_key sms_vonage_api_secret sms_vonage_from webauthn_rp_display_name webauthn_rp_id
    webauthn_rp_origins mfa_phone_template oauth_server_authorization_path api_max_request_duration
    db_max_pool_size db_max_pool_size_unit password_required_characters
"""
HOOKS: Final = """
    custom_access_token mfa_verification_attempt password_verification_attempt send_sms send_email
    before_user_created after_user_created
"""
MAILS: Final = """
    confirmation email_change invite magic_link reauthentication recovery
"""
NOTES: Final = """
    password_changed email_changed phone_changed mfa_factor_enrolled mfa_factor_unenrolled
    identity_linked identity_unlinked
"""
OFF: Final = """
    external_anonymous_users_enabled external_google_skip_nonce_check external_phone_enabled
    external_workos_enabled external_web3_solana_enabled external_web3_ethereum_enabled
    mailer_allow_unverified_email_sign_ins mailer_autoconfirm mfa_phone_enroll_enabled
    mfa_phone_verify_enabled mfa_web_authn_enroll_enabled mfa_web_authn_verify_enabled passkey_enabled
    nimbus_oauth_email_optional saml_enabled saml_allow_encrypted_assertions
    security_sb_forwarded_for_enabled security_captcha_enabled security_manual_linking_enabled
    security_update_password_require_reauthentication sessions_single_per_user sms_autoconfirm
    oauth_server_enabled oauth_server_allow_dynamic_registration custom_oauth_enabled disable_signup
    password_hibp_enabled
"""
SET: Final[dict[str, Any]] = {
    "external_email_enabled": True,
    "jwt_exp": 3600,
    "mailer_otp_exp": 3600,
    "mailer_otp_length": 6,
    "mailer_secure_email_change_enabled": True,
    "mfa_max_enrolled_factors": 10,
    "mfa_totp_enroll_enabled": True,
    "mfa_totp_verify_enabled": True,
    "mfa_phone_otp_length": 6,
    "mfa_phone_max_frequency": 5,
    "password_min_length": 10,
    "rate_limit_anonymous_users": 30,
    "rate_limit_email_sent": 100,
    "rate_limit_sms_sent": 30,
    "rate_limit_token_refresh": 150,
    "rate_limit_verify": 30,
    "rate_limit_otp": 30,
    "rate_limit_web3": 30,
    "refresh_token_rotation_enabled": True,
    "security_refresh_token_reuse_interval": 10,
    "site_url": "https://app.guardian.example",
    "sms_max_frequency": 5,
    "sms_otp_exp": 60,
    "sms_otp_length": 6,
    "sms_template": "Your code is {{ .Code }}",
    "smtp_host": "smtp.mailpartner.example",
    "smtp_port": "587",
    "smtp_user": "guardian",
    "smtp_pass": "5e3f0c1d9a7b2468",
    "smtp_sender_name": "Guardian",
    "smtp_max_frequency": 60,
    "uri_allow_list": "https://app.guardian.example/**,https://*-guardian.onrender.com/**",
    "custom_oauth_max_providers": 3,
}


def auth_config() -> Json:
    """The configuration; magic link and TOTP are on, secrets are shown as the API shows them: digests."""
    config: Json = dict.fromkeys(EXTRA.split())
    for name in MAIL.split():
        config |= {f"external_{name}_enabled": False, f"external_{name}_client_id": None}
        config |= {f"external_{name}_secret": None, f"external_{name}_email_optional": False}
    for name in HOOKS.split():
        config |= {f"hook_{name}_enabled": False, f"hook_{name}_uri": None, f"hook_{name}_secrets": None}
    for name in (*MAILS.split(), *(f"{note}_notification" for note in NOTES.split())):
        config[f"mailer_subjects_{name}"] = name.replace("_", " ").capitalize()
        config[f"mailer_templates_{name}_content"] = "<p>{{ .ConfirmationURL }}</p>"
    config |= {f"mailer_notifications_{note}_enabled": False for note in NOTES.split()}
    config |= dict.fromkeys(OFF.split(), False) | SET
    config["smtp_admin_email"] = "no-reply" + "@" + "guardian.example"
    return config
