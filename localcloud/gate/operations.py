"""Which operation of AWS a request asks for, and with which parameters, by botocore's model of the service.

Only operations of the table of refusals are told apart, so that all other requests cost nothing here.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape

from localcloud.gate.signature import Request

SIGNED_AS = {"service-quotas": "servicequotas", "cloudwatch": "monitoring"}  # where botocore's name is another one
NUMBERS = {"integer": int, "long": int, "float": float, "double": float}
TARGET = "X-Amz-Target"
LABEL = re.compile(r"\{(\w+)(\+?)\}")
Json = dict[str, Any]


@functools.cache
def model(service: str) -> ServiceModel:
    """Botocore's model of a service; the first time takes up to half a second."""
    return botocore.session.get_session().get_service_model(service)


class Operations:
    """The operations that requests are searched for: pairs of botocore's service and AWS's operation."""

    def __init__(self, wanted: Iterable[tuple[str, str]]) -> None:
        self.wanted: dict[str, set[str]] = {}  # by the service that a request is signed for
        self.services: dict[str, str] = {}
        self.routes: dict[str, list[Route]] = {}  # of services with paths of their own, once their model is loaded
        for service, operation in wanted:
            signed = SIGNED_AS.get(service, service)
            self.services[signed] = service
            self.wanted.setdefault(signed, set()).add(operation)

    def may_find(self, signed: str, request: Request, read: Callable[[], bytes]) -> bool:
        """Whether `find` may find one. Told without a model, as far as it can be: `find` may have to load one."""
        wanted = self.wanted.get(signed)
        if wanted is None:
            return False
        if name := named(request, read):
            return name in wanted
        routes = self.routes.get(self.services[signed])
        return routes is None or bool((route := _route(routes, request)) and route[0] in wanted)

    def find(self, signed: str, request: Request, read: Callable[[], bytes]) -> tuple[str, str, Json] | None:
        """Service, operation and parameters (as boto3 takes them); None for an operation that is not wanted.

        `read` gives the body, and is asked only where it is needed.
        """
        if signed not in self.wanted:
            return None
        service, wanted = self.services[signed], self.wanted[signed]
        if name := named(request, read):
            if name not in wanted:
                return None
            if TARGET in request.headers:
                return service, name, json_object(read())
            found = _form(model(service).operation_model(name).input_shape, fields(request, read), "", signed == "ec2")
            return service, name, _as_given(name, found)
        if service not in self.routes:
            self.routes[service] = _routes(service)
        route = _route(self.routes[service], request)
        if route is None or route[0] not in wanted:
            return None
        return service, route[0], _rest(model(service).operation_model(route[0]), route[1], request, read())


def named(request: Request, read: Callable[[], bytes]) -> str:
    """The operation that a request names; empty where method and path say which one it is."""
    if target := request.headers.get(TARGET):
        return target.rpartition(".")[2]
    form = request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
    if form or (request.path == "/" and "Action=" in request.query):
        return fields(request, read).get("Action", "-")
    return ""


def fields(request: Request, read: Callable[[], bytes]) -> dict[str, str]:
    """What a form holds, which may also come in the query."""
    text = read().decode(errors="replace") or request.query
    return dict(parse_qsl(text, keep_blank_values=True))


def _as_given(operation: str, parameters: Json) -> Json:
    """Parameters before what boto3 does to them: it encodes an instance's user data by itself, not a template's."""
    if operation == "RunInstances" and "UserData" in parameters:
        decoded = base64.b64decode(parameters["UserData"]).decode(errors="replace")
        return {**parameters, "UserData": decoded}
    return parameters


def json_object(body: bytes) -> Json:
    """A JSON object; empty for anything else, which the service refuses itself."""
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _scalar(shape: Shape, text: str) -> Any:
    if shape.type_name == "boolean":
        return text == "true"
    try:
        return NUMBERS.get(shape.type_name, str)(text)
    except ValueError:
        return text


def _name(shape: Shape, default: str, ec2: bool) -> str:
    """A member's name in a form."""
    given = shape.serialization
    if ec2 and "queryName" in given:
        return str(given["queryName"])
    name = str(given.get("name", default))
    return name[:1].upper() + name[1:] if ec2 else name


def _form(shape: Any, form: Mapping[str, str], prefix: str, ec2: bool) -> Any:
    """What a form holds of a shape: `A.B.member.1=x` is `{"A": {"B": ["x"]}}`."""
    if shape is None:
        return {}
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            place = f"{prefix}.{_name(member, name, ec2)}".lstrip(".")
            place = place if _within(form, place) or not _flat(member) else _replaced(place, member)
            if _within(form, place):
                found[name] = _form(member, form, place, ec2)
        return found
    if shape.type_name == "list":
        if not ec2 and not shape.serialization.get("flattened"):
            prefix += f".{_name(shape.member, 'member', ec2)}"
        return [_form(shape.member, form, place, ec2) for place in _numbered(form, prefix)]
    if shape.type_name == "map":
        if not shape.serialization.get("flattened"):
            prefix += ".entry"
        key, value = _name(shape.key, "key", ec2), _name(shape.value, "value", ec2)
        return {form.get(f"{place}.{key}", ""): _form(shape.value, form, f"{place}.{value}", ec2)
                for place in _numbered(form, prefix)}  # fmt: skip
    return _scalar(shape, form.get(prefix, ""))


def _flat(shape: Any) -> bool:
    return bool(shape.type_name == "list" and shape.serialization.get("flattened"))


def _replaced(place: str, shape: Any) -> str:
    """A flattened list may bear its members' name."""
    name = shape.member.serialization.get("name")
    return f"{place.rpartition('.')[0]}.{name}".lstrip(".") if name else place


def _within(form: Mapping[str, str], place: str) -> bool:
    return any(key == place or key.startswith(f"{place}.") for key in form)


def _numbered(form: Mapping[str, str], prefix: str) -> list[str]:
    numbers = {key[len(prefix) + 1 :].partition(".")[0] for key in form if key.startswith(f"{prefix}.")}
    return [f"{prefix}.{number}" for number in sorted((n for n in numbers if n.isdecimal()), key=int)]


def _template(uri: str) -> re.Pattern[str]:
    first, *rest = re.split(r"\{\w+\+?\}", uri)
    pattern = re.escape(first)
    for label, literal in zip(LABEL.finditer(uri), rest, strict=True):
        pattern += f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'}){re.escape(literal)}"
    return re.compile(pattern + "/?")


Route = tuple[str, str, set[str], re.Pattern[str]]  # operation, method, what the query must have, path


def _routes(service: str) -> list[Route]:
    """The operations of a service that have paths of their own.

    Those that want most of the query come first: a bucket is tagged at its own path.
    """
    found = []
    for name in model(service).operation_names:
        asked = model(service).operation_model(name).http
        path, _, query = asked["requestUri"].partition("?")
        needed = {part.partition("=")[0] for part in query.split("&") if part}
        found.append((name, asked["method"], needed, _template(path)))
    return sorted(found, key=lambda route: -len(route[2]))


def _route(routes: list[Route], request: Request) -> tuple[str, dict[str, str]] | None:
    """The operation that a request's method, path and query say, and the parameters in its path, as on the wire."""
    asked = {part.partition("=")[0] for part in request.query.split("&")}
    for name, method, needed, template in routes:
        if method == request.method and needed <= asked and (match := template.fullmatch(request.path)):
            return name, {label: unquote(value) for label, value in match.groupdict().items()}
    return None


def _rest(operation: OperationModel, labels: Mapping[str, str], request: Request, body: bytes) -> Json:
    """The parameters of an operation that has a path of its own."""
    shape = operation.input_shape
    if shape is None:
        return {}
    query, found = dict(parse_qsl(request.query, keep_blank_values=True)), Json()
    payload = shape.serialization.get("payload")
    xml = operation.service_model.metadata.get("protocol") == "rest-xml"
    content = shape.members[payload] if payload else shape
    whole: Json = {}
    if content.type_name == "structure":
        whole = _xml(content, body) if xml else json_object(body)
    for name, member in shape.members.items():
        given, wire = member.serialization, member.serialization.get("name", name)
        source: Mapping[str, Any] = whole
        if name == payload:
            found[name] = whole if content.type_name == "structure" else body
            continue
        if location := given.get("location"):
            source = {"uri": labels, "querystring": query, "header": request.headers}.get(location, {})
        elif payload:
            continue
        if wire in source:
            value = source[wire]
            found[name] = _scalar(member, value) if location and isinstance(value, str) else value
    return found


def _xml(shape: Any, body: bytes) -> Json:
    """What an XML body holds of a structure."""
    try:
        root = ElementTree.fromstring(body or b"<none/>")
    except ElementTree.ParseError:
        return {}
    value = _element(shape, root)
    return value if isinstance(value, dict) else {}


def _element(shape: Any, element: ElementTree.Element) -> Any:
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            wire = member.serialization.get("name", name)
            if _flat(member):
                wire = member.member.serialization.get("name", wire)
            children = [child for child in element if child.tag.rpartition("}")[2] == wire]
            if children:
                found[name] = [_element(member.member, child) for child in children] if _flat(member) else _element(
                    member, children[0])  # fmt: skip
        return found
    if shape.type_name == "list":
        return [_element(shape.member, child) for child in element]
    return _scalar(shape, element.text or "")
