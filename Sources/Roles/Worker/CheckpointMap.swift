import Foundation
import Identity
import Safetensors
import Shardcast
import Transformer

/// Which tensor stands where in the files of a version, and of what model they are: what differences speak about.
///
/// A difference never moves a tensor, so the map of one version holds for all that differences lead to.
struct CheckpointMap: Sendable {
    /// The tensors that are computed with as they are stored: those of bf16.
    let tensors: [DifferenceReader.Place: String]
    /// The SHA-256 of `config.json`.
    let configuration: Hash256

    /// - Throws: where the files cannot be read.
    init(_ files: PolicyFiles) throws {
        let directory = try ModelDirectory(opening: files.model)
        var tensors: [DifferenceReader.Place: String] = [:]
        for part in directory.tensors.parts {
            let file = URL(fileURLWithPath: part.path).lastPathComponent
            for (name, info) in part.tensors where info.type == .bfloat16 && !info.range.isEmpty {
                let start = UInt64(part.dataStart + info.range.lowerBound)
                let place = DifferenceReader.Place(file: file, bytes: start..<start + UInt64(info.range.count))
                tensors[place] = name
            }
        }
        self.tensors = tensors
        configuration = SHA256.hash([UInt8](try Data(contentsOf: URL(fileURLWithPath: files.model + "/config.json"))))
    }
}

/// Differences as the weights in memory take them: by the names of tensors.
struct TensorRevision: WeightsRevision {
    private let reader: DifferenceReader
    private let places: [String: DifferenceReader.Place]

    /// - Throws: ``RevisionRefusal`` where something changes that is not one of the model's tensors as it is computed with.
    init(_ reader: DifferenceReader, _ map: CheckpointMap, _ layout: ParameterLayout) throws(RevisionRefusal) {
        let sizes = Dictionary(layout.slices.map { ($0.name, $0.count) }, uniquingKeysWith: { first, _ in first })
        var places: [String: DifferenceReader.Place] = [:]
        for place in reader.places {
            guard let name = map.tensors[place], sizes[name] == place.bytes.count / 2 else {
                throw RevisionRefusal("bytes \(place.bytes) of \(place.file) change, which are no tensor in memory")
            }
            places[name] = place
        }
        self.reader = reader
        self.places = places
    }

    var blockElements: Int { DifferenceReader.blockElements }

    func begin(_ tensor: TensorSlice) -> Bool { places[tensor.name].map(reader.begin) ?? false }

    func revise(_ block: UnsafeMutableBufferPointer<UInt16>) throws { try reader.revise(block) }
}

/// Why weights in memory cannot become a later version, and its files are read instead.
struct RevisionRefusal: Error, CustomStringConvertible {
    /// A clause without a period.
    let description: String

    init(_ reason: String) { description = reason }
}
