import Tensors

/// A safetensors file that is mapped into memory and whose header has passed every rule.
///
/// ```swift
/// let file = try SafetensorsFile(path: "model.safetensors")
/// let weights = try file.load("model.norm.weight", as: .bfloat16, shape: [64], UInt16.self)
/// ```
public final class SafetensorsFile: Sendable {
    /// The path that the file was opened under.
    public let path: String
    private let mapping: MappedFile
    private let header: SafetensorsHeader

    /// Opens and checks a file.
    ///
    /// - Throws: `SafetensorsError` when the file cannot be read or breaks a rule of the format.
    public init(path: String) throws(SafetensorsError) {
        self.path = path
        mapping = try MappedFile(path: path)
        header = try SafetensorsHeader(parsing: mapping.bytes, fileByteCount: mapping.bytes.count, file: path)
    }

    /// What the file holds, by name.
    public var tensors: [String: TensorInfo] { header.tensors }
    /// The text entries of the file.
    public var metadata: [String: String] { header.metadata }
    /// The size of the whole file in bytes.
    public var byteCount: Int { mapping.bytes.count }

    /// Lends the bytes of a tensor, little-endian and without any promise about alignment.
    ///
    /// The pointer is good inside `body` only.
    ///
    /// - Throws: `SafetensorsError` when there is no such tensor, and what `body` throws.
    public func withBytes<Value>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Value) throws -> Value {
        let info = try info(of: name)
        let start = header.dataStart + info.range.lowerBound
        return try body(UnsafeRawBufferPointer(rebasing: mapping.bytes[start..<start + info.range.count]))
    }

    /// Copies a tensor of known type and shape to aligned memory.
    ///
    /// - Parameters:
    ///   - name: the tensor.
    ///   - type: the element type that the tensor must have.
    ///   - shape: the shape that the tensor must have.
    ///   - destination: where the elements go; exactly as many as the tensor has.
    /// - Throws: `SafetensorsError` when the tensor is missing or of another type or shape.
    public func copy<Element: BitwiseCopyable>(
        _ name: String, as type: ElementType, shape: [Int], to destination: UnsafeMutableBufferPointer<Element>
    ) throws {
        let info = try info(of: name)
        guard info.type == type, info.shape == shape else {
            throw SafetensorsError(
                .wrongType, file: path,
                "tensor \(name) is \(info.type.rawValue) \(info.shape) where \(type.rawValue) \(shape) is needed")
        }
        try withBytes(of: name) { bytes in
            precondition(bytes.count == destination.count * MemoryLayout<Element>.size, "destination of another size")
            UnsafeMutableRawBufferPointer(destination).copyMemory(from: bytes)
        }
    }

    /// Copies a tensor of known type and shape to new storage.
    ///
    /// - Throws: `SafetensorsError` when the tensor is missing or of another type or shape.
    public func load<Element: BitwiseCopyable>(
        _ name: String, as type: ElementType, shape: [Int], _ element: Element.Type
    ) throws -> Storage<Element> {
        let storage = Storage<Element>(count: shape.reduce(1, *))
        try copy(name, as: type, shape: shape, to: storage.buffer)
        return storage
    }

    private func info(of name: String) throws(SafetensorsError) -> TensorInfo {
        guard let info = tensors[name] else {
            throw SafetensorsError(.missingTensor, file: path, "it holds no tensor \(name)")
        }
        return info
    }
}
