"""What EC2 bills for one machine, whoever starts it and in whatever form a program describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from costs.amounts import NOTHING, ONE, Range
from costs.book.shapes import vcpus
from costs.plan.rules import volumes
from costs.plan.rules.base import HOURS, SUBNET, UNKNOWN, Pricing, number, plain, truth

TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
CONFIGURATION = "aws:ec2/launchConfiguration:LaunchConfiguration"
HOST, VPC = "aws:ec2/dedicatedHost:DedicatedHost", "aws:ec2/vpc:Vpc"
IMAGES = "aws:ec2/ami:Ami", "aws:ec2/amiCopy:AmiCopy", "aws:ec2/amiFromInstance:AmiFromInstance"
MONITORED = 7  # metrics that detailed monitoring of one machine is billed for
DEDICATED = Range.of("1.05", "1.11")  # of the shared price: the span of AWS's price list, for types without their own
SYSTEMS = {  # words of a platform's or an image's name → item of `ec2-licence`
    "windows": "windows", "rhel": "rhel", "red hat": "rhel", "redhat": "rhel", "red-hat": "rhel", "suse": "suse",
    "sles": "suse",
}  # fmt: skip
LARGE = 8  # processors above which a licence may have another price for each


@dataclass(frozen=True)
class Form:
    """Where a type of resource says what its machines are like: paths of properties, empty where it cannot say."""

    kind: str = "instanceType"
    image: str = "ami"
    tenancy: str = "tenancy"
    host: str = "hostId"
    group: str = "hostResourceGroupArn"
    monitoring: str = "monitoring"
    address: str = "associatePublicIpAddress"
    subnet: str = "subnetId"
    market: str = "instanceMarketOptions.marketType"
    root: str = "rootBlockDevice"
    disks: str = "ebsBlockDevices"
    bid: str = ""  # a price for spot capacity
    weight: str = ""
    monitored: bool = False  # where nothing is said


INSTANCE = Form()
BY_TEMPLATE = Form(
    "instanceType", "imageId", "placement.tenancy", "placement.hostId", "placement.hostResourceGroupArn",
    "monitoring.enabled", "networkInterfaces.0.associatePublicIpAddress", "networkInterfaces.0.subnetId",
    root="", disks=volumes.MAPPINGS,
)  # fmt: skip
BY_CONFIGURATION = Form(
    image="imageId", tenancy="placementTenancy", host="", group="", monitoring="enableMonitoring", subnet="",
    market="", bid="spotPrice", monitored=True,
)  # fmt: skip
BY_SPECIFICATION = Form(  # of a request for a spot fleet
    tenancy="placementTenancy", host="", group="", market="", root="rootBlockDevices", weight="weightedCapacity"
)
NOWHERE = Form("", "", "", "", "", "", "", "", "", "", "")  # of what starts machines and says nothing of them itself
OVERRIDE = replace(NOWHERE, kind="instanceType", subnet="subnetId", weight="weightedCapacity")
Layer = tuple[Any, Form]
Weights = Mapping[str, Decimal] | None
# A template outside the plan: nobody knows its instance type, and its disks are in no figure.
OUTSIDE: Layer = (
    {"kind": UNKNOWN, "root": {"volumeSize": 0}}, replace(NOWHERE, kind="kind", root="root", disks="disks")
)  # fmt: skip


def templates(p: Pricing, path: str, specification: Any, kind: str = TEMPLATE) -> list[list[Layer]]:
    """The launch templates or configurations that a specification may mean, each as the layers that it adds: none of
    them where nothing is specified, OUTSIDE where it is not in the plan."""
    if specification is None:
        return [[]]
    value, version = specification, None
    if isinstance(specification, Mapping):
        words = ("id", "launchTemplateId", "name", "launchTemplateName")
        value = next((value for word in words if (value := p.get(word, of=specification)) is not None), None)
        version = p.get("version", "$Default", specification)
    described = p.referred(path, kind, value)
    names = ", ".join(sorted(resource.name for resource in described))
    if not described:
        p.at_least("its launch template is not in the plan, nor are the disks and settings that it gives")
        return [[OUTSIDE]]
    if len(described) > 1:
        p.note(f"which launch template is not known: one of {names}")
    for resource in described if kind == TEMPLATE else ():
        default = version == "$Default" and not p.flag("updateDefaultVersion", of=resource.inputs)
        if resource.op == "update" and (default or str(version).isdigit()):
            p.at_least(f"it takes version {version} of {names}; the plan shows the latest, which is counted")
    form = BY_TEMPLATE if kind == TEMPLATE else BY_CONFIGURATION
    return [[(resource.inputs, form)] for resource in described]


class Machine:
    """A machine as its own settings and those of its template describe it."""

    def __init__(
        self,
        p: Pricing,
        *layers: Layer,
        subnets: str = "",
        default_subnet: bool = True,
        root_gb: int | Range | None = None,
        usual: Any = UNKNOWN,
    ) -> None:
        """
        Args:
            layers: settings with their form; the own ones first, then those of a template that they replace.
            subnets: the property of the priced resource that names the subnets.
            default_subnet: whether it starts in a default subnet where no subnet is named.
            root_gb: the size of a root disk of which nothing is said; the usage file's unless given.
            usual: its instance type where nothing is said.
        """
        self.p, self.layers, self.root_gb = p, layers, root_gb
        self.subnets, self.default_subnet = subnets, default_subnet
        weight = self.get("weight", 1)
        self.weight = number(weight) or Decimal(1)  # units of capacity that it stands for
        self.kind = UNKNOWN if weight is UNKNOWN else self.get("kind", usual)

    def get(self, what: str, default: Any = None) -> Any:
        """A setting, by its name in `Form`, of the first that gives it."""
        for settings, form in self.layers:
            path = getattr(form, what)
            if path and (value := self.p.get(path, of=settings)) is not None:
                return value
        return default

    @property
    def spot(self) -> bool | None:
        """Whether it is asked for on spot capacity; None where that is unknown."""
        market = self.get("market") if self.get("bid") is None else "spot"
        if market not in (None, "spot", UNKNOWN):
            self.p.at_least(f"its capacity is bought beforehand ({market}); the hours are those on demand")
        return None if market is UNKNOWN else market == "spot"

    @cached_property
    def tenancy(self) -> Any:
        """`host`, `dedicated`, `default` or None; UNKNOWN where the plan does not say."""
        if self.get("host") is not None or self.get("group") is not None:
            return "host"
        tenancy = self.get("tenancy")
        if tenancy not in (None, "default") or not self.subnets:
            return tenancy
        networks = {
            network.inputs.get("instanceTenancy")
            for subnet in self.p.referred(self.subnets, SUBNET)
            for network in self.p.world.referred(subnet, "vpcId", VPC, subnet.inputs.get("vpcId"))
        }
        return UNKNOWN if UNKNOWN in networks else "dedicated" if "dedicated" in networks else tenancy

    def looks(self) -> list[Any]:
        """All that is billed of it beside its type, to be compared with that of another."""
        names = {field.name for field in fields(Form)} - {"kind", "weight", "monitored"}
        return [self.get(name) for name in sorted(names)]

    def hours(self, kinds: Sequence[Any], units: Range, spot: bool | None, first: Any, weights: Weights) -> None:
        """The charge for a month of `units` of capacity, on machines of one of several types."""
        p, tenancy, service, share = self.p, self.tenancy, "ec2", ONE
        if tenancy == "host":
            if p.world.by_type.get(HOST):
                p.note("on a dedicated host, which is billed in its place")
            else:
                p.unpriced("it runs on a dedicated host, which is not in the plan")
            return
        if tenancy == "dedicated" and all(isinstance(kind, str) and p.known("ec2-dedicated", kind) for kind in kinds):
            service = "ec2-dedicated"
        elif tenancy in ("dedicated", UNKNOWN):
            share = DEDICATED if tenancy == "dedicated" else DEDICATED.maybe
            p.note(f"dedicated: {plain(share.low)} to {plain(share.high)} times the price of shared machines")
        if tenancy is UNKNOWN:
            p.at_least("its tenancy is unknown: a dedicated host would be billed in its place")
        p.machines(service, kinds, HOURS * units, spot, first=first, share=share, weights=weights)

    def surroundings(self, count: Range) -> None:
        """What is billed beside the hours and the system of `count` of it: the fee for dedicated instances, which the
        first that has some bears for its region; detailed monitoring; disks; addresses."""
        p = self.p
        if self.tenancy in ("dedicated", UNKNOWN):
            payer = p.world.payer(f"dedicated instances in {p.region}", p.resource)
            if payer is p.resource:
                once = Range(min(count.low, Decimal(1)), Decimal(1)).around(count.expected)
                once = once.maybe if self.tenancy is UNKNOWN else once
                p.add("fee for dedicated instances, once a region", HOURS * once, "ec2-dedicated", "region-fee")
            else:
                p.note(f"the region's fee for dedicated instances is counted with {payer.name}")
        monitoring = self.get("monitoring", any(form.monitored for _, form in self.layers))
        if monitoring is UNKNOWN or truth(monitoring):
            metrics = (count.maybe if monitoring is UNKNOWN else count) * MONITORED
            p.add("detailed monitoring", metrics, "cloudwatch", "custom-metric")
        disks = [(settings, form.root, form.disks) for settings, form in self.layers if form.disks]
        volumes.of_machine(p, disks, count, self.root_gb)
        p.public_addresses(count, self.get("address"), self.subnets, self.get("subnet", []), self.default_subnet)

    def licence(self, kinds: Sequence[Any], count: Range) -> None:
        """The charge for a system that is not free, on top of the machine at the price of Linux."""
        p, image, asked = self.p, self.get("image"), self.p.flag("getPasswordData")
        words = [p.get("platform", ""), image, "windows" if asked else ""]
        if image is UNKNOWN:
            words += [picture.inputs.get("name") for kind in IMAGES for picture in p.world.by_type.get(kind, ())]
        named = " ".join(str(word) for word in words).lower()
        if "sql" in named:
            p.at_least("the licence of SQL Server comes on top")
        systems = {item for word, item in SYSTEMS.items() if word in named}
        if not systems and (image is UNKNOWN or asked is None):
            p.note("its system is unknown: Linux is expected")
            systems, count = {"windows", "rhel"}, count.maybe.around(Decimal(0))
        items, units = [], []
        for system in sorted(systems) if self.tenancy != "host" else ():
            for kind in kinds:
                processors = vcpus(kind) if isinstance(kind, str) else None
                if processors is None:
                    p.at_least(f"the licence of {system} on {kind} comes on top")
                    return
                names = [f"{system}-{kind}", *([f"{system}-large"] if processors > LARGE else []), system]
                items.append(next((name for name in names if p.known("ec2-licence", name)), system))
                units.append(Decimal(1) if items[-1] == names[0] else processors)
        if items:
            name = f"{' or '.join(sorted(systems))} licence"
            p.any_of(name, HOURS * count * Range(min(units), max(units)), "ec2-licence", items)


def start(p: Pricing, machines: Sequence[Machine], *parts: tuple[Range, bool | None, bool]) -> None:
    """The charges of capacity that is met by one or another of several machines.

    Args:
        machines: in the order in which they are taken; the settings of the first are counted for all.
        parts: units of capacity; whether on spot capacity, None where that is unknown; whether the cheapest type is
            taken first, and so expected, and not the first.
    """
    total = sum((units for units, _, _ in parts), NOTHING)
    if not total.high:
        return
    machine, kinds = machines[0], [machine.kind for machine in machines]
    if any(other.looks() != machine.looks() for other in machines[1:]):
        p.at_least("its machines differ in disks or settings; those of the first are counted for all")
    weights = {machine.kind: machine.weight for machine in machines if isinstance(machine.kind, str)}
    priced = [kind for kind in weights if len(weights) > 1 and p.known("ec2", kind)]
    cheapest = min(
        priced, key=lambda kind: p.world.price("ec2", kind, p.region).usd / weights[kind], default=machine.kind
    )
    light, heavy = min(weights.values(), default=Decimal(1)), max(weights.values(), default=Decimal(1))
    for units, spot, by_price in parts:
        if units.high:
            machine.hours(kinds, units, spot, cheapest if by_price else machine.kind, weights if heavy > 1 else None)
    taken = total.expected and total.expected / machine.weight
    count = Range(total.low / heavy, total.high / light).around(taken)
    machine.licence(kinds, count)
    machine.surroundings(count)
