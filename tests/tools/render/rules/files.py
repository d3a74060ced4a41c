"""A clean render.yaml, and for each rule what breaks it and what only looks like it.

`broken` and each of `fine` are pairs of texts to replace in the clean file; `object` is what is then found.
"""

# ruff: noqa: E501  one case reads better when its lines are not broken

from __future__ import annotations

from dataclasses import dataclass

CLEAN = """
projects:
  - name: clinic
    environments:
      - name: production
        permissions:
          protection: enabled
        services:
          - type: web
            name: portal
            runtime: node
            region: virginia
            plan: 1c-2g
            rootDir: apps/portal
            buildCommand: npm ci && npm run build
            startCommand: node dist/server.js
            preDeployCommand: npx prisma migrate deploy
            healthCheckPath: /health
            autoDeployTrigger: checksPass
            numInstances: 2
            maxShutdownDelaySeconds: 60
            envVars:
              - key: DATABASE_URL
                fromDatabase:
                  name: records
                  property: connectionString
              - key: NODE_VERSION
                value: 22.11.0
              - key: NODE_OPTIONS
                value: --max-old-space-size=1400
              - key: SESSION_SECRET
                generateValue: true
              - key: STRIPE_SECRET_KEY
                sync: false
              - key: NEXT_PUBLIC_API_URL
                value: https://api.clinic.example
              - fromGroup: shared
          - type: worker
            name: documents
            runtime: image
            region: virginia
            plan: 1c-2g
            image:
              url: ghcr.io/clinic/documents:4.1.0
            maxShutdownDelaySeconds: 120
            envVars:
              - key: JOB_TIMEOUT_SECONDS
                value: "90"
              - key: QUEUE_URL
                fromService:
                  type: keyvalue
                  name: queue
                  property: connectionString
          - type: cron
            name: sweep
            runtime: node
            region: virginia
            plan: 0.5c-512mb
            rootDir: apps/sweep
            schedule: "20 3 * * *"
            buildCommand: npm ci
            startCommand: node sweep.js
            autoDeployTrigger: checksPass
            envVars:
              - key: NODE_VERSION
                value: 22.11.0
          - type: keyvalue
            name: queue
            region: virginia
            plan: 256mb
            maxmemoryPolicy: noeviction
            ipAllowList: []
        databases:
          - name: records
            region: virginia
            plan: 0.5c-1g
            postgresMajorVersion: "17"
            ipAllowList: []
        envVarGroups:
          - name: shared
            envVars:
              - key: LOG_LEVEL
                value: info
"""
Change = tuple[str, str]
SERVICE_ROLE = ".".join((
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    "eyJyb2xlIjoic2VydmljZV9yb2xlIiwicmVmIjoieCJ9",
    "c2lnbmF0dXJlLW9mLW5vLXRva2Vu",
))  # fmt: skip
"""Shaped as Supabase's key of this role is; it opens nothing."""
ANON = SERVICE_ROLE.replace(
    "eyJyb2xlIjoic2VydmljZV9yb2xlIiwicmVmIjoieCJ9", "eyJyb2xlIjoiYW5vbiIsInJlZiI6IngifQ"
)
PORTAL_START = "startCommand: node dist/server.js"
LEVEL = "value: info"
ADDRESS = f"postgres://records:{'pa55'}word@dpg-{'c' * 20}-a.oregon-postgres.render.com/records"


@dataclass(frozen=True)
class Case:
    """One rule on the file alone. The mended file is the clean one."""

    rule: str
    broken: tuple[Change, ...]
    object: str
    fine: tuple[tuple[Change, ...], ...] = ()
    line_says: str = ""
    """What stands on the line that the finding names."""


def changed(changes: tuple[Change, ...]) -> str:
    """The clean file with these replacements, each of which must hit."""
    text = CLEAN
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


CASES = (
    Case(
        "secret_for_browser",
        (("NEXT_PUBLIC_API_URL\n                value: https://api.clinic.example",
          f"NEXT_PUBLIC_SUPABASE_KEY\n                value: {SERVICE_ROLE}"),),
        "NEXT_PUBLIC_SUPABASE_KEY of web service portal",
        ((("https://api.clinic.example", ANON),), (("https://api.clinic.example", "pk_live_" + "a1" * 14),)),
        "NEXT_PUBLIC_SUPABASE_KEY",
    ),
    Case(
        "secret_in_blueprint",
        (("- key: STRIPE_SECRET_KEY\n                sync: false",
          "- key: STRIPE_SECRET_KEY\n                value: " + "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc"),),
        "render.yaml projects[clinic].environments[production].services[portal].envVars[STRIPE_SECRET_KEY]",
        (
            (("- key: LOG_LEVEL", "- key: SORT_KEY"),),
            (("- key: LOG_LEVEL\n                value: info", f"- key: SUPABASE_ANON_KEY\n                value: {ANON}"),),
            (("- key: LOG_LEVEL\n                value: info", "- key: API_TOKEN\n                value: ${API_TOKEN}"),),
            (("- key: LOG_LEVEL\n                value: info",
              "- key: SENTRY_DSN\n                value: https://0a1b2c3d4e5f@o1.ingest.sentry.io/2"),),
            (("- key: LOG_LEVEL\n                value: info", "- key: JWT_SECRET\n                generateValue: true"),),
        ),
        "STRIPE_SECRET_KEY",
    ),
    Case(
        "secret_in_blueprint",
        (("- key: LOG_LEVEL\n                value: info", "- key: DB_PASSWORD\n                value: postgres"),),
        "render.yaml projects[clinic].environments[production].envVarGroups[shared].envVars[DB_PASSWORD]",
    ),
    Case(
        "datastore_open_to_internet",
        (('postgresMajorVersion: "17"\n            ipAllowList: []', 'postgresMajorVersion: "17"'),),
        "Postgres database records",
        (
            (("ipAllowList: []\n        envVarGroups", "ipAllowList:\n              - source: 203.0.113.4/30\n        envVarGroups"),),
        ),
        "- name: records",
    ),
    Case(
        "datastore_open_to_internet",
        (("noeviction\n            ipAllowList: []", "noeviction\n            ipAllowList:\n              - source: 0.0.0.0/0"),),
        "Key Value instance queue",
    ),
    Case(
        "blueprint_invalid",
        (("healthCheckPath: /health", "healthcheckPath: /health"),),
        "render.yaml projects[clinic].environments[production].services[portal].healthcheckPath",
        (
            (("region: virginia\n            plan: 1c-2g\n            rootDir", "region: ohio\n            plan: 9c-99g\n            rootDir"),),
            (("autoDeployTrigger: checksPass", "autoDeployTrigger: off"),),
            (("numInstances: 2", "renderSubdomainPolicy: disabled\n            numInstances: 2"),),
        ),
        "healthcheckPath",
    ),
    Case(
        "reference_unresolved",
        (("name: queue\n                  property", "name: records\n                  property"),
         ("type: keyvalue\n                  name: records", "type: pserv\n                  name: queue")),
        "render.yaml projects[clinic].environments[production].services[documents].envVars[QUEUE_URL]",
        ((("- fromGroup: shared", "- fromGroup: of-the-workspace"),),),
        "- key: QUEUE_URL",
    ),
    Case(
        "maintenance_mode_on",
        (("numInstances: 2", "numInstances: 2\n            maintenanceMode:\n              enabled: true"),),
        "web service portal",
        ((("numInstances: 2", "numInstances: 2\n            maintenanceMode:\n              enabled: false"),),),
    ),
    Case(
        "region_apart",
        (("maxmemoryPolicy: noeviction", "maxmemoryPolicy: noeviction "), ("name: queue\n            region: virginia",
          "name: queue\n            region: oregon")),
        "background worker documents",
        ((("https://api.clinic.example", f"https://{'abcdefghijklmnopqrst'}.supabase.co"),),
         (("https://api.clinic.example", "postgres://postgres.abcdefghijklmnopqrst@aws-0-us-east-2.pooler.supabase.com"),)),
    ),
    Case(
        "region_apart",
        (("https://api.clinic.example", "postgres://postgres.abcdefghijklmnopqrst@aws-0-eu-west-1.pooler.supabase.com"),),
        "web service portal",
    ),
    Case(
        "free_plan_in_production",
        (("plan: 0.5c-1g", "plan: free"),),
        "Postgres database records",
        ((("- name: production", "- name: staging"), ("plan: 0.5c-1g", "plan: free")),),
        "plan: free",
    ),
    Case(
        "heap_exceeds_plan",
        (("--max-old-space-size=1400", "--max-old-space-size=2048"),),
        "web service portal",
        ((("--max-old-space-size=1400", "--max-old-space-size=1700"),),
         (("--max-old-space-size=1400", "--max-old-space-size=2048"), ("plan: 1c-2g", "plan: of-tomorrow"))),
    ),
    Case(
        "heap_exceeds_plan",
        ((PORTAL_START, "startCommand: node --max-old-space-size=900 cluster.js --workers 3"),),
        "web service portal",
    ),
    Case(
        "preview_with_production_data",
        (("projects:", "previews:\n  generation: automatic\nprojects:"),
         ("https://api.clinic.example", ADDRESS)),
        "web service portal",
        (
            (("projects:", "previews:\n  generation: automatic\nprojects:"),),
            (("projects:", "previews:\n  generation: automatic\nprojects:"),
             ("https://api.clinic.example", f"{ADDRESS}\n                previewValue: none")),
        ),
    ),
    Case(
        "preview_with_production_data",
        (("numInstances: 2", "numInstances: 2\n            previews:\n              generation: manual"),),
        "web service portal",
    ),
    Case("health_check_missing", (("            healthCheckPath: /health\n", ""),), "web service portal",
         ((("            healthCheckPath: /health\n", ""), ("- name: production", "- name: staging")),)),
    Case("queue_evicts", (("            maxmemoryPolicy: noeviction\n", ""),), "Key Value instance queue",
         ((("            maxmemoryPolicy: noeviction\n", ""), ("type: keyvalue\n            name: queue", "type: keyvalue\n            name: cache"),
           ("QUEUE_URL", "CACHE_URL"), ("name: queue\n                  prop", "name: cache\n                  prop")),)),
    Case("development_command", ((PORTAL_START, "startCommand: npm run dev"),), "web service portal",
         (((PORTAL_START, "startCommand: vite build && node dist/server.js"),),
          ((PORTAL_START, "startCommand: npm run devices"),),
          ((PORTAL_START, "startCommand: npm run dev"), ("- name: production", "- name: development")))),
    Case("single_instance", (("            numInstances: 2\n", ""),), "web service portal",
         ((("numInstances: 2", "scaling:\n              minInstances: 2\n              maxInstances: 4\n              targetCPUPercent: 60"),),)),
    Case("shutdown_before_jobs_end", (("            maxShutdownDelaySeconds: 120\n", ""),), "background worker documents",
         ((("JOB_TIMEOUT_SECONDS\n                value: \"90\"", "JOB_TIMEOUT_MS\n                value: \"90000\""),),
          (("            maxShutdownDelaySeconds: 120\n", ""), ("JOB_TIMEOUT_SECONDS", "JOB_COUNT")))),
    Case("migration_in_start_command", ((PORTAL_START, "startCommand: npx prisma migrate deploy && node dist/server.js"),),
         "web service portal", (((PORTAL_START, "startCommand: npx prisma migrate status && node dist/server.js"),),)),
    Case("disk_stops_deploys", (("numInstances: 2", "disk:\n              name: files\n              mountPath: /files"),),
         "web service portal"),
    Case("image_unpinned", (("documents:4.1.0", "documents:latest"),), "background worker documents",
         ((("documents:4.1.0", "documents@sha256:" + "ab" * 32),), (("ghcr.io/clinic/documents:4.1.0", "localhost:5000/documents:4"),))),
    Case("hipaa_region_unsupported", (("name: sweep\n            runtime: node\n            region: virginia",
          "name: sweep\n            runtime: node\n            region: singapore"),), "cron job sweep"),
    Case("autodeploy_without_checks", (("autoDeployTrigger: checksPass\n            numInstances", "autoDeployTrigger: commit\n            numInstances"),),
         "web service portal", ((("autoDeployTrigger: checksPass\n            numInstances", "autoDeployTrigger: off\n            numInstances"),),)),
    Case("postgres_version_unsupported", (('postgresMajorVersion: "17"', 'postgresMajorVersion: "13"'),), "Postgres database records",
         ((('postgresMajorVersion: "17"', 'postgresMajorVersion: "99"'),),)),
    Case("build_filter_missing", (("            rootDir: apps/sweep\n", ""),), "cron job sweep",
         ((("            rootDir: apps/sweep\n", ""), ("name: sweep\n            runtime: node", "name: sweep\n            repo: https://github.com/clinic/sweep\n            runtime: node")),)),
    Case("build_not_locked", (("buildCommand: npm ci && npm run build", "buildCommand: npm install && npm run build"),), "web service portal",
         ((("buildCommand: npm ci && npm run build", "buildCommand: npm install -g pnpm && pnpm install"),),)),
    Case("plan_name_old", (("plan: 1c-2g", "plan: standard"),), "render.yaml", ((("plan: 1c-2g", "plan: 2c-8g"),),), "plan: standard"),
    Case("blueprint_field_deprecated", (("autoDeployTrigger: checksPass", "autoDeploy: false"),), "render.yaml autoDeploy", (), "autoDeploy"),
)  # fmt: skip
