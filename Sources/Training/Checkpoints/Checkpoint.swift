import Foundation
import Identity
import Safetensors
import Tensors
import Transformer

/// A training state on disk: `step_000100/{model.safetensors, optimizer.safetensors, state.json}` and, last, `STABLE`.
///
/// Weights and moments are f32, so that training on from a checkpoint equals never having stopped, to the bit. A folder
/// without `STABLE` was interrupted and is never loaded. The hashes in `state.json` cover the tensors, so a checkpoint
/// that decayed on disk is noticed.
public enum Checkpoint {
    static let modelFile = "model.safetensors"
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
        var notes: [String: String]

        enum CodingKeys: String, CodingKey {
            case schema, step, updates, parameters, notes
            case modelHash = "model_hash"
            case optimizerHash = "optimizer_hash"
        }
    }

    /// Writes a state to a folder, each file atomically and `STABLE` last.
    ///
    /// - Throws: `SafetensorsError` or an error of the file system, for example when the disk is full; the folder then
    ///   has no `STABLE`.
    public static func write(_ state: TrainingState, notes: [String: String], to folder: String) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let stable = "\(folder)/\(stableFile)"
        if files.fileExists(atPath: stable) {
            try files.removeItem(atPath: stable)
            try DurableFile.synchronizeFolder(folder)
        }
        let model = modelSources(state.master)
        let optimizer = optimizerSources(state)
        try SafetensorsWriter.write(model, to: "\(folder)/\(modelFile)")
        try SafetensorsWriter.write(optimizer, to: "\(folder)/\(optimizerFile)")
        let description = State(
            schema: schema, step: state.step, updates: state.updates, parameters: state.master.parameterCount,
            modelHash: try weightsHash(of: model), optimizerHash: try weightsHash(of: optimizer), notes: notes)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let text = String(decoding: try encoder.encode(description), as: UTF8.self)
        try DurableFile.write(text + "\n", to: "\(folder)/\(stateFile)")
        try DurableFile.write("", to: stable)
    }

    /// Reads a folder that has `STABLE` and checks every tensor against its hash.
    ///
    /// - Throws: ``CheckpointError`` saying what does not fit, `SafetensorsError`, or an error of the file system.
    public static func read(
        _ folder: String, configuration: ModelConfiguration
    ) throws -> (state: TrainingState, notes: [String: String]) {
        guard FileManager.default.fileExists(atPath: "\(folder)/\(stableFile)") else {
            throw CheckpointError(folder: folder, what: "it has no STABLE: writing it was interrupted")
        }
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(stateFile)"))
        guard let description = try? JSONDecoder().decode(State.self, from: data) else {
            throw CheckpointError(folder: folder, what: "\(stateFile) cannot be read")
        }
        guard description.schema == schema else {
            throw CheckpointError(folder: folder, what: "its schema is \(description.schema), this build reads \(schema)")
        }
        let master = MasterWeights(configuration: configuration)
        guard description.parameters == master.parameterCount, description.step >= description.updates,
            description.updates >= 0
        else {
            throw CheckpointError(
                folder: folder, what: "it holds \(description.parameters) parameters for \(master.parameterCount)")
        }
        let state = TrainingState(
            master: master, firstMoments: Storage(count: master.parameterCount),
            secondMoments: Storage(count: master.parameterCount), step: description.step, updates: description.updates)
        let model = try SafetensorsFile(path: "\(folder)/\(modelFile)")
        let optimizer = try SafetensorsFile(path: "\(folder)/\(optimizerFile)")
        for tensor in master.tensors {
            for (file, name, storage) in [
                (model, tensor.name, master.storage), (optimizer, firstMoment(tensor.name), state.firstMoments),
                (optimizer, secondMoment(tensor.name), state.secondMoments),
            ] {
                try file.copy(
                    name, as: .float32, shape: tensor.shape,
                    to: UnsafeMutableBufferPointer(rebasing: storage.buffer[tensor.range]))
            }
        }
        guard try weightsHash(of: modelSources(master)) == description.modelHash,
            try weightsHash(of: optimizerSources(state)) == description.optimizerHash
        else {
            throw CheckpointError(folder: folder, what: "the tensors do not match their hashes: the files decayed")
        }
        return (state, description.notes)
    }

    private static func firstMoment(_ name: String) -> String { "first_moment/\(name)" }
    private static func secondMoment(_ name: String) -> String { "second_moment/\(name)" }

    private static func modelSources(_ master: MasterWeights) -> [TensorSource] {
        master.tensors.map { source(of: master.storage, $0, name: $0.name) }
    }

    private static func optimizerSources(_ state: TrainingState) -> [TensorSource] {
        state.master.tensors.flatMap {
            [
                source(of: state.firstMoments, $0, name: firstMoment($0.name)),
                source(of: state.secondMoments, $0, name: secondMoment($0.name)),
            ]
        }
    }

    private static func source(
        of storage: Storage<Float>, _ tensor: MasterWeights.Tensor, name: String
    ) -> TensorSource {
        TensorSource(name: name, type: .float32, shape: tensor.shape) { body in
            try body(UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: storage.buffer[tensor.range])))
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
