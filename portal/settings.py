"""Every setting of the portal, each read from the environment once. `.env.example` lists them all."""

from pathlib import Path

import environ
from kombu import Exchange, Queue

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
if (BASE_DIR / ".env").exists():  # before anything is asked for; what the environment says already stays
    env.read_env(BASE_DIR / ".env")
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()

# --- Mode ---------------------------------------------------------------------------------------
# Sandbox mode leads Microsoft's hosts to a pretend Entra ID on this machine. System checks refuse it
# together with a public address. Everything else defaults to what is safe in production.
SANDBOX_URL = env.str("SANDBOX_URL", default="")
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
PORTAL_URL = env.str("PORTAL_URL", default="http://127.0.0.1:8000")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- Parts --------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.usersessions",
    "django_htmx",
    "csp",
    "portal",
    "accounts",
    "accounts.entra",
    "audit",
    "directory",
    "b2c",
    "revocation",
    "tenants",
    "inbox",
    "consent",
]

MIDDLEWARE = [
    "portal.health.answer_probes_first",
    "b2c.gate.middleware.answer_gate_first",
    "portal.request_id.RequestIdMiddleware",
    "portal.timing.count_durations",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "portal.pages.PageMiddleware",
    "accounts.middleware.ScopeMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "portal.limits.BodyLimitMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.SignInMiddleware",
    "accounts.middleware.IdentityMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context_processors.shell",
            ],
        },
    }
]

# --- Database -----------------------------------------------------------------------------------
# Without DATABASE_URL, `portal.local.postgres` starts the embedded server under VAR_DIR and names it here.
_embedded = VAR_DIR / "postgres.url"
DATABASES = {
    "default": env.db_url(
        "DATABASE_URL",
        engine="portal.database",
        default=_embedded.read_text().strip()
        if _embedded.exists()
        else f"postgres://consentry@/consentry?host={VAR_DIR}/postgres",
    )
}
# Who owns the tables and migrates them: the role above owns nothing. Only `manage.py migrate` reads it.
_owner = VAR_DIR / "postgres.owner.url"
_embedded_owner = _owner.read_text().strip() if _owner.exists() and "DATABASE_URL" not in env.ENVIRON else ""
DATABASE_OWNER_URL = env.str("DATABASE_OWNER_URL", default=_embedded_owner)
# Who sees every row: only `manage.py backup` reads it.
DATABASE_BACKUP_URL = env.str("DATABASE_BACKUP_URL", default="")
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Seconds: until a server counts as not there, and for one statement. `manage.py` sets no limit to the latter.
DATABASE_STATEMENT_SECONDS = env.float("DATABASE_STATEMENT_SECONDS", default=60)
DATABASES["default"]["DEADLINE"] = DATABASE_STATEMENT_SECONDS and DATABASE_STATEMENT_SECONDS + 1  # the server first
_options = DATABASES["default"].setdefault("OPTIONS", {})
_options.setdefault("connect_timeout", env.int("DATABASE_CONNECT_SECONDS", default=5))
_options.setdefault("application_name", "consentry")
_options.setdefault("options", f"-c statement_timeout={DATABASE_STATEMENT_SECONDS * 1000:.0f}")
DATABASES["default"]["ATOMIC_REQUESTS"] = False  # never hold a transaction open across a Graph call
DATABASES["default"]["TEST"] = {"NAME": env.str("TEST_DATABASE_NAME", default="test_consentry")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People and sessions --------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.ScopedBackend"]
AUTH_PASSWORD_VALIDATORS = [  # the operator's; nobody else has a password here
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "consent:my-apps"
LOGOUT_REDIRECT_URL = "accounts:signed-out"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None  # e-mail never identifies anyone here
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*"]
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_LOGOUT_REDIRECT_URL = "accounts:signed-out"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "accounts.adapters.SocialAccountAdapter"
SOCIALACCOUNT_ONLY = True
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
USERSESSIONS_TRACK_ACTIVITY = False  # `accounts.middleware` notes it, once a minute instead of with every request
# Over https the names bind cookies to this very host: no other name of the domain can set them.
SESSION_COOKIE_NAME = "__Host-consentry_session" if PORTAL_URL.startswith("https://") else "consentry_session"
CSRF_COOKIE_NAME = "__Host-csrftoken" if PORTAL_URL.startswith("https://") else "csrftoken"
MARK_COOKIE_NAME = "__Host-consentry_mark" if PORTAL_URL.startswith("https://") else "consentry_mark"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = env.int("SESSION_COOKIE_AGE", default=12 * 3600)  # seconds
# Until a session that may act on others ends because nothing was done in it.
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_SECONDS", default=30 * 60)
OPERATOR_SESSION_SECONDS = env.int("OPERATOR_SESSION_SECONDS", default=30 * 60)
SESSION_EXPIRE_AT_BROWSER_CLOSE = False
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "portal.errors.csrf_failure"

# What one person may do of what costs the whole organisation, in a minute. 0: as often as they like.
OWN_CHANGES_PER_MINUTE = env.int("OWN_CHANGES_PER_MINUTE", default=10)
OWN_READINGS_PER_MINUTE = env.int("OWN_READINGS_PER_MINUTE", default=6)
# Apps that one person may report as not recognised, in a minute.
OWN_REPORTS_PER_MINUTE = env.int("OWN_REPORTS_PER_MINUTE", default=6)

# --- Entra ID and Graph ---------------------------------------------------------------------------
# One installation has one registration, which lives in one cloud and serves one tenant or any.
ENTRA_CLOUD = env.str("ENTRA_CLOUD", default="global")  # a key of `graph.clouds.CLOUDS`
ENTRA_TENANT = env.str("ENTRA_TENANT", default="organizations")  # or the id of the only tenant
ENTRA_CLIENT_ID = env.str("ENTRA_CLIENT_ID", default="")
ENTRA_CLIENT_SECRET = env.str("ENTRA_CLIENT_SECRET", default="")
ENTRA_CERTIFICATE = env.str("ENTRA_CERTIFICATE", default="")  # path of a PEM with certificate
ENTRA_PRIVATE_KEY = env.str("ENTRA_PRIVATE_KEY", default="")  # path of its private key, PEM
# Who may connect an organisation: "open" to any, "closed", or the ids of the tenants that may.
ONBOARDING = env.list("ONBOARDING", default=["open"])
IDENTITY_MAX_AGE = env.int("IDENTITY_MAX_AGE", default=600)  # seconds until identity facts are read again
IDENTITY_HARD_LIMIT = env.int("IDENTITY_HARD_LIMIT", default=3600)  # seconds a stale page may be served
STEP_UP_MAX_AGE = env.int("STEP_UP_MAX_AGE", default=300)  # seconds
# As long as this, whoever confirmed that it is them may do the same kind of deed again. Not: stopping a response,
# deciding about a request, deleting, lists of people, settings.
STEP_UP_SAME_DEED = env.int("STEP_UP_SAME_DEED", default=900)  # seconds
GRAPH_TIMEOUT = env.float("GRAPH_TIMEOUT", default=10.0)  # seconds, connect and read
# The way out to Entra ID and Graph, where there is no straight one. HTTPS_PROXY and its like are not read.
MICROSOFT_PROXY = env.str("MICROSOFT_PROXY", default="")  # http://host:port or https://user:password@host:port
MICROSOFT_CA_BUNDLE = env.str("MICROSOFT_CA_BUNDLE", default="")  # path of a PEM; only these authorities are trusted
TOKEN_CACHE_KEYS = env.list("TOKEN_CACHE_KEYS", default=[])  # Fernet keys, newest first
AUDIT_KEYS = env.list("AUDIT_KEYS", default=[])  # hex, 32 bytes, newest first; outside the database
# Where signed chain heads are written, so that cutting off the newest entries is visible.
AUDIT_HEADS_DIR = Path(env.str("AUDIT_HEADS_DIR", default=str(VAR_DIR / "audit-heads")))
# Where older entries go, as signed files, and after how many days: see `audit.archive`.
AUDIT_ARCHIVE_DIR = Path(env.str("AUDIT_ARCHIVE_DIR", default=str(VAR_DIR / "audit-archive")))
AUDIT_KEEP_DAYS = env.int("AUDIT_KEEP_DAYS", default=400)

# --- How long what grows is kept, in days: `manage.py prune`, which beat does too ----------------------
# Each 0 keeps for ever. Requests go with their steps, before-images, lists and notices; as long are kept ended rules of
# the gate, texts of policies, what the inbox dealt with, grants taken back at Microsoft, and the operator's log.
KEEP_REQUESTS_DAYS = env.int("KEEP_REQUESTS_DAYS", default=365)
KEEP_ACCOUNTS_DAYS = env.int("KEEP_ACCOUNTS_DAYS", default=365)  # of people who did not sign in since
KEEP_COUNTS_DAYS = env.int("KEEP_COUNTS_DAYS", default=30)  # sampled counters of the gate
KEEP_FIGURES_DAYS = env.int("KEEP_FIGURES_DAYS", default=400)  # the overview's figures of each day
KEEP_HEADS_DAYS = env.int("KEEP_HEADS_DAYS", default=90)  # sealed files of heads in AUDIT_HEADS_DIR

# --- The spine ------------------------------------------------------------------------------------
REVOCATION_INLINE_SECONDS = env.float("REVOCATION_INLINE_SECONDS", default=3.0)
REVOCATION_LEASE_SECONDS = env.int("REVOCATION_LEASE_SECONDS", default=60)
# Four minutes with their growing pauses: longer than most troubles at Microsoft.
REVOCATION_MAX_ATTEMPTS = env.int("REVOCATION_MAX_ATTEMPTS", default=10)
# Only after this time is a lost call taken as not made; it must be longer than the directory takes to show one.
REVOCATION_READ_BACK_SECONDS = env.float("REVOCATION_READ_BACK_SECONDS", default=60.0)
# Worker processes on one tenant at a time where Microsoft's quota does not set the pace; where it does, one is enough.
REVOCATION_RUNNERS_PER_TENANT = env.int("REVOCATION_RUNNERS_PER_TENANT", default=4)
REVOCATION_PROOF_MINUTES = env.int("REVOCATION_PROOF_MINUTES", default=15)
REVOCATION_SWEEP_SECONDS = env.int("REVOCATION_SWEEP_SECONDS", default=10)
REVOCATION_UNDO_MINUTES = env.int("REVOCATION_UNDO_MINUTES", default=10)
REVOCATION_APPROVAL_MINUTES = env.int("REVOCATION_APPROVAL_MINUTES", default=60)
LOOSER_RULE_HOURS = env.float("LOOSER_RULE_HOURS", default=24)  # until a looser rule of two persons takes effect
# Microsoft's write quotas (reference: Graph throttling limits, identity and access). 0 switches pacing off.
GRAPH_TENANT_WRITES = env.int("GRAPH_TENANT_WRITES", default=3000)
GRAPH_TENANT_WRITE_SECONDS = env.float("GRAPH_TENANT_WRITE_SECONDS", default=150.0)
GRAPH_APP_WRITES = env.int("GRAPH_APP_WRITES", default=35000)
GRAPH_APP_WRITE_SECONDS = env.float("GRAPH_APP_WRITE_SECONDS", default=300.0)

# --- Celery: a message is only a nudge; rows are the truth ------------------------------------------
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://localhost//")
CELERY_TASK_DEFAULT_QUEUE = "consentry"  # a name of our own, for brokers that others use as well
# Reading directories never stands before sign-outs: a queue of its own, which a worker of its own may take.
_directory_queue, _queue_type, _exchange_type = "consentry-directory", None, "direct"
CELERY_TASK_ROUTES = {
    "directory.tasks.*": {"queue": _directory_queue},
    "portal.retention.tasks.*": {"queue": _directory_queue},
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
if CELERY_BROKER_URL.startswith("filesystem://"):
    _queue = VAR_DIR / "queue"
    CELERY_BROKER_TRANSPORT = "portal.local.broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_queue / "messages"),
        "data_folder_out": str(_queue / "messages"),
        "control_folder": str(_queue / "control"),
        "polling_interval": 0.1,
    }
elif CELERY_BROKER_URL.startswith("redis"):
    # Not each in its turn: sign-outs first, whose name comes first.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"queue_order_strategy": "sorted"}
elif CELERY_BROKER_URL.startswith("amqp"):
    CELERY_TASK_DEFAULT_QUEUE_TYPE = _queue_type = "quorum"
    CELERY_TASK_CREATE_MISSING_QUEUE_TYPE = "quorum"
    # Celery delays messages of quorum queues in a ladder of queues that direct exchanges cannot reach. Nothing here
    # is sent with a delay (due times are rows), so the ladder may be of the cheap kind.
    CELERY_TASK_DEFAULT_EXCHANGE_TYPE = _exchange_type = "topic"
    CELERY_BROKER_NATIVE_DELAYED_DELIVERY_QUEUE_TYPE = "classic"
# In this order: whoever takes both has sign-outs first.
CELERY_TASK_QUEUES = [
    Queue(
        name,
        Exchange(CELERY_TASK_DEFAULT_QUEUE, type=_exchange_type),
        routing_key=name,
        queue_arguments={"x-queue-type": _queue_type} if _queue_type else None,
    )
    for name in (CELERY_TASK_DEFAULT_QUEUE, _directory_queue)
]
CELERY_IMPORTS = ["revocation.notices", "portal.retention.tasks"]
DIRECTORY_SYNC_SECONDS = env.int("DIRECTORY_SYNC_SECONDS", default=30)
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "revocation.tasks.sweep", "schedule": REVOCATION_SWEEP_SECONDS},
    "sync": {"task": "directory.tasks.sync_all", "schedule": DIRECTORY_SYNC_SECONDS},
    "export-heads": {"task": "audit.tasks.export_heads", "schedule": 60},
    "notices": {"task": "revocation.notices.send", "schedule": 60},
    "prune": {"task": "portal.retention.tasks.prune_all", "schedule": 24 * 3600},
    "inbox": {"task": "inbox.tasks.go_round", "schedule": 60},
    "tidy-gate": {"task": "b2c.tasks.tidy", "schedule": 3600},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")

# --- Pages ------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static")))  # where `collectstatic` puts them
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": env.str("STATICFILES_STORAGE", default="portal.statics.JoinedStorage")},
}
LANGUAGE_CODE = "en"
# Each by its own name, for who looks for it. A new one: a line here, a folder in locale/, `make messages`.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français"), ("pl", "Polski")]
FORMAT_MODULE_PATH = "portal.formats"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# A pasted list of people may be long. Files are read as streams and know their own limit.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

# --- Security ---------------------------------------------------------------------------------------
HTTPS = PORTAL_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS and env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^(readyz|metrics)$"]  # probes come without the proxy, over plain http
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # who may read /metrics; without it only this machine
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
# Subdomains of the portal's own name, and the browsers' list, are the domain owner's matter: they may say so here.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
ALLAUTH_TRUSTED_PROXY_COUNT = int(SECURE_PROXY_SSL_HEADER is not None)  # whose X-Forwarded-For names the visitor
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "form-action": ["'self'"],  # also of sign-in: see `accounts.access.lead_on`
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}

# --- E-mail (people told about a sign-out; off per tenant by default) ---------------------------------
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
if EMAIL_CONFIG.get("EMAIL_PORT") == 465 and EMAIL_CONFIG.pop("EMAIL_USE_TLS", False):
    EMAIL_CONFIG["EMAIL_USE_SSL"] = True  # whoever listens there speaks TLS from the first byte (RFC 8314)
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10  # seconds
MAIL_DIGEST_HOUR = env.int("MAIL_DIGEST_HOUR", default=7)  # UTC: from when on the day's news are sent together
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="consentry@localhost")

# --- Log: one line per event, never a token or a secret -----------------------------------------------
# Traces and faults sent elsewhere; off unless set. See portal/observing.py.
SENTRY_DSN = env.str("SENTRY_DSN", default="")
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "portal.request_id.Lines"},
        "json": {"()": "portal.request_id.JsonLines"},
    },
    "filters": {
        "database_away": {"()": "portal.errors.DatabaseAwayInOneLine"},
        "request_id": {"()": "portal.request_id.WithRequestId"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env.str("LOG_FORMAT", default="line"),
            "filters": ["database_away", "request_id"],
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"msal": {"level": "INFO"}},  # its DEBUG lines hold authorization codes, whatever LOG_LEVEL says
}
