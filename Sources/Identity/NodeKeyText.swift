/// The text of a node's key file: a few lines that are also valid TOML.
enum NodeKeyText {
    private static let names = ["apus_key_file", "ed25519_seed", "curve_secret", "public"]

    static func encode(_ keys: NodeKeys) -> [UInt8] {
        let text = """
            # Apus node keys. Whoever can read this file can act as this node: keep its mode 0600.
            apus_key_file = "1"
            ed25519_seed = "\(Hexadecimal.encode(keys.signing.seed))"
            curve_secret = "\(Hexadecimal.encode(keys.curve.secretKey))"
            public = "\(keys.publicLine)"

            """
        return [UInt8](text.utf8)
    }

    static func decode(_ bytes: [UInt8], location: String) throws -> NodeKeys {
        func damaged(_ what: String) -> IdentityError {
            IdentityError(
                what: "this is no key file: \(what)", location: location,
                advice: "restore it from a copy, or make new keys with `apus keys new`")
        }
        var values: [String: String] = [:]
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
            let text = String(decoding: line, as: UTF8.self)
            if text.hasPrefix("#") { continue }
            let halves = text.split(separator: "\"", omittingEmptySubsequences: false)
            guard halves.count == 3, halves[2].isEmpty, halves[0].hasSuffix(" = "),
                let name = names.first(where: { $0 == halves[0].dropLast(3) }),
                values.updateValue(String(halves[1]), forKey: name) == nil
            else { throw damaged("line \(index + 1) is not one of \(names.joined(separator: ", ")), each once") }
        }
        guard values["apus_key_file"] == "1" else { throw damaged("it does not say apus_key_file = \"1\"") }
        guard let seed = values["ed25519_seed"].flatMap({ Hexadecimal.decode($0) }),
            let signing = SigningKey(seed: seed)
        else { throw damaged("ed25519_seed is not 64 hexadecimal digits") }
        guard let secret = values["curve_secret"].flatMap({ Hexadecimal.decode($0) }),
            let curve = CurveKey(secretKey: secret)
        else { throw damaged("curve_secret is not 64 hexadecimal digits") }
        let keys = NodeKeys(signing: signing, curve: curve)
        // A flipped digit would silently be another identity.
        guard values["public"] == keys.publicLine.description else {
            throw damaged("the public line does not belong to the secret keys")
        }
        return keys
    }
}
