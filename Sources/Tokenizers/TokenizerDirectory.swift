import Foundation

/// The tokenizer files of a Hugging Face model directory.
///
/// The built-in tokenizer is marked in `tokenizer_config.json` by `"tokenizer_class": "ApusByteTokenizer"`, with
/// `vocab_size` beside it. A directory that holds a tokenizer only is fine.
public enum TokenizerDirectory {
    /// The mark of the built-in tokenizer.
    public static let byteLevelClass = "ApusByteTokenizer"
    /// The name of the file that the mark stands in.
    public static let configurationName = "tokenizer_config.json"
    private static let maximumByteCount = 16 << 20

    /// Loads the tokenizer of a directory.
    ///
    /// - Throws: `TokenizerError` when there is none, when its file is malformed, or when it is of a kind that this
    ///   version does not run.
    public static func load(_ directory: String) throws(TokenizerError) -> any Tokenizer {
        let path = "\(directory)/\(configurationName)"
        guard FileManager.default.fileExists(atPath: path) else {
            let hasForeign = FileManager.default.fileExists(atPath: "\(directory)/tokenizer.json")
            throw hasForeign
                ? unsupported(directory, "it holds a tokenizer.json without a \(configurationName)")
                : TokenizerError(
                    .missing, path: directory,
                    "it holds no \(configurationName); make a model with `apus model new`, or name another directory")
        }
        let configuration = try object(at: path)
        let className = configuration["tokenizer_class"] as? String
        guard className == byteLevelClass else {
            throw unsupported(path, "its tokenizer_class is \(className ?? "missing")")
        }
        guard let size = (configuration["vocab_size"] as? NSNumber).flatMap({ Int(exactly: $0.doubleValue) }),
            let tokenizer = ByteLevelTokenizer(vocabularySize: size)
        else {
            throw TokenizerError(
                .malformed, path: path, "its vocab_size must be a whole number of at least 128 for \(byteLevelClass)")
        }
        return tokenizer
    }

    /// The text of `tokenizer_config.json` for a built-in tokenizer.
    public static func configurationText(for tokenizer: ByteLevelTokenizer) -> String {
        """
        {
          "eos_token": "\\n",
          "pad_token": "\\u0000",
          "tokenizer_class": "\(byteLevelClass)",
          "vocab_size": \(tokenizer.vocabularySize)
        }

        """
    }

    private static func unsupported(_ path: String, _ found: String) -> TokenizerError {
        TokenizerError(
            .unsupported, path: path,
            "\(found), and this version runs the built-in \(byteLevelClass) only; give token ids instead of text")
    }

    private static func object(at path: String) throws(TokenizerError) -> [String: Any] {
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            data = try handle.read(upToCount: maximumByteCount + 1) ?? Data()
        } catch {
            throw TokenizerError(.inputOutput, path: path, "it cannot be read: \(error.localizedDescription)")
        }
        guard data.count <= maximumByteCount else {
            throw TokenizerError(.malformed, path: path, "it has more than \(maximumByteCount) bytes")
        }
        guard let value = try? JSONSerialization.jsonObject(with: data), let object = value as? [String: Any] else {
            throw TokenizerError(.malformed, path: path, "it is not a JSON object")
        }
        return object
    }
}
