"""What was read, function by function, in PostgreSQL's own catalog and decided by a person.

`HARMLESS` are VOLATILE functions that change nothing and reach nothing. `REFUSED` are functions that a
reading query must not call whatever their volatility says: they take SQL or relation names as text, reach
files, the network, locks, other sessions or settings. Names that match no line are judged by volatility.
"""

from __future__ import annotations

import re
from typing import Final

_HARMLESS: Final = """
random random_normal clock_timestamp timeofday gen_random_uuid uuidv4 uuidv7 uuid_generate_v4 uuid_generate_v1
uuid_generate_v1mc gen_random_bytes gen_salt row_security_active
pg_database_size pg_relation_size pg_total_relation_size pg_table_size pg_indexes_size pg_tablespace_size
pg_lock_status pg_blocking_pids pg_safe_snapshot_blocking_pids pg_isolation_test_session_is_blocked
pg_is_in_recovery pg_is_wal_replay_paused pg_current_wal_lsn pg_current_wal_insert_lsn
pg_current_wal_flush_lsn pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp
pg_walfile_name pg_sequence_last_value pg_get_replication_slots pg_stat_get_wal_senders pg_jit_available
pg_current_xact_id_if_assigned txid_current_if_assigned pg_stat_statements pg_stat_statements_info
pg_stat_get_progress_info pg_available_extensions pg_available_extension_versions pg_timezone_names
pg_timezone_abbrevs pg_get_multixact_members pg_control_checkpoint pg_control_system pg_control_init
pg_control_recovery pg_notification_queue_usage pg_collation_actual_version pg_get_publication_tables
pg_database_collation_actual_version pg_stat_get_io pg_show_all_settings pg_get_shmem_allocations
"""
HARMLESS: Final = frozenset(_HARMLESS.split())

_REFUSED: Final[dict[str, str]] = {
    r"(query|table|schema|database|cursor)_to_xml(schema|_and_xmlschema)?": "reads whatever its text names",
    r"ts_stat|ts_rewrite|crosstab\w*|connectby|xpath_table|resolve|_internal_resolve": "runs text as SQL",
    r"dblink\w*|postgres_fdw_\w+|http\w*|net_http\w*": "reaches another server",
    r"lo_\w+|loread|lowrite|loimport|loexport": "reads or writes large objects",
    r"pg_read_\w+|pg_stat_file|pg_ls_\w+|pg_file_\w+|pg_logdir_ls|pg_current_logfile": "reads server files",
    r"pg_logfile_rotate|file_fdw\w*|pg_(hba|ident)_file_\w+|pg_show_all_file_settings": "reads server files",
    r"pg_(try_)?advisory_\w+": "takes locks that can stop the whole server",
    r"set_config|setseed": "changes settings of the session",
    r"pg_sleep\w*": "only waits",
    r"pg_(terminate|cancel)_backend|pg_log_backend_memory_contexts": "acts on other sessions",
    r"pg_reload_conf|pg_rotate_logfile|pg_promote|pg_wal_replay_\w+|pg_backup_\w+": "acts on the server",
    r"pg_(start|stop)_backup|pg_switch_wal|pg_create_restore_point|pg_nextoid": "acts on the server",
    r"pg_notify|pg_logical_\w+|pg_replication_\w+|pg_export_snapshot": "changes the state of the server",
    r"pg_(create|drop|copy|sync)_\w*(slot|subscription)\w*": "changes the state of the server",
    r"pg_stat_reset\w*|pg_stat_statements_reset|pg_stat_force_next_flush": "changes the state of the server",
    r"pg_stat_clear_snapshot|pg_import_system_collations": "changes the state of the server",
    r"gin_clean_pending_list|brin_\w*summarize\w*|(auto)?pg_?prewarm\w*": "changes the state of the server",
    r"heap_force_\w+|pg_truncate_visibility_map|binary_upgrade_\w+": "changes the state of the server",
    r"pg_buffercache_evict\w*|autoprewarm\w*": "acts on the server",
    r"nextval|setval": "moves a sequence",
    r"txid_current|pg_current_xact_id": "takes a transaction number, which is a write",
    r"get_raw_page|(heap|bt|gin|gist|hash|brin)_page_\w+|page_header|fsm_page_\w+": "reads raw pages",
    r"pg_check_(visible|frozen)|pg_visibility\w*|tuple_data_split|heap_tuple_\w+": "reads raw pages",
    r"pg_mcv_list_items": "shows samples of patients' values",
    r"pg_stat_get_backend_activity|pg_stat_get_activity|pg_prepared_statement|pg_cursor": (
        "shows other sessions' SQL with its literals"
    ),
    r"decrypt\w*|pgp_(sym|pub)_decrypt\w*|crypto_\w+decrypt\w*": "turns protected values into clear text",
}
_COMPILED: Final = tuple((re.compile(pattern), why) for pattern, why in _REFUSED.items())

HIDDEN_RELATIONS: Final[dict[str, str]] = {
    "pg_authid": "holds password hashes",
    "pg_shadow": "holds password hashes",
    "pg_user_mapping": "holds passwords of other servers",
    "pg_user_mappings": "holds passwords of other servers",
    "_pg_user_mappings": "holds passwords of other servers",
    "user_mapping_options": "holds passwords of other servers",
    "pg_db_role_setting": "may hold secrets in settings",
    "pg_subscription": "holds connection strings",
    "pg_stats": "holds samples of patients' values",
    "pg_stats_ext": "holds samples of patients' values",
    "pg_stats_ext_exprs": "holds samples of patients' values",
    "pg_statistic": "holds samples of patients' values",
    "pg_statistic_ext_data": "holds samples of patients' values",
    "pg_largeobject": "holds raw contents of files",
    "pg_hba_file_rules": "shows server files",
    "pg_ident_file_mappings": "shows server files",
    "pg_file_settings": "shows server files",
    "pg_prepared_statements": "shows SQL with its literals",
    "pg_cursors": "shows SQL with its literals",
}
"""System relations that are closed, and why."""

HIDDEN_SCHEMAS: Final = {
    "vault": "holds secrets in clear text",
    "pgsodium": "holds keys",
    "pg_toast": "holds raw pieces of patients' values",
}
SENSITIVE_SCHEMAS: Final = frozenset(
    {"auth", "storage", "realtime", "net", "cron", "supabase_functions", "_realtime", "_analytics", "pgmq"}
)
"""Schemas whose tables count as patient-linked whatever their columns are called."""

SENSITIVE_COLUMNS: Final[dict[str, frozenset[str]]] = {
    "pg_stat_activity": frozenset({"query"}),
    "pg_stat_statements": frozenset({"query"}),
    "pg_roles": frozenset({"rolconfig", "rolpassword"}),
    "pg_user": frozenset({"useconfig", "passwd"}),
    "pg_stat_wal_receiver": frozenset({"conninfo"}),
}
"""System views with a column that may carry literals or secrets; their other columns are shown."""

_SECRET_SETTING: Final = re.compile(
    r"(?i)secret|passw|token|_key\b|api_?key|jwt_(?!claim)|conninfo|restore_command|archive_command"
    r"|archive_cleanup_command|recovery_end_command|passphrase|krb_server_keyfile"
)


_COMMAND: Final = re.compile(r"(?i)_command$|conninfo")
_CREDENTIAL: Final = re.compile(
    r"(?i)(passw\w*|secret|token|key|pwd)\s*[=:]|://[^/\s:@]+:[^@\s]+@|passphrase"
)
_NOT_SECRET: Final = frozenset({"password_encryption", "passwordcheck.min_length"})


def holds_secret(name: str, value: str) -> bool:
    """Whether a parameter that is set to `value` gives away a secret. A command may; most do not."""
    if name in _NOT_SECRET or not value or value in {"on", "off"}:
        return False
    if _COMMAND.search(name):
        return _CREDENTIAL.search(value) is not None or "passphrase" in name
    return secret_setting(name)


def refused(function: str) -> str | None:
    """Why a reading query must not call a function of this name, or None."""
    return next((why for pattern, why in _COMPILED if pattern.fullmatch(function)), None)


def secret_setting(name: str) -> bool:
    """Whether a configuration parameter of this name may hold a secret."""
    return _SECRET_SETTING.search(name) is not None
