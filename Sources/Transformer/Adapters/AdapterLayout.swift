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
    ///
    /// - Throws: `ModelError` when a target is no linear module of the model's layers.
    public init(_ configuration: AdapterConfiguration, base: ParameterLayout) throws(ModelError) {
        let modules = base.layers.indices.flatMap { layer in AdapterTarget.allCases.map { (layer, $0) } }
        let chosen = try Self.choose(
            configuration.targets, among: modules.map { Self.module($1.weight(in: base.layers[$0])) })
        var next = 0
        func add(_ name: String, _ shape: [Int]) -> TensorSlice {
            let slice = TensorSlice(name: name, shape: shape, offset: next, count: shape.reduce(1, *))
            next = (next + slice.count + Self.alignment - 1) / Self.alignment * Self.alignment
            return slice
        }
        pairs = zip(modules, chosen).compactMap { module, isChosen in
            guard isChosen else { return nil }
            let weight = module.1.weight(in: base.layers[module.0])
            let name = Self.prefix + Self.module(weight)
            return AdapterPair(
                layer: module.0, target: module.1, weight: weight,
                down: add("\(name).lora_A.weight", [configuration.rank, weight.shape[1]]),
                up: add("\(name).lora_B.weight", [weight.shape[0], configuration.rank]))
        }
        self.configuration = configuration
        model = base.configuration
        slices = pairs.flatMap { [$0.down, $0.up] }
        elementCount = next
        places = Dictionary(uniqueKeysWithValues: pairs.enumerated().map { ($1.weight.offset, $0) })
    }

    /// The module that holds a weight.
    private static func module(_ weight: TensorSlice) -> String { String(weight.name.dropLast(".weight".count)) }

    /// Which of the modules one of the targets means: PEFT's rule, the whole name or its end after a dot.
    private static func choose(_ targets: [String], among names: [String]) throws(ModelError) -> [Bool] {
        var endings: [String: [Int]] = [:]
        for (index, name) in names.enumerated() {
            let parts = name.split(separator: ".")
            for first in parts.indices { endings[parts[first...].joined(separator: "."), default: []].append(index) }
        }
        var chosen = Array(repeating: false, count: names.count)
        for target in targets {
            guard let found = endings[target], AdapterTarget.names.contains(where: target.hasSuffix) else {
                throw ModelError(
                    .unsupported, place: "target_modules",
                    "\"\(target.prefix(80))\" is no linear module of the model's layers; there are "
                        + AdapterTarget.names.joined(separator: ", "))
            }
            for index in found { chosen[index] = true }
        }
        return chosen
    }

    /// The number of parameters, padding not counted.
    public var parameterCount: Int { slices.reduce(0) { $0 + $1.count } }

    /// The factors that change a matrix of the base model; nil where it is frozen.
    public func pair(for weight: TensorSlice) -> AdapterPair? {
        places[weight.offset].map { pairs[$0] }
    }
}
