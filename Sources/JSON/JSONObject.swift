/// A name and its value in an object.
public struct JSONMember: Sendable, Hashable {
    /// The name.
    public let name: String
    /// The value.
    public var value: JSONValue

    /// Pairs a name with a value.
    public init(_ name: String, _ value: JSONValue) {
        self.name = name
        self.value = value
    }
}

/// The members of a JSON object in the order of the text.
///
/// Names are told apart by their UTF-8 bytes: `String` calls names equal that differ only in Unicode normal form, and a
/// vocabulary may hold both. Two objects are equal when they hold the same members in any order, as RFC 8259 has it.
public struct JSONObject: Sendable {
    /// The members, each name once.
    public private(set) var members: [JSONMember]

    /// An object of these members; of equal names the last value stays, in the first one's place.
    public init(_ members: [JSONMember] = []) {
        var names: Set<NameBytes> = []
        if members.allSatisfy({ names.insert(NameBytes(text: $0.name)).inserted }) {
            self.members = members
        } else {
            self.members = []
            for member in members { self[member.name] = member.value }
        }
    }

    /// An object of members whose names are known to be distinct.
    init(distinct members: [JSONMember]) {
        self.members = members
    }

    /// An object of the members of a dictionary, sorted by name.
    public init(_ dictionary: [String: JSONValue]) {
        members = dictionary.map { JSONMember($0.key, $0.value) }.sorted { JSONObject.precedes($0.name, $1.name) }
    }

    /// The value of a name; setting nil removes it, setting a new name appends it.
    public subscript(name: String) -> JSONValue? {
        get { index(of: name).map { members[$0].value } }
        set {
            switch (index(of: name), newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append(JSONMember(name, value))
            case (nil, nil): break
            }
        }
    }

    /// The names in the order of the text.
    public var names: [String] { members.map(\.name) }

    /// The members by name, for readers that do not care for their order; see the note on names above.
    public var dictionary: [String: JSONValue] {
        Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// The object with its members sorted by the bytes of their names.
    public var sorted: JSONObject {
        JSONObject(distinct: members.sorted { JSONObject.precedes($0.name, $1.name) })
    }

    private func index(of name: String) -> Int? {
        members.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
    }

    /// The order of names: by bytes, because the order of `String` depends on Unicode's tables.
    static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}

extension JSONObject: RandomAccessCollection {
    /// Always 0.
    public var startIndex: Int { 0 }
    /// The number of members.
    public var endIndex: Int { members.count }
    /// A member by its place.
    public subscript(position: Int) -> JSONMember { members[position] }
}

extension JSONObject: Hashable {
    /// Whether both hold the same members, in whatever order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        let (first, second) = (left.sorted.members, right.sorted.members)
        return zip(first, second).allSatisfy { $0.name.utf8.elementsEqual($1.name.utf8) && $0.value == $1.value }
    }

    /// Hashes the members without regard to their order.
    public func hash(into hasher: inout Hasher) {
        for member in sorted.members {
            hasher.combine(member.name)
            hasher.combine(member.value)
        }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// An object in the order of the literal.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements.map { JSONMember($0.0, $0.1) })
    }
}

/// A name that a set tells apart by its bytes.
struct NameBytes: Hashable {
    let text: String

    static func == (left: NameBytes, right: NameBytes) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
