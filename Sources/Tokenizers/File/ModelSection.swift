import JSON

/// The `model` of a file, read but not yet put together.
struct ModelSection {
    /// Everything but the vocabulary and the merges, which are only said to be there.
    var settings = JSONObject()
    /// The tokens by id.
    var vocabulary = ByteStringTable()
    /// The merges in order of rank.
    var merges: [Merge] = []

    /// Two tokens that become one.
    struct Merge {
        let left: Int32
        let right: Int32
        let result: Int32
    }

    /// Whether the model can arrive at one of these ids by itself.
    func canYield(_ identifiers: Set<Int32>) -> Bool {
        let areWords = settings["ignore_merges"] == true && identifiers.contains { vocabulary.holds(Int($0)) }
        return areWords || merges.contains { identifiers.contains($0.result) }
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
        for (rank, merge) in merges.enumerated() where !excluded.contains(merge.result) {
            table.set(merge.left, merge.right, rank: rank, result: merge.result)
        }
        let hasWords = try node.member("ignore_merges").flag(or: false)
        return BytePairModel(
            vocabulary: vocabulary, merges: table, alphabet: alphabet,
            words: hasWords ? words(unit, excluded) : nil,
            boundary: unit == .scalar && (alphabet.isComplete || unknown != nil) ? boundary(unknown) : nil)
    }

    /// Fails if the section is not a model of this kind, or asks for what this version does not do.
    func check(_ node: FileNode) throws(TokenizerError) {
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
        func ends(_ number: Int32) -> Bool {
            vocabulary.string(of: Int(number))?.suffix(sign.count).elementsEqual(sign) ?? false
        }
        if let unknown, ends(unknown) { return nil }
        for merge in merges {
            let begins = vocabulary.withString(of: Int(merge.right)) { $0?.starts(with: sign) ?? false }
            if begins, !ends(merge.left) { return nil }
        }
        return sign
    }
}
