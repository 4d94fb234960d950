import CKernels

/// Where keys and values of 16 consecutive positions live inside one page of a key/value cache.
///
/// A page holds every layer and key/value head: first the key panel, then the value panel of layer 0 head 0, and so on.
/// Keys lie as pairs along the head dimension for 16 positions, values as pairs of positions along the head dimension,
/// so that scores and weighted sums run in the matmul's order. Pages need not be cleared, as long as their positions are
/// written in ascending order.
public struct KeyValuePageLayout: Sendable, Equatable {
    /// Positions per page.
    public static let positions = Int(CK_PAGE_POSITIONS)

    /// Layers of the model.
    public let layers: Int
    /// Key/value heads per layer.
    public let keyValueHeads: Int
    /// Values per head; even.
    public let headDimension: Int

    /// A layout for a model's shape.
    public init(layers: Int, keyValueHeads: Int, headDimension: Int) {
        precondition(layers > 0 && keyValueHeads > 0 && headDimension > 0 && headDimension % 2 == 0)
        self.layers = layers
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
    }

    /// bf16 elements of one page.
    public var elementCount: Int {
        layers * keyValueHeads * 2 * panelCount
    }

    /// bf16 elements of one layer in a page, which lie side by side.
    public var layerElementCount: Int { keyValueHeads * 2 * panelCount }

    /// The number of pages that `positions` positions need.
    public static func pages(for positions: Int) -> Int {
        (positions + Self.positions - 1) / Self.positions
    }

    /// Elements from a page's start to the key panel of one layer and head.
    public func keyOffset(layer: Int, head: Int) -> Int {
        (layer * keyValueHeads + head) * 2 * panelCount
    }

    /// Elements from a page's start to the value panel of one layer and head.
    public func valueOffset(layer: Int, head: Int) -> Int {
        keyOffset(layer: layer, head: head) + panelCount
    }

    /// Stores the rotated key of one position (`slot` = position mod 16).
    public func writeKey(
        _ row: UnsafePointer<BFloat16Bits>, page: UnsafeMutablePointer<BFloat16Bits>, layer: Int, head: Int, slot: Int
    ) {
        ck_write_key(page + keyOffset(layer: layer, head: head), headDimension, slot, row)
    }

    /// Stores the value of one position.
    ///
    /// Two positions share each 32-bit pair: an even one clears the odd one, and one thread must own both.
    public func writeValue(
        _ row: UnsafePointer<BFloat16Bits>, page: UnsafeMutablePointer<BFloat16Bits>, layer: Int, head: Int, slot: Int
    ) {
        ck_write_value(page + valueOffset(layer: layer, head: head), headDimension, slot, row)
    }

    /// Reads a key back (tests, the training graph).
    public func readKey(
        into row: UnsafeMutablePointer<BFloat16Bits>, page: UnsafePointer<BFloat16Bits>, layer: Int, head: Int,
        slot: Int
    ) {
        ck_read_key(page + keyOffset(layer: layer, head: head), headDimension, slot, row)
    }

    /// Reads a value back.
    public func readValue(
        into row: UnsafeMutablePointer<BFloat16Bits>, page: UnsafePointer<BFloat16Bits>, layer: Int, head: Int,
        slot: Int
    ) {
        ck_read_value(page + valueOffset(layer: layer, head: head), headDimension, slot, row)
    }

    private var panelCount: Int {
        Self.positions * headDimension
    }
}
