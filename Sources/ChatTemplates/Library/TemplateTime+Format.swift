extension TemplateTime {
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    /// The moment as `strftime` writes it in the C locale; a directive that is not known is an error.
    func formatted(_ format: Text) throws(TemplateError) -> Text {
        var result = ""
        var index = 0
        while index < format.count {
            let scalar = format.scalars[index]
            index += 1
            guard scalar == "%", index < format.count else {
                result.unicodeScalars.append(scalar)
                continue
            }
            // GNU's "-" takes away the zeros in front.
            let isPlain = format.scalars[index] == "-"
            if isPlain { index += 1 }
            guard index < format.count, let field = field(format.scalars[index]) else {
                throw TemplateError(.unsupported, "strftime_now knows no directive like this in \"\(format.string)\"")
            }
            index += 1
            result += isPlain ? withoutPadding(field) : field
        }
        return Text(result)
    }

    private func withoutPadding(_ field: String) -> String {
        let rest = field.drop { $0 == "0" || $0 == " " }
        return rest.isEmpty ? "0" : String(rest)
    }

    private func padded(_ number: Int, _ width: Int, _ filling: Character = "0") -> String {
        let digits = String(number)
        return String(repeating: filling, count: max(0, width - digits.count)) + digits
    }

    private func field(_ directive: Unicode.Scalar) -> String? {
        switch directive {
        case "a": return String(TemplateTime.weekdays[weekday].prefix(3))
        case "A": return TemplateTime.weekdays[weekday]
        case "b", "h": return String(TemplateTime.months[month - 1].prefix(3))
        case "B": return TemplateTime.months[month - 1]
        case "c": return "\(field("a") ?? "") \(field("b") ?? "") \(padded(day, 2, " ")) \(clock) \(year)"
        case "C": return padded(year / 100, 2)
        case "d": return padded(day, 2)
        case "D", "x": return "\(padded(month, 2))/\(padded(day, 2))/\(padded(year % 100, 2))"
        case "e": return padded(day, 2, " ")
        case "f": return "000000"
        case "F": return "\(year)-\(padded(month, 2))-\(padded(day, 2))"
        case "H": return padded(hour, 2)
        case "I": return padded(hour % 12 == 0 ? 12 : hour % 12, 2)
        case "j": return padded(dayOfYear, 3)
        case "k": return padded(hour, 2, " ")
        case "l": return padded(hour % 12 == 0 ? 12 : hour % 12, 2, " ")
        case "m": return padded(month, 2)
        case "M": return padded(minute, 2)
        case "n": return "\n"
        case "p": return hour < 12 ? "AM" : "PM"
        case "r": return "\(field("I") ?? ""):\(padded(minute, 2)):\(padded(second, 2)) \(hour < 12 ? "AM" : "PM")"
        case "R": return "\(padded(hour, 2)):\(padded(minute, 2))"
        case "S": return padded(second, 2)
        case "t": return "\t"
        case "T", "X": return clock
        case "u": return String(weekday + 1)
        case "U": return padded((dayOfYear + 6 - (weekday + 1) % 7) / 7, 2)
        case "w": return String((weekday + 1) % 7)
        case "W": return padded((dayOfYear + 6 - weekday) / 7, 2)
        case "y": return padded(year % 100, 2)
        case "Y": return String(year)
        case "z", "Z": return ""
        case "%": return "%"
        default: return nil
        }
    }

    private var clock: String { "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))" }
}
