/// A file that belongs to a tokenizer and travels with every copy of a model.
public struct CompanionFile: Sendable, Equatable {
    /// The name of the file in a model directory.
    public let name: String
    /// Where it is now.
    public let path: String
    /// Its size.
    public let byteCount: Int

    /// The file's bytes.
    ///
    /// - Throws: `TokenizerError` if it is gone, has grown, or cannot be read.
    public func read() throws(TokenizerError) -> [UInt8] {
        guard let bytes = try PlainFile.read(path, limit: byteCount) else {
            throw TokenizerError(.missing, path: path, "it was there a moment ago")
        }
        return bytes
    }
}

extension TokenizerDirectory {
    /// The files of a directory that make up its tokenizer and its chat template, in a fixed order.
    ///
    /// They are copied byte for byte into checkpoints and published versions, so that other programs read there what they
    /// read in the original.
    ///
    /// - Throws: `TokenizerError` if one of them is no regular file or larger than a tokenizer may be.
    public static func companionFiles(_ directory: String) throws(TokenizerError) -> [CompanionFile] {
        var files: [CompanionFile] = []
        for name in companionNames {
            let path = "\(directory)/\(name)"
            guard let size = try PlainFile.byteCount(path) else { continue }
            guard size <= TokenizerFile.maximumByteCount else {
                throw TokenizerError(
                    .malformed, path: path, "it has \(size) bytes, more than \(TokenizerFile.maximumByteCount)")
            }
            files.append(CompanionFile(name: name, path: path, byteCount: size))
        }
        return files
    }

    private static let companionNames = [
        tokenizerName, configurationName, "chat_template.jinja", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", "tokenizer.model",
    ]
}
