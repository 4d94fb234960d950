import JSON

/// What `tokenizer_config.json`, and where it is silent `special_tokens_map.json`, say of a tokenizer.
struct TokenizerConfiguration {
    /// The file.
    let path: String
    /// Its members; none where there is no file.
    let members: JSONObject
    /// The members of `special_tokens_map.json`.
    let specialTokens: JSONObject

    /// The name of the class, if there is one.
    var className: String? { members["tokenizer_class"]?.string }

    /// Reads both files of a directory; either may be missing.
    init(directory: String) throws(TokenizerError) {
        path = "\(directory)/\(TokenizerDirectory.configurationName)"
        members = try Self.object(at: path)
        specialTokens = try Self.object(at: "\(directory)/special_tokens_map.json")
    }

    /// The text of the token that a role like `eos_token` names: a text, or an object with the text as `content`.
    func token(_ role: String) throws(TokenizerError) -> String? {
        guard let value = members[role] ?? specialTokens[role], value != .null else { return nil }
        guard let text = value.string ?? value["content"]?.string else {
            throw TokenizerError(.malformed, path: path, "its \(role) is neither a text nor an object with a content")
        }
        return text
    }

    /// What is put around texts, if this file says so: `add_bos_token` and `add_eos_token`, where either stands, replace
    /// the post-processor of tokenizer.json, as in `transformers`.
    func postProcessor(begin: Int32?, end: Int32?) -> PostProcessor? {
        guard members["add_bos_token"] != nil || members["add_eos_token"] != nil else { return nil }
        var result = PostProcessor()
        if members["add_bos_token"] == true, let begin { result.prefix = [begin] }
        if members["add_eos_token"] == true, let end { result.suffix = [end] }
        return result
    }

    /// Checks that every token which the file says was added is in `tokenizer` under the same id.
    ///
    /// `transformers` would add a missing one; a tokenizer that differs by that is not the model's.
    func check(_ tokenizer: BytePairTokenizer) throws(TokenizerError) {
        guard let added = members["added_tokens_decoder"]?.object else { return }
        for member in added {
            guard let content = member.value["content"]?.string, let identifier = Int32(member.name) else {
                throw TokenizerError(
                    .malformed, path: path, "its added_tokens_decoder has a member that is no id with a content")
            }
            guard tokenizer.token(named: content) == identifier else {
                throw TokenizerError(
                    .malformed, path: path,
                    "its added_tokens_decoder gives \"\(content.prefix(60))\" the id \(identifier), tokenizer.json does not"
                )
            }
        }
    }

    private static func object(at path: String) throws(TokenizerError) -> JSONObject {
        guard let bytes = try PlainFile.read(path, limit: TokenizerDirectory.maximumConfigurationByteCount) else {
            return JSONObject()
        }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(bytes)
        } catch {
            throw TokenizerError(.malformed, path: path, "it is not JSON: \(error)")
        }
        guard let object = value.object else { throw TokenizerError(.malformed, path: path, "it is not a JSON object") }
        return object
    }
}
