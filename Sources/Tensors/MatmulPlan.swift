/// How a product is cut into tasks: never along K, so the cut cannot change a bit.
///
/// A task is a few neighbouring panels for one block of rows. Blocks of rows lie outside, so that the rows of x stay in a
/// thread's second-level cache while the panels pass, and a thread that runs consecutive tasks reads consecutive memory.
public struct MatmulPlan {
    /// A block of x that leaves room for two panels in a cache of 1 MiB.
    static let rowBlockElements = 192 * 1024
    static let largestRowBlock = 192
    static let tileRows = 8
    // About ten microseconds: below that, waking a thread costs more than it brings. A few rows count as eight, because
    // then the product waits for its weights to arrive from memory, and two cores fetch them faster than one.
    static let smallestParallelWork = 2_000_000
    // About five microseconds, a hundred times what claiming a task costs.
    static let smallestTaskWork = 1_500_000
    static let fewestRows = 8

    let rows: Int
    let panels: Int
    /// The most panels of a task.
    public let panelsPerTask: Int
    let panelTasks: Int
    /// The most rows of a task.
    public let rowsPerTask: Int
    let rowTasks: Int

    /// The number of tasks.
    public var tasks: Int {
        panelTasks * rowTasks
    }

    /// Cuts a product of `rows` rows with `panels` panels of `columns` columns.
    public init(rows: Int, panels: Int, columns: Int, threads: Int) {
        self.rows = rows
        self.panels = panels
        let panelWork = PackedMatrix.panelWidth * columns
        guard threads > 1, panels * panelWork * max(rows, Self.fewestRows) >= Self.smallestParallelWork else {
            (panelsPerTask, panelTasks) = (panels, 1)
            (rowsPerTask, rowTasks) = (rows, 1)
            return
        }
        let most = min(Self.largestRowBlock, max(Self.rowBlockElements / columns, 6 * Self.tileRows))
        let blocks = (rows + most - 1) / most
        let tiles = (rows + Self.tileRows * blocks - 1) / (Self.tileRows * blocks)
        rowsPerTask = tiles * Self.tileRows
        rowTasks = (rows + rowsPerTask - 1) / rowsPerTask
        let taskWork = panelWork * max(min(rows, rowsPerTask), Self.fewestRows)
        // Neighbours may keep a core busy: there are more tasks than threads even where they get small.
        let wanted = min((Self.smallestTaskWork + taskWork - 1) / taskWork, panels / (4 * threads))
        // The kernels read two panels side by side when there is one row.
        panelsPerTask = rows == 1 ? min(panels, max(2, wanted / 2 * 2)) : max(1, wanted)
        panelTasks = (panels + panelsPerTask - 1) / panelsPerTask
    }

    /// The rows and panels of a task.
    public func part(_ task: Int) -> (rows: Range<Int>, panels: Range<Int>) {
        let panel = task % panelTasks * panelsPerTask
        let row = task / panelTasks * rowsPerTask
        return (row..<min(row + rowsPerTask, rows), panel..<min(panel + panelsPerTask, panels))
    }
}
