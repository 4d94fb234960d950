/// The tokenizer files of a Hugging Face model directory.
///
/// The built-in tokenizer is marked in `tokenizer_config.json` by `"tokenizer_class": "ApusByteTokenizer"`, with
/// `vocab_size` beside it; every other tokenizer is read from `tokenizer.json`. A directory that holds a tokenizer only is
/// fine, and so is one that holds a `tokenizer.json` only.
public enum TokenizerDirectory {
    /// The mark of the built-in tokenizer.
    public static let byteLevelClass = "ApusByteTokenizer"
    /// The name of the file that the mark stands in.
    public static let configurationName = "tokenizer_config.json"
    /// The name of the file with the vocabulary.
    public static let tokenizerName = "tokenizer.json"
    static let maximumConfigurationByteCount = 16 << 20

    /// Loads the tokenizer of a directory.
    ///
    /// The ids that end a model's completions stand in its `generation_config.json`; `endOfSequence` is the one that the
    /// tokenizer names.
    ///
    /// - Throws: `TokenizerError` when there is none, when its files are malformed or contradict each other, or when they
    ///   ask for something that this version does not do.
    public static func load(_ directory: String) throws(TokenizerError) -> any Tokenizer {
        let configuration = try TokenizerConfiguration(directory: directory)
        if configuration.className == byteLevelClass { return try byteLevel(configuration) }
        let path = "\(directory)/\(tokenizerName)"
        guard let bytes = try PlainFile.read(path, limit: TokenizerFile.maximumByteCount) else {
            throw TokenizerError(
                .missing, path: directory,
                "it holds no \(tokenizerName) and no built-in tokenizer; make a model with `apus model new`, or name "
                    + "another directory")
        }
        var tokenizer = try TokenizerFile.read(bytes, path: path)
        try configuration.check(tokenizer)
        tokenizer.beginOfSequence = try identifier("bos_token", configuration, tokenizer)
        tokenizer.endOfSequence = try identifier("eos_token", configuration, tokenizer)
        tokenizer.padding = try identifier("pad_token", configuration, tokenizer)
        if let processor = configuration.postProcessor(
            begin: tokenizer.beginOfSequence, end: tokenizer.endOfSequence)
        {
            tokenizer.postProcessor = processor
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

    private static func byteLevel(_ configuration: TokenizerConfiguration) throws(TokenizerError) -> ByteLevelTokenizer
    {
        guard let size = configuration.members["vocab_size"]?.integer,
            let tokenizer = ByteLevelTokenizer(vocabularySize: size)
        else {
            throw TokenizerError(
                .malformed, path: configuration.path,
                "its vocab_size must be a whole number of at least 128 for \(byteLevelClass)")
        }
        return tokenizer
    }

    private static func identifier(
        _ role: String, _ configuration: TokenizerConfiguration, _ tokenizer: BytePairTokenizer
    ) throws(TokenizerError) -> Int32? {
        guard let name = try configuration.token(role) else { return nil }
        guard let identifier = tokenizer.token(named: name) else {
            throw TokenizerError(
                .malformed, path: configuration.path,
                "its \(role) \"\(name.prefix(60))\" is no token of \(tokenizerName)")
        }
        return identifier
    }
}
