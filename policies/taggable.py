"""Which types of the `aws` provider take tags, read from the text of the provider's SDK.

Importing the SDK costs seconds and hundreds of megabytes, and the engine starts the policy pack with every preview.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path


def _sdk() -> Path:
    spec = importlib.util.find_spec("pulumi_aws")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("pulumi_aws is not installed")
    return Path(spec.origin).parent


@cache
def _modules(folder: Path) -> dict[str, Path]:
    """The modules of one service by their names without underscores: `ip_set.py` stands for `iPSet` and `ipSet`."""
    return {path.stem.replace("_", ""): path for path in folder.glob("*.py")}


def _arguments(type_token: str) -> str | None:
    """The source of the class of a type's arguments; None where the SDK has no such type."""
    token = re.fullmatch(r"aws:(\w+)/(\w+):(\w+)", type_token)
    if not token:
        return None
    service, module, name = token.groups()
    folder = _sdk() / service
    modules = _modules(folder if folder.is_dir() else folder.with_name(f"{service}_"))  # `lambda` is Python's own word
    path = modules.get(module.replace("_", "").lower())
    if path is None:
        return None
    # The SDK says InitArgs where a structure of the type's has its name already.
    source = re.search(rf"^class {name}(?:Init)?Args:$.*?(?=^class |\Z)", path.read_text(), re.DOTALL | re.MULTILINE)
    return source and source[0]


@cache
def taggable(type_token: str) -> bool:
    """Whether a resource of this type takes `tags`; False for types of other providers and for unknown ones.

    Args:
        type_token: as the engine names it, such as `aws:ec2/vpc:Vpc`.
    """
    return "    def tags(self) ->" in (_arguments(type_token) or "")


@cache
def plainly_taggable(type_token: str) -> bool:
    """Whether a resource of this type takes `tags` as a mapping of texts, as all but an auto scaling group do."""
    return re.search(r"    def tags\(self\) -> .*Mapping\[str", _arguments(type_token) or "") is not None
