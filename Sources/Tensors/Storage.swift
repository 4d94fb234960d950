import CKernels

#if os(Linux)
    import Glibc
#endif

/// The bit pattern of a bfloat16 number; Swift has no such type on Linux, so bits travel and C computes.
public typealias BFloat16Bits = UInt16

/// A fixed block of memory, aligned to 64 bytes, that lives as long as its owner.
///
/// The class hands out its address and does no locking: who writes while others read is the caller's plan
/// (weights are written once and then shared, scratch belongs to one thread).
public final class Storage<Element: BitwiseCopyable>: @unchecked Sendable {
    // Unchecked because the address is immutable, and exclusivity of the contents is the contract above.

    /// The number of elements.
    public let count: Int
    /// The first element, 64-byte aligned.
    public let pointer: UnsafeMutablePointer<Element>

    /// What is freed in the end: memory of our own, or the owner of memory that is lent.
    private let raw: UnsafeMutableRawPointer?
    private let owner: AnyObject?

    /// Allocates `count` elements; with `zeroed` every byte is zero, otherwise the contents are undefined.
    public init(count: Int, zeroed: Bool = true) {
        precondition(count >= 0, "storage needs a count of at least 0, not \(count)")
        let bytes = (count * MemoryLayout<Element>.stride + 63) / 64 * 64
        let raw = Self.allocate(max(bytes, 64))
        if zeroed {
            raw.initializeMemory(as: UInt8.self, repeating: 0, count: max(bytes, 64))
        }
        pointer = raw.bindMemory(to: Element.self, capacity: count)
        self.count = count
        self.raw = raw
        owner = nil
    }

    /// Allocates memory, of large pages where the block is large and the system has them.
    ///
    /// Weights and gradients are read from end to end, where a page of 4 KiB lasts for less than a microsecond.
    private static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
        let largePage = 1 << 21
        guard bytes >= 2 * largePage else { return .allocate(byteCount: bytes, alignment: 64) }
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: largePage)
        #if os(Linux)
            madvise(raw, bytes, MADV_HUGEPAGE)
        #endif
        return raw
    }

    /// Takes elements that lie in a larger block or in mapped pages, which `owner` keeps.
    ///
    /// Pages that are mapped read-only must not be written through this object either.
    public init(_ pointer: UnsafeMutablePointer<Element>, count: Int, owner: AnyObject) {
        precondition(UInt(bitPattern: pointer) % 64 == 0, "storage is aligned to 64 bytes")
        self.pointer = pointer
        self.count = count
        self.owner = owner
        raw = nil
    }

    /// Allocates a copy of `elements`.
    public convenience init(_ elements: some Collection<Element>) {
        self.init(count: elements.count, zeroed: false)
        _ = buffer.update(fromContentsOf: elements)
    }

    deinit {
        raw?.deallocate()
    }

    /// All elements.
    public var buffer: UnsafeMutableBufferPointer<Element> {
        UnsafeMutableBufferPointer(start: pointer, count: count)
    }

    /// One element.
    public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count, "index \(index) is outside a storage of \(count)")
            return pointer[index]
        }
        set {
            precondition(index >= 0 && index < count, "index \(index) is outside a storage of \(count)")
            pointer[index] = newValue
        }
    }
}
