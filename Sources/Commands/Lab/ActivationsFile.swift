import Roles
import Safetensors

/// A bf16 matrix of activations that a person names on the command line.
struct ActivationsFile {
    let path: String
    /// The tensor's name; nil where there is one only.
    let tensor: String?

    /// Hands over the tensor's bit patterns and its width.
    ///
    /// - Throws: A `RoleFailure` for anything but a finite bf16 tensor of two dimensions.
    func read<Value>(_ body: (UnsafeBufferPointer<UInt16>, _ hidden: Int) throws -> Value) throws -> Value {
        let file = try SafetensorsFile(path: path)
        guard let name = tensor ?? (file.tensors.count == 1 ? file.tensors.keys.first : nil) else {
            throw RoleFailure(
                .badInput, "\(path) holds \(file.tensors.count) tensors.",
                advice: "Name one by --tensor: \(names(file)).")
        }
        guard let info = file.tensors[name] else {
            throw RoleFailure(.badInput, "\(path) holds no tensor \(name).", advice: "It holds \(names(file)).")
        }
        guard info.type == .bfloat16, info.shape.count == 2, info.shape[1] > 0 else {
            throw RoleFailure(
                .badInput, "\(name) is \(info.type) \(info.shape); a bf16 tensor (rows, hidden) is needed.",
                advice: "Save the final hidden states as torch.bfloat16, one row for each token.")
        }
        guard info.shape[0] > 0 else {
            throw RoleFailure(.badInput, "\(name) has no rows.", advice: "A proof needs at least one token.")
        }
        // The mapping may lie at an odd place in the file; a copy is aligned.
        var values = [UInt16](repeating: 0, count: info.elementCount)
        try file.withBytes(of: name) { bytes in
            values.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
        }
        if let position = values.firstIndex(where: { $0 & 0x7F80 == 0x7F80 }) {
            throw RoleFailure(
                .badInput,
                "\(name) holds a value that is not finite, in row \(position / info.shape[1]), column "
                    + "\(position % info.shape[1]).", advice: "Such activations prove nothing; generate them again.")
        }
        return try values.withUnsafeBufferPointer { try body($0, info.shape[1]) }
    }

    private func names(_ file: SafetensorsFile) -> String {
        file.tensors.keys.sorted().prefix(8).joined(separator: ", ")
    }
}
