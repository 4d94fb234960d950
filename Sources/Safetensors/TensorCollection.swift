import JSON

/// The tensors of a model directory, in one `model.safetensors` or in the parts that an index names.
///
/// Rules for the index: it is used when there is no `model.safetensors`; every part is a plain file name in the same
/// directory; every tensor stands in the part that the map says, and in no other.
public final class TensorCollection: Sendable {
    /// The directory.
    public let directory: String
    /// The file of each tensor, by tensor name.
    private let files: [String: SafetensorsFile]

    static let singleName = "model.safetensors"
    static let indexName = "model.safetensors.index.json"
    private static let maximumIndexByteCount = 64 << 20

    /// Opens the weights of a directory.
    ///
    /// - Throws: `SafetensorsError` when there are none, when a file is invalid, or when the index disagrees with its parts.
    public init(directory: String) throws(SafetensorsError) {
        self.directory = directory
        let single = "\(directory)/\(Self.singleName)"
        let index = "\(directory)/\(Self.indexName)"
        if FileBytes.exists(single) {
            let file = try SafetensorsFile(path: single)
            files = file.tensors.mapValues { _ in file }
        } else if FileBytes.exists(index) {
            files = try Self.open(index: index, directory: directory)
        } else {
            throw SafetensorsError(
                .inputOutput, file: directory,
                "it holds neither \(Self.singleName) nor \(Self.indexName); give a Hugging Face model directory")
        }
    }

    /// What the files hold, by name.
    public var tensors: [String: TensorInfo] {
        files.reduce(into: [:]) { result, entry in result[entry.key] = entry.value.tensors[entry.key] }
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
    ) throws(SafetensorsError) -> [String: SafetensorsFile] {
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
                file = try SafetensorsFile(path: "\(directory)/\(part)")
                parts[part] = file
            }
            guard file.tensors[entry.name] != nil else {
                throw SafetensorsError(.badIndex, file: index, "\(part) does not hold \(entry.name)")
            }
            files[entry.name] = file
        }
        for (part, file) in parts {
            for name in file.tensors.keys where files[name] !== file {
                throw SafetensorsError(.badIndex, file: index, "\(part) holds \(name), which the map puts elsewhere")
            }
        }
        return files
    }

    static func isPlainName(_ name: String) -> Bool {
        name.hasSuffix(".safetensors") && !name.hasPrefix(".") && name.utf8.count <= 255
            && name.utf8.allSatisfy { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\\") && $0 >= 0x20 }
    }
}
