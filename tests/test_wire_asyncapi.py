"""docs/asyncapi.yaml agrees with the structs and with the parser."""

import base64
import copy
import json
from typing import Any, Final

import jsonschema
import msgspec
import pytest
import test_wire_rules as rules
import yaml
from wire_examples import ROOT

from ingest import wire
from ingest.errors import WireError

API: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())
SCHEMAS: Final[dict[str, Any]] = API["components"]["schemas"]
CODE: Final = msgspec.json.schema_components(
    [wire.Block, wire.Status, wire.Ack, wire.EpisodeEvent], ref_template="#/components/schemas/{name}"
)[1]
STRUCTS: Final = {"Block": wire.Block, "Status": wire.Status, "Ack": wire.Ack, "EpisodeEvent": wire.EpisodeEvent}
DECODERS: Final = {
    "Block": wire.decode_block,
    "Status": wire.decode_status,
    "Ack": wire.decode_ack,
    "EpisodeEvent": wire.decode_event,
}
WORDS: Final = {"title", "description", "format", "contains", "allOf"}  # what the structs do not say


def _validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", **API})


def _plain(schema: Any) -> Any:
    """A schema without words, and with lists whose order means nothing sorted."""
    if isinstance(schema, dict):
        return {
            key: sorted(value) if key in {"required", "enum"} else _plain(value)
            for key, value in schema.items()
            if key not in WORDS
        }
    if isinstance(schema, list | tuple):
        return [_plain(item) for item in schema]
    return schema


@pytest.mark.parametrize("name", sorted(CODE))
def test_schema_is_that_of_the_struct(name: str) -> None:
    assert _plain(SCHEMAS[name]) == _plain(CODE[name])


def test_no_schema_without_a_struct() -> None:
    assert set(SCHEMAS) == set(CODE)


def test_channels_are_the_topics() -> None:
    for name, channel in API["channels"].items():
        assert channel["address"] == wire.topic("DEVICE", name).replace("DEVICE", "{device}")
    assert set(API["channels"]) == {"blocks", "status", "ack", "events"}


def _references(node: Any) -> set[str]:
    """All that is referred to in a part of the document."""
    if isinstance(node, list):
        return set().union(*map(_references, node))
    if not isinstance(node, dict):
        return set()
    return set().union(*map(_references, node.values()), {node["$ref"]} if "$ref" in node else set())


def test_references_lead_somewhere() -> None:
    references = _references(API)
    assert {f"#/components/schemas/{name}" for name in STRUCTS} <= references
    for reference in references:
        place: Any = API
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


def test_quality_of_service_and_retention() -> None:
    for operation in API["operations"].values():
        binding = operation["bindings"]["mqtt"]
        assert binding["qos"] == 1
        assert binding["retain"] == (operation["channel"]["$ref"] == "#/channels/status")


EXAMPLES: Final = [
    (message["payload"]["$ref"].rsplit("/", 1)[1], example)
    for message in API["components"]["messages"].values()
    for example in message["examples"]
]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{n}-{e['name']}" for n, e in EXAMPLES])
def test_example_is_valid_for_schema_and_parser(name: str, example: dict[str, Any]) -> None:
    assert list(_validator(name).iter_errors(example["payload"])) == []
    assert isinstance(DECODERS[name](json.dumps(example["payload"]).encode()), STRUCTS[name])


def test_every_message_has_an_example() -> None:
    assert {name for name, _ in EXAMPLES} == set(STRUCTS)


def _as_json(block: Any) -> Any:
    """The block with its samples in base64, as the schema describes it."""
    block = copy.deepcopy(block)
    for signal in block["signals"]:
        if isinstance(signal["samples"], bytes):
            signal["samples"] = base64.b64encode(signal["samples"]).decode()
    return block


@pytest.mark.parametrize("name", rules.ACCEPTED)
def test_schema_takes_what_the_parser_takes(name: str) -> None:
    assert list(_validator("Block").iter_errors(_as_json(rules.ACCEPTED[name]))) == []


# What a schema cannot see: sums over signals, lengths of samples, and numbers that JSON does not have.
BEYOND_A_SCHEMA: Final = {"signals", "samples", "duration", "stretch"}
JSON_DIFFERS: Final = {
    "list for a map", "boot as float", "samples as text", "rate not a number", "rate infinite",
    "scale not a number", "scale infinite", "time as float",
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [n for n, (reason, _) in rules.REFUSED.items() if reason not in BEYOND_A_SCHEMA and n not in JSON_DIFFERS],
)
def test_schema_refuses_what_the_parser_refuses(name: str) -> None:
    block = _as_json(rules.REFUSED[name][1])
    assert not _validator("Block").is_valid(block)
    with pytest.raises(WireError):
        wire.decode_block(json.dumps(block).encode())


def test_schema_refuses_a_block_without_emg() -> None:
    assert not _validator("Block").is_valid(_as_json(rules.REFUSED["acc alone"][1]))
