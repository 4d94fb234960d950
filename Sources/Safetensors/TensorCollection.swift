import JSON

/// The tensors of a model directory, in one `model.safetensors` or in the parts that an index names.
///
/// Rules for the index: it is used when there is no `model.safetensors`, as in transformers, and not read otherwise; every
/// part is a plain file name in the same directory; every tensor stands in the part that the map says, and in no other.
/// `metadata.total_size` is not compared with anything: published indexes get it wrong, and no loader asks.
public final class TensorCollection: Sendable {
    /// The directory.
    public let directory: String
    /// The files, in the order of their names.
    public let parts: [SafetensorsFile]
    /// What the files hold, by name.
    public let tensors: [String: TensorInfo]
    /// The file of each tensor, by tensor name.
    private let files: [String: SafetensorsFile]

    static let singleName = "model.safetensors"
    static let indexName = "model.safetensors.index.json"
    private static let maximumIndexByteCount = 64 << 20
    private static let maximumPartCount = 10_000

    /// Opens the weights of a directory.
    ///
    /// - Throws: `SafetensorsError` when there are none, when a file is invalid, or when the index disagrees with its parts.
    public init(directory: String) throws(SafetensorsError) {
        self.directory = directory
        let single = "\(directory)/\(Self.singleName)"
        let index = "\(directory)/\(Self.indexName)"
        if FileBytes.exists(single) {
            let file = try SafetensorsFile(path: single)
            parts = [file]
            files = file.tensors.mapValues { _ in file }
        } else if FileBytes.exists(index) {
            (parts, files) = try Self.open(index: index, directory: directory)
        } else {
            throw SafetensorsError(
                .inputOutput, file: directory,
                "it holds neither \(Self.singleName) nor \(Self.indexName); give a Hugging Face model directory")
        }
        tensors = parts.reduce(into: [:]) { result, part in result.merge(part.tensors) { first, _ in first } }
    }

    /// The file that holds a tensor.
    ///
    /// - Throws: `SafetensorsError` when there is no such tensor.
    public func file(holding name: String) throws(SafetensorsError) -> SafetensorsFile {
        guard let file = files[name] else {
            throw SafetensorsError(.missingTensor, file: directory, "it holds no tensor \(name)")
        }
        return file
    }

    private static func open(
        index: String, directory: String
    ) throws(SafetensorsError) -> ([SafetensorsFile], [String: SafetensorsFile]) {
        let bytes = try FileBytes.read(index, atMost: maximumIndexByteCount)
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONValue.parse(bytes, maximumBytes: maximumIndexByteCount)
        } catch {
            throw SafetensorsError(.badIndex, file: index, "\(error)")
        }
        guard case .object(let entries)? = document["weight_map"], !entries.isEmpty else {
            throw SafetensorsError(.badIndex, file: index, "it has no weight_map")
        }
        var parts: [String: SafetensorsFile] = [:]
        var files: [String: SafetensorsFile] = [:]
        for entry in entries {
            guard let part = entry.value.string, isPlainName(part) else {
                throw SafetensorsError(.badIndex, file: index, "the part of \(entry.name) is not a plain file name")
            }
            let file: SafetensorsFile
            if let opened = parts[part] {
                file = opened
            } else {
                let path = "\(directory)/\(part)"
                guard FileBytes.exists(path) else {
                    throw SafetensorsError(
                        .badIndex, file: index, "\(part), where it puts \(entry.name), does not exist")
                }
                guard parts.count < maximumPartCount else {
                    throw SafetensorsError(.badIndex, file: index, "it names more than \(maximumPartCount) parts")
                }
                file = try SafetensorsFile(path: path)
                parts[part] = file
            }
            guard file.tensors[entry.name] != nil else {
                throw SafetensorsError(.badIndex, file: index, "\(part) does not hold \(entry.name)")
            }
            files[entry.name] = file
        }
        for (part, file) in parts {
            for name in file.tensors.keys where files[name] !== file {
                throw SafetensorsError(
                    .badIndex, file: index, "\(part) holds \(name), which the map puts elsewhere or nowhere")
            }
        }
        return (parts.sorted { precedes($0.key, $1.key) }.map(\.value), files)
    }

    static func isPlainName(_ name: String) -> Bool {
        name.hasSuffix(".safetensors") && !name.hasPrefix(".") && name.utf8.count <= 255
            && name.utf8.allSatisfy { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\\") && $0 >= 0x20 }
    }
}
