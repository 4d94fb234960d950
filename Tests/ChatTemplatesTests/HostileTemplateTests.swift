import Foundation
import JSON
import Testing

@testable import ChatTemplates

/// Templates of strangers: an error, never a crash, a hang or an exhausted machine.
@Suite struct HostileTemplateTests {
    private static func times(_ count: Int, _ text: String) -> String { String(repeating: text, count: count) }

    /// Templates that nest a number of levels, in each way that the grammar has.
    private static func nested(_ n: Int) -> [String] {
        [
            "{{ " + times(n, "(") + "1" + times(n, ")") + " }}", "{{ " + times(n, "[") + times(n, "]") + " }}",
            "{% macro m(a) %}{{ a }}{% endmacro %}{{ " + times(n, "m(") + "1" + times(n, ")") + " }}",
            "{{ " + times(n, "not ") + "1 }}", "{{ " + times(n, "-") + "1 }}",
            "{{ " + times(n, "{'a':") + "1" + times(n, "}") + " }}",
            "{{ " + times(n, "1 if x else ") + "1 }}", "{{ 1" + times(n, " if x") + " }}",
            "{{ " + times(n, "x|default(") + "1" + times(n, ")") + " }}",
            "{{ " + times(n, "x[") + "1" + times(n, "]") + " }}",
            "{{ " + times(n, "1 or 1 and not 1 == 1 + 1 ~ 1 * 1 ** (0 or ") + "1" + times(n, ")") + " }}",
            times(n, "{% if 1 %}") + times(n, "{% endif %}"),
            times(n, "{% for i in [1] if loop %}{{ loop }}") + times(n, "{% endfor %}"),
            times(n, "{% set x %}") + times(n, "{% endset %}"),
            times(n, "{% macro m() %}") + times(n, "{% endmacro %}"),
            times(n, "{% filter upper %}") + times(n, "{% endfilter %}"),
            times(n, "{% generation %}") + times(n, "{% endgeneration %}"),
            times(n, "{% with a = 1 %}") + times(n, "{% endwith %}"),
            "{% macro m() %}{{ caller() }}{% endmacro %}" + times(n, "{% call m() %}") + times(n, "{% endcall %}"),
            "{% for " + times(n, "(") + "a" + times(n, ")") + " in [1] %}{% endfor %}",
        ]
    }

    private static let cyclic = [
        "{% macro m(a) %}{{ m(a) }}{% endmacro %}{{ m(1) }}", "{% macro m(a=m()) %}{{ a }}{% endmacro %}{{ m() }}",
        "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
        "{% macro m(a) %}{% for q in [1] if m(1) %}{{ q }}{% endfor %}{% endmacro %}{{ m(1) }}",
        "{% macro m(a) %}{% call m(a) %}{{ caller() }}{% endcall %}{{ caller() }}{% endmacro %}{{ m(1) }}",
        "{% macro m(a) %}{% set x %}{% if 1 %}{{ (m(a))|string }}{% endif %}{% endset %}{% endmacro %}{{ m(1) }}",
        "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}",
        "{% set ns = namespace(g=[1]) %}{% for i in range(999) %}{% set ns.g = [ns.g] %}{% endfor %}",
        "{% set ns = namespace(g=[1]) %}{% for i in range(999) %}{% set ns.g = ns.g|map('string') %}{% endfor %}",
        "{% set ns = namespace(g={}) %}{% for i in range(999) %}{% set ns.g = {'a': ns.g.get} %}{% endfor %}",
        "{% set ns = namespace(g=[1]) %}{% for i in range(60) %}{% set ns.g = [ns.g, ns.g] %}{% endfor %}{{ ns.g }}",
        "{% set ns = namespace(g=[1]) %}{% for i in range(60) %}{% set ns.g = [ns.g, ns.g] %}{% endfor %}{{ ns.g|tojson }}",
        "{% set ns = namespace(g=(1,)) %}{% for i in range(60) %}{% set ns.g = (ns.g, ns.g) %}{% endfor %}{{ {ns.g: 1} }}",
        "{% set a = namespace(g=[1]) %}{% set b = namespace(g=[1]) %}{% for i in range(60) %}{% set a.g = [a.g, a.g] %}{% set b.g = [b.g, b.g] %}{% endfor %}{{ a.g == b.g }}",
    ]

    private static let exploding = [
        "{{ 'a' * 9223372036854775807 }}", "{{ [1] * 9223372036854775807 }}", "{{ 'aa' * 9223372036854775807 }}",
        "{% set o = namespace(s='aaaaaaaaaa') %}{% for i in range(99) %}{% set o.s = o.s ~ o.s %}{% endfor %}",
        "{% set o = namespace(s='aaaa') %}{% for i in range(99) %}{% set o.s = o.s.replace('a', 'aaaa') %}{% endfor %}",
        "{{ 'a'|center(9223372036854775807) }}", "{{ 'a'.zfill(9223372036854775807) }}", "{{ '%999999999999d' % 1 }}",
        "{{ '%*d' % (9223372036854775807, 1) }}", "{{ '%.999999999f' % 1 }}",
        "{{ '{:9223372036854775807}'.format(1) }}",
        "{{ [1]|tojson(indent=9223372036854775807) }}", "{{ 'a\\nb'|indent(9223372036854775807) }}",
        "{{ range(0, 9223372036854775807, 4611686018427387904)[3:] }}", "{{ range(9223372036854775807) }}",
        "{{ range(100001) }}", "{{ [1]|batch(999999999, 0)|list }}",
        "{{ range(100000)|join('a' * 1000) }}", "{{ ('a' * 1000000).replace('', 'aaaaaaaaaaaaaaaaaaaa') }}",
        "{{ 2 ** 64 }}", "{{ 9223372036854775807 + 1 }}", "{{ (-9223372036854775807 - 1) // -1 }}",
        "{{ (-9223372036854775807 - 1)|abs }}",
        "{{ -(-9223372036854775807 - 1) }}", "{{ 1e300|int }}", "{{ 1|round(9223372036854775807) }}",
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% for a in range(100000) %}{{ range(100000)|sort|length }}{% endfor %}",
        "{% set s = 'a ' * 100000 %}{% for a in range(100000) %}{% set x = s.split() %}{% endfor %}",
        "{% set s = 'a' * 100000 %}{% set p = 'a' * 50000 ~ 'b' %}{% for a in range(100000) %}{{ s.find(p) }}{% endfor %}",
    ]

    /// Runs on a thread with the smallest stack that Swift code gets.
    private func onSmallStack(_ body: @escaping @Sendable () -> Void) {
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            body()
            done.signal()
        }
        thread.stackSize = 512 << 10
        thread.start()
        done.wait()
    }

    @Test(arguments: [10, 30, 58, 119, 5000])
    func nestingEndsWithAnErrorOnASecondaryThread(levels: Int) {
        onSmallStack {
            for source in Self.nested(levels) {
                let kind = kind(source)
                if levels == 10 { #expect(kind == nil || kind == .undefined || kind == .value, "\(source)") }
                if levels == 5000 { #expect(kind == .limit, "\(source.prefix(80))") }
            }
        }
    }

    @Test(arguments: cyclic)
    func circlesEndWithAnErrorOnASecondaryThread(source: String) {
        onSmallStack { #expect(kind(source, limits: TemplateLimits(steps: 300_000)) == .limit) }
    }

    @Test(arguments: exploding)
    func whatExplodesIsRefused(source: String) {
        #expect(kind(source, limits: TemplateLimits(steps: 1_000_000)) == .limit)
    }

    @Test func longChainsOfReferencesAreReleasedOneByOne() {
        onSmallStack {
            for source in [
                "{% set o = namespace(x=none) %}{% for i in range(20000) %}{% set o.x = namespace(n=o.x) %}{% endfor %}",
                "{% set o = namespace(m=none) %}{% macro f(p) %}{% macro g() %}{{ p }}{% endmacro %}{% set o.m = g %}{% endmacro %}"
                    + "{% for i in range(20000) %}{{ f(o.m) }}{% endfor %}",
                "{% set o = namespace(l=none) %}{% for i in range(20000) %}{% for j in [o.l] %}{% set o.l = loop %}"
                    + "{% set x = loop.changed(o.l) %}{% endfor %}{% endfor %}",
            ] {
                #expect(kind(source) == nil)
            }
        }
    }

    @Test func errorsNameTheirPlace() throws {
        let error = #expect(throws: TemplateError.self) { try render("a\n{{ 1 +\n   missing.x }}") }
        #expect(error?.line == 3 && error?.column == 11)
        #expect(error?.description == "chat template, line 3, column 11: \"missing\" is undefined")
        let syntax = #expect(throws: TemplateError.self) { try render("é {% if x %}\n{% endfor %}") }
        #expect(syntax?.line == 2 && syntax?.kind == .syntax)
        let raised = #expect(throws: TemplateError.self) { try render("{{ raise_exception('no such role') }}") }
        #expect(raised?.kind == .raised && raised?.message == "no such role")
    }

    @Test func largeSourcesAreReadInReasonableTime() {
        let names = (0..<8000).map { "{% if a\($0) %}{% set b\($0) = c %}{% endif %}" }.joined()
        #expect(kind(names) == nil)
        #expect(kind(Self.times(1 << 19, "x") + "y") == .limit)
        #expect(kind("{{ " + Self.times(20000, "1 + ") + "1 }}") == nil)
        #expect(kind("{{ s" + Self.times(20000, "|default('')") + " }}") == nil)
    }

    /// Every filter, test and method with the arguments that arithmetic dislikes most.
    @Test func extremeArgumentsNeverTrap() {
        let least = "(-9223372036854775807 - 1)"
        let most = "9223372036854775807"
        let bases = [
            "'a,b c'", "''", "[1, 2, 3]", "[]", "{'a': 1}", "5", "2.5", "range(3)", "none", least, "1e308", "x", "true",
            "namespace(a=1)",
        ]
        let names = FilterLibrary.names.sorted()
        let methods = StringMethods.names.sorted() + ["get", "keys", "index", "count", "a", "is_integer"]
        let arguments = [
            "", least, most, "0", "-1", "'a'", "none", "[]", "1.5", "x", "{}", "'a', 'b'", "0, \(least)",
            "'a', \(least), \(most)",
        ]
        let limits = TemplateLimits(steps: 50_000)
        for base in bases {
            for argument in arguments {
                for name in names {
                    _ = kind(
                        "{{ \(base)|\(name)(\(argument)) }}{{ \(base)|\(name)(\(argument))|list }}", limits: limits)
                }
                for name in methods { _ = kind("{{ (\(base)).\(name)(\(argument)) }}", limits: limits) }
                for sign in ["+", "-", "*", "/", "//", "%", "**", "<", "==", "in", "~"]
                where !argument.contains(",") && !argument.isEmpty {
                    _ = kind("{{ \(base) \(sign) \(argument) }}{{ \(argument) \(sign) \(base) }}", limits: limits)
                }
                if !argument.isEmpty, !argument.contains(",") {
                    _ = kind("{{ (\(base))[\(argument)] }}", limits: limits)
                    _ = kind(
                        "{{ (\(base))[\(argument):\(least):\(argument)] }}{{ (\(base))[:\(argument):\(least)]|list }}",
                        limits: limits)
                    _ = kind(
                        "{{ (\(base))[\(most)::\(argument)] }}{{ (\(base))[\(least):\(most):\(most)]|list }}",
                        limits: limits)
                }
            }
        }
    }

    @Test func randomSourcesNeverCrash() {
        var generator = SystemRandomNumberGenerator()
        let pieces = [
            "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", " ", "\n", "for", "in", "if", "else", "endif", "endfor",
            "set", "=", "macro",
            "endmacro", "(", ")", "[", "]", "{", "}", "|", ".", ",", ":", "~", "*", "**", "//", "'", "\"", "\\", "x",
            "messages", "1", "1.5", "is",
            "not", "and", "or", "raw", "endraw", "tojson", "map", "loop", "namespace", "🦜", "\u{0}", "e\u{301}", "0x",
            "1e", "==", "<", "%", "/",
        ]
        for _ in 0..<4000 {
            let count = Int.random(in: 1...25, using: &generator)
            let source = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            _ = kind(source, limits: TemplateLimits(steps: 10_000))
            _ = kind("{{ " + source + " }}", limits: TemplateLimits(steps: 10_000))
        }
    }
}
