"""Files of EFS and FSx."""

from __future__ import annotations

import fnmatch

from costs.plan.rules.base import UNKNOWN, Pricing

CAPACITY = 1200, 1_200_000  # GB of a Lustre file system


def file_system(p: Pricing) -> None:
    """Files of EFS."""
    item = "standard-storage" if p.get("availabilityZoneName") is None else "one-zone-storage"
    p.traffic("EFS storage", "efs", "stored_gb", "efs", item)
    mode = p.get("throughputMode", "bursting")
    if mode == "provisioned":
        wanted, included = p.amount("provisionedThroughputInMibps", 1, (1, 1024)), p.use("efs", "stored_gb") / 20
        p.add("provisioned throughput", wanted.between(included), "efs", "provisioned-throughput")
    elif mode != "bursting":
        p.traffic("elastic reads", "efs", "read_gb", "efs", "elastic-reads")
        p.traffic("elastic writes", "efs", "write_gb", "efs", "elastic-writes")


def lustre(p: Pricing) -> None:
    """A Lustre file system: its capacity, at the price of its deployment and of what each TiB of it can do."""
    deployment, medium = p.get("deploymentType", "SCRATCH_1"), p.get("storageType", "SSD")
    through = p.get("perUnitStorageThroughput", UNKNOWN)
    if medium == "INTELLIGENT_TIERING":
        p.unpriced("intelligent tiering is billed by what lies in it and by its throughput, which no plan knows")
        return
    if isinstance(deployment, str) and deployment.startswith("SCRATCH"):
        items = ["lustre-scratch"]
    else:
        words = ["lustre", deployment, medium, through]
        name = "-".join("*" if word is UNKNOWN else str(word).lower().replace("_", "-") for word in words)
        items = fnmatch.filter(p.world.items("fsx", p.region), name) or [name]
        items += ["lustre-scratch"] if deployment is UNKNOWN else []
    p.any_of("Lustre storage", p.amount("storageCapacity", CAPACITY[0], CAPACITY), "fsx", items)
    if p.get("storageCapacity") is None:
        p.at_least("its capacity is that of its backup, which the plan does not know; the least is counted")


TABLE = {
    "aws:efs/fileSystem:FileSystem": file_system,
    "aws:fsx/lustreFileSystem:LustreFileSystem": lustre,
}
