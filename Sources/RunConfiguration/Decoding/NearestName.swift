/// The name that a person most likely meant, nil if none is close.
///
/// One wrong letter comes first, then a part of a name (`rate` in `learning_rate`), then Levenshtein's distance.
func nearestName(to word: String, among names: [String]) -> String? {
    let typed = Array(word.lowercased().utf8.prefix(64))
    let ranked = names.map { name in (name, distance(typed, Array(name.utf8))) }
    guard let best = ranked.min(by: { $0.1 < $1.1 }) else { return nil }
    if best.1 <= 1 { return best.0 }
    if typed.count >= 3, let part = names.first(where: { $0.contains(word.lowercased()) }) { return part }
    return typed.count >= 4 && best.1 <= max(2, typed.count / 3) ? best.0 : nil
}

/// How many insertions, deletions and replacements turn one text into the other.
private func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (i, byte) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, other) in right.enumerated() {
            let substitution = diagonal + (byte == other ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[right.count]
}
