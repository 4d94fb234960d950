import Tensors

/// An open safetensors file whose header has passed every rule.
///
/// Copies are read through the file's descriptor: a file that somebody shortens meanwhile is an error. Lending maps the
/// file instead, which copies nothing.
///
/// ```swift
/// let file = try SafetensorsFile(path: "model.safetensors")
/// let weights = try file.load("model.norm.weight", as: .bfloat16, shape: [64], UInt16.self)
/// ```
public final class SafetensorsFile: Sendable {
    /// The path that the file was opened under.
    public let path: String
    private let content: OpenFile
    private let header: SafetensorsHeader

    /// Opens and checks a file.
    ///
    /// - Throws: `SafetensorsError` when the file cannot be read or breaks a rule of the format.
    public init(path: String) throws(SafetensorsError) {
        self.path = path
        content = try OpenFile(path: path)
        header = try Self.header(of: content)
    }

    /// What the file holds, by name.
    public var tensors: [String: TensorInfo] { header.tensors }
    /// The text entries of the file.
    public var metadata: [String: String] { header.metadata }
    /// Where the tensors' bytes begin in the file.
    public var dataStart: Int { header.dataStart }
    /// The size of the whole file in bytes.
    public var byteCount: Int { content.byteCount }

    /// Lends the bytes of a tensor, little-endian and without any promise about alignment.
    ///
    /// The bytes are those of a mapping, good inside `body` only. Somebody who shortens the file in place during `body`
    /// kills the process; lend files that are complete and then only replaced or deleted, and ``copy(_:as:shape:to:)``
    /// others.
    ///
    /// - Throws: `SafetensorsError` when there is no such tensor or the file was shortened since it was opened, and what
    ///   `body` throws.
    public func withBytes<Value>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Value) throws -> Value {
        let info = try info(of: name)
        let start = header.dataStart + info.range.lowerBound
        return try body(content.mapped(start..<start + info.range.count))
    }

    /// Reads a part of a tensor.
    ///
    /// - Parameters:
    ///   - name: the tensor.
    ///   - offset: the first byte, counted from the tensor's beginning.
    ///   - destination: where the bytes go; they must lie inside the tensor.
    /// - Throws: `SafetensorsError` when there is no such tensor or the file cannot be read to there.
    public func read(_ name: String, at offset: Int, into destination: UnsafeMutableRawBufferPointer)
        throws(SafetensorsError)
    {
        let info = try info(of: name)
        precondition(offset >= 0 && offset + destination.count <= info.range.count, "bytes outside tensor \(name)")
        try content.read(at: header.dataStart + info.range.lowerBound + offset, into: destination)
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
        let bytes = UnsafeMutableRawBufferPointer(destination)
        precondition(bytes.count == info.range.count, "destination of another size")
        try read(name, at: 0, into: bytes)
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

    private static func header(of content: OpenFile) throws(SafetensorsError) -> SafetensorsHeader {
        let path = content.path
        let size = min(8, content.byteCount)
        let prefix = Storage<UInt8>(count: size)
        let end = try read(content, into: prefix) { bytes throws(SafetensorsError) in
            try SafetensorsHeader.end(bytes, fileByteCount: content.byteCount, file: path)
        }
        return try read(content, into: Storage<UInt8>(count: end, zeroed: false)) { bytes throws(SafetensorsError) in
            try SafetensorsHeader(parsing: bytes, fileByteCount: content.byteCount, file: path)
        }
    }

    /// Reads the first bytes of a file and lends them.
    private static func read<Value>(
        _ content: OpenFile, into storage: Storage<UInt8>,
        _ body: (UnsafeRawBufferPointer) throws(SafetensorsError) -> Value
    ) throws(SafetensorsError) -> Value {
        defer { withExtendedLifetime(storage) {} }
        try content.read(at: 0, into: UnsafeMutableRawBufferPointer(storage.buffer))
        return try body(UnsafeRawBufferPointer(storage.buffer))
    }

    private func info(of name: String) throws(SafetensorsError) -> TensorInfo {
        guard let info = tensors[name] else {
            throw SafetensorsError(.missingTensor, file: path, "it holds no tensor \(name)")
        }
        return info
    }
}
