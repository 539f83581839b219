"""All settings, from the environment. Without any, the app runs for this machine alone."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.database import database_settings
from config.local import data_folder, local_secret
from config.serving import served_at

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = data_folder(os.environ, BASE_DIR)


def environment_list(name: str) -> list[str]:
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def environment_flag(name: str, *, default: bool) -> bool:
    value = os.environ.get(name, "").lower()
    if value not in ("", "0", "1", "false", "true", "no", "yes"):
        raise ImproperlyConfigured(f"{name}={value}: write 1 or 0.")
    return default if value == "" else value in ("1", "true", "yes")


# Naming hosts means serving others: from then on nothing unsafe is accepted.
PUBLIC_HOSTS = environment_list("TOUCHSTONE_HOSTS")
HTTPS = environment_flag("TOUCHSTONE_HTTPS", default=bool(PUBLIC_HOSTS))
ALLOWED_HOSTS = PUBLIC_HOSTS or ["localhost", "127.0.0.1", "[::1]"]
if "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("TOUCHSTONE_HOSTS=*: name the hosts, separated by commas.")

# What links begin with: in invitations, e-mails and the answers of commands.
BASE_URL = os.environ.get("TOUCHSTONE_URL", "").strip().rstrip("/") or (
    f"https://{PUBLIC_HOSTS[0]}"
    if PUBLIC_HOSTS and HTTPS
    else f"http://localhost:{os.environ['PORT']}"
    if os.environ.get("PORT")
    # A command beside a server that runs links to that one.
    else served_at(DATA_DIR) or "http://localhost:8000"
)
if urlsplit(BASE_URL).scheme not in ("http", "https") or not urlsplit(BASE_URL).netloc:
    raise ImproperlyConfigured(
        f"TOUCHSTONE_URL={BASE_URL}: write the whole address, as in https://touchstone.example.org"
    )

DEBUG = False
SECRET_KEY = os.environ.get("TOUCHSTONE_SECRET_KEY", "")
if PUBLIC_HOSTS and (len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5):
    raise ImproperlyConfigured(
        "TOUCHSTONE_SECRET_KEY is missing, simple or shorter than 50 characters. Make one with: "
        'python -c "import secrets; print(secrets.token_urlsafe(60))"'
    )
SECRET_KEY = SECRET_KEY or local_secret(DATA_DIR / "secret-key")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = [
    "config.apps.TouchstoneConfig",
    "annotate.apps.AnnotateConfig",
    "evals.apps.EvalsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_htmx",
    "csp",
    "procrastinate.contrib.django",
]
MIDDLEWARE = [
    # Outermost, so that redirects to HTTPS and error pages bear these headers too.
    "config.middleware.ResponseHeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.sessions.SessionLimitsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.SignInRequiredMiddleware",
    "config.sessions.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["evals.templatetags.numbers"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.site",
            ],
        },
    }
]

# Database: DATABASE_URL, or the embedded server.
DATABASES = {"default": database_settings(os.environ, BASE_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sign-in.
AUTH_USER_MODEL = "annotate.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "annotate.sign_in.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "annotate.sign_in.SocialAccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an account is made by invitation to an address
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody can make the site write to strangers
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
PASSWORD_RESET_TIMEOUT = 24 * 3600
MFA_TOTP_ISSUER = "Touchstone"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# Then leads and admins set one up before anything else.
REQUIRE_MFA = environment_flag("TOUCHSTONE_REQUIRE_MFA", default=False)
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_PROVIDERS = {}
OIDC_SERVER_URL = os.environ.get("OIDC_SERVER_URL", "")
if OIDC_SERVER_URL:
    if not (os.environ.get("OIDC_CLIENT_ID") and os.environ.get("OIDC_CLIENT_SECRET")):
        raise ImproperlyConfigured(
            "OIDC_SERVER_URL also needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET."
        )
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": os.environ.get("OIDC_NAME", "single sign-on"),
                "client_id": os.environ["OIDC_CLIENT_ID"],
                "secret": os.environ["OIDC_CLIENT_SECRET"],
                "settings": {"server_url": OIDC_SERVER_URL},
            }
        ],
    }

# Limits of sign-in hold over all processes, so they are counted in the database.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        # Culling forgets counts: few entries could be flushed out by guessing at many addresses.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# E-mail: only where a server is named; without one, links are shown to whoever may hand them on.
EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "587"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = environment_flag("EMAIL_USE_TLS", default=True)
DEFAULT_FROM_EMAIL = os.environ.get("EMAIL_FROM", "touchstone@localhost")
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if EMAIL_HOST
    else "django.core.mail.backends.dummy.EmailBackend"
)

# Cookies, transport, headers.
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 7 * 24 * 3600  # from the sign-in, whatever happens in between
SESSION_IDLE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.http.csrf_failure"
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in PUBLIC_HOSTS] if HTTPS else []
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if environment_flag("TOUCHSTONE_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
# A browser holds the redirect that answers a form to form-action too, and single sign-on is one.
OIDC_ORIGIN = "{0.scheme}://{0.netloc}".format(urlsplit(OIDC_SERVER_URL))
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, OIDC_ORIGIN] if OIDC_SERVER_URL else [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# Jobs: each app's are in its module jobs.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

# Uploads: a file goes to the database in pieces, form fields stay small.
# No address takes files but the one that sets its own, limited handler.
FILE_UPLOAD_HANDLERS = ["config.uploads.NoFilesUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 2**20
DATA_UPLOAD_MAX_NUMBER_FILES = 2
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
UPLOAD_LIMITS = {
    "max_file_bytes": int(os.environ.get("TOUCHSTONE_MAX_FILE_BYTES", 512 * 2**20)),
    "max_rows": int(os.environ.get("TOUCHSTONE_MAX_ROWS", 1_000_000)),
    "max_columns": 64,
    "max_cell_chars": int(os.environ.get("TOUCHSTONE_MAX_CELL_CHARS", 1_000_000)),
    "max_total_text_bytes": 4 * 2**30,
    "max_json_depth": 16,
    "max_header_chars": 128,
}

# Text and time.
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = os.environ.get("TZ", "UTC") or "UTC"

# Static files.
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = False

SILENCED_SYSTEM_CHECKS: list[str] = []

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.log.LineFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "touchstone": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
