"""The network interfaces of jobs in a network: SageMaker keeps one for some time after its job has ended."""

from __future__ import annotations

import threading
import time
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.aws.row import absent
from localcloud.protocol import Notice

OWNER = "SageMaker training job "  # what their descriptions begin with
PAUSE = 0.3  # seconds between two looks at those that are due


class Interfaces:
    """Those of one region: a job's is made, and removed when its time has come; an earlier service's at once."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.used, self.due = set[str](), dict[str, float]()
        self._inherited, self._lock, self._notice = True, threading.Lock(), Notice()
        threading.Thread(target=self._work, daemon=True, name="interfaces").start()

    def attach(self, job: str, request: dict[str, Any]) -> str:
        """The id of a new interface in the job's subnet and groups; nothing for a job without a network."""
        config = request.get("VpcConfig")
        if not config:
            return ""
        ec2 = boto3.client("ec2", region_name=self.region)
        with self._lock:
            created = ec2.create_network_interface(
                SubnetId=config["Subnets"][0], Groups=config["SecurityGroupIds"], Description=f"{OWNER}{job}"
            )
            interface = str(created["NetworkInterface"]["NetworkInterfaceId"])
            self.used.add(interface)
        ec2.attach_network_interface(NetworkInterfaceId=interface, InstanceId=f"ml-{job}", DeviceIndex=1)
        return interface

    def release(self, interface: str, seconds: float) -> None:
        """Has an interface removed in some seconds."""
        if interface:
            self.due[interface] = time.monotonic() + seconds

    def _work(self) -> None:
        while True:
            time.sleep(PAUSE)
            try:
                if self._inherited:
                    self._take_over()
                for interface in [id for id, moment in list(self.due.items()) if moment <= time.monotonic()]:
                    self._remove(interface)
            except (
                BotoCoreError,
                ClientError,
            ) as error:  # the account is not up yet, or ends: the next look tries again
                self._notice(f"interfaces of jobs: {error}")

    def _take_over(self) -> None:
        """What a service that was ended has left is due now."""
        with self._lock:
            listed = boto3.client("ec2", region_name=self.region).describe_network_interfaces()["NetworkInterfaces"]
            left = {item["NetworkInterfaceId"] for item in listed if item.get("Description", "").startswith(OWNER)}
            self.due |= dict.fromkeys(left - self.used, 0.0)
            self._inherited = False

    def _remove(self, interface: str) -> None:
        ec2 = boto3.client("ec2", region_name=self.region)
        try:
            (item,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"] or [{}]
            if attachment := item.get("Attachment"):
                ec2.detach_network_interface(AttachmentId=attachment["AttachmentId"])
            ec2.delete_network_interface(NetworkInterfaceId=interface)
        except ClientError as error:
            if not absent(error):
                raise
        self.due.pop(interface, None)
        self.used.discard(interface)
