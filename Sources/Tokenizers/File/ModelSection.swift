import JSON

/// The `model` of a file: the vocabulary and the merges read straight from the bytes, the rest as settings.
struct ModelSection {
    /// Everything but the vocabulary and the merges.
    private(set) var settings = JSONObject()
    /// The tokens by id.
    private(set) var vocabulary = ByteStringTable(capacity: 1 << 12)
    private var merges: [Merge] = []

    private struct Merge {
        let left: Int32
        let right: Int32
        let result: Int32
        let rank: Int
    }

    /// Reads the object that comes next.
    ///
    /// - Parameter buffer: what `reader` reads; the merges may stand before the vocabulary they refer to.
    init(_ reader: inout JSONByteReader, _ buffer: UnsafeRawBufferPointer) throws(JSONError) {
        var names: Set<String> = []
        var mergesPosition: Int?
        try reader.expect(UInt8(ascii: "{"))
        if reader.take(UInt8(ascii: "}")) { return }
        repeat {
            let name = try reader.string(limit: 256)
            guard names.insert(name).inserted else { throw reader.fault("the name \"\(name)\" twice", isDuplicate: true) }
            try reader.expect(UInt8(ascii: ":"))
            if name == "vocab", reader.peek() == UInt8(ascii: "{") {
                try readVocabulary(&reader)
            } else if name == "merges", names.contains("vocab") {
                try readMerges(&reader)
            } else {
                if name == "merges" { mergesPosition = reader.position }
                let value = try reader.value(maximumDepth: 4)
                if name != "merges" { settings[name] = value }
            }
        } while reader.take(UInt8(ascii: ","))
        try reader.expect(UInt8(ascii: "}"))
        if let mergesPosition {
            var reader = JSONByteReader(UnsafeRawBufferPointer(rebasing: buffer[mergesPosition...]))
            try readMerges(&reader)
        }
        settings["vocab"] = names.contains("vocab") && settings["vocab"] == nil ? .bool(true) : nil
        settings["merges"] = names.contains("merges") ? .bool(true) : nil
    }

    private mutating func readVocabulary(_ reader: inout JSONByteReader) throws(JSONError) {
        try reader.expect(UInt8(ascii: "{"))
        if reader.take(UInt8(ascii: "}")) { return }
        repeat {
            let token = try reader.stringBytes(limit: TokenizerFile.maximumTokenByteCount)
            try reader.expect(UInt8(ascii: ":"))
            let number = try reader.naturalNumber()
            guard number <= TokenizerFile.maximumIdentifier else {
                throw reader.fault("the id \(number), above \(TokenizerFile.maximumIdentifier)")
            }
            guard token.withUnsafeBufferPointer(ScalarDecoding.isValid) else {
                throw reader.fault("a token that is not UTF-8")
            }
            guard token.withUnsafeBufferPointer({ vocabulary.insert($0, number: number) }) else {
                let name = String(decoding: token.prefix(60), as: UTF8.self)
                throw reader.fault("the token \"\(name)\" or its id \(number) twice", isDuplicate: true)
            }
        } while reader.take(UInt8(ascii: ","))
        try reader.expect(UInt8(ascii: "}"))
    }

    private mutating func readMerges(_ reader: inout JSONByteReader) throws(JSONError) {
        try reader.expect(UInt8(ascii: "["))
        if reader.take(UInt8(ascii: "]")) { return }
        let isPairs = reader.peek() == UInt8(ascii: "[")
        repeat {
            if isPairs {
                try reader.expect(UInt8(ascii: "["))
                let left = try reader.stringBytes(limit: TokenizerFile.maximumTokenByteCount)
                try reader.expect(UInt8(ascii: ","))
                let right = try reader.stringBytes(limit: TokenizerFile.maximumTokenByteCount)
                try reader.expect(UInt8(ascii: "]"))
                try addMerge(left[...], right[...], left + right, reader)
            } else {
                let text = try reader.stringBytes(limit: 2 * TokenizerFile.maximumTokenByteCount + 1)
                // Lists that were made from merges.txt may hold its first line.
                if text.starts(with: "#version".utf8) { continue }
                guard let space = text.firstIndex(of: UInt8(ascii: " ")),
                    text[(space + 1)...].firstIndex(of: UInt8(ascii: " ")) == nil
                else { throw reader.fault("a merge that is not two tokens with one space between") }
                let (left, right) = (text[..<space], text[(space + 1)...])
                try addMerge(left, right, left + right, reader)
            }
        } while reader.take(UInt8(ascii: ","))
        try reader.expect(UInt8(ascii: "]"))
    }

    private mutating func addMerge(
        _ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>, _ whole: some Collection<UInt8>, _ reader: JSONByteReader
    ) throws(JSONError) {
        guard merges.count <= TokenizerFile.maximumIdentifier else { throw reader.fault("too many merges") }
        merges.append(
            Merge(
                left: try identifier(left, reader), right: try identifier(right, reader),
                result: try identifier(Array(whole)[...], reader), rank: merges.count))
    }

    private func identifier(_ key: ArraySlice<UInt8>, _ reader: JSONByteReader) throws(JSONError) -> Int32 {
        guard let number = key.withUnsafeBufferPointer({ vocabulary.number(of: $0) }) else {
            let name = String(decoding: key.prefix(60), as: UTF8.self)
            throw reader.fault("a merge with \"\(name)\", which is no token of the vocabulary")
        }
        return Int32(number)
    }
}

// MARK: The model

extension ModelSection {
    /// Whether the model can arrive at one of these ids by itself.
    func canYield(_ identifiers: Set<Int32>) -> Bool {
        settings["ignore_merges"] == true || merges.contains { identifiers.contains($0.result) }
    }

    /// The model that the section describes.
    ///
    /// - Parameters:
    ///   - node: the settings, for errors.
    ///   - unit: what words are made of at first.
    ///   - excluded: ids that no merge and no whole word may give.
    func model(
        _ node: FileNode, unit: SymbolAlphabet.Unit, without excluded: Set<Int32>
    ) throws(TokenizerError) -> BytePairModel {
        try checkSettings(node)
        let unknownNode = node.member("unk_token")
        var unknown: Int32?
        if !unknownNode.isNull {
            let name = try unknownNode.text()
            guard !name.isEmpty, let number = vocabulary.number(of: name.utf8) else {
                throw unknownNode.malformed("is \"\(name.prefix(60))\", which is no token of the vocabulary")
            }
            unknown = Int32(number)
        }
        let fallsBack = try node.member("byte_fallback").flag(or: false)
        let alphabet = SymbolAlphabet(
            vocabulary, unit: unit, fallsBackToBytes: fallsBack, unknown: unknown,
            fusesUnknown: try node.member("fuse_unk").flag(or: false))
        if unit == .byte, fallsBack, !alphabet.isComplete {
            throw node.member("byte_fallback").unsupported("is true, but the vocabulary lacks the sign of a byte")
        }
        var table = MergeTable(capacity: merges.count)
        for merge in merges where !excluded.contains(merge.result) {
            table.set(merge.left, merge.right, rank: merge.rank, result: merge.result)
        }
        let hasWords = try node.member("ignore_merges").flag(or: false)
        return BytePairModel(
            vocabulary: vocabulary, merges: table, alphabet: alphabet,
            words: hasWords ? words(unit, excluded) : nil,
            boundary: unit == .scalar && (alphabet.isComplete || unknown != nil) ? boundary(unknown) : nil)
    }

    private func checkSettings(_ node: FileNode) throws(TokenizerError) {
        if !node.member("type").isNull, try node.member("type").text() != "BPE" {
            throw node.unsupported("is of type \(try node.member("type").text().prefix(60))")
        }
        guard node.member("vocab").value == true, node.member("merges").value == true else {
            throw node.malformed("must have a vocab that is an object and merges")
        }
        try node.expectMembers([
            "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
            "byte_fallback", "ignore_merges", "vocab", "merges",
        ])
        let dropout = node.member("dropout")
        guard dropout.isNull || dropout.value.double == 0 else { throw dropout.unsupported("is \(dropout.value.line)") }
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
            let member = node.member(name)
            guard member.isNull || member.value == "" else { throw member.unsupported("is \(member.value.line)") }
        }
    }

    private func words(_ unit: SymbolAlphabet.Unit, _ excluded: Set<Int32>) -> BytePairModel.WholeWords {
        guard unit == .byte else { return .init(table: nil, excluded: excluded) }
        var table = ByteStringTable(capacity: vocabulary.count)
        var bytes: [UInt8] = []
        for number in 0..<vocabulary.upperBound {
            bytes.removeAll(keepingCapacity: true)
            let isSigns = vocabulary.withString(of: number) { $0.map { ByteAlphabet.appendBytes(of: $0, to: &bytes) } }
            guard isSigns == true, !bytes.isEmpty else { continue }
            _ = bytes.withUnsafeBufferPointer { table.insert($0, number: number) }
        }
        return .init(table: table, excluded: excluded)
    }

    /// The sign for a space, if no merge goes across its beginning from anything but another such sign.
    ///
    /// Text may then be cut before it: whatever merges on one side never meets what merges on the other.
    private func boundary(_ unknown: Int32?) -> [UInt8]? {
        let sign = Array("\u{2581}".utf8)
        guard vocabulary.number(of: sign) != nil else { return nil }
        func ends(_ number: Int32) -> Bool { vocabulary.string(of: Int(number))?.suffix(sign.count).elementsEqual(sign) ?? false }
        if let unknown, ends(unknown) { return nil }
        for merge in merges {
            let begins = vocabulary.withString(of: Int(merge.right)) { $0?.starts(with: sign) ?? false }
            if begins, !ends(merge.left) { return nil }
        }
        return sign
    }
}
