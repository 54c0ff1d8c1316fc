"""Waste: what costs money for nothing, or more than it must."""

from policies.waste.capacity import ON_DEMAND_SHARE, OVERSIZED_INSTANCES
from policies.waste.databases import MULTI_AZ
from policies.waste.endpoints import ENDPOINT_SCALE_TO_ZERO, NOTEBOOK_INSTANCES
from policies.waste.functions import PROVISIONED_CONCURRENCY
from policies.waste.gpu import ALWAYS_ON_GPU
from policies.waste.leases import EPHEMERAL_LEASE
from policies.waste.logs import LOG_RETENTION
from policies.waste.network import IDLE_ADDRESSES, INTERFACE_ENDPOINTS, NAT_GATEWAYS
from policies.waste.storage import BUCKET_LIFECYCLE
from policies.waste.training import SPOT_TRAINING, TRAINING_BOUNDS
from policies.waste.volumes import GP3_VOLUMES

RULES = (
    SPOT_TRAINING,
    TRAINING_BOUNDS,
    EPHEMERAL_LEASE,
    ALWAYS_ON_GPU,
    ENDPOINT_SCALE_TO_ZERO,
    NOTEBOOK_INSTANCES,
    ON_DEMAND_SHARE,
    OVERSIZED_INSTANCES,
    PROVISIONED_CONCURRENCY,
    NAT_GATEWAYS,
    INTERFACE_ENDPOINTS,
    IDLE_ADDRESSES,
    MULTI_AZ,
    GP3_VOLUMES,
    LOG_RETENTION,
    BUCKET_LIFECYCLE,
)
