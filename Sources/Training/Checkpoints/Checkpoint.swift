import Foundation
import Identity
import Safetensors
import Tensors
import Transformer

/// A training state on disk: `step_000100/{model.safetensors, optimizer.safetensors, state.json}` and, last, `STABLE`.
///
/// Where an adapter is trained, `adapter_model.safetensors` and `adapter_config.json` stand in the model's place.
/// Parameters and moments are f32, so that training on from a checkpoint equals never having stopped, to the bit. A folder
/// without `STABLE` was interrupted and is never loaded. The hashes in `state.json` cover the tensors, so a checkpoint
/// that decayed on disk is noticed. With ``ModelCompanions`` the folder is a Hugging Face directory as well, whose weights
/// are f32.
public enum Checkpoint {
    static let optimizerFile = "optimizer.safetensors"
    static let stateFile = "state.json"
    static let stableFile = "STABLE"
    static let schema = 1

    /// What `state.json` holds.
    struct State: Codable {
        var schema: Int
        var step: Int
        var updates: Int
        var parameters: Int
        var modelHash: Hash256
        var optimizerHash: Hash256
        /// The frozen weights that an adapter belongs to.
        var baseHash: Hash256?
        var notes: [String: String]

        enum CodingKeys: String, CodingKey {
            case schema, step, updates, parameters, notes
            case modelHash = "model_hash"
            case optimizerHash = "optimizer_hash"
            case baseHash = "base_hash"
        }
    }

    /// Writes a state to a folder, each file atomically and `STABLE` last.
    ///
    /// - Throws: `SafetensorsError`, `ModelError` or an error of the file system, for example when the disk is full; the
    ///   folder then has no `STABLE`.
    public static func write(
        _ state: any TrainedState, notes: [String: String], companions: ModelCompanions? = nil, to folder: String
    ) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let stable = "\(folder)/\(stableFile)"
        if files.fileExists(atPath: stable) {
            try files.removeItem(atPath: stable)
            try DurableFile.synchronizeFolder(folder)
        }
        let arrays = state.arrays
        let model = sources("", arrays.parameters, state.slices)
        let optimizer =
            sources(firstMoment, arrays.firstMoments, state.slices)
            + sources(secondMoment, arrays.secondMoments, state.slices)
        try SafetensorsWriter.write(model, to: "\(folder)/\(state.parametersFile)")
        try SafetensorsWriter.write(optimizer, to: "\(folder)/\(optimizerFile)")
        // An adapter's folder is no model without its base, so it gets no files that promise one.
        if state.baseHash == nil { try companions?.write(state.model, to: folder) }
        try state.writeCompanions(to: folder)
        let description = State(
            schema: schema, step: state.step, updates: state.updates, parameters: parameterCount(state),
            modelHash: try weightsHash(of: model), optimizerHash: try weightsHash(of: optimizer),
            baseHash: state.baseHash, notes: notes)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let text = String(decoding: try encoder.encode(description), as: UTF8.self)
        try DurableFile.write(text + "\n", to: "\(folder)/\(stateFile)")
        try DurableFile.write("", to: stable)
    }

    /// Reads a folder that has `STABLE` into a state of the same shape and checks every tensor against its hash.
    ///
    /// - Parameter step: the step that it must be of; nil takes any.
    /// - Returns: what was saved beside the state.
    /// - Throws: ``CheckpointError`` saying what does not fit, `SafetensorsError`, or an error of the file system; the
    ///   state is then untouched.
    public static func read(
        _ folder: String, ofStep step: Int? = nil, into state: any TrainedState
    ) throws -> [String: String] {
        guard FileManager.default.fileExists(atPath: "\(folder)/\(stableFile)") else {
            throw CheckpointError(folder: folder, what: "it has no STABLE: writing it was interrupted")
        }
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(stateFile)"))
        guard let description = try? JSONDecoder().decode(State.self, from: data) else {
            throw CheckpointError(folder: folder, what: "\(stateFile) cannot be read")
        }
        guard description.schema == schema else {
            throw CheckpointError(folder: folder, what: "its schema is \(description.schema) and not \(schema)")
        }
        if let step, description.step != step {
            throw CheckpointError(folder: folder, what: "it says step \(description.step)")
        }
        let count = parameterCount(state)
        guard description.parameters == count, description.step >= description.updates, description.updates >= 0 else {
            throw CheckpointError(folder: folder, what: "it holds \(description.parameters) parameters for \(count)")
        }
        guard description.baseHash == state.baseHash else {
            throw CheckpointError(folder: folder, what: "it belongs to other frozen weights than the run starts from")
        }
        try state.checkCompanions(in: folder)
        let model = try SafetensorsFile(path: "\(folder)/\(state.parametersFile)")
        let optimizer = try SafetensorsFile(path: "\(folder)/\(optimizerFile)")
        guard try weightsHash(of: model.sources) == description.modelHash,
            try weightsHash(of: optimizer.sources) == description.optimizerHash
        else {
            throw CheckpointError(folder: folder, what: "the tensors do not match their hashes: the files decayed")
        }
        let arrays = state.arrays
        let plan = [
            (model, "", arrays.parameters), (optimizer, firstMoment, arrays.firstMoments),
            (optimizer, secondMoment, arrays.secondMoments),
        ]
        for (file, prefix, _) in plan {
            for slice in state.slices {
                guard let info = file.tensors[prefix + slice.name], info.type == .float32, info.shape == slice.shape
                else {
                    throw CheckpointError(folder: folder, what: "\(prefix + slice.name) is missing or of another shape")
                }
            }
        }
        for (file, prefix, values) in plan {
            for slice in state.slices {
                let target = UnsafeMutableBufferPointer(rebasing: values.buffer[slice.range])
                try file.copy(prefix + slice.name, as: .float32, shape: slice.shape, to: target)
            }
        }
        state.step = description.step
        state.updates = description.updates
        return description.notes
    }

    private static let firstMoment = "first_moment/"
    private static let secondMoment = "second_moment/"

    private static func parameterCount(_ state: any TrainedState) -> Int { state.slices.reduce(0) { $0 + $1.count } }

    private static func sources(_ prefix: String, _ values: Storage<Float>, _ slices: [TensorSlice]) -> [TensorSource] {
        slices.map { slice in
            TensorSource(name: prefix + slice.name, type: .float32, shape: slice.shape) { body in
                try body(UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: values.buffer[slice.range])))
            }
        }
    }
}

/// Why a checkpoint cannot be used.
public struct CheckpointError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The checkpoint's folder.
    public var folder: String
    /// What is wrong with it.
    public var what: String

    /// One sentence.
    public var description: String { "checkpoint \(folder) cannot be used: \(what)" }
}
