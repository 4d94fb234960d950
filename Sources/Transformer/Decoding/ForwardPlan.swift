import Tensors

/// How the rows of one forward pass are cut into work.
///
/// A *piece* is a run of consecutive positions of one sequence that begins and ends at page boundaries or at the segment's
/// ends, so that no two threads write into one page. A *unit* is some neighbouring pieces: the work of one task. None of
/// these cuts changes a bit of any result.
struct ForwardPlan {
    struct Piece {
        /// The pages of the sequence.
        let table: Unmanaged<PageTable>
        /// The rows of the batch.
        let rows: Range<Int>
        /// The absolute position of the first row.
        let position: Int
    }

    /// Neighbouring pieces whose attention is computed together.
    struct Company {
        let pieces: Range<Int>
        /// The leading pages that all of them see and none of them begins in.
        let sharedPages: Int
    }

    struct Unit {
        let rows: Range<Int>
        let pieces: Range<Int>
        let companies: Range<Int>
        let outputs: Range<Int>
    }

    /// Neighbouring rows whose final states are wanted, and where they go.
    struct OutputRun {
        var row: Int
        var count: Int
        var target: Int
    }

    /// Pieces of at most this many rows.
    private static let pieceRows = 32

    private(set) var pieces: [Piece] = []
    /// What attention reads, piece by piece.
    private(set) var segments: [AttentionSegment] = []
    private(set) var companies: [Company] = []
    private(set) var units: [Unit] = []
    private(set) var outputRuns: [OutputRun] = []
    private(set) var rowCount = 0
    /// The largest number of positions that a row sees.
    private(set) var longestContext = 0
    private(set) var largestUnit = 0
    /// The positions that the rows see, summed: the work of attention.
    private(set) var visiblePositions = 0
    /// Every page that the rows see, once, in the order of the pieces.
    private(set) var pages: [UnsafePointer<BFloat16Bits>] = []
    /// Whether no unit attends to keys that another one stores.
    private(set) var unitsAreIndependent = true

    private var unitStart = (row: 0, piece: 0, output: 0)

    mutating func removeAll() {
        pieces.removeAll(keepingCapacity: true)
        segments.removeAll(keepingCapacity: true)
        companies.removeAll(keepingCapacity: true)
        units.removeAll(keepingCapacity: true)
        outputRuns.removeAll(keepingCapacity: true)
        pages.removeAll(keepingCapacity: true)
        (rowCount, longestContext, largestUnit, visiblePositions) = (0, 0, 0, 0)
        unitsAreIndependent = true
        unitStart = (0, 0, 0)
    }

    /// Adds rows of one sequence, cutting units of at least `unitRows` rows.
    ///
    /// - Parameters:
    ///   - count: the number of rows.
    ///   - position: the absolute position of the first.
    ///   - outputs: which of the rows are wanted, relative to the first, and where the first of them goes.
    ///   - splitting: whether units may end inside the sequence.
    mutating func append(
        _ table: PageTable, count: Int, position: Int, outputs: (rows: Range<Int>, target: Int), unitRows: Int,
        splitting: Bool
    ) {
        let first = rowCount
        var done = 0
        while done < count {
            let start = position + done
            // Up to the page boundary that ends the second page at the latest.
            let untilBoundary = Self.pieceRows - start % KeyValuePageLayout.positions
            let rows = min(count - done, untilBoundary)
            pieces.append(
                Piece(table: .passUnretained(table), rows: first + done..<first + done + rows, position: start))
            segments.append(
                AttentionSegment(pages: table.addresses, rows: rows, firstPosition: start, firstRow: first + done))
            appendOutputs(
                rows: max(outputs.rows.lowerBound, done)..<max(outputs.rows.lowerBound, done + rows), firstRow: first,
                outputs: outputs)
            done += rows
            rowCount = first + done
            if splitting, rowCount - unitStart.row >= unitRows {
                closeUnit()
                if done < count { unitsAreIndependent = false }
            }
        }
        visiblePositions += count * position + count * (count + 1) / 2
        longestContext = max(longestContext, position + count)
        if rowCount - unitStart.row >= unitRows { closeUnit() }
    }

    private mutating func appendOutputs(rows: Range<Int>, firstRow: Int, outputs: (rows: Range<Int>, target: Int)) {
        guard !rows.isEmpty else { return }
        let row = firstRow + rows.lowerBound
        let target = outputs.target + rows.lowerBound - outputs.rows.lowerBound
        if outputRuns.count > unitStart.output, let last = outputRuns.last, last.row + last.count == row,
            last.target + last.count == target
        {
            outputRuns[outputRuns.count - 1].count += rows.count
        } else {
            outputRuns.append(OutputRun(row: row, count: rows.count, target: target))
        }
    }

    /// Ends the current unit, if it has rows.
    mutating func closeUnit() {
        guard rowCount > unitStart.row else { return }
        let firstCompany = companies.count
        appendCompanies(unitStart.piece..<pieces.count)
        units.append(
            Unit(
                rows: unitStart.row..<rowCount, pieces: unitStart.piece..<pieces.count,
                companies: firstCompany..<companies.count, outputs: unitStart.output..<outputRuns.count))
        largestUnit = max(largestUnit, rowCount - unitStart.row)
        unitStart = (rowCount, pieces.count, outputRuns.count)
    }

    /// Finds neighbours that continue the same pages, as the samples of a group do; strangers keep company without any.
    private mutating func appendCompanies(_ range: Range<Int>) {
        var first = range.lowerBound
        while first < range.upperBound {
            let shared = sharedPages(first, range)
            var end = first + 1
            while end < range.upperBound,
                shared == 0
                    ? sharedPages(end, range) == 0 : segments[first].sharedPages(with: segments[end]) >= shared
            {
                end += 1
            }
            companies.append(Company(pieces: first..<end, sharedPages: shared))
            appendPages(first..<end, sharedPages: shared)
            first = end
        }
    }

    /// Notes the pages of pieces that keep company.
    private mutating func appendPages(_ range: Range<Int>, sharedPages: Int) {
        for piece in range {
            // Pieces of one sequence see what the first of them sees, and what comes behind is new.
            let segment = segments[piece]
            let known = piece > 0 && pieces[piece - 1].table.toOpaque() == pieces[piece].table.toOpaque()
            let first = known ? segment.firstPage : piece > range.lowerBound ? sharedPages : 0
            for page in first...segment.lastPage { pages.append(segment.page(page)) }
        }
    }

    /// The pages that a piece shares with the next one.
    private func sharedPages(_ piece: Int, _ range: Range<Int>) -> Int {
        piece + 1 < range.upperBound ? segments[piece].sharedPages(with: segments[piece + 1]) : 0
    }
}
