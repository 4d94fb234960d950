import JSON

/// Reads `tokenizer.json`, as strangers may have written it: what is not understood is an error that names it.
///
/// `truncation` and `padding` are read over: they shape batches for a model, and here, as in `transformers`, a text is
/// always encoded whole.
enum TokenizerFile {
    /// The largest file that is read.
    static let maximumByteCount = 128 << 20
    /// The highest id there may be; memory is proportional to the highest one.
    static let maximumIdentifier = 1 << 22
    /// The longest token in bytes.
    static let maximumTokenByteCount = 1 << 16
    /// The longest added token in bytes; every place of a text may be compared with it.
    static let maximumAddedTokenByteCount = 1 << 10
    /// The most bytes that all added tokens may have; each takes a place in a tree.
    static let maximumAddedByteCount = 1 << 20
    private static let maximumDepth = 24

    /// Reads a file's bytes.
    ///
    /// - Parameter path: the file, for errors.
    static func read(_ bytes: [UInt8], path: String) throws(TokenizerError) -> BytePairTokenizer {
        let result: Result<BytePairTokenizer, TokenizerError> = bytes.withUnsafeBytes { buffer in
            do throws(TokenizerError) {
                return .success(try read(buffer, path))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func read(_ buffer: UnsafeRawBufferPointer, _ path: String) throws(TokenizerError)
        -> BytePairTokenizer
    {
        var model: ModelSection?
        var members: [JSONMember] = []
        do throws(JSONError) {
            var reader = JSONByteReader(buffer)
            try reader.expect(UInt8(ascii: "{"))
            if !reader.take(UInt8(ascii: "}")) {
                repeat {
                    let name = try reader.string(limit: 256)
                    try reader.expect(UInt8(ascii: ":"))
                    guard !members.contains(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
                        throw reader.fault("the name \"\(name)\" twice", isDuplicate: true)
                    }
                    if name == "model", reader.peek() == UInt8(ascii: "{") {
                        model = try ModelReader.read(&reader, buffer)
                        members.append(JSONMember(name, .object(model?.settings ?? JSONObject())))
                    } else {
                        members.append(JSONMember(name, try reader.value(maximumDepth: maximumDepth)))
                    }
                } while reader.take(UInt8(ascii: ","))
                try reader.expect(UInt8(ascii: "}"))
            }
            try reader.expectEnd()
        } catch {
            throw TokenizerError(.malformed, path: path, "it is not JSON as it must be: \(error)")
        }
        let root = FileNode(value: .object(JSONObject(members)), path: path, place: "")
        guard let model else { throw root.member("model").malformed("is missing, or no object") }
        return try assemble(root, model)
    }

    private static func assemble(_ root: FileNode, _ model: ModelSection) throws(TokenizerError) -> BytePairTokenizer {
        for member in root.value.object ?? JSONObject() where !topLevelNames.contains(member.name) {
            throw root.member(member.name).unsupported("is an unknown part of the file")
        }
        let version = root.member("version")
        guard version.isNull || version.value == "1.0" else { throw version.unsupported("is \(version.value.line)") }
        let node = root.member("model")
        try model.check(node)
        let normalizer = try TextNormalizer.read(root.member("normalizer"))
        let preTokenizers = try PreTokenizer.read(root.member("pre_tokenizer"))
        var unit = SymbolAlphabet.Unit.scalar
        if case .byteLevel = preTokenizers.last { unit = .byte }
        let tokens = try AddedToken.read(root.member("added_tokens"), model.vocabulary)
        guard let added = AddedVocabulary(tokens, normalizer: normalizer) else {
            throw root.member("added_tokens").malformed("has two tokens that look the same, or one that is empty")
        }
        let special = Set(tokens.lazy.filter(\.isSpecial).map(\.identifier))
        let tokenizer = BytePairTokenizer(
            model: try model.model(node, unit: unit, without: []),
            plainModel: model.canYield(special) ? try model.model(node, unit: unit, without: special) : nil,
            added: added, normalizer: normalizer, preTokenizers: preTokenizers,
            postProcessor: try PostProcessor.read(root.member("post_processor")),
            decoder: try TokenDecoder.read(root.member("decoder")))
        let around = tokenizer.postProcessor.prefix + tokenizer.postProcessor.suffix
        guard around.allSatisfy({ tokenizer.bytes(of: $0) != nil }) else {
            throw root.member("post_processor").malformed("puts an id around texts that no token has")
        }
        return tokenizer
    }

    private static let topLevelNames: Set<String> = [
        "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder",
        "model",
    ]
}
