import Safetensors
import Tensors

/// What `apus model inspect` says about a model: sizes, and the memory that work with it needs.
///
/// Memory is predicted from sizes, in bytes, without the process's own few megabytes.
public struct ModelInspection: Sendable, Equatable {
    /// The sizes.
    public let configuration: ModelConfiguration
    /// The number of parameters; shared ones count once.
    public let parameters: Int
    /// The element types of the stored tensors and the bytes of each.
    public let storedBytes: [String: Int]

    /// Describes a configuration whose weights are not stored yet.
    public init(_ configuration: ModelConfiguration) {
        self.configuration = configuration
        parameters = ParameterLayout(configuration).parameterCount
        storedBytes = [:]
    }

    /// Describes a directory.
    public init(_ directory: ModelDirectory) {
        configuration = directory.configuration
        parameters = ParameterLayout(configuration).parameterCount
        storedBytes = directory.tensors.tensors.values.reduce(into: [:]) { result, info in
            result[info.type.rawValue, default: 0] += info.range.count
        }
    }

    /// The bytes that the weights take in memory: bf16 row-major and packed.
    public var weightBytes: Int {
        let hidden = configuration.hiddenSize
        let inner = configuration.intermediateSize
        let perLayer =
            packedBytes(configuration.queryWidth + 2 * configuration.keyValueWidth, hidden)
            + packedBytes(hidden, configuration.queryWidth) + packedBytes(2 * inner, hidden)
            + packedBytes(hidden, inner)
        return 2 * ParameterLayout(configuration).elementCount + configuration.layers * perLayer
            + packedBytes(configuration.vocabularySize, hidden)
    }

    /// The bytes of the key-value cache for one position of one sequence.
    public var cacheBytesPerPosition: Int {
        2 * 2 * configuration.layers * configuration.keyValueWidth
    }

    /// The bytes that generation needs.
    ///
    /// - Parameters:
    ///   - sequences: how many are decoded at once.
    ///   - positions: prompt and completion of each, together.
    public func generationBytes(sequences: Int, positions: Int) -> Int {
        let page = KeyValuePageLayout.positions
        let pages = sequences * ((positions + page - 1) / page)
        return weightBytes + pages * page * cacheBytesPerPosition + sequences * workspaceBytesPerRow
    }

    private var workspaceBytesPerRow: Int {
        let widest = max(
            configuration.queryWidth + 2 * configuration.keyValueWidth, 2 * configuration.intermediateSize)
        return 4 * (configuration.hiddenSize + widest) + 2 * (2 * configuration.hiddenSize + configuration.queryWidth)
            + 2 * configuration.intermediateSize
    }

    private func packedBytes(_ rows: Int, _ columns: Int) -> Int {
        let width = PackedMatrix.panelWidth
        return (rows + width - 1) / width * ((columns + 1) / 2) * 2 * width * 2
    }
}
