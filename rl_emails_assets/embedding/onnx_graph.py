"""The network of all-MiniLM-L6-v2 as one ONNX graph: token ids in, a unit-length vector out.

It is BERT (Devlin et al. 2018) with 6 layers, mean pooling and L2 normalization. The graph reads one text at a time:
no padding, no mask, and nothing in a batch that could change the range over which a text's activations are quantized.

Three rewritings do not change what it computes:

* A layer normalization is split. `x = (s - mean) / deviation` is computed by InstanceNormalization, whose kernel
  uses vector instructions where LayerNormalization's does not (0.9 against 2.9 ms a mail). The gain and the shift
  go into the weights that read `x`, and into the residual path.
* The shift of the residual path and the bias of the product that is added to it are one constant.
* The segment embedding, always the first one, is added to the position embeddings.

The products with weights run in int8: weights with one scale per output, activations with one range per text (unsigned,
dynamic). Two things keep that faithful (docs/reference/encoder.md has the figures):

* In the first four layers one hidden unit of the feed-forward part fires for the [CLS] token only and drives channel
  99: it is three to five times larger than any other activation, and its outgoing weight up to 20 times larger than the
  others of its row, so both ranges would be spent on it. The `EXACT_UNITS` units with the largest outgoing weights are
  therefore computed in fp32, next to the int8 products.
* The few channels of `WIDE_CHANNELS` are divided before they are quantized, and the weights that read them multiplied
  (the idea of SmoothQuant, Xiao et al. 2023, with fixed factors instead of calibration data).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from rl_emails_assets.embedding.encoder import DIMENSIONS, MAX_TOKENS

GRAPH_VERSION = 1
"""Raised whenever the same weights give other vectors; part of the cached file's name and of the precision's."""
EXACT_UNITS = 4
WIDE_CHANNELS = {99: 4.0, 223: 3.0, 63: 2.0, 127: 2.0, 157: 2.0, 267: 2.0, 303: 2.0, 319: 1.5, 338: 1.5}
"""Channels of the normalized activations that exceed 8 deviations in some layer on plain mail, and their divisors."""
INPUT_NAME = "input_ids"
OUTPUT_NAME = "vector"

_LAYERS = 6
_HEADS = 12
_EPSILON = 1e-12
_FUSED = "com.microsoft"
_OPSET = 21
_IR_VERSION = 10

Array = npt.NDArray[np.float32]


def build_model(weights: Mapping[str, npt.NDArray[np.generic]]) -> bytes:
    """The serialized ONNX model for weights named as in model.safetensors. Raises KeyError when one is missing."""
    return _Graph({name: np.asarray(value, np.float32) for name, value in weights.items()}).serialized()


class _State(NamedTuple):
    """The hidden state `gain * x + shift`, of which the graph only ever holds `x`."""

    x: str
    gain: Array
    shift: Array


class _Quantized(NamedTuple):
    values: str
    scale: str
    zero_point: str


class _Graph:
    def __init__(self, weights: Mapping[str, Array]) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def serialized(self) -> bytes:
        self._network()
        graph = helper.make_graph(
            self._nodes,
            "all-MiniLM-L6-v2",
            [helper.make_tensor_value_info(INPUT_NAME, TensorProto.INT32, [1, "tokens"])],
            [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, [1, DIMENSIONS])],
            list(self._constants.values()),
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="rl-emails")
        return bytes(model.SerializeToString(deterministic=True))

    def _network(self) -> None:
        state = self._embeddings()
        for layer in range(_LAYERS):
            prefix = f"encoder.layer.{layer}."
            state = self._feed_forward(prefix, self._attention(prefix, state))
        pooled = self._node("ReduceMean", [state.x, self._constant("token_axis", np.array([1], np.int64))], keepdims=0)
        scaled = self._node("Mul", [pooled, self._constant("last.gain", state.gain)])
        shifted = self._node("Add", [scaled, self._constant("last.shift", state.shift)])
        self._node("LpNormalization", [shifted], outputs=[OUTPUT_NAME], axis=-1, p=2)

    def _embeddings(self) -> _State:
        positions = self._weights["embeddings.position_embeddings.weight"][:MAX_TOKENS]
        inputs = [
            INPUT_NAME,
            "",
            self._constant("words", self._weights["embeddings.word_embeddings.weight"]),
            self._constant("positions", positions + self._weights["embeddings.token_type_embeddings.weight"][0]),
            "",
            self._constant("ones", np.ones(DIMENSIONS, np.float32)),
            self._constant("zeros", np.zeros(DIMENSIONS, np.float32)),
        ]
        outputs = ["embedded", "embedded.mask"]
        x = self._node("EmbedLayerNormalization", inputs, _FUSED, outputs=outputs, epsilon=_EPSILON)
        return self._narrowed("embeddings.", x)

    def _attention(self, prefix: str, state: _State) -> _State:
        read = self._quantized(state.x)
        query, key, value = (
            self._product(
                f"{prefix}attention.self.{part}", read, *self._reading(f"{prefix}attention.self.{part}", state)
            )
            for part in ("query", "key", "value")
        )
        context = self._quantized(self._node("MultiHeadAttention", [query, key, value], _FUSED, num_heads=_HEADS))
        name = prefix + "attention.output."
        weight, bias = self._weights[name + "dense.weight"], self._weights[name + "dense.bias"]
        return self._residual(name, self._product(name + "dense", context, weight, bias + state.shift), state)

    def _feed_forward(self, prefix: str, state: _State) -> _State:
        inner, outer = prefix + "intermediate.dense", prefix + "output.dense"
        weight_in, bias_in = self._reading(inner, state)
        weight_out = self._weights[outer + ".weight"]
        units = np.sort(np.argsort(-np.abs(weight_out).max(axis=0), kind="stable")[:EXACT_UNITS])

        exact = self._node("MatMul", [state.x, self._constant(inner + ".exact", weight_in[units].T)])
        exact = self._node("Add", [exact, self._constant(inner + ".exact_bias", bias_in[units])])
        exact = self._node("Gelu", [exact], approximate="none")
        exact = self._node("MatMul", [exact, self._constant(outer + ".exact", weight_out[:, units].T)])

        rest_in, rest_bias, rest_out = weight_in.copy(), bias_in.copy(), weight_out.copy()
        rest_in[units], rest_bias[units], rest_out[:, units] = 0, 0, 0
        rest = self._node(
            "Gelu", [self._product(inner, self._quantized(state.x), rest_in, rest_bias)], approximate="none"
        )
        bias = self._weights[outer + ".bias"] + state.shift
        rest = self._product(outer, self._quantized(rest), rest_out, bias)
        return self._residual(prefix + "output.", self._node("Add", [rest, exact]), state)

    def _reading(self, name: str, state: _State) -> tuple[Array, Array]:
        """The weight and bias that give from `x` what the layer `name` gives from the whole state."""
        weight = self._weights[name + ".weight"]
        return weight * state.gain, self._weights[name + ".bias"] + weight @ state.shift

    def _residual(self, name: str, product: str, state: _State) -> _State:
        """The normalized sum of `product`, which holds the state's shift already, and the rest of the state."""
        kept = self._node("Mul", [state.x, self._constant(name + "residual_gain", state.gain)])
        total = self._node("Add", [product, kept])
        rows = self._node("Reshape", [total, self._constant("as_rows", np.array([-1, 1, DIMENSIONS], np.int64))])
        one = self._constant("one", np.ones(1, np.float32))
        zero = self._constant("zero", np.zeros(1, np.float32))
        normalized = self._node("InstanceNormalization", [rows, one, zero], epsilon=_EPSILON)
        x = self._node("Reshape", [normalized, self._constant("as_text", np.array([1, -1, DIMENSIONS], np.int64))])
        return self._narrowed(name, x)

    def _narrowed(self, name: str, normalized: str) -> _State:
        divisors = np.ones(DIMENSIONS, np.float32)
        divisors[list(WIDE_CHANNELS)] = list(WIDE_CHANNELS.values())
        x = self._node("Mul", [normalized, self._constant("narrowing", 1 / divisors)])
        gain, shift = self._weights[name + "LayerNorm.weight"], self._weights[name + "LayerNorm.bias"]
        return _State(x, gain * divisors, shift)

    def _quantized(self, x: str) -> _Quantized:
        quantized = _Quantized(f"{x}.uint8", f"{x}.scale", f"{x}.zero_point")
        self._node("DynamicQuantizeLinear", [x], outputs=quantized)
        return quantized

    def _product(self, name: str, x: _Quantized, weight: Array, bias: Array) -> str:
        scale = np.maximum(np.abs(weight).max(axis=1), np.finfo(np.float32).tiny * 127) / np.float32(127)
        inputs = [
            x.values,
            self._constant(name + ".int8", np.rint(weight / scale[:, None]).astype(np.int8).T),
            x.scale,
            self._constant(name + ".scale", scale),
            x.zero_point,
            self._constant(f"zero_points.{len(bias)}", np.zeros(len(bias), np.int8)),
            self._constant(name + ".bias", bias),
        ]
        return self._node("MatMulIntegerToFloat", inputs, _FUSED)

    def _constant(self, name: str, value: npt.NDArray[np.generic]) -> str:
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def _node(
        self,
        operator: str,
        inputs: Sequence[str],
        domain: str = "",
        *,
        outputs: Sequence[str] | None = None,
        **attributes: Any,
    ) -> str:
        name = f"{operator}.{len(self._nodes)}"
        outputs = outputs or [name]
        self._nodes.append(helper.make_node(operator, inputs, outputs, name=name, domain=domain, **attributes))
        return outputs[0]
