/// The two factors of one adapted matrix.
public struct AdapterPair: Sendable, Hashable {
    /// The layer.
    public let layer: Int
    /// The module of the layer.
    public let target: AdapterTarget
    /// The matrix of the base model that it changes, [outputs, inputs].
    public let weight: TensorSlice
    /// A [rank, inputs], called `lora_A`.
    public let down: TensorSlice
    /// B [outputs, rank], called `lora_B`.
    public let up: TensorSlice
}

/// Where every parameter of an adapter lies in one flat allocation.
///
/// The same rules as ``ParameterLayout``: offsets are multiples of 32 elements, padding stays zero. Names are PEFT's.
public struct AdapterLayout: Sendable, Hashable {
    /// The adapter that it was made for.
    public let configuration: AdapterConfiguration
    /// The base model that it was made for.
    public let model: ModelConfiguration
    /// The adapted matrices, in the order of the forward pass.
    public let pairs: [AdapterPair]
    /// All factors, in the same order, A before B.
    public let slices: [TensorSlice]
    /// The size of the flat allocation in elements, padding included.
    public let elementCount: Int
    /// The place in ``pairs`` of the pair that changes the weight at an offset of the base model.
    private let places: [Int: Int]

    private static let alignment = 32
    private static let prefix = "base_model.model."

    /// Lays out the factors of an adapter for a base model.
    public init(_ configuration: AdapterConfiguration, base: ParameterLayout) {
        var next = 0
        func add(_ name: String, _ shape: [Int]) -> TensorSlice {
            let slice = TensorSlice(name: name, shape: shape, offset: next, count: shape.reduce(1, *))
            next = (next + slice.count + Self.alignment - 1) / Self.alignment * Self.alignment
            return slice
        }
        var pairs: [AdapterPair] = []
        for (index, layer) in base.layers.enumerated() {
            for target in configuration.targets {
                let weight = target.weight(in: layer)
                let module = Self.prefix + weight.name.dropLast(".weight".count)
                pairs.append(
                    AdapterPair(
                        layer: index, target: target, weight: weight,
                        down: add("\(module).lora_A.weight", [configuration.rank, weight.shape[1]]),
                        up: add("\(module).lora_B.weight", [weight.shape[0], configuration.rank])))
            }
        }
        self.configuration = configuration
        model = base.configuration
        self.pairs = pairs
        slices = pairs.flatMap { [$0.down, $0.up] }
        elementCount = next
        places = Dictionary(uniqueKeysWithValues: pairs.enumerated().map { ($1.weight.offset, $0) })
    }

    /// The number of parameters, padding not counted.
    public var parameterCount: Int { slices.reduce(0) { $0 + $1.count } }

    /// The factors that change a matrix of the base model; nil where it is frozen.
    public func pair(for weight: TensorSlice) -> AdapterPair? {
        places[weight.offset].map { pairs[$0] }
    }
}
