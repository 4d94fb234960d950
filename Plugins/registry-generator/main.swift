import Foundation

// registry-generator <module> <output> <source>...: writes the list of the types that the sources declare.
// The name of a file is the name of its type, so no Swift parser is needed; that the file declares the type is
// checked here by plain text, because the compiler would complain about a generated file that nobody knows.

/// Ends the build with a diagnostic that editors show at the file.
func fail(_ path: String, _ message: String) -> Never {
    FileHandle.standardError.write(Data("\(path):1:1: error: \(message)\n".utf8))
    exit(1)
}

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
    fail("registry-generator", "usage: registry-generator <module> <output> <source>...")
}
let module = arguments[1]
let output = arguments[2]
let kinds = ["Environments": "Environment", "Rewards": "Reward"]
guard let kind = kinds[module] else {
    fail("registry-generator", "the module \(module) has no registry; known are \(kinds.keys.sorted())")
}

var names: [String] = []
for path in arguments.dropFirst(3) {
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    let isIdentifier = name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } && name.first?.isLetter == true
    guard isIdentifier else {
        fail(path, "the name of a file in \(module.lowercased())/ is the name of its type; '\(name)' cannot be one")
    }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { fail(path, "this file cannot be read") }
    let declarations = ["struct", "class", "actor", "enum"].flatMap { ["\($0) \(name):", "\($0) \(name) :"] }
    guard declarations.contains(where: text.contains) else {
        fail(
            path,
            "this file must declare 'struct \(name): \(kind)' (files that share code go into a folder below)")
    }
    names.append(name)
}

let list = names.map { "    \($0).self,\n" }.joined()
let source = """
    // Written by registry-generator from the names of the files in \(module.lowercased())/.
    public import EnvironmentKit

    /// Every \(kind.lowercased()) of the house, in the order of the file names.
    public let all\(module): [any \(kind).Type] = [
    \(list)]

    """
do {
    // An unchanged registry keeps its date, so that nothing is compiled again.
    if (try? String(contentsOfFile: output, encoding: .utf8)) != source {
        try source.write(toFile: output, atomically: true, encoding: .utf8)
    }
} catch {
    fail(output, "the registry cannot be written: \(error)")
}
