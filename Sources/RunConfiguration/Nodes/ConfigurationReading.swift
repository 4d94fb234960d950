import Foundation

extension ConfigurationNode {
    /// No run file is longer; nobody writes a mebibyte of settings.
    public static let maximumFileBytes = 1 << 20

    /// Reads TOML text.
    ///
    /// - Parameters:
    ///   - toml: The text.
    ///   - source: The file's name for messages.
    public init(toml: String, source: String) throws(ConfigurationError) {
        guard toml.utf8.count <= Self.maximumFileBytes else { throw Self.tooLarge(source) }
        var reader = TOMLReader(toml, source: source)
        self = try reader.document()
    }

    /// Reads a run file: TOML, or the JSON of a `run.json`.
    public init(file path: String) throws(ConfigurationError) {
        let origin = ConfigurationOrigin(source: path)
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw ConfigurationError("", origin: origin, "the file cannot be opened; check that it exists")
        }
        defer { try? handle.close() }
        // One byte more than allowed, so that a file that is too large is noticed without reading all of it.
        guard let data = try? handle.read(upToCount: Self.maximumFileBytes + 1) ?? Data() else {
            throw ConfigurationError("", origin: origin, "this cannot be read as a file; name a TOML file")
        }
        guard data.count <= Self.maximumFileBytes else { throw Self.tooLarge(path) }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw ConfigurationError("", origin: origin, "the file is not UTF-8 text")
        }
        if path.hasSuffix(".json") {
            try self.init(json: text, source: path)
        } else {
            try self.init(toml: text, source: path)
        }
    }

    private static func tooLarge(_ source: String) -> ConfigurationError {
        ConfigurationError(
            "", origin: ConfigurationOrigin(source: source), "the file is larger than \(maximumFileBytes) bytes")
    }
}
