import Foundation
import JSON

extension ChatTemplate {
    /// The largest file that is read.
    private static let maximumBytes = 16 << 20

    /// Reads the template of a model directory, with the special tokens that it may print.
    ///
    /// As transformers: `chat_template.jinja` with what `additional_chat_templates` holds beside it, else `chat_template`
    /// of `tokenizer_config.json`, one text or a list of named ones. Of several, `default` is used, and `tool_use` where a
    /// chat has tools.
    ///
    /// - Parameter directory: a directory in the layout of Hugging Face.
    /// - Returns: nil where the directory has no chat template.
    /// - Throws: a ``TemplateError``: of kind input for files that cannot be read, of another kind for what is wrong with
    ///   the template.
    public static func load(directory: String) throws(TemplateError) -> ChatTemplate? {
        let configuration = try object(directory + "/tokenizer_config.json")
        var templates = try named(configuration?["chat_template"], in: directory)
        let files = try templateFiles(directory)
        if !files.isEmpty { templates = files }
        guard !templates.isEmpty else { return nil }
        guard let source = templates["default"] else {
            throw TemplateError(
                .input,
                "\(directory) has several chat templates and no default: \(templates.keys.sorted().joined(separator: ", "))"
            )
        }
        return try ChatTemplate(
            source: source, toolUse: templates["tool_use"],
            specialTokens: try specialTokens(configuration ?? JSONObject(), directory))
    }

    /// The templates of `tokenizer_config.json` by name.
    private static func named(
        _ value: JSONValue?, in directory: String
    ) throws(TemplateError) -> [String: String] {
        switch value {
        case nil, .null: return [:]
        case .string(let source): return ["default": source]
        case .array(let entries):
            var templates: [String: String] = [:]
            for entry in entries {
                guard let name = entry["name"]?.string, let source = entry["template"]?.string else {
                    throw TemplateError(
                        .input, "\(directory)/tokenizer_config.json: a chat template without name or text")
                }
                templates[name] = source
            }
            return templates
        default:
            throw TemplateError(
                .input, "\(directory)/tokenizer_config.json: chat_template is neither a text nor a list")
        }
    }

    private static func templateFiles(_ directory: String) throws(TemplateError) -> [String: String] {
        var templates: [String: String] = [:]
        if let text = try text(directory + "/chat_template.jinja") { templates["default"] = text }
        for name in ["default", "tool_use"] {
            if let text = try text("\(directory)/additional_chat_templates/\(name).jinja") { templates[name] = text }
        }
        return templates
    }

    private static let standardTokens = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    /// The special tokens as transformers names them: the standard ones, and any other `…_token` that is a text.
    private static func specialTokens(
        _ configuration: JSONObject, _ directory: String
    ) throws(TemplateError) -> JSONObject {
        var members = configuration
        if configuration["added_tokens_decoder"] == nil,
            let legacy = try object(directory + "/special_tokens_map.json")
        {
            for member in legacy.members { members[member.name] = member.value }
        }
        var tokens = JSONObject()
        for name in standardTokens {
            if let text = tokenText(members[name]) { tokens[name] = .string(text) }
        }
        for member in members.members where member.name.hasSuffix("_token") && tokens[member.name] == nil {
            if let text = tokenText(member.value) { tokens[member.name] = .string(text) }
        }
        if let extra = members["extra_special_tokens"]?.object {
            for member in extra.members {
                if let text = tokenText(member.value) { tokens[member.name] = .string(text) }
            }
        }
        return tokens
    }

    private static func tokenText(_ value: JSONValue?) -> String? {
        value?.string ?? value?["content"]?.string
    }

    private static func object(_ path: String) throws(TemplateError) -> JSONObject? {
        guard let bytes = try bytes(path) else { return nil }
        do throws(JSONError) {
            let value = try JSONValue.parse(bytes, maximumBytes: maximumBytes)
            if let object = value.object { return object }
        } catch {
            throw TemplateError(.input, "\(path): \(error)")
        }
        throw TemplateError(.input, "\(path) is no JSON object")
    }

    private static func text(_ path: String) throws(TemplateError) -> String? {
        guard let bytes = try bytes(path) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw TemplateError(.input, "\(path) is not UTF-8")
        }
        return text
    }

    /// The bytes of a file; nil where there is none.
    private static func bytes(_ path: String) throws(TemplateError) -> [UInt8]? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: maximumBytes + 1) ?? Data()
        else { throw TemplateError(.input, "\(path) cannot be read") }
        guard data.count <= maximumBytes else {
            throw TemplateError(.input, "\(path) has more than \(maximumBytes) bytes")
        }
        return Array(data)
    }
}
