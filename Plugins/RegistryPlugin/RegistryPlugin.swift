import Foundation
import PackagePlugin

/// Writes the registry of `environments/` or `rewards/` before the target is compiled.
///
/// Only the files at the top of the target's folder are registered; what several of them share lives in a folder
/// below it.
@main
struct RegistryPlugin: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let module = target as? SwiftSourceModuleTarget else { return [] }
        let top = module.directoryURL.standardizedFileURL.path
        let sources = module.sourceFiles(withSuffix: "swift").map(\.url)
            .filter { $0.deletingLastPathComponent().standardizedFileURL.path == top }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
        let output = context.pluginWorkDirectoryURL.appending(component: "Registry.swift")
        return [
            .buildCommand(
                displayName: "Registering \(sources.count) files of \(module.name)",
                executable: try context.tool(named: "registry-generator").url,
                arguments: [module.name, output.path] + sources.map(\.path),
                inputFiles: sources, outputFiles: [output])
        ]
    }
}
