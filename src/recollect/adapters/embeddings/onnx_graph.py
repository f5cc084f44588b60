"""Writes ONNX models: as much of the format as an encoder needs, without the `onnx` package.

An ONNX file is one protobuf message. Field numbers are those of `onnx/onnx.proto` (IR version 8), the wire
format is that of https://protobuf.dev/programming-guides/encoding/: a field is its number and wire type as a
varint, then a varint (type 0), four bytes (type 5), or a length and that many bytes (type 2).
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recollect.adapters.embeddings.weights import Place

Attribute: TypeAlias = int | float | Sequence[int]

IR_VERSION = 8
FUSED = "com.microsoft"
OPSETS = {"": 17, FUSED: 1}
_TENSOR_IS_EXTERNAL = 1


class ElementType(enum.IntEnum):
    """What a tensor holds (TensorProto.DataType)."""

    FLOAT = 1
    UINT8 = 2
    INT8 = 3
    INT32 = 6
    INT64 = 7


_ELEMENTS = {
    "float32": ElementType.FLOAT,
    "uint8": ElementType.UINT8,
    "int8": ElementType.INT8,
    "int64": ElementType.INT64,
}


def _varint(value: int) -> bytes:
    """A whole number in groups of seven bits, the lowest first; negative ones as 64-bit two's complement.

    >>> _varint(300).hex()
    'ac02'
    """
    value &= 0xFFFF_FFFF_FFFF_FFFF
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def _int(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _float(number: int, value: float) -> bytes:
    return _varint(number << 3 | 5) + struct.pack("<f", value)


def _bytes(number: int, value: bytes | str) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _each(number: int, values: Iterable[bytes | str]) -> bytes:
    return b"".join(_bytes(number, value) for value in values)


def _attribute(name: str, value: Attribute) -> bytes:
    """AttributeProto: name 1, f 2, i 3, ints 8, type 20 (1 a float, 2 an integer, 7 integers)."""
    if isinstance(value, float):
        typed = _float(2, value) + _int(20, 1)
    elif isinstance(value, int):
        typed = _int(3, value) + _int(20, 2)
    else:
        typed = b"".join(_int(8, item) for item in value) + _int(20, 7)
    return _bytes(1, name) + typed


def _parts(number: int, parts: Sequence[bytes]) -> list[bytes]:
    """A field with the parts as its content, not joined: joining copies, and weights are large."""
    return [_varint(number << 3 | 2) + _varint(sum(map(len, parts))), *parts]


def _tensor(name: str, element: ElementType, shape: Sequence[int]) -> bytes:
    """TensorProto without its numbers: dims 1, data_type 2, name 8."""
    return b"".join(_int(1, size) for size in shape) + _int(2, element) + _bytes(8, name)


def _value_info(name: str, element: ElementType, shape: Sequence[int | str]) -> bytes:
    """ValueInfoProto: name 1, type 2 {tensor_type 1 {elem_type 1, shape 2 {dim 1 {value 1 or name 2}}}}."""
    sizes = (_int(1, size) if isinstance(size, int) else _bytes(2, size) for size in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _int(1, element) + _bytes(2, _each(1, sizes))))


@dataclass(slots=True)
class Graph:
    """A computation under construction; a value is known by the name that made it.

    >>> graph = Graph()
    >>> x = graph.input("x", ElementType.FLOAT, ["n"])
    >>> graph.output("y", graph.add("Mul", x, x), ElementType.FLOAT, ["n"])
    >>> graph.model()[:2].hex()  # field 1, the IR version: 8
    '0808'
    """

    _nodes: list[bytes] = field(default_factory=list)
    _tensors: list[list[bytes]] = field(default_factory=list)
    _inputs: list[bytes] = field(default_factory=list)
    _outputs: list[bytes] = field(default_factory=list)

    def input(self, name: str, element: ElementType, shape: Sequence[int | str]) -> str:
        """A value given at every run; a named size may differ from run to run."""
        self._inputs.append(_value_info(name, element, shape))
        return name

    def output(self, name: str, value: str, element: ElementType, shape: Sequence[int | str]) -> None:
        """Hands `value` out under `name`."""
        self._node("Identity", [value], [name], "", {})
        self._outputs.append(_value_info(name, element, shape))

    def constant(self, numbers: NDArray[np.float32 | np.uint8 | np.int8 | np.int64]) -> str:
        """Numbers kept in the model itself (raw_data, field 9)."""
        name = f"constant{len(self._tensors)}"
        little = numbers.astype(numbers.dtype.newbyteorder("<"), copy=False)
        element = _ELEMENTS[numbers.dtype.name]
        self._tensors.append([_tensor(name, element, numbers.shape), *_parts(9, [little.tobytes()])])
        return name

    def stored(self, name: str, shape: Sequence[int], *, file: str, place: Place) -> str:
        """A tensor of little-endian floats that stays in `file`, beside the model (external_data, 13)."""
        entry = {"location": file, "offset": str(place.offset), "length": str(place.length)}
        entries = (_bytes(1, key) + _bytes(2, value) for key, value in entry.items())
        place_of_numbers = _each(13, entries) + _int(14, _TENSOR_IS_EXTERNAL)
        self._tensors.append([_tensor(name, ElementType.FLOAT, shape), place_of_numbers])
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Attribute) -> str:
        """Applies an operator; the name of its first result. An input left out is ''."""
        return self.add_many(1, operator, *inputs, domain=domain, **attributes)[0]

    def add_many(
        self, count: int, operator: str, *inputs: str, domain: str = "", **attributes: Attribute
    ) -> list[str]:
        """Applies an operator with several results; their names."""
        outputs = [f"{operator}{len(self._nodes)}.{index}" for index in range(count)]
        self._node(operator, inputs, outputs, domain, attributes)
        return outputs

    def _node(
        self,
        operator: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        domain: str,
        attributes: dict[str, Attribute],
    ) -> None:
        """NodeProto: input 1, output 2, op_type 4, attribute 5, domain 7."""
        described = (_attribute(name, value) for name, value in attributes.items())
        self._nodes.append(
            _each(1, inputs)
            + _each(2, outputs)
            + _bytes(4, operator)
            + _each(5, described)
            + _bytes(7, domain)
        )

    def model(self) -> bytes:
        """ModelProto: ir_version 1, graph 7 {node 1, name 2, initializer 5, input 11, output 12}, opset 8."""
        graph = [
            _each(1, self._nodes),
            _bytes(2, "recollect"),
            *(part for tensor in self._tensors for part in _parts(5, tensor)),
            _each(11, self._inputs),
            _each(12, self._outputs),
        ]
        opsets = (_bytes(1, domain) + _int(2, version) for domain, version in OPSETS.items())
        return b"".join([_int(1, IR_VERSION), *_parts(7, graph), _each(8, opsets)])
