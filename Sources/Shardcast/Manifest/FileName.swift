/// The names that a version's files may have.
///
/// A name from a manifest becomes a path on somebody else's disk, so it is not cleaned up but looked up: these names
/// of a Hugging Face directory and no others.
public enum FileName {
    static let known: Set<String> = [
        "model.safetensors", "model.safetensors.index.json", "config.json", "generation_config.json",
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
        "merges.txt", "chat_template.jinja",
    ]

    /// The files of a version that is an adapter.
    static let adapter: Set<String> = ["adapter_config.json", "adapter_model.safetensors"]

    /// Whether a version may contain a file of this name.
    public static func isAllowed(_ name: String) -> Bool {
        known.contains(name) || adapter.contains(name) || isModelPart(name)
    }

    /// Whether a file of this name holds a model's weights, which a difference can make.
    static func isWeights(_ name: String) -> Bool { name.hasSuffix(".safetensors") && !adapter.contains(name) }

    /// `model-00001-of-00003.safetensors`: exactly five digits twice.
    private static func isModelPart(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        let prefix = Array("model-".utf8), middle = Array("-of-".utf8), suffix = Array(".safetensors".utf8)
        guard bytes.count == prefix.count + 5 + middle.count + 5 + suffix.count else { return false }
        let first = bytes[prefix.count..<(prefix.count + 5)]
        let second = bytes[(prefix.count + 5 + middle.count)..<(prefix.count + 10 + middle.count)]
        return bytes.starts(with: prefix) && bytes[(prefix.count + 5)...].starts(with: middle)
            && bytes.suffix(suffix.count).elementsEqual(suffix)
            && (first + second).allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
