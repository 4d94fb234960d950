import JSON

/// Writes safetensors files.
///
/// Tensors go by descending element type (the order of ``ElementType``'s cases) and then by name, and the header is padded with spaces to a
/// multiple of 8, as the reference writer does: the same tensors always give the same file.
public enum SafetensorsWriter {
    /// The metadata that Hugging Face's loaders ask for.
    public static let defaultMetadata = ["format": "pt"]

    /// Writes a file beside its destination, syncs it and renames it into place.
    ///
    /// - Parameters:
    ///   - tensors: what to write; names must differ, and each source must lend exactly the bytes of its shape.
    ///   - metadata: the text entries of the file.
    ///   - path: the destination, replaced if it exists.
    /// - Throws: `SafetensorsError` for tensors that make no valid file and for errors of the disk.
    public static func write(
        _ tensors: [TensorSource], metadata: [String: String] = defaultMetadata, to path: String
    ) throws {
        let plan = try Plan(tensors, metadata: metadata, file: path)
        try DurableFile.write(to: path) { writer in
            try plan.header.withUnsafeBytes { try writer.write($0) }
            for (tensor, byteCount) in plan.ordered {
                var written = 0
                try tensor.withBytes { bytes in
                    written += bytes.count
                    if written <= byteCount { try writer.write(bytes) }
                }
                guard written == byteCount else {
                    throw SafetensorsError(
                        .sizeMismatch, file: path,
                        "tensor \(tensor.name) of shape \(tensor.shape) was given \(written) bytes")
                }
            }
        }
    }

    /// The order of the tensors and the bytes before them.
    private struct Plan {
        let ordered: [(tensor: TensorSource, byteCount: Int)]
        let header: [UInt8]

        init(_ tensors: [TensorSource], metadata: [String: String], file: String) throws(SafetensorsError) {
            let sorted = tensors.sorted { left, right in
                left.type != right.type ? left.type.rank > right.type.rank : precedes(left.name, right.name)
            }
            var ordered: [(tensor: TensorSource, byteCount: Int)] = []
            var names: Set<String> = []
            var members: [String] = []
            if !metadata.isEmpty {
                let entries = metadata.sorted { precedes($0.key, $1.key) }
                    .map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
                members.append("\"__metadata__\":{\(entries.joined(separator: ","))}")
            }
            var offset = 0
            for tensor in sorted {
                guard names.insert(tensor.name).inserted, tensor.name != "__metadata__" else {
                    throw SafetensorsError(.duplicateKey, file: file, "the name \(tensor.name) cannot be used (again)")
                }
                guard let byteCount = tensor.byteCount, !offset.addingReportingOverflow(byteCount).overflow else {
                    throw SafetensorsError(.badShape, file: file, "tensor \(tensor.name) has the shape \(tensor.shape)")
                }
                let shape = tensor.shape.map(String.init).joined(separator: ",")
                members.append(
                    "\(Self.quoted(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
                        + "\"data_offsets\":[\(offset),\(offset + byteCount)]}")
                ordered.append((tensor, byteCount))
                offset += byteCount
            }
            var text = Array("{\(members.joined(separator: ","))}".utf8)
            while text.count % 8 != 0 { text.append(0x20) }
            guard text.count <= SafetensorsHeader.maximumByteCount else {
                throw SafetensorsError(.headerTooLarge, file: file, "its header would have \(text.count) bytes")
            }
            self.ordered = ordered
            header = withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text
        }

        private static func quoted(_ text: String) -> String {
            var output = ""
            JSONText.write(text, into: &output)
            return output
        }
    }
}
