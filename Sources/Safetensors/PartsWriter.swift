import JSON

/// Writes the tensors of a model as `model.safetensors`, or as parts with an index where they pass a size.
///
/// Names and index are those of Hugging Face: `model-00001-of-00003.safetensors` and `model.safetensors.index.json` with
/// `metadata.total_size` and `weight_map`. Tensors keep their order; a part takes them while they fit, and a tensor that is
/// larger than the limit gets a part of its own.
public enum PartsWriter {
    /// The size above which tensors are written in parts, in bytes of tensors.
    public static let defaultMaximumByteCount = 4 << 30

    /// Writes the tensors into a directory that exists and holds no other weights.
    ///
    /// Each file is complete and synced before the next; the index comes last. Whoever needs all files or none writes to a
    /// temporary directory and renames it.
    ///
    /// - Returns: the names of the files.
    /// - Throws: `SafetensorsError` for tensors that make no valid file and for errors of the disk.
    @discardableResult
    public static func write(
        _ tensors: [TensorSource], metadata: [String: String] = SafetensorsWriter.defaultMetadata,
        maximumByteCount: Int = defaultMaximumByteCount, to directory: String
    ) throws -> [String] {
        let parts = try parts(tensors, maximumByteCount: maximumByteCount, directory: directory)
        guard parts.count > 1 else {
            try SafetensorsWriter.write(tensors, metadata: metadata, to: "\(directory)/\(TensorCollection.singleName)")
            return [TensorCollection.singleName]
        }
        guard parts.count < 100_000 else {
            throw SafetensorsError(.badIndex, file: directory, "\(parts.count) parts; allow more bytes in each")
        }
        var names: [String] = []
        var map: [String: JSONValue] = [:]
        for (index, part) in parts.enumerated() {
            let name = "model-\(fiveDigits(index + 1))-of-\(fiveDigits(parts.count)).safetensors"
            try SafetensorsWriter.write(part, metadata: metadata, to: "\(directory)/\(name)")
            names.append(name)
            for tensor in part { map[tensor.name] = .string(name) }
        }
        let total = tensors.reduce(0) { $0 + ($1.byteCount ?? 0) }
        let document: JSONValue = [
            "metadata": ["total_size": .integer(total)], "weight_map": .object(JSONObject(map)),
        ]
        try DurableFile.write(document.indentedText, to: "\(directory)/\(TensorCollection.indexName)")
        return names + [TensorCollection.indexName]
    }

    private static func parts(
        _ tensors: [TensorSource], maximumByteCount: Int, directory: String
    ) throws(SafetensorsError) -> [[TensorSource]] {
        var parts: [[TensorSource]] = []
        var names: Set<String> = []
        var filled = 0
        for tensor in tensors {
            // One file would refuse a name that stands twice; parts must as a whole.
            guard names.insert(tensor.name).inserted else {
                throw SafetensorsError(.duplicateKey, file: directory, "the name \(tensor.name) cannot be used again")
            }
            guard let byteCount = tensor.byteCount else {
                throw SafetensorsError(
                    .badShape, file: directory, "tensor \(tensor.name) has the shape \(tensor.shape)")
            }
            if parts.isEmpty || filled > maximumByteCount - min(byteCount, maximumByteCount) {
                parts.append([])
                filled = 0
            }
            parts[parts.count - 1].append(tensor)
            filled += min(byteCount, maximumByteCount)
        }
        return parts
    }

    private static func fiveDigits(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
}
