import Identity

/// One movement of units: postings that sum to zero.
public struct Entry: Sendable, Hashable {
    /// The longest reference and the longest note, in UTF-8 bytes.
    public static let maximumTextBytes = 1024
    /// The most postings of one entry.
    public static let maximumPostings = 64

    /// A unique name of what brought the movement about; a second entry of the same name changes nothing.
    public let reference: String
    /// What kind of movement it is, for people.
    public let kind: Kind
    /// What moves; empty where there was nothing to move.
    public let postings: [Posting]
    /// One line for people.
    public let note: String
    /// When, in milliseconds since 1970; for people.
    public let time: Int64

    /// What kinds of movement there are.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The first entry, which binds the run.
        case genesis
        /// A worker earned verified FLOPs.
        case earned
        /// A verifier earned audit FLOPs.
        case audited
        /// A rejected group's audit is charged.
        case charged
        /// Stake is granted.
        case staked
        /// A stake burns.
        case slashed
        /// Credit is promised for a group that was not audited.
        case promised
        /// A promised credit counts.
        case vested
        /// Promised credit burns.
        case forfeited
        /// A wrong group costs stake and balance.
        case fined
        /// The credit of a group is taken back.
        case revoked
        /// What a wrong rejection cost is given back.
        case refunded
    }

    /// A change of one account.
    public struct Posting: Sendable, Hashable {
        /// The account.
        public let account: Account
        /// Units added, or taken where negative; never 0.
        public let amount: Int64

        /// Adds units to an account, or takes them.
        public init(_ account: Account, _ amount: Int64) {
            self.account = account
            self.amount = amount
        }
    }

    /// A movement; it is checked when it is appended.
    public init(reference: String, kind: Kind, postings: [Posting], note: String = "", time: Int64 = 0) {
        self.reference = reference
        self.kind = kind
        self.postings = postings
        self.note = note
        self.time = time
    }

    /// The entry's hash: its content, its place and the hash before it.
    func hash(index: Int64, previous: Hash256) -> Hash256 {
        var hash = SHA256()
        hash.update(utf8: "apus/ledger/v1")
        hash.update([0])
        hash.update(previous)
        hash.update(littleEndian: UInt64(bitPattern: index))
        hash.update(littleEndian: UInt64(bitPattern: time))
        for text in [reference, kind.rawValue, note] { Self.update(&hash, text) }
        hash.update(littleEndian: UInt32(clamping: postings.count))
        for posting in postings {
            Self.update(&hash, posting.account.text)
            hash.update(littleEndian: UInt64(bitPattern: posting.amount))
        }
        return hash.finalize()
    }

    /// Hashes a text with its length before it, so that no two lists of texts look alike.
    private static func update(_ hash: inout SHA256, _ text: String) {
        hash.update(littleEndian: UInt32(clamping: text.utf8.count))
        hash.update(utf8: text)
    }

    /// What is wrong with the entry in itself, nil if nothing.
    var objection: String? {
        guard !reference.isEmpty, reference.utf8.count <= Self.maximumTextBytes else {
            return "its reference has \(reference.utf8.count) bytes (1 to \(Self.maximumTextBytes) are allowed)"
        }
        guard note.utf8.count <= Self.maximumTextBytes else { return "its note has \(note.utf8.count) bytes" }
        guard postings.count <= Self.maximumPostings else { return "it has \(postings.count) postings" }
        var sum: Int64 = 0
        for posting in postings {
            guard posting.amount != 0 else { return "a posting moves nothing" }
            let (next, overflow) = sum.addingReportingOverflow(posting.amount)
            guard !overflow else { return "its amounts overflow" }
            sum = next
        }
        guard sum == 0 else { return "its postings sum to \(sum), not to 0" }
        return nil
    }
}
