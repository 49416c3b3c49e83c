"""The network of all-MiniLM-L6-v2 as one ONNX graph: token ids in, a unit-length vector out.

It is the BERT of Devlin et al. (2018) with 6 layers, mean pooling and L2 normalization, rewritten in three ways that
do not change what it computes:

* A layer normalization is split. `x_hat = (s - mean) / deviation` is computed by InstanceNormalization, whose kernel
  uses vector instructions where LayerNormalization's does not (0.9 against 2.9 ms a mail). The gain and the shift
  go into the weights that read `x_hat`, and into the residual path.
* The shift of the residual path and the bias of the product that is added to it are one constant.
* The segment embedding, always the first one, is added to the position embeddings.

The graph reads one text at a time. There is then no padding, no mask, and nothing in a batch that could change the
range over which a text's activations are quantized.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from rl_emails_assets.embedding.encoder import DIMENSIONS, MAX_TOKENS

GRAPH_VERSION = 1
"""Raised whenever the same weights give other vectors; part of the cached file's name and of the precision's."""
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
        x, gain, shift = self._embeddings()
        for layer in range(_LAYERS):
            prefix = f"encoder.layer.{layer}."
            x, gain, shift = self._attention(prefix, x, gain, shift)
            x, gain, shift = self._feed_forward(prefix, x, gain, shift)
        pooled = self._node("ReduceMean", [x, self._constant("token_axis", np.array([1], np.int64))], keepdims=0)
        scaled = self._node("Mul", [pooled, self._constant("last.gain", gain)])
        shifted = self._node("Add", [scaled, self._constant("last.shift", shift)])
        self._node("LpNormalization", [shifted], outputs=[OUTPUT_NAME], axis=-1, p=2)

    def _embeddings(self) -> tuple[str, Array, Array]:
        prefix = "embeddings."
        positions = self._weights[prefix + "position_embeddings.weight"][:MAX_TOKENS]
        positions = positions + self._weights[prefix + "token_type_embeddings.weight"][0]
        inputs = [
            INPUT_NAME,
            "",
            self._constant("words", self._weights[prefix + "word_embeddings.weight"]),
            self._constant("positions", positions),
            "",
            self._constant("ones", np.ones(DIMENSIONS, np.float32)),
            self._constant("zeros", np.zeros(DIMENSIONS, np.float32)),
        ]
        outputs = ["embedded", "embedded.mask"]
        x = self._node("EmbedLayerNormalization", inputs, _FUSED, outputs=outputs, epsilon=_EPSILON)
        return x, self._weights[prefix + "LayerNorm.weight"], self._weights[prefix + "LayerNorm.bias"]

    def _attention(self, prefix: str, x: str, gain: Array, shift: Array) -> tuple[str, Array, Array]:
        names = [f"{prefix}attention.self.{part}" for part in ("query", "key", "value")]
        query, key, value = self._products(names, x, gain, shift)
        context = self._node("MultiHeadAttention", [query, key, value], _FUSED, num_heads=_HEADS)
        name = prefix + "attention.output."
        return self._residual(name, context, x, gain, shift)

    def _feed_forward(self, prefix: str, x: str, gain: Array, shift: Array) -> tuple[str, Array, Array]:
        (raised,) = self._products([prefix + "intermediate.dense"], x, gain, shift)
        active = self._node("Gelu", [raised], approximate="none")
        return self._residual(prefix + "output.", active, x, gain, shift)

    def _products(self, names: Sequence[str], x: str, gain: Array, shift: Array) -> list[str]:
        """`W (gain * x + shift) + b` for each named W and b, as `(W gain) x + (b + W shift)`, with one quantized x."""
        quantized, scale, zero_point = self._quantized(x)
        results = []
        for name in names:
            weight = self._weights[name + ".weight"]
            bias = self._weights[name + ".bias"] + weight @ shift
            results.append(self._product(name, quantized, scale, zero_point, weight * gain, bias))
        return results

    def _residual(self, name: str, y: str, x: str, gain: Array, shift: Array) -> tuple[str, Array, Array]:
        """The normalized `W y + b + (gain * x + shift)`, and the gain and shift that are still to be applied to it."""
        bias = self._weights[name + "dense.bias"] + shift
        product = self._product(name + "dense", *self._quantized(y), self._weights[name + "dense.weight"], bias)
        kept = self._node("Mul", [x, self._constant(name + "residual_gain", gain)])
        total = self._node("Add", [product, kept])
        normalized = self._normalized(total)
        return normalized, self._weights[name + "LayerNorm.weight"], self._weights[name + "LayerNorm.bias"]

    def _normalized(self, x: str) -> str:
        one = self._constant("one", np.ones(1, np.float32))
        zero = self._constant("zero", np.zeros(1, np.float32))
        rows = self._node("Reshape", [x, self._constant("one_channel", np.array([-1, 1, DIMENSIONS], np.int64))])
        normalized = self._node("InstanceNormalization", [rows, one, zero], epsilon=_EPSILON)
        return self._node("Reshape", [normalized, self._constant("one_text", np.array([1, -1, DIMENSIONS], np.int64))])

    def _quantized(self, x: str) -> tuple[str, str, str]:
        name = f"{x}.u8"
        outputs = [name, f"{x}.scale", f"{x}.zero_point"]
        self._node("DynamicQuantizeLinear", [x], outputs=outputs)
        return outputs[0], outputs[1], outputs[2]

    def _product(self, name: str, x: str, scale: str, zero_point: str, weight: Array, bias: Array) -> str:
        weight_scale = np.maximum(np.abs(weight).max(axis=1), np.finfo(np.float32).tiny) / 127
        quantized = np.rint(weight / weight_scale[:, None]).astype(np.int8).T
        inputs = [
            x,
            self._constant(name + ".int8", quantized),
            scale,
            self._constant(name + ".scale", weight_scale),
            zero_point,
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
        **attributes: float | str,
    ) -> str:
        name = f"{operator}.{len(self._nodes)}"
        outputs = outputs or [name]
        self._nodes.append(helper.make_node(operator, inputs, outputs, name=name, domain=domain, **attributes))
        return outputs[0]
