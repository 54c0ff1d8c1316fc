"""S3: buckets, their settings, objects."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import botocore.exceptions

from localcloud.aws.row import GIB, Call, Calls, Charge, Json, Listing, Metering, Read, ResourceType, Tags

PRODUCT = "Amazon Simple Storage Service"
WRITES = ("PutObject", "CreateMultipartUpload", "ListObjects", "POST.s3", "CreateBucket", "ListBuckets")
READS = ("GetObject", "HeadObject", "HeadBucket")
WRITERS_SECONDS = 30.0  # in which a bucket's last writer may end
BUCKET = {"Bucket": "=bucket"}
OBJECT = {"Bucket": "=bucket", "Key": "=key"}
TAG_SET = {"Tagging": {"TagSet": "=tagList"}}


def _delete_bucket(client: Any, context: Json) -> None:
    """Deletes a bucket; where `forceDestroy` asks for it, with all that is in it, and with what a writer that ends at
    the same time still adds."""
    end = time.monotonic() + WRITERS_SECONDS
    while True:
        if context.get("forceDestroy"):
            _remove_versions(client, context["bucket"])
        try:
            client.delete_bucket(Bucket=context["bucket"])
            return
        except botocore.exceptions.ClientError as error:
            again = error.response["Error"]["Code"] == "BucketNotEmpty" and context.get("forceDestroy")
            if not again or time.monotonic() > end:
                raise
        time.sleep(0.5)


def _remove_versions(client: Any, bucket: str, key: str = "") -> None:
    """Removes all versions of one object, or of all."""
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            if key in ("", version["Key"]):
                client.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


def _body(context: Json) -> Json:
    """The object's bytes, from its `source` (a path or text) or `content`."""
    source = context.get("source") or {}
    text = str(source.get("text", context.get("content", "")))
    body = Path(source["path"]).read_bytes() if "path" in source else text.encode()
    return {"body": body, "tagging": urlencode(context["tags"]) if context.get("tags") else None}


def _size(client: Any, bucket: Json) -> Json:
    """A bucket's size; other storage classes than the standard one are not told apart by the emulated account."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"])
    return {"bytes": sum(item["Size"] for page in pages for item in page.get("Contents", []))}


def _setting(name: str, put: Call, **more: Any) -> ResourceType:
    """A bucket's setting: put as a whole, so that creating and updating are one call."""
    return ResourceType("s3", f"bucket-{name}", calls=Calls("{bucket}", BUCKET, put=(put,), **more), parent="s3/bucket")


TYPES = (
    ResourceType(
        "s3", "bucket", Listing("list_buckets", "Buckets", "Name"),
        Calls(
            "{bucket}", BUCKET,
            create=(Call("create_bucket"),),
            read=(Read("head_bucket", "{bucket: 'there'}"),),
            tags=Tags("put_bucket_tagging", "delete_bucket_tagging", "get_bucket_tagging", "TagSet", TAG_SET, {}),
            delete=(),  # `_delete_bucket` does
            provider_only="forceDestroy",
            computed={
                "bucket": "=id",
                "arn": "arn:aws:s3:::{id}",
                "bucketDomainName": "{id}.s3.amazonaws.com",
                "bucketRegionalDomainName": "{id}.s3.{region}.amazonaws.com",
            },
            before_delete=_delete_bucket,
        ),
        metering=Metering(
            (Charge(PRODUCT, "TimedStorage-ByteHrs", "StandardStorage", ("s3", "standard-storage"), "bytes",
                    scale=GIB),),
            begin="CreationDate", gauge="bytes", more_facts=_size, ends=("DeleteBucket",),
            tagged=("get_bucket_tagging", "Bucket", "Name", "TagSet"),
        ),
        usage={
            "s3-writes": Charge(PRODUCT, "Requests-Tier1", "PutObject", ("s3", "put-requests")),
            "s3-reads": Charge(PRODUCT, "Requests-Tier2", "GetObject", ("s3", "get-requests")),
        },
    ),
    _setting(
        "versioning",
        Call("put_bucket_versioning", walk="versioningConfiguration"),
        read=(Read("get_bucket_versioning", "{VersioningConfiguration: @}"),),
        delete=(Call("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Suspended"}}),),
    ),
    _setting(
        "server-side-encryption-configuration",
        Call("put_bucket_encryption", walk="rules", under="ServerSideEncryptionConfiguration"),
    ),
    _setting(
        "public-access-block",
        Call("put_public_access_block", walk="blockPublicAcls blockPublicPolicy ignorePublicAcls restrictPublicBuckets",
             under="PublicAccessBlockConfiguration"),
        provider_only="skipDestroy",
    ),
    _setting("policy", Call("put_bucket_policy", walk="policy")),
    _setting(
        "lifecycle-configuration",
        Call("put_bucket_lifecycle_configuration", walk="rules", under="LifecycleConfiguration"),
        read=(Read("get_bucket_lifecycle_configuration"),),
        delete=(Call("delete_bucket_lifecycle"),),
    ),
    ResourceType(
        "s3", "bucket-objectv2", parent="s3/bucket",
        calls=Calls(
            "{bucket}/{key}", OBJECT,
            put=(Call(
                "put_object",
                {"Body": "=body", "ContentType": "=contentType", "ServerSideEncryption": "=serverSideEncryption",
                 "Metadata": "=metadata", "CacheControl": "=cacheControl", "Tagging": "=tagging"},
                on="source content sourceHash contentType metadata cacheControl etag",
            ),),
            read=(Read("head_object"),),
            tags=Tags("put_object_tagging", "delete_object_tagging", "get_object_tagging", "TagSet", TAG_SET, {}),
            provider_only="forceDestroy",
            computed={"arn": "arn:aws:s3:::{id}"},
            volatile="etag versionId",
            prepare=_body,
            prepared="source content sourceHash etag",
            before_delete=lambda client, context: _remove_versions(client, context["bucket"], context["key"]),
        ),
    ),
)  # fmt: skip
