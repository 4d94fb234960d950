#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A moment as a wall clock shows it: what templates print as today's date.
///
/// It is an argument of rendering, so that the same chat is the same text tomorrow.
public struct TemplateTime: Sendable, Equatable {
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int

    /// A moment of the proleptic Gregorian calendar.
    ///
    /// - Returns: nil where there is no such moment; years are 1 to 9999.
    public init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= TemplateTime.days(of: month, in: year), (0..<24).contains(hour), (0..<60).contains(minute),
            (0..<60).contains(second)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// This machine's clock in its time zone.
    public static func now() -> TemplateTime? {
        var seconds = time(nil)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return nil }
        return TemplateTime(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: min(59, Int(parts.tm_sec)))
    }

    /// The day of the week, Monday is 0.
    var weekday: Int {
        // 1 January of the year 1 was a Monday.
        let before = year - 1
        return (before * 365 + before / 4 - before / 100 + before / 400 + dayOfYear - 1) % 7
    }

    /// The day of the year, counted from 1.
    var dayOfYear: Int {
        (1..<month).reduce(day) { $0 + TemplateTime.days(of: $1, in: year) }
    }

    private static func days(of month: Int, in year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: return 30
        case 2: return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: return 31
        }
    }
}
