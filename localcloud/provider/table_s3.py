"""S3: buckets, their settings, objects."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import botocore.exceptions

from localcloud.provider.kinds import Call, Kind, Read, Tags, words

WRITERS_SECONDS = 30.0
BUCKET = {"Bucket": "=bucket"}
OBJECT = {"Bucket": "=bucket", "Key": "=key"}
OBJECT_ID = r"(?P<bucket>[^/]+)/(?P<key>.+)"
PUBLIC = words("blockPublicAcls blockPublicPolicy ignorePublicAcls restrictPublicBuckets")


def _delete_bucket(client: Any, context: dict[str, Any]) -> None:
    """Deletes a bucket; where `forceDestroy` asks for it, with all that is in it, and with what a writer that ends at
    the same time still adds."""
    end = time.monotonic() + WRITERS_SECONDS
    while True:
        if context.get("forceDestroy"):
            _empty(client, context)
        try:
            client.delete_bucket(Bucket=context["bucket"])
            return
        except botocore.exceptions.ClientError as error:
            again = error.response["Error"]["Code"] == "BucketNotEmpty" and context.get("forceDestroy")
            if not again or time.monotonic() > end:
                raise
        time.sleep(0.5)


def _empty(client: Any, context: dict[str, Any]) -> None:
    """Removes all versions of all objects."""
    for page in client.get_paginator("list_object_versions").paginate(Bucket=context["bucket"]):
        for found in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            client.delete_object(Bucket=context["bucket"], Key=found["Key"], VersionId=found["VersionId"])


def _remove_versions(client: Any, context: dict[str, Any]) -> None:
    pages = client.get_paginator("list_object_versions").paginate(Bucket=context["bucket"], Prefix=context["key"])
    for page in pages:
        for found in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            if found["Key"] == context["key"]:
                client.delete_object(Bucket=context["bucket"], Key=found["Key"], VersionId=found["VersionId"])


def _body(context: dict[str, Any]) -> dict[str, Any]:
    """The object's bytes, from its `source` (a path or text), `content` or `contentBase64`."""
    source = context.get("source") or {}
    if "path" in source:
        body = Path(source["path"]).read_bytes()
    elif "contentBase64" in context:
        body = base64.b64decode(context["contentBase64"])
    else:
        body = str(source.get("text", context.get("content", ""))).encode()
    return {"body": body, "tagging": urlencode(context["tags"]) if context.get("tags") else None}


def _setting(create: Call, read: Read, delete: Call, changing: str, **more: Any) -> Kind:
    """A bucket's setting: put as a whole, so that creating and updating are one call."""
    update = Call(create.operation, create.arguments, create.walk, create.under, words(changing))
    return Kind("s3", "bucket", (create,), (read,), (delete,), (update,), parts=r"(?P<bucket>[^,]+)", **more)


BUCKET_TAGS = Tags(
    Call("put_bucket_tagging", {**BUCKET, "Tagging": {"TagSet": "=tagList"}}),
    Call("delete_bucket_tagging", BUCKET),
    listing=Read("get_bucket_tagging", BUCKET, optional=True),
    member="TagSet",
)
OBJECT_TAGS = Tags(
    Call("put_object_tagging", {**OBJECT, "Tagging": {"TagSet": "=tagList"}}),
    Call("delete_object_tagging", OBJECT),
    listing=Read("get_object_tagging", OBJECT, optional=True),
    member="TagSet",
)
PUT_OBJECT = Call(
    "put_object",
    {**OBJECT, "Body": "=body", "ContentType": "=contentType", "ServerSideEncryption": "=serverSideEncryption",
     "Metadata": "=metadata", "CacheControl": "=cacheControl"},
)  # fmt: skip

S3 = {
    "aws:s3/bucket:Bucket": Kind(
        "s3",
        "bucket",
        (Call("create_bucket", BUCKET),),
        (Read("head_bucket", BUCKET, "{bucket: 'there'}"),),
        (),
        tags=BUCKET_TAGS,
        parts=r"(?P<bucket>.+)",
        name="bucket",
        ours=words("forceDestroy"),
        computed={
            "bucket": "id",
            "arn": "join('', ['arn:aws:s3:::', id])",
            "bucketDomainName": "join('', [id, '.s3.amazonaws.com'])",
            "bucketRegionalDomainName": "join('', [id, '.s3.', region, '.amazonaws.com'])",
        },
        before_delete=_delete_bucket,
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _setting(
        Call("put_bucket_versioning", BUCKET, words("versioningConfiguration")),
        Read("get_bucket_versioning", BUCKET, "{VersioningConfiguration: @}"),
        Call("put_bucket_versioning", {**BUCKET, "VersioningConfiguration": {"Status": "Suspended"}}),
        "versioningConfiguration",
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _setting(
        Call("put_bucket_encryption", BUCKET, words("rules"), "ServerSideEncryptionConfiguration"),
        Read("get_bucket_encryption", BUCKET, "ServerSideEncryptionConfiguration"),
        Call("delete_bucket_encryption", BUCKET),
        "rules",
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _setting(
        Call("put_public_access_block", BUCKET, PUBLIC, "PublicAccessBlockConfiguration"),
        Read("get_public_access_block", BUCKET, "PublicAccessBlockConfiguration"),
        Call("delete_public_access_block", BUCKET),
        " ".join(PUBLIC),
        ours=words("skipDestroy"),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _setting(
        Call("put_bucket_policy", BUCKET, words("policy")),
        Read("get_bucket_policy", BUCKET),
        Call("delete_bucket_policy", BUCKET),
        "policy",
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _setting(
        Call("put_bucket_lifecycle_configuration", BUCKET, words("rules"), "LifecycleConfiguration"),
        Read("get_bucket_lifecycle_configuration", BUCKET),
        Call("delete_bucket_lifecycle", BUCKET),
        "rules",
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": Kind(
        "s3",
        "join('/', [bucket, key])",
        (Call(PUT_OBJECT.operation, {**PUT_OBJECT.arguments, "Tagging": "=tagging"}),),
        (Read("head_object", OBJECT),),
        (Call("delete_object", OBJECT),),
        (
            Call(
                PUT_OBJECT.operation,
                {**PUT_OBJECT.arguments, "Tagging": "=tagging"},
                on=words("source content contentBase64 sourceHash contentType metadata cacheControl etag"),
            ),
        ),
        tags=OBJECT_TAGS,
        parts=OBJECT_ID,
        ours=words("forceDestroy"),
        computed={"arn": "join('', ['arn:aws:s3:::', id])"},
        moving=words("etag versionId"),
        prepare=_body,
        prepared=words("source content contentBase64 sourceHash etag"),
        before_delete=_remove_versions,
    ),
}
