from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asd.errors import BundleError, EdgeAsdError, ModelError
from edge_asd.strict_json import StrictReader, parse_object

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(st.dictionaries(st.text(), VALUES))
def test_an_object_comes_back_as_it_was_written(value):
    assert parse_object(json.dumps(value).encode(), "it", BundleError) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "is damaged"),
        (b"{", "is damaged"),
        (b'{"a": 1} x', "is damaged"),
        (b'{"a": \xff}', "is damaged"),
        (b'{"a": 1, "a": 1}', r"is damaged \(a key occurs twice"),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', r"is damaged \(a key occurs twice"),
        (b'{"a": NaN}', r"is damaged \(NaN is not JSON"),
        (b'{"a": [Infinity]}', r"is damaged \(Infinity is not JSON"),
        (b'{"a": -Infinity}', r"is damaged \(-Infinity is not JSON"),
        (b'{"a": 1e999}', r"is damaged \(1e999 is too large"),  # valid JSON, but infinite as a float
        (b'{"a": ' + b"9" * 5000 + b"}", "is damaged"),
        (b'{"a":' * 100_000, "is damaged"),
        (b"[]", "is not a JSON object"),
        (b"3", "is not a JSON object"),
        (b"null", "is not a JSON object"),
    ],
)
@pytest.mark.parametrize("kind", [BundleError, ModelError])
def test_anything_else_is_refused(text, reason, kind):
    with pytest.raises(kind, match=f"^the file {reason}"):
        parse_object(text, "the file", kind)


@given(st.binary())
def test_no_bytes_do_anything_but_parse_or_fail_clearly(text):
    with contextlib.suppress(BundleError):
        assert type(parse_object(text, "it", BundleError)) is dict


def reader(**values) -> StrictReader:
    return StrictReader(values, "it", BundleError)


@pytest.mark.parametrize(
    ("value", "kind"), [(1, int), (1.5, float), ("x", str), ({"a": 1}, dict), ([1], list), (True, bool)]
)
def test_a_value_of_the_right_type_is_taken_once(value, kind):
    it = reader(a=value)
    assert it.take("a", kind) == value
    it.finish()
    with pytest.raises(BundleError, match="it: the key 'a' is missing"):
        it.take("a", kind)


def test_an_integer_may_stand_for_a_float():
    value = reader(a=3).take("a", float)
    assert (type(value), value) == (float, 3.0)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1.0, int),
        (True, int),
        ("1", int),
        (None, str),
        (1, str),
        (True, float),
        ("1", float),
        ([], dict),
        (2**53 + 1, float),
        (-(10**400), float),
    ],
)
def test_another_type_is_refused(value, kind):
    with pytest.raises(BundleError, match=f"it: 'a' should be {kind.__name__}, not "):
        reader(a=value).take("a", kind)


def test_integers_are_bounded():
    assert [reader(a=n).integer("a", -2, 3) for n in (-2, 3)] == [-2, 3]
    for n in (-3, 4):
        with pytest.raises(BundleError, match=f"it: 'a' is {n}, outside -2 to 3"):
            reader(a=n).integer("a", -2, 3)


def test_what_is_left_is_an_error_that_names_its_place():
    it = reader(a={"b": 1, "c": 2}, d=4)
    child = it.child("a")
    assert child.keys == ["b", "c"]
    child.take("b", int)
    with pytest.raises(BundleError, match="it, a: unknown key 'c'"):
        child.finish()
    with pytest.raises(BundleError, match="it: unknown key 'd'"):
        it.finish()


def test_reading_leaves_the_object_alone_and_long_values_out_of_messages():
    values = {"a": "x" * 10_000}
    with pytest.raises(EdgeAsdError) as error:
        StrictReader(values, "it", BundleError).take("a", int)
    assert len(str(error.value)) < 150
    assert list(values) == ["a"]
