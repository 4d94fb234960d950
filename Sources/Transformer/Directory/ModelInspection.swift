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

    /// The bytes that the weights take in memory: packed, once.
    public var weightBytes: Int {
        PanelLayout(ParameterLayout(configuration)).elementCount * MemoryLayout<BFloat16Bits>.stride
    }

    /// The bytes of the key-value cache for one position of one sequence.
    public var cacheBytesPerPosition: Int {
        2 * 2 * configuration.layers * configuration.keyValueWidth
    }

    /// The memory that generation takes.
    ///
    /// - Parameters:
    ///   - sequences: how many are decoded at once.
    ///   - positions: prompt and completion of each, together.
    ///   - threads: threads that compute.
    ///   - sharing: whether weights are shared between processes, where they are large enough for it.
    public func generation(sequences: Int, positions: Int, threads: Int, sharing: Bool = true) -> MemoryEstimate {
        let work = GenerationMemory(
            configuration: configuration, sequences: sequences, positions: positions, threads: threads)
        let isShared = sharing && weightBytes >= WeightsCache.defaultMinimumByteCount
        let weights = [MemoryEstimate.Part(name: "weights", bytes: weightBytes)]
        return MemoryEstimate(
            sharedParts: (isShared ? weights : []) + [.init(name: "program", bytes: GenerationMemory.program)],
            privateParts: (isShared ? [] : weights) + [
                .init(name: "cache", bytes: work.cache), .init(name: "workspace", bytes: work.workspace + work.rotary),
                .init(name: "process", bytes: GenerationMemory.process),
            ])
    }
}
