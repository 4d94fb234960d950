import Foundation
import Testing

@testable import RunConfiguration

/// `docs/run-files.md` ends with a table of every setting; it is written by the code and compared here.
///
/// To write it anew: `APUS_WRITE_DOCS=1 swift test --filter SettingsReferenceTests`.
struct SettingsReferenceTests {
    static let page = ConfigFilesTests.folder.deletingLastPathComponent().appending(path: "docs/run-files.md")
    static let marker = "<!-- Everything below is written by SettingsReferenceTests. -->\n"

    @Test func thePageIsTheCode() throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let head = try #require(text.range(of: Self.marker))
        let expected =
            text[..<head.upperBound] + "\n# Settings of a run\n\n" + RunFile.reference
            + "\n# Settings of supervised training (`apus sft`)\n\n" + SupervisedFile.reference
        if ProcessInfo.processInfo.environment["APUS_WRITE_DOCS"] != nil {
            try expected.write(to: Self.page, atomically: true, encoding: .utf8)
        } else {
            #expect(text == expected)
        }
    }
}
