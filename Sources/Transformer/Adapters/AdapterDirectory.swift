import Foundation
import JSON
import Safetensors
import Tensors

/// An adapter in PEFT's layout: `adapter_config.json` and `adapter_model.safetensors`.
public struct AdapterDirectory: Sendable {
    /// The name of the file that says what is adapted.
    public static let configurationName = "adapter_config.json"
    /// The name of the file with the factors.
    public static let weightsName = "adapter_model.safetensors"

    /// Where it is.
    public let path: String
    /// What `adapter_config.json` says.
    public let configuration: AdapterConfiguration
    private let file: SafetensorsFile

    private static let maximumConfigurationByteCount = 1 << 20
    private static let types: [ElementType] = [.bfloat16, .float16, .float32]

    /// Opens a directory and checks everything that needs no base model.
    ///
    /// - Throws: `ModelError` or `SafetensorsError` saying which file is missing or wrong.
    public init(opening path: String) throws {
        self.path = path
        configuration = try Self.configuration(at: path)
        file = try SafetensorsFile(path: "\(path)/\(Self.weightsName)")
    }

    /// Reads `adapter_config.json` alone.
    ///
    /// - Throws: `ModelError` or `SafetensorsError`.
    public static func configuration(at path: String) throws -> AdapterConfiguration {
        let place = "\(path)/\(configurationName)"
        let bytes = try FileBytes.read(place, atMost: maximumConfigurationByteCount)
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONValue.parse(bytes)
        } catch {
            throw ModelError(.malformedConfiguration, place: place, "it is not valid JSON: \(error)")
        }
        return try AdapterConfiguration(adapterJSON: document, place: place)
    }

    /// Loads the factors to train them: F32 as they are, BF16 and F16 widened.
    ///
    /// - Throws: `ModelError` with the lists of missing, unexpected and mis-shaped tensors.
    public func weights(for base: ParameterLayout) throws -> AdapterWeights {
        let layout = try AdapterLayout(configuration, base: base)
        try TensorCheck.verify(
            file, against: layout.slices, types: Self.types,
            description: "\(Self.configurationName) and the base model")
        let weights = AdapterWeights(layout: layout)
        for slice in layout.slices { try read(slice, into: weights[slice]) }
        return weights
    }

    /// Loads the factors to compute with: rounded to bf16 where the file holds more.
    ///
    /// - Throws: `ModelError` as ``weights(for:)``, or for a factor that is not finite.
    public func factors(for base: ParameterLayout, kernels: Kernels) throws -> AdapterFactors {
        try weights(for: base).rounded(kernels)
    }

    private func read(_ slice: TensorSlice, into target: UnsafeMutableBufferPointer<Float>) throws {
        let (name, shape) = (slice.name, slice.shape)
        switch file.tensors[name]?.type {
        case .float32: try file.copy(name, as: .float32, shape: shape, to: target)
        case .float16:
            let bits = try file.load(name, as: .float16, shape: shape, UInt16.self)
            for index in target.indices { target[index] = HalfPrecision.widened[Int(bits[index])] }
        default:
            let bits = try file.load(name, as: .bfloat16, shape: shape, UInt16.self)
            for index in target.indices { target[index] = Float(bitPattern: UInt32(bits[index]) << 16) }
        }
    }

    /// Writes a directory that is complete or not there: beside the destination, synced, then renamed.
    ///
    /// - Parameters:
    ///   - path: the destination; it must not exist, or be empty.
    ///   - tensors: the content of `adapter_model.safetensors`.
    /// - Throws: `ModelError` or `SafetensorsError`; nothing is left at the destination then.
    public static func write(to path: String, configuration: AdapterConfiguration, tensors: [TensorSource]) throws {
        let temporary = "\(path).\(getpid()).partial"
        try? FileManager.default.removeItem(atPath: temporary)
        guard mkdir(temporary, 0o755) == 0 else { throw failure("cannot create the directory", path) }
        do {
            try SafetensorsWriter.write(tensors, to: "\(temporary)/\(weightsName)")
            try writeConfiguration(configuration, into: temporary)
            try DurableFile.synchronizeFolder(temporary)
            guard rename(temporary, path) == 0 else {
                throw failure("cannot put the directory in place (delete what is there, or choose another name)", path)
            }
            try DurableFile.synchronizeFolder(of: path)
        } catch {
            try? FileManager.default.removeItem(atPath: temporary)
            throw error
        }
    }

    /// Writes `adapter_config.json` into a folder that is there, atomically.
    ///
    /// - Throws: `SafetensorsError`.
    public static func writeConfiguration(_ configuration: AdapterConfiguration, into folder: String) throws {
        try DurableFile.write(configuration.adapterJSON.indentedText, to: "\(folder)/\(configurationName)")
    }

    private static func failure(_ what: String, _ path: String) -> ModelError {
        ModelError(.inputOutput, place: path, "\(what): \(String(cString: strerror(errno)))")
    }
}
