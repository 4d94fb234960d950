import JSON

/// What `generation_config.json` says about ending a completion.
public struct GenerationConfiguration: Codable, Sendable, Hashable {
    /// The ids that end a completion.
    public var stopTokens: [Int32]
    /// The id that fills unused places.
    public var padToken: Int32?

    /// Creates a configuration.
    public init(stopTokens: [Int32], padToken: Int32? = nil) {
        self.stopTokens = stopTokens
        self.padToken = padToken
    }

    /// The built-in tokenizer's: newline ends, zero pads.
    public static let byteLevel = GenerationConfiguration(stopTokens: [10], padToken: 0)

    /// Reads a `generation_config.json`, whose `eos_token_id` is a number, a list, or absent.
    ///
    /// - Throws: `ModelError` when an id is not a whole number below the vocabulary's size.
    public init(json document: JSONValue, vocabularySize: Int, place: String) throws(ModelError) {
        func token(_ value: JSONValue, _ key: String) throws(ModelError) -> Int32 {
            guard let id = value.integer, id >= 0, id < vocabularySize else {
                throw ModelError(
                    .malformedConfiguration, place: place,
                    "\(key) must hold ids from 0 up to the vocabulary's \(vocabularySize)")
            }
            return Int32(id)
        }
        stopTokens = []
        switch document["eos_token_id"] {
        case nil, .null?: break
        case .array(let values)?:
            for value in values.prefix(1024) { stopTokens.append(try token(value, "eos_token_id")) }
        case let value?: stopTokens = [try token(value, "eos_token_id")]
        }
        if let pad = document["pad_token_id"], pad != .null { padToken = try token(pad, "pad_token_id") }
    }

    /// The file's content.
    public var json: JSONValue {
        let ids = stopTokens.map { JSONValue.integer(Int($0)) }
        var members: [JSONMember] = []
        if !ids.isEmpty { members.append(.init("eos_token_id", ids.count == 1 ? ids[0] : .array(ids))) }
        if let padToken { members.append(.init("pad_token_id", .integer(Int(padToken)))) }
        return .object(JSONObject(members))
    }
}
