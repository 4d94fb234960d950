/// A linear module of a layer that an adapter may change, by the last part of its name.
public enum AdapterTarget: String, Sendable, Hashable, CaseIterable {
    case query = "q_proj"
    case key = "k_proj"
    case value = "v_proj"
    case output = "o_proj"
    case gate = "gate_proj"
    case up = "up_proj"
    case down = "down_proj"

    /// All names, in the order of the forward pass.
    public static let names = allCases.map(\.rawValue)

    /// The tensor that it changes in a layer.
    func weight(in layer: LayerSlices) -> TensorSlice {
        switch self {
        case .query: layer.query
        case .key: layer.key
        case .value: layer.value
        case .output: layer.output
        case .gate: layer.gate
        case .up: layer.up
        case .down: layer.down
        }
    }
}
