"""Lines as people write them into a memory bank: with a planted value, and purely technical ones.

Everything is made by code from a fixed seed; no value belongs to anybody.
"""

# ruff: noqa: E501  one kind a line reads as a table

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

SEED = 20260501
_HEX, _LOWER, _ALNUM = "0123456789abcdef", string.ascii_lowercase, string.ascii_letters + string.digits
_B64 = _ALNUM + "+/"


@dataclass(frozen=True)
class Line:
    """One line: what kind of thing is planted in it, and the value that must not be kept."""

    kind: str
    text: str
    value: str = ""


class Source:
    """Random pieces."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pick(self, *options: str) -> str:
        """One of them."""
        return self.random.choice(options)

    def chars(self, alphabet: str, count: int) -> str:
        """So many characters, among them at least one digit where the alphabet has digits."""
        made = "".join(self.random.choices(alphabet, k=count))
        digits = [char for char in alphabet if char.isdigit()]
        return made if not digits or any(char.isdigit() for char in made) else digits[0] + made[1:]

    def digits(self, count: int) -> str:
        """So many digits, the first not zero."""
        return str(self.random.randint(1, 9)) + "".join(self.random.choices("0123456789", k=count - 1))

    def number(self, low: int, high: int) -> int:
        """A number between both."""
        return self.random.randint(low, high)

    def name(self) -> str:
        """First and last name."""
        first = self.pick(
            "Jane", "Maria", "Lukas", "Aisha", "Wei", "Tomás", "Zoë", "Olivia", "Noah", "Fatima", "Jürgen", "Siobhán",
        )  # fmt: skip
        last = self.pick(
            "Roe", "Okafor", "Müller", "García", "O'Brien", "Nguyen", "Smith-Jones", "Kowalski", "Haddad", "Dubois",
        )  # fmt: skip
        return f"{first} {last}"

    def uuid(self) -> str:
        """A UUID."""
        return "-".join(self.chars(_HEX, count) for count in (8, 4, 4, 4, 12))

    def date(self) -> str:
        """A date of birth in one of the usual spellings."""
        year, month, day = self.number(1931, 2019), self.number(1, 12), self.number(1, 28)
        spelled = self.pick("January", "Mar", "September", "Dec")
        return self.pick(
            f"{year}-{month:02}-{day:02}", f"{month:02}/{day:02}/{year}", f"{day}.{month}.{year}",
            f"{spelled} {day}, {year}", f"{day} {spelled} {year}",
        )  # fmt: skip

    def jwt(self, role: str) -> str:
        """A token as Supabase makes them."""

        def part(value: dict[str, object]) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

        claims: dict[str, object] = {
            "iss": "supabase",
            "ref": self.chars(_LOWER, 20),
            "role": role,
            "iat": 1700000000,
        }
        return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.{self.chars(_ALNUM + '-_', 43)}"


def planted(count: int = 20) -> list[Line]:
    """`count` lines of each kind, each with a value that must be refused."""
    source = Source(SEED)
    return [
        Line(kind, _in_prose(source, value) if loose else value, value)
        for kind, (loose, make) in _PLANTED.items()
        for value in (make(source) for _ in range(count))
    ]


def _in_prose(source: Source, value: str) -> str:
    """The value inside the kinds of sentences that a lesson is made of."""
    return source.pick(
        f"The lookup failed for {value} and worked after the index was built.",
        f"Context: seen in the logs ({value}).",
        f"- result: {value}",
        f"We ran the query again; {value}; p95 fell to 40 ms.",
        f'note: "{value}"',
        f"{value} was in the row that blocked the migration 20260101120000_add_note.sql",
    )


_Make = Callable[[Source], str]
_PLANTED: dict[str, tuple[bool, _Make]] = {
    # persons
    "name, labelled": (True, lambda s: f"{s.pick('patient', 'Patient name', 'next of kin', 'mother', 'guardian')}: {s.name()}"),
    "name, titled": (True, lambda s: f"{s.pick('Mr', 'Mrs', 'Ms.', 'Dr.', 'Prof.', 'Frau')} {s.name()}"),
    "name, in words": (True, lambda s: f"{s.pick('the patient', 'patient', 'a patient named', 'our patient', 'the patient called')} {s.name()}"),
    "name, in a field": (True, lambda s: f"{s.pick('full_name', 'first_name', 'last_name', 'patient_name')} {s.pick('=', ':')} {s.pick(chr(39), chr(34))}{s.name()}{s.pick(chr(39), chr(34))}"),
    "name, in JSON": (True, lambda s: json.dumps({s.pick("full_name", "patientName", "name_of_patient"): s.name()}, ensure_ascii=False)),
    "date of birth": (True, lambda s: f"{s.pick('DOB', 'dob:', 'born', 'born on', 'date of birth', 'date_of_birth =', 'birth_date:', 'birthdate')} {s.date()}"),
    "date of birth, in JSON": (True, lambda s: json.dumps({s.pick("date_of_birth", "dob", "birthDate"): f"{s.number(1931, 2019)}-{s.number(1, 12):02}-{s.number(1, 28):02}"})),
    "MRN": (True, lambda s: f"{s.pick('MRN', 'mrn:', 'MRN#', 'mrn =', 'medical record number')} {s.pick(s.digits(8), 'A' + s.digits(7), s.digits(3) + '-' + s.digits(4))}"),
    "SSN": (True, lambda s: f"{s.number(1, 665):03}-{s.number(1, 99):02}-{s.number(1, 9999):04}"),
    "SSN, labelled": (True, lambda s: f"{s.pick('SSN', 'ssn:', 'social security number')} {s.number(1, 665):03}{s.number(1, 99):02}{s.number(1, 9999):04}"),
    "phone, US": (True, lambda s: s.pick("({a}) {b}-{c}", "{a}-{b}-{c}", "{a}.{b}.{c}", "+1 {a} {b} {c}", "+1{a}{b}{c}").format(a=s.number(201, 989), b=s.number(201, 989), c=s.digits(4))),
    "phone, abroad": (True, lambda s: s.pick(f"+44 20 {s.digits(4)} {s.digits(4)}", f"+49 {s.digits(3)} {s.digits(7)}", f"tel. 0{s.digits(3)} {s.digits(6)}", f"phone: 0{s.digits(2)}-{s.digits(7)}")),
    "e-mail": (True, lambda s: f"{s.pick('jane.roe', 'm.okafor', 'tomas+lab', 'z_d', 'o-brien')}{s.digits(2)}@{s.pick('example.org', 'mail.example.com', 'clinic.example')}"),
    "address": (True, lambda s: f"{s.number(1, 999)} {s.pick('Maple', 'Old Mill', 'Washington', 'King')} {s.pick('Street', 'St', 'Ave', 'Road', 'Lane', 'Blvd')}, {s.pick('Springfield, IL', 'Austin, TX', 'Portland, OR')} {s.digits(5)}"),
    "address, abroad": (True, lambda s: s.pick(f"{s.pick('Hauptstraße', 'Lindenweg', 'Gartenstr.')} {s.number(1, 99)}", f"{s.number(1, 99)} rue de la Paix", f"Calle Mayor {s.number(1, 99)}", f"SW1A {s.number(1, 9)}AA")),
    "row, of an error": (True, lambda s: s.pick(f"Key (email)=({s.name().split()[0].lower()}) already exists", f"Failing row contains (1, {s.name()}, {s.date()})")),
    "insurance number": (True, lambda s: f"{s.pick('insurance id', 'member id:', 'policy number', 'Medicare number')} {s.pick('H', 'X')}{s.digits(9)}"),
    # secrets
    "Supabase JWT": (True, lambda s: s.jwt(s.pick("anon", "service_role"))),
    "Supabase key": (True, lambda s: f"{s.pick('sb_secret_', 'sbp_')}{s.chars(_ALNUM, 32)}"),
    "Render key": (True, lambda s: f"rnd_{s.chars(_ALNUM, 32)}"),
    "AWS key id": (True, lambda s: f"{s.pick('AKIA', 'ASIA')}{s.chars(string.ascii_uppercase + '234567', 16)}"),
    "AWS secret": (True, lambda s: f"{s.pick('aws_secret_access_key = ', 'AWS_SECRET_ACCESS_KEY=', 'secret_access_key: ')}{s.chars(_B64, 40)}"),
    "GitHub token": (True, lambda s: s.pick(f"ghp_{s.chars(_ALNUM, 36)}", f"github_pat_{s.chars(_ALNUM, 22)}_{s.chars(_ALNUM, 59)}", f"ghs_{s.chars(_ALNUM, 36)}")),
    "GitLab, npm, PyPI": (True, lambda s: s.pick(f"glpat-{s.chars(_ALNUM, 20)}", f"npm_{s.chars(_ALNUM, 36)}", f"pypi-AgEIcHlwaS5vcmc{s.chars(_ALNUM, 60)}")),
    "Slack token": (True, lambda s: f"{s.pick('xoxb', 'xoxp', 'xapp')}-{s.digits(12)}-{s.digits(12)}-{s.chars(_ALNUM, 24)}"),
    "Slack webhook": (True, lambda s: f"https://hooks.slack.com/services/T{s.chars(string.ascii_uppercase + string.digits, 8)}/B{s.chars(string.ascii_uppercase + string.digits, 8)}/{s.chars(_ALNUM, 24)}"),
    "Anthropic, OpenAI, Stripe": (True, lambda s: s.pick(f"sk-ant-api03-{s.chars(_ALNUM + '-_', 80)}", f"sk-proj-{s.chars(_ALNUM, 48)}", f"sk_live_{s.chars(_ALNUM, 24)}", f"whsec_{s.chars(_ALNUM, 32)}")),
    "Google, SendGrid, Twilio": (True, lambda s: s.pick(f"AIza{s.chars(_ALNUM + '-_', 35)}", f"SG.{s.chars(_ALNUM, 22)}.{s.chars(_ALNUM, 43)}", f"SK{s.chars(_HEX, 32)}")),
    "private key": (False, lambda s: _pem(s, whole=True)),
    "private key, cut": (False, lambda s: _pem(s, whole=False)),
    "connection string": (True, lambda s: f"{s.pick('postgresql', 'postgres', 'redis', 'mongodb+srv', 'amqps', 'https')}://{s.pick('postgres', 'app', 'postgres.' + s.chars(_LOWER, 20))}:{_password(s)}@{s.pick('db.example.co', '10.0.0.5', 'aws-0-eu.pooler.example.com')}:{s.number(1024, 9999)}/postgres"),
    "connection, key=value": (True, lambda s: f"host=db.example.co user=app password={_password(s)} dbname=postgres"),
    "Azure connection": (True, lambda s: f"DefaultEndpointsProtocol=https;AccountName=clinic;AccountKey={s.chars(_B64, 86)}=="),
    "password=": (True, lambda s: f"{s.pick('password=', 'PASSWORD=', 'password: ', 'Password = ', 'passwd=', 'pwd: ')}{_password(s)}"),
    "password in SQL": (True, lambda s: f"{s.pick('alter role app', 'create user app', 'create role reader login')} {s.pick('password', 'with password', 'WITH ENCRYPTED PASSWORD')} '{_password(s)}'"),
    "password in .env": (True, lambda s: f"{s.pick('DB_PASSWORD', 'PGPASSWORD', 'POSTGRES_PASSWORD', 'SMTP_PASS', 'REDIS_PASSWORD')}={_password(s)}"),
    "password in words": (True, lambda s: f"the {s.pick('password', 'database password', 'admin password', 'passphrase')} {s.pick('is', 'was', 'is now')} {_password(s)}"),
    "secret in .env": (True, lambda s: f"{s.pick('JWT_SECRET', 'API_KEY', 'SECRET_KEY', 'RENDER_API_KEY', 'ENCRYPTION_KEY', 'SUPABASE_SERVICE_ROLE_KEY', 'AUTH_TOKEN', 'SESSION_SECRET')}={s.chars(_ALNUM, 32)}"),
    "secret in YAML": (True, lambda s: f"{s.pick('api_key', 'client_secret', 'access_token', 'webhook_secret', 'signing_key', 'refresh_token')}: {s.pick('', chr(34))}{s.chars(_ALNUM, 28)}"),
    "bearer": (True, lambda s: f"{s.pick('Authorization: Bearer', 'authorization: bearer', 'Bearer')} {s.chars(_ALNUM + '._-', 40)}"),
    "basic": (True, lambda s: f"Authorization: Basic {base64.b64encode(('app:' + _password(s)).encode()).decode()}"),
    "apikey header": (True, lambda s: f"{s.pick('apikey', 'x-api-key', 'X-API-Key')}: {s.chars(_ALNUM, 36)}"),
}  # fmt: skip


def _password(source: Source) -> str:
    return source.pick(
        source.chars(_ALNUM, 16), f"{source.pick('hunter', 'Summer', 'tr0ub4dor', 'clinic')}{source.digits(4)}!",
        f"{source.chars(_LOWER, 6)}-{source.chars(_LOWER, 6)}-{source.digits(3)}", source.chars(_ALNUM + "!#$%^*", 20),
    )  # fmt: skip


def _pem(source: Source, *, whole: bool) -> str:
    kind = source.pick(
        "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"
    )
    lines = [source.chars(_B64, 64) for _ in range(source.number(3, 12))]
    end = [f"-----END {kind}-----"] if whole else []
    return "\n".join([f"-----BEGIN {kind}-----", *lines, *end])


def technical(count: int = 35) -> list[Line]:
    """`count` lines of each kind in which nothing must be refused."""
    source = Source(SEED + 1)
    return [
        Line(kind, text) for kind, make in _TECHNICAL.items() for text in (make(source) for _ in range(count))
    ]


def _ip(s: Source) -> str:
    return s.pick(f"10.{s.number(0, 255)}.0.0/16", f"192.168.{s.number(0, 255)}.0/24", f"203.0.113.{s.number(1, 254)}", "172.16.0.0/12", f"198.51.100.{s.number(1, 254)}/32", "0.0.0.0/0", "2001:db8::/32")  # fmt: skip


def _stamp(s: Source) -> str:
    return f"20{s.number(24, 27)}-{s.number(1, 12):02}-{s.number(1, 28):02}{s.pick('T', ' ')}{s.number(0, 23):02}:{s.number(0, 59):02}:{s.number(0, 59):02}{s.pick('Z', '.123456+00', '+02:00', '')}"


def _table(s: Source) -> str:
    return s.pick("patients", "profile_grants", "clinical_events", "public.accounts", "medications", "auth.users", "audit_log", "patient_clinical_events")  # fmt: skip


def _column(s: Source) -> str:
    return s.pick("patient_id", "date_of_birth", "mrn", "ssn", "email", "phone", "full_name", "password_hash", "api_key_id", "account_id", "token")  # fmt: skip


_TECHNICAL: dict[str, _Make] = {
    "git hash": lambda s: f"{s.pick('Deployed commit', 'Reverted', 'fixed in', 'bisected to', 'commit')} {s.chars(_HEX, int(s.pick('40', '7', '8', '10', '12')))}{s.pick('.', ' on main', ', then rolled back')}",
    "UUID": lambda s: f"{s.pick('request', 'policy saw', 'account_id =', 'sub', 'project')} {s.uuid()} {s.pick('returned 0 rows', 'was retried', 'is the caller')}",
    "migration": lambda s: f"{s.pick('Applied', 'supabase/migrations/', 'squashed', 'blocked at')} 20{s.number(24, 27)}{s.number(1, 12):02}{s.number(1, 28):02}{s.number(0, 235959):06}_{s.pick('add_patient_index', 'enable_rls', 'drop_password_column', 'create_tokens')}.sql",
    "address range": lambda s: f"{s.pick('Allow', 'network restriction', 'inbound rule for', 'client', 'source', 'remote address', 'ip:')} {_ip(s)}",
    "timestamp": lambda s: f"{_stamp(s)} {s.pick('deploy started', 'LOG: checkpoint complete', 'statement timeout', 'instance restarted')}",
    "digest": lambda s: f"{s.pick('sha256:', 'sha256 ', 'digest ', 'md5 ', 'etag ', 'integrity sha512-')}{s.chars(_HEX, s.number(32, 64))}",
    "Render id": lambda s: f"{s.pick('srv', 'dep', 'evg', 'crn', 'dpg', 'red', 'tea', 'own', 'evm')}-{s.chars(_LOWER + string.digits, 20)} {s.pick('restarted', 'is live', 'failed its health check', 'was scaled to 3')}",
    "Supabase ref": lambda s: f"project {s.chars(_LOWER, 20)} {s.pick('was paused', 'uses the pooler', 'is on 17.4.1.054')}; https://{s.chars(_LOWER, 20)}.supabase.co",
    "SQL, policy": lambda s: f"create policy {s.pick('read_own', 'p1')} on {_table(s)} for select to authenticated using ({_column(s)} = (select auth.uid()))",
    "SQL, index": lambda s: f"create index concurrently if not exists ix_{s.chars(_LOWER, 5)} on {_table(s)} ({_column(s)}, created_at desc) where {_column(s)} is not null",
    "SQL, alter": lambda s: f"alter table {_table(s)} {s.pick('add column', 'alter column', 'drop column')} {_column(s)}{s.pick(' text', ' type date', '', ' set not null')};",
    "SQL, grant": lambda s: f"{s.pick('grant', 'revoke')} {s.pick('select', 'execute', 'all')} on {_table(s)} {s.pick('to', 'from')} {s.pick('anon', 'service_role', 'public')}; -- {_column(s)} stays hidden",
    "SQL, select": lambda s: f"select {_column(s)}, count(*) from {_table(s)} where {_column(s)} = ${s.number(1, 4)} and created_at > now() - interval '{s.number(1, 30)} days' group by 1",
    "plan": lambda s: f"Index Scan using ix_{s.chars(_LOWER, 4)} on {_table(s).rpartition('.')[2]}  (cost=0.{s.number(10, 99)}..{s.number(1, 9999)}.{s.number(10, 99)} rows={s.number(1, 99999)} width={s.number(8, 400)}) (actual time={s.number(0, 9)}.{s.number(100, 999)}..{s.number(10, 900)}.{s.number(100, 999)} rows={s.number(1, 99999)} loops=1)",
    "SQLSTATE": lambda s: f"ERROR: {s.pick('42P17', '55P03', '42501', '23505', '40P01', '57014', 'PGRST116')}: {s.pick('infinite recursion detected in policy for relation', 'canceling statement due to lock timeout', 'permission denied for table', 'deadlock detected')} {s.pick(chr(34) + _table(s) + chr(34), _table(s))}",
    "setting": lambda s: f"{s.pick('work_mem', 'statement_timeout', 'lock_timeout', 'max_connections', 'shared_buffers', 'idle_in_transaction_session_timeout')} = {s.pick('64MB', '3s', str(s.number(10, 900)), '8GB', '60000')}",
    "environment, no value": lambda s: f"{s.pick('Set', 'Rotate', 'Add', 'Missing')} {s.pick('DATABASE_URL', 'SUPABASE_SERVICE_ROLE_KEY', 'JWT_SECRET', 'RENDER_API_KEY', 'PGPASSWORD')} in {s.pick('the environment group', 'Render', '.env.example', 'the dashboard')} {s.pick('and redeploy', 'before the deploy', 'without showing it')}",
    "placeholder": lambda s: s.pick("postgresql://USER:PASSWORD@HOST:5432/DATABASE", "password=", "DATABASE_URL=${DATABASE_URL}", "api_key: ${{ secrets.API_KEY }}", "password: <from the vault>", "PGPASSWORD=$PGPASSWORD psql -h db", "token: process.env.AUTH_TOKEN", "secret = os.environ['JWT_SECRET']", "Authorization: Bearer $TOKEN", "alter role app password :'new_password'", "--password-stdin", "the password is stored in the vault", "the password was rotated by the owner", "the password is hashed with bcrypt") + s.pick("", " # see the runbook", ";"),
    "words about PHI": lambda s: f"{s.pick('The patient', 'A patient', 'Each patient', 'Patient', 'The guardian', 'A family member')} {s.pick('sees only their own records', 'record is linked by account', 'data never leaves the schema', 'portal was slow', 'Access Portal timed out', 'profile has a mother profile')}; {s.pick('DOB', 'MRN', 'SSN', 'date of birth', 'phone', 'e-mail address')} {s.pick('is masked', 'columns are encrypted', 'must not be logged', 'is PHI under 164.514')}",
    "citation": lambda s: f"{s.pick('45 CFR', '§', 'HIPAA')} 164.{s.number(302, 530)}({s.pick('a', 'b', 'e')})({s.number(1, 4)})({s.pick('i', 'ii', 'iv')}): {s.pick('access control', 'audit controls', 'integrity', 'transmission security')}",
    "figures": lambda s: f"p95 went from {s.number(400, 4000)} ms to {s.number(10, 90)} ms over {s.number(1000, 999999):,} rows; {s.number(1, 99)}.{s.number(0, 9)} % of {s.number(100, 900)} requests, {s.number(2, 48)} GB, {s.number(1, 9)}x",
    "version": lambda s: f"{s.pick('PostgreSQL', 'PostgREST', 'pgbouncer', 'supabase-cli', 'node', 'python')} {s.number(1, 22)}.{s.number(0, 30)}.{s.number(0, 12)}{s.pick('', '-rc.1', ' (Debian 17.2-1.pgdg120+1)')}",
    "identifier": lambda s: f"{s.pick('function', 'trigger', 'view', 'policy', 'constraint', 'queue')} {s.pick('private.can_read_profile', 'tg_audit_patients', 'vw_patient_timeline', 'patients_mrn_key', 'fk_patient_guardian', 'readOwnRecords')} {s.pick('was rewritten', 'is security definer', 'has no search_path', 'fires twice')}",
    "pid, lsn, oid": lambda s: f"pid {s.digits(5)} waits for {s.pick('ShareLock', 'AccessExclusiveLock')} on relation {s.digits(5)} of database {s.digits(5)}; xid {s.digits(7)}, lsn {s.chars(string.digits + 'ABCDEF', 1)}/{s.chars(string.digits + 'ABCDEF', 8)}",
    "cron, duration": lambda s: f"{s.number(0, 59)} {s.number(0, 23)} * * {s.pick('*', '1-5')} {s.pick('vacuum', 'pg_cron.job', 'backup')} took {s.number(1, 9)}h{s.number(10, 59)}m ({s.digits(7)} ms), epoch {s.number(1700000000, 1799999999)}",
    "URL": lambda s: f"https://{s.pick('dashboard.render.com/web/srv-' + s.chars(_LOWER + string.digits, 20), 'supabase.com/dashboard/project/' + s.chars(_LOWER, 20) + '/database', 'api.example.com/v1/patients/' + s.uuid(), 'status.example.com/incidents/' + s.chars(_LOWER + string.digits, 12))}",
    "command": lambda s: s.pick("psql \"$DATABASE_URL\" -c 'select 1'", "supabase db push --linked --password $DB_PASSWORD", f"git revert {s.chars(_HEX, 8)} && git push", "render deploys create --commit HEAD --wait", "pg_dump --schema-only --no-owner | gzip > schema.sql.gz", f"curl -sf localhost:{s.number(3000, 9000)}/health", f"kill -TERM {s.digits(5)}"),
    "front matter": lambda s: s.pick(f'id: "01{s.chars("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24)}"', f"valid_until: 20{s.number(26, 29)}-{s.number(1, 12):02}-{s.number(1, 28):02}", f"outcomes: {{when: {_stamp(s)}, result: worked, ref: call {s.chars(_HEX, 12)}}}", f'source: "tool results of review_rls (audited calls {s.chars(_HEX, 12)} to {s.chars(_HEX, 12)}, sha256 {s.chars(_HEX, 16)})"', "tags: [rls, patients, password-reset, api-keys]"),
    "log": lambda s: f"{_stamp(s)} {s.pick('INFO', 'WARN', 'ERROR')} {s.pick('http', 'worker', 'auth')}: {s.pick('GET /rest/v1/patients?select=id 200', 'POST /auth/v1/token?grant_type=password 400', 'job reminder-mail retried 3 times', 'connection refused (ECONNREFUSED)')} in {s.number(1, 9000)}ms id={s.chars(_HEX, 16)}",
    "code": lambda s: s.pick("const { data, error } = await supabase.auth.signInWithPassword({ email, password })", "if (!token) throw new Error('missing token')", "password = getpass.getpass()", "api_key = settings.api_key", "SECRET_KEY = env('SECRET_KEY')", "headers: { Authorization: `Bearer ${session.access_token}` }", "cur.execute('select * from patients where mrn = %s', [mrn])", "key = hashlib.sha256(secret).hexdigest()", "const patient: Patient = await load(id)", "mother: Profile | None = None", "contact: Contact = Field(default=None)"),
    "headings": lambda s: s.pick("## Patient Timeline", "## Why", "### Health Check and friends", "Patient Access Portal: slow queries", "Guardian: review of March", "Guardian Demo: planted faults", "Contact: the owner of the service", "Insured tables", "Next of kin profiles"),
    "small numbers": lambda s: f"{s.digits(3)} {s.pick('rows', 'connections', 'policies')}, {s.digits(4)}-{s.digits(4)} kB, {s.number(1, 12)}/{s.number(1, 28)}, ratio {s.digits(3)}.{s.digits(3)}, port {s.pick('5432', '6543', '8443')}, {s.digits(9)} bytes, {s.digits(10)} ns, {s.digits(12)} ids",
}  # fmt: skip
