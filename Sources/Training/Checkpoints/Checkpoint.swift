import Foundation
import Identity
import Safetensors
import Transformer

/// A training state on disk: `step_000100/{model.safetensors, optimizer.safetensors, state.json}` and, last, `STABLE`.
///
/// Weights and moments are f32, so that training on from a checkpoint equals never having stopped, to the bit. A folder
/// without `STABLE` was interrupted and is never loaded. The hashes in `state.json` cover the tensors, so a checkpoint
/// that decayed on disk is noticed. With ``ModelCompanions`` the folder is a Hugging Face directory as well, whose weights
/// are f32.
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
    /// - Throws: `SafetensorsError`, `ModelError` or an error of the file system, for example when the disk is full; the folder then
    ///   has no `STABLE`.
    public static func write(
        _ state: TrainingState, notes: [String: String], companions: ModelCompanions? = nil, to folder: String
    ) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let stable = "\(folder)/\(stableFile)"
        if files.fileExists(atPath: stable) {
            try files.removeItem(atPath: stable)
            try DurableFile.synchronizeFolder(folder)
        }
        let model = state.master.sources
        let optimizer = optimizerSources(state)
        try SafetensorsWriter.write(model, to: "\(folder)/\(modelFile)")
        try SafetensorsWriter.write(optimizer, to: "\(folder)/\(optimizerFile)")
        try companions?.write(state.master.configuration, to: folder)
        let description = State(
            schema: schema, step: state.step, updates: state.updates, parameters: state.master.layout.parameterCount,
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
            throw CheckpointError(folder: folder, what: "its schema is \(description.schema) and not \(schema)")
        }
        let layout = ParameterLayout(configuration)
        guard description.parameters == layout.parameterCount, description.step >= description.updates,
            description.updates >= 0
        else {
            throw CheckpointError(
                folder: folder, what: "it holds \(description.parameters) parameters for \(layout.parameterCount)")
        }
        let state = TrainingState(layout: layout, step: description.step, updates: description.updates)
        let model = try SafetensorsFile(path: "\(folder)/\(modelFile)")
        let optimizer = try SafetensorsFile(path: "\(folder)/\(optimizerFile)")
        for slice in layout.slices {
            let (name, shape) = (slice.name, slice.shape)
            try model.copy(name, as: .float32, shape: shape, to: state.master[slice])
            try optimizer.copy(firstMoment + name, as: .float32, shape: shape, to: state.firstMoments[slice])
            try optimizer.copy(secondMoment + name, as: .float32, shape: shape, to: state.secondMoments[slice])
        }
        guard try weightsHash(of: state.master.sources) == description.modelHash,
            try weightsHash(of: optimizerSources(state)) == description.optimizerHash
        else {
            throw CheckpointError(folder: folder, what: "the tensors do not match their hashes: the files decayed")
        }
        return (state, description.notes)
    }

    private static let firstMoment = "first_moment/"
    private static let secondMoment = "second_moment/"

    private static func optimizerSources(_ state: TrainingState) -> [TensorSource] {
        [(firstMoment, state.firstMoments), (secondMoment, state.secondMoments)].flatMap { prefix, moments in
            moments.sources.map {
                TensorSource(name: prefix + $0.name, type: $0.type, shape: $0.shape, withBytes: $0.withBytes)
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
