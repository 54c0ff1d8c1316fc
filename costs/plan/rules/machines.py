"""What EC2 bills for one machine, whoever starts it and in whatever form a program describes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from costs.amounts import ONE, Range
from costs.plan.charges import Charge
from costs.plan.rules import volumes
from costs.plan.rules.base import HOURS, SUBNET, UNKNOWN, Pricing, plain, truth

TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
CONFIGURATION = "aws:ec2/launchConfiguration:LaunchConfiguration"
HOST, VPC = "aws:ec2/dedicatedHost:DedicatedHost", "aws:ec2/vpc:Vpc"
IMAGES = "aws:ec2/ami:Ami", "aws:ec2/amiCopy:AmiCopy", "aws:ec2/amiFromInstance:AmiFromInstance"
MONITORED = 7  # metrics that detailed monitoring of one machine is billed for
DEDICATED = Range.of("1.05", "1.11")  # of the shared price: the span of AWS's price list, for types without their own
SIZE = re.compile(r"(?P<family>[a-z0-9-]+)\.(?:(?P<times>\d+)?xlarge|(?P<small>large|medium|small|micro|nano))")
SYSTEMS = {  # words of a platform's or an image's name → item of `ec2-licence`
    "windows": "windows", "rhel": "rhel", "red hat": "rhel", "redhat": "rhel", "red-hat": "rhel", "suse": "suse",
    "sles": "suse",
}  # fmt: skip
LARGE = 8  # processors above which a licence may have another price for each


@dataclass(frozen=True)
class Form:
    """Where a type of resource says what its machines are like: paths of properties, empty where it cannot say."""

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
    monitored: bool = False  # where nothing is said


INSTANCE = Form()
BY_TEMPLATE = Form(
    "imageId", "placement.tenancy", "placement.hostId", "placement.hostResourceGroupArn", "monitoring.enabled",
    "networkInterfaces.0.associatePublicIpAddress", "networkInterfaces.0.subnetId", root="", disks=volumes.MAPPINGS,
)  # fmt: skip
BY_CONFIGURATION = Form(
    "imageId", "placementTenancy", "", "", "enableMonitoring", subnet="", market="", bid="spotPrice", monitored=True
)
BY_SPECIFICATION = Form(tenancy="placementTenancy", host="", group="", root="rootBlockDevices")  # of a spot fleet
NOWHERE = Form("", "", "", "", "", "", "", "", "", "")  # of what starts machines and says nothing of them itself
Layer = tuple[Any, Form]
# A template outside the plan: nobody knows its instance type, and its disks are in no figure.
OUTSIDE: Layer = ({"instanceType": UNKNOWN, "root": {"volumeSize": 0}}, replace(NOWHERE, root="root", disks="disks"))


def vcpus(kind: str) -> Decimal | None:
    """Processors of an instance type, by the rule that its size's name follows; None for `metal` and the like."""
    size = SIZE.fullmatch(kind)
    if size is None:
        return None
    if size["small"] is None:
        return Decimal(4 * int(size["times"] or 1))
    one = {"t2": ("nano", "micro", "small")}.get(size["family"], () if size["family"].startswith("t") else ("medium",))
    return Decimal(1 if size["small"] in one else 2)


def templates(p: Pricing, path: str, specification: Any, kind: str = TEMPLATE) -> list[Layer]:
    """The launch templates or configurations that a specification may mean; at least one, OUTSIDE where it is not in
    the plan."""
    value, version = specification, None
    if isinstance(specification, Mapping):
        words = ("id", "launchTemplateId", "name", "launchTemplateName")
        value = next((value for word in words if (value := p.get(word, of=specification)) is not None), None)
        version = p.get("version", "$Default", specification)
    described = p.referred(path, kind, value)
    layers = [(resource.inputs, BY_TEMPLATE if kind == TEMPLATE else BY_CONFIGURATION) for resource in described]
    names = ", ".join(sorted(resource.name for resource in described))
    if not described:
        p.at_least("its launch template is not in the plan, nor are the disks and settings that it gives")
        return [OUTSIDE]
    if len(described) > 1:
        p.note(f"which launch template is not known: one of {names}")
        require_alike(p, [Machine(p, layer) for layer in layers])
    for resource in described if kind == TEMPLATE else ():
        default = version == "$Default" and not p.flag("updateDefaultVersion", of=resource.inputs)
        if resource.op == "update" and (default or str(version).isdigit()):
            p.at_least(f"it takes version {version} of {names}; the plan shows the latest, which is counted")
    return layers


class Machine:
    """A machine as its own settings and those of its template describe it."""

    def __init__(
        self,
        p: Pricing,
        *layers: Layer,
        subnets: str = "",
        default_subnet: bool = True,
        root_gb: int | None = None,
    ) -> None:
        """
        Args:
            layers: settings with their form; the own ones first, then those of a template that they replace.
            subnets: the property of the priced resource that names the subnets.
            default_subnet: whether it starts in a default subnet where no subnet is named.
            root_gb: the size of a root disk of which nothing is said; the usage file's unless given.
        """
        self.p, self.layers, self.root_gb = p, layers, root_gb
        self.subnets, self.default_subnet = subnets, default_subnet

    def get(self, what: str) -> Any:
        """A setting, by its name in `Form`, of the first that gives it."""
        for settings, form in self.layers:
            path = getattr(form, what)
            if path and (value := self.p.get(path, of=settings)) is not None:
                return value
        return None

    @property
    def spot(self) -> bool | None:
        """Whether it is asked for on spot capacity; None where that is unknown."""
        market = self.get("market") if self.get("bid") is None else "spot"
        if market not in (None, "spot", UNKNOWN):
            self.p.at_least(f"its capacity is bought beforehand ({market}); the hours are those on demand")
        return None if market is UNKNOWN else market == "spot"

    def looks(self) -> list[Any]:
        """All of its settings, to be compared with those of another."""
        return [self.get(field.name) for field in fields(Form) if field.name != "monitored"]

    def bill(self, kinds: Sequence[Any], count: Range, spot: bool | None = False, first: Any = None) -> None:
        """The charges of `count` of it: of one of several instance types, the `first` of which is expected."""
        if count.high:
            self.hours(kinds, count, spot, first)
            self.surroundings(kinds, count)

    def hours(
        self,
        kinds: Sequence[Any],
        units: Range,
        spot: bool | None,
        first: Any = None,
        weights: Mapping[str, Decimal] | None = None,
    ) -> None:
        """The charge for a month of `units` of capacity; a machine is one of them, or as many as its type weighs."""
        p, tenancy, service, share = self.p, self.tenancy, "ec2", ONE
        if tenancy == "host":
            if p.world.by_type.get(HOST):
                p.note("on a dedicated host, which is billed in its place")
            else:
                p.unpriced("it runs on a dedicated host, which is not in the plan")
            return
        listed = kinds and all(isinstance(kind, str) and p.known("ec2-dedicated", kind) for kind in kinds)
        if tenancy == "dedicated" and listed:
            service = "ec2-dedicated"
        elif tenancy in ("dedicated", UNKNOWN):
            share = DEDICATED if tenancy == "dedicated" else Range(Decimal(1), DEDICATED.high)
            p.note(f"dedicated: {plain(share.low)} to {plain(share.high)} times the price of shared machines")
        p.machines(service, kinds, HOURS * units, spot, first=first, share=share, weights=weights)

    def surroundings(self, kinds: Sequence[Any], count: Range) -> None:
        """What is billed beside the hours of `count` of it: licences, detailed monitoring, disks, addresses."""
        p, monitoring = self.p, self.get("monitoring")
        if self.tenancy in ("dedicated", UNKNOWN):
            self._fee(count)
        self.licence(kinds, count)
        if monitoring is None:
            monitoring = any(form.monitored for _, form in self.layers)
        if monitoring is UNKNOWN or truth(monitoring):
            metrics = (count.maybe if monitoring is UNKNOWN else count) * MONITORED
            p.add("detailed monitoring", metrics, "cloudwatch", "custom-metric")
        disks = [(settings, form.root, form.disks) for settings, form in self.layers if form.disks]
        volumes.of_machine(p, disks, count, self.root_gb)
        named = self.get("subnet")
        p.public_addresses(
            count, self.get("address"), self.subnets, [] if named is None else named, self.default_subnet
        )

    def _fee(self, count: Range) -> None:
        """What dedicated instances cost once in a region, borne by the first that has some."""
        p = self.p
        payer = p.world.payer(f"dedicated instances in {p.region}", p.resource)
        if payer is not p.resource:
            p.note(f"the region's fee for dedicated instances is counted with {payer.name}")
            return
        once = Range(min(count.low, Decimal(1)), Decimal(1)).around(count.expected)
        once = once.maybe if self.tenancy is UNKNOWN else once
        p.add("fee for dedicated instances, once a region", HOURS * once, "ec2-dedicated", "region-fee")

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
        return "dedicated" if networks == {"dedicated"} else tenancy

    def licence(self, kinds: Sequence[Any], count: Range) -> None:
        """The charge for a system that is not free, on top of the machine at the price of Linux."""
        p, image, words = self.p, self.get("image"), [str(self.p.get("platform", ""))]
        words.append(image if isinstance(image, str) else "")
        words.append("windows" if p.flag("getPasswordData") else "")
        if image is UNKNOWN:
            words += [str(picture.inputs.get("name")) for kind in IMAGES for picture in p.world.by_type.get(kind, ())]
        named = " ".join(words).lower()
        if "sql" in named:
            p.at_least("the licence of SQL Server comes on top")
        system = next((item for word, item in SYSTEMS.items() if word in named and self.tenancy != "host"), "")
        options = []
        for kind in kinds if system else ():
            processors = vcpus(kind) if isinstance(kind, str) else None
            if processors is None:
                p.at_least(f"the licence of {system} on {kind} comes on top")
                return
            names = [f"{system}-{kind}", *([f"{system}-large"] if processors > LARGE else []), system]
            item = next((name for name in names if p.known("ec2-licence", name)), system)
            if (price := p.price("ec2-licence", item)) is None:
                return
            options.append((Decimal(1) if item == names[0] else processors, price))
        if options:
            options.sort(key=lambda option: option[0] * option[1].usd)
            (few, cheap), (many, dear) = options[0], options[-1]
            share = Range(few * cheap.usd / (many * dear.usd), Decimal(1))
            p.charges.append(Charge(f"{system} licence", HOURS * count * many, dear, share=share, note=dear.note))


def require_alike(p: Pricing, machines: Sequence[Machine]) -> None:
    """Of several machines that may be started the first one's settings are counted: says so where they differ."""
    if any(machine.looks() != machines[0].looks() for machine in machines):
        p.at_least("its machines differ in disks or settings; those of the first are counted for all")
