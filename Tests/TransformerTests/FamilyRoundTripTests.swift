import Foundation
import Safetensors
import Tensors
import Testing

@testable import Transformer

/// Loading and saving every family.
///
/// With APUS_SAVE_FAMILIES set to a folder, the saved directories stay there for
/// `scripts/make-golden-families.py Tests/TransformerTests/Fixtures/families --check FOLDER`, which opens them in
/// `transformers`.
@Suite("Families are saved as they were loaded")
struct FamilyRoundTripTests {
    @Test("tensors, configuration and hash stay the same", arguments: FamilyFixture.names)
    func roundTrip(name: String) throws {
        let original = try ModelDirectory(opening: try FamilyFixture.folder(name))
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 2)
        let weights = try original.weights(kernels: kernels, pool: pool)
        try WeightsTests.withFolder { folder in
            let kept = ProcessInfo.processInfo.environment["APUS_SAVE_FAMILIES"]
            let path = "\(kept ?? folder)/\(name)"
            try weights.write(directory: path, generation: original.generation)
            let saved = try ModelDirectory(opening: path)
            #expect(saved.configuration == original.configuration)
            #expect(saved.generation == original.generation)
            let reloaded = try saved.weights(kernels: kernels, pool: pool)
            #expect(reloaded.weightsHash == weights.weightsHash)
            for slice in weights.layout.slices {
                #expect(reloaded.elements(of: slice) == weights.elements(of: slice), "\(slice.name)")
            }
            // A trainer reads the original exactly, and rounds to the same weights.
            let master = try original.masterWeights()
            #expect(try weightsHash(of: master.roundedSources(kernels)) == weights.weightsHash)
            try ModelDirectory.write(
                to: "\(folder)/master", configuration: original.configuration, generation: original.generation,
                tensors: master.sources)
            let again = try ModelDirectory(opening: "\(folder)/master").weights(kernels: kernels, pool: pool)
            #expect(again.weightsHash == weights.weightsHash)
        }
    }
}
