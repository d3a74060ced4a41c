"""Words that a log line may show: a capitalised word that is not among them could be somebody's name.

Keys whose values belong to a person are here as well. Both lists are for English, the language of programs.
"""

from __future__ import annotations

import re
from typing import Final

_PLAIN: Final = """
a abort aborted aborting about above accept accepted accepting access accessed account acquire acquired
acquiring across action active actual add added adding additional address admin after again agent ahead
alert alive all allocate allocated allocation allow allowed already also alter alternatively alternatives
always an analysis analyze and another answer answered any api app appears append application applied apply
applying approve archive are aren argument arguments array as asking aspect assert assertion assets assigned
assuming at attached attempt attempted attempting attempts attribute attributes audience audit auth
authenticated authentication authorization authorized auto automatic autoscaling autovacuum available
average avoid await aws azure back backend background backing backoff backtrace backup bad balance bandwidth
bare base baseline basic batch be bearer because become been before begin beginning behind being below
better between big binary bind binding blocked body boolean boot booted booting both bound boundary branch
break broken broker browser bucket budget buffer bug build building built bulk bundle busy but by bytes
cache cached caching call callback called caller calling can cancel canceled canceling cancelled cancelling
candidate cannot capacity captured case cast catalog catch caught cause caused ceiling certificate chain
change changed changes channel character check checked checking checkout checkpoint checksum child chunk
circuit class clean cleaned cleaning cleanup clear cleared cleartext cli client clients clock clone cloned
cloning close closed closing cloud cluster code codec collect collected collection column columns command
commit committed committing common communication compile compiled compiler compiling complete completed
completion component compose compress compute concurrency concurrent condition config configuration
configure configured confirm conflict connect connected connecting connection connections consider console
constraint consumer container contains content context continue continued continuing control controller
convert cookie copied copy copying core corrupt corrupted cors could couldn count counter cpu crash crashed
create created creating creation credential credentials critical cron crypto current currently cursor custom
daemon damaged data database databases date deadlock debug decode decoded default defaulting deferred
defined definition degraded delay delayed delete deleted deleting delivered delivery denied dependencies
dependency deploy deployed deploying deployment deprecated deprecation dequeue describe descriptor
deserialize destination destroyed detail details detected detecting development device did didn diff digest
directory disable disabled disallowed disconnect disconnected discovered disk dispatch dispatched dispatcher
dist dns do docker document documents does doesn domain done double down download downloaded downloading
drain drained draining driver drop dropped dropping due dump duplicate duration during dynamic each early
edge either elapsed element else email empty enable enabled encode encountered encrypted encryption end
ended ending endpoint engine enqueue enqueued ensure entered entities entity entry enum environment err
errno error errors errs escape establish established estimated etag evaluating event events every evicted
eviction exact exceed exceeded exceeds exception exceptions exchange exclusive exec execute executed
executing execution executor exhausted exist existing exists exit exited exiting expect expectation expected
expecting expiration expire expired expires export exported exporting exposed expression extension external
extracted extracting factory fail failed failing fails failure failures fallback false fast fatal fault
feature fetch fetched fetching field fields file filename files filter final finalize find finish finished
finishing first fixed flag flags flush flushed flushing folder following for forbidden force forced foreign
fork format found fragment frame free fresh from frontend full fully function functions further future
garbage gateway gc general generate generated generating generator get getting given global go going good
got graceful gracefully granted graph graphql group groups guard guardian had hadn handle handled handler
handling handshake hard has hash hasn have haven having head header headers health healthcheck healthy heap
heartbeat help here high hit hits hook host hostname hosts hot hour hours how http https id identifier idle
if ignore ignored ignoring illegal image import imported importing in inactive inbound include included
incoming incompatible incorrect increase increment index indexed info information init initial
initialization initialize initialized initializing initiated inner input insert inserted install installed
installing instance instances instead insufficient int integer integration integrity intended interface
internal interrupt interrupted interval into invalid invalidated invocation invoke invoked invoking io ip is
isn issue issued it item items iteration its job jobs join joined json jwt keep keepalive kernel key keys
kill killed killing kind known lag language large last late latency latest launch launched launching layer
layout leader leading leak least leaving left legacy length less let lets level library life lifetime like
likely limit limited limiting limits line lines link list listen listener listening lists literal live load
loaded loader loading local locale location lock locked locking log logged logger logging login logout logs
long longer lookup loop lost low machine made mail main maintenance make manifest manual many map mapped
mapping master match matched matches matching max maximum maybe me mean media member memory merge message
messages metadata method metric metrics middleware migrate migrated migrating migration migrations min
minimum minute minutes mismatch miss missed missing mode model module modules monitor more most mount
mounted move moved moving multiple must mutation name named names namespace native need needed needs
negative network never new next no node nodes none normal normalized not note nothing notice notification
now null number numeric object objects observed occurred of off offline offset ok old on once one online
only open opened opening operand operation operations optional options or order origin orphan other out
outbound outdated output outside over overall overflow override overwritten own owner package packages
packet page pages parameter parameters parent parse parsed parser parsing part partial partition password
patch path patient patients pattern pause paused payload peer peers pending per perform performance
permission permissions permit phase pid ping pipeline place plan platform please plugin point pointer
policies policy poll polling pool pooler popup port position possible possibly post postgres precondition
preflight prepare prepared preparing present press prevent preview previous primary primitive print private
probably probe problem procedure proceed process processed processes processing processor producer
production profile profiles program progress project promise promises promote property protocol provide
provided provider proxy public publish published publishing pull pulled pulling purge purged push pushed put
queries query queue queued queues quit quota raise raised ran range rate raw reach reached reading ready
realtime reason rebuild receive received receiving recent recommended reconnect reconnected reconnecting
record recorded records recover recovered recovering recovery recycle redirect redirected redirecting reduce
reference referenced refresh refreshed refused regex region register registered registering registry reject
rejected rejecting rejection relation relay release released releasing reload reloaded reloading remaining
remote remove removed removing rename render rendered rendering replace replaced replica replicas
replication reply report reported repository request requested requests require required requirement
requires reserved reset resetting resize resolve resolved resolver resolving resource resources respond
responded response responses rest restart restarted restarting restore restored restoring restricted result
results resume resumed resuming retention retried retries retry retrying return returned returning revoked
rewrite right role rollback rolled rolling root rotate rotated route router routes routine row rows rule run
runner running runs runtime safe same sample save saved saving scale scaled scaling scan scanned scanning
schedule scheduled scheduler scheduling schema schemas scope script search second seconds secret section
secure security see seed segment select self semaphore send sending sensitive sent sequence serialization
serialize serializer serve served server serverless servers service services serving session sessions set
setting settings setup several share shared shell should shouldn shut shutdown shutting side signal
signature signed signing similar simple since single site size skip skipped skipping slots slow small smart
snapshot socket soft some something soon source space span spawn spawned special specified split spread sql
ssl stack stage stale standby start started starting starts startup state statement static stats status step
still stop stopped stopping storage store stored stream streaming strict string style sub subject submit
submitted subscribe subscribed subscription success successful successfully such sum summary superuser
supplied supported suspended sweep sweeping switch switched switching symbol sync synced synchronizing
syntax system table tables tag tail take taken taking target task tasks template temporarily temporary
tenant terminate terminated terminating termination test testing text than that the their them then there
these they thing this thread threads threshold throttle throttled throttling throw thrown tick ticket time
timed timeline timeout timeouts timer times timestamp tls to today together token tokens told too tool top
total trace traceback tracking traffic transaction transform transient transition transport trigger
triggered true truncated try trying tunnel two type types typing unable unauthorized unavailable unbound
uncaught undefined under unexpected unhandled unhealthy unique unit units unknown unless unlink unlock
unlocked unmatched unprocessable unreachable unresolved unsafe unsubscribe unsupported until unused up
update updated updating upgrade upgraded upgrading upload uploaded uploading upstream uptime usage use used
user username users uses using utility vacuum valid validate validated validating validation value values
variable variables verification verified verify verifying version versions very via view violates violation
virtual visibility volume vote vs wait waited waiting wake walk want warm warn warned warning warnings was
wasn watch watchdog watching we web webhook websocket welcome went were what when where whether which while
whole why wildcard window with within without won word work worker workers workflow working workspace would
wouldn write writer writing written wrong yes yet you your zero zone
"""
_TRADE: Final = """
accepts acme adonis africa airflow akamai alembic algolia amazon amd america android anthropic apache apollo
apr aqueduct argo arm ascii asgi asia atlantic aug august auth0 axios bash bcrypt beanstalk begin bigint
bigquery bind bot bullmq bun bundler bunyan caddy cargo celery cfnetwork chatgpt chrome chromium clickhouse
cloudflare composer cors css csv cuda curl dart darwin datadog dbt deadletter dec december deno django
docker dotenv drizzle dsn eacces eaddrinuse eai ecma edgefunction elastic elasticsearch elixir env eof
esbuild eslint esm europe exif express fastapi fastify fcgi feb february ffmpeg fhir firebase firefox flask
frankfurt fri friday from ftp gateway gecko gem github gitlab gmt golang google gotrue gpt grafana grant
grpc gunicorn gzip haproxy having heroku hikari hikaripool hl7 hono html httpd httpx i icmp ii iii imap
intel ioredis ipad iphone iso iv jan january java javascript jdbc jest jre jul july jun june jvm kafka
keycloak khtml knex koa kotlin kubernetes lambda laravel libuv limit linux lua mac macintosh mar march
mariadb mcp mdn mime mon monday mongo mongodb mongoose mozilla mtls mutex mysql mysql2 nest nestjs next
nextjs nginx nodejs nosql nov november npm npx nuxt oauth ocr oct october odbc offset ohio oidc oom openai
openapi openssl options oregon orm os otel otp pacific pdf pem perl pg pgbouncer pgrst phoenix php pip pnpm
poetry posix postgis postgresql postgrest postmark prisma prometheus promtail propfind psycopg puma pypi
pytest python rabbitmq rails react redis regexp remix returning revoke rollback rollup rspec ruby rust s3
safari saml sass sat saturday scram sdk segfault sendgrid sentry sep september sequelize sha sidekiq sigabrt
sigint sigkill sigsegv sigterm sinatra singapore slack sms smtp snowflake socketio sockjs spring sqlalchemy
sqlite sqlstate ssh sso stacktrace starlette stderr stdin stdout stripe sudo sun sunday supabase supavisor
svelte svg swagger swift symfony tcp temporal terraform thu thursday tomcat tornado totp trace trpc truncate
ts tsc tue tuesday turbo turbopack twilio typeorm typescript ubuntu udp ui undici unicorn union unix uri url
urllib urllib3 utc utf uuid uvicorn uvloop uwsgi values vercel vi virginia vite vitest vm vue wal wasm
webkit webpack wed wednesday werkzeug where windows winston wsgi xhr xml yaml yarn zlib zod
"""
_AMBIGUOUS: Final = """
april art august austin baker bill booker carter case chance chase clay cliff cole cook cooper dale dawn day
dean don drew duke earl faith fisher flora forest frank gene ginger glen grace grant guy harmony heather
holly hope hunter iris ivy jack jade jan jean jersey jordan josh joy june kay king lane leo lily long marina
mark mason max may melody miles miss misty norm olive opal page parker pat pearl penny public ray reed
regina rich rob robin rod rose royal ruby sandy skip skye sterling stone sue summer taylor terry tony tyler
victor virginia wade walker ward will young
"""
"""Words that are names too: next to a word that nobody knows they are taken for part of a name."""

KNOWN: Final = frozenset(_PLAIN.split()) | frozenset(_TRADE.split())
AMBIGUOUS: Final = frozenset(_AMBIGUOUS.split())

STRONG: Final = re.compile(
    r"(?:^|[_.-])(?:patients?|(?:first|last|full|given|family|middle|maiden|patient|person|child|sur|fore)_?names?"
    r"|e_?mails?|phones?|telephone|mobile|dob|birth\w{0,20}|date_of_birth|ssn|mrn|nhs(?:_?number)?|passport"
    r"|diagnos[ie]s|medications?)$",
    re.IGNORECASE,
)
"""Keys, in snake_case, whose values are a person's even as `key: value` in prose."""
PERSONAL: Final = re.compile(
    STRONG.pattern
    + r"|(?:^|[_.-])(?:persons?|child|mother|father|spouse|next_of_kin|carer|caregiver|relative"
    r"|contact|(?:display|nick|real)_?names?|mail|tel|fax|recipients?|to_number"
    r"|address(?:_?line\d?)?|street|city|town|zip(?:_?code)?|postcode|postal_?code"
    r"|born|gender|religion|ethnicity|nationality|insurance\w{0,20}|policy_?(?:no|number)|iban|card_?number"
    r"|icd\w{0,8}|medical_conditions?|drugs?|dos(?:e|age)|allerg(?:y|ies)|symptoms?|notes?|comments?|remarks?"
    r"|transcript|prompt|search_?term|signature|relationship|x_forwarded_for|client_?ip|remote_?ip|ip)$"
    r"|^(?:age|sex|race|q|search|body|content|(?:request|response)[._](?:search|body))$",
    re.IGNORECASE,
)
"""Keys whose values are a person's in `key=value` and `key: "value"`, whatever they look like."""
PRINCIPAL: Final = re.compile(
    r"(?:^|[_.-])(?:users?|user_?names?|accounts?|actor|author|login|sub|subject|created_?by|updated_?by"
    r"|member|owner)$|^(?:name|by)$",
    re.IGNORECASE,
)
"""Keys whose values are a person's unless they are an id, a database role or a program's word."""
PEOPLE: Final = (
    "patient", "child", "parent", "mother", "father", "daughter", "son", "carer", "caregiver", "mr", "mrs",
    "ms", "user", "member", "by",
)  # fmt: skip
"""Words behind which a name in small letters is a name all the same."""
_RECORDS: Final = """
patients patient profiles profile users user members member people persons person children child families
family accounts account contacts contact carers
"""
RECORDS: Final = frozenset(_RECORDS.split())
"""Path segments behind which stands who it is."""
