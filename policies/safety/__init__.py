"""Safety: what must not be open, unencrypted, all-powerful, or gone by mistake."""

from policies.safety.buckets import PUBLIC_ACCESS_BLOCK, PUBLIC_BUCKETS
from policies.safety.databases import DATABASE_BACKUPS, PUBLIC_DATABASES
from policies.safety.deletion import DELETION_PROTECTION
from policies.safety.encryption import ENCRYPTED_BUCKETS, ENCRYPTED_STORAGE
from policies.safety.functions import PERMISSION_SOURCE, PUBLIC_FUNCTIONS
from policies.safety.images import CONTAINER_IMAGES
from policies.safety.listeners import TLS_LISTENERS
from policies.safety.metadata import IMDSV2
from policies.safety.ports import OPEN_PORTS
from policies.safety.rights import WILDCARD_IAM
from policies.safety.secret_text import PLAIN_SECRETS
from policies.safety.users import USER_POLICIES

RULES = (
    ENCRYPTED_STORAGE,
    ENCRYPTED_BUCKETS,
    PUBLIC_BUCKETS,
    PUBLIC_ACCESS_BLOCK,
    PUBLIC_DATABASES,
    PUBLIC_FUNCTIONS,
    PERMISSION_SOURCE,
    OPEN_PORTS,
    TLS_LISTENERS,
    WILDCARD_IAM,
    USER_POLICIES,
    IMDSV2,
    PLAIN_SECRETS,
    CONTAINER_IMAGES,
    DATABASE_BACKUPS,
    DELETION_PROTECTION,
)
